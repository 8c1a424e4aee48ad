"""JSON Lines: one object a line.

An object inside the object becomes columns with a dot (``details.fabric``), one level deep; what lies deeper, and
a list that holds more than plain values, is kept as JSON text.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sartor.catalog.findings import Case
from sartor.catalog.table_format import Row, merged, storable
from sartor.catalog.text_lines import TextLines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.catalog.table_format import Cell, TableStream

_MAX_INT = 2**63  # what stores and indexes hold as a number


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines:
    """A table of one JSON object a line."""

    header_lines: int = 0

    @classmethod
    def sniff(cls, head: str) -> JsonLines | None:
        """The format if a file's first lines hold an object each, one of them at least."""
        if not head.lstrip().startswith("{"):
            return None
        return cls() if any(_object(line) is not None for line in head.split("\n")) else None

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The columns of all rows."""
        return tuple(dict.fromkeys(column for row in self.rows(table) for column in row.cells))

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The objects; a line that holds none is counted and skipped."""
        lines = TextLines(table)
        for line in lines:
            if line.isspace():
                continue
            place = f"line {lines.number}"
            cells = _object(line)
            if cells is None:
                table.findings.add(Case.BAD_JSON, place)
            else:
                yield Row(place=place, cells=cells)


def _object(line: str) -> dict[str, Cell] | None:
    try:
        parsed = json.loads(line)
        return merged(_flattened(parsed)) if isinstance(parsed, dict) else None
    except (ValueError, RecursionError):  # ValueError also for a number of over 4,300 digits
        return None


def _flattened(outer: dict[str, Any]) -> Iterator[tuple[str, Cell]]:
    for column, value in outer.items():
        if isinstance(value, dict):
            for inner, inner_value in value.items():
                yield storable(f"{column}.{inner}"), _cell(inner_value)
        else:
            yield storable(column), _cell(value)


def _cell(value: Any) -> Cell:
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return tuple(storable(str(item)) for item in value if item is not None) or None
    if isinstance(value, (dict, list)):
        return json.dumps(value) if value else None
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and abs(value) >= _MAX_INT:
        return str(value)
    return value  # type: ignore[no-any-return]  # int, bool or None: JSON has no more
