"""Reads events from a CSV or JSON Lines file.

Columns are named like the fields of an event; case, spaces, dashes and underscores do not matter. Other columns
are ignored and counted. The values of a line are checked later, by ``events.model.event_of``.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, TypeAlias

from sartor.catalog.columns import column_key
from sartor.catalog.formats import Delimited, JsonLines, TableStream, TextLines
from sartor.catalog.source import Findings
from sartor.catalog.tables import format_of, why_no_format
from sartor.errors import SourceNotFound, UnreadableTable
from sartor.events.model import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_Format: TypeAlias = Delimited | JsonLines

_HEAD_BYTES = 2**16
_FIELD_BY_KEY = {column_key(name): name for name in FIELDS}
_PERSON_FIELDS = ("user_id", "visitor_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One line of a file, not yet checked.

    Attributes:
        location: Where it is, such as ``line 12``.
        fields: Values by the names of ``FIELDS``; None if the line is no JSON object.
    """

    location: str
    fields: Mapping[str, object] | None


class EventFile:
    """A file of events that is open for reading, once.

    Attributes:
        findings: What was odd so far, such as rows with a stray quote.
        ignored: How many events so far had a value in a column that is no field of an event, by column.
    """

    def __init__(self, table: TableStream, format_: _Format, *, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.findings = table.findings
        self.ignored: Counter[str] = Counter()
        self._table = table
        self._format = format_

    @property
    def read_bytes(self) -> int:
        """How much of the file was read."""
        return self._table.stream.tell()

    def __iter__(self) -> Iterator[EventLine]:
        try:
            yield from self._objects() if isinstance(self._format, JsonLines) else self._rows(self._format)
        except UnreadableTable as error:
            raise UnreadableTable(self._table.label, reason=error.reason, of="events") from error

    def _rows(self, format_: Delimited) -> Iterator[EventLine]:
        for row in format_.rows(self._table):
            yield EventLine(location=row.location, fields=self._fields(row.cells.items()))

    def _objects(self) -> Iterator[EventLine]:
        lines = TextLines(self._table)
        for line in lines:
            if not line.isspace():
                parsed = _object(line)
                fields = None if parsed is None else self._fields(parsed.items())
                yield EventLine(location=f"line {lines.number}", fields=fields)

    def _fields(self, cells: Iterable[tuple[str, object]]) -> dict[str, object]:
        fields = {}
        for column, value in cells:
            name = _field_of(column)
            if name is not None:
                fields[name] = value
            elif value not in (None, ""):
                self.ignored[column] += 1
        return fields


@contextmanager
def open_events(path: Path) -> Iterator[EventFile]:
    """Open a file of events.

    Raises:
        SourceNotFound: There is no such file.
        UnreadableTable: The file is neither CSV nor JSON Lines, or a column that every event needs is missing.
    """
    if not path.exists():
        raise SourceNotFound(path)
    if not path.is_file():
        raise _unreadable(path, "it is no file")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise _unreadable(path, f"it cannot be opened ({error.strerror})") from error
    with stream:
        format_ = _format_of(path, stream)
        table = TableStream(label=str(path), stream=stream, findings=Findings())
        yield EventFile(table, format_, size_bytes=path.stat().st_size)


def _format_of(path: Path, stream: IO[bytes]) -> _Format:
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    format_ = format_of(head)
    if format_ is None:
        raise _unreadable(path, why_no_format(head))
    if isinstance(format_, Delimited):
        columns = format_.columns(TableStream(label=str(path), stream=stream, findings=Findings()))
        stream.seek(0)
        known = {_field_of(column) for column in columns}
        if "type" not in known or not known.intersection(_PERSON_FIELDS):
            missing = "type" if "type" not in known else "user_id or visitor_id"
            reason = f"it has no column {missing} (its columns: {', '.join(columns)})"
            raise _unreadable(path, f"{reason}; an event has: {', '.join(FIELDS)}")
        return format_
    if isinstance(format_, JsonLines):
        return format_
    raise _unreadable(path, "it is a feed of products")


def _object(line: str) -> dict[str, object] | None:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):  # ValueError also for a number of over 4,300 digits
        return None
    return parsed if isinstance(parsed, dict) else None


@lru_cache(maxsize=1024)
def _field_of(column: str) -> str | None:
    return _FIELD_BY_KEY.get(column_key(column))


def _unreadable(path: Path, reason: str) -> UnreadableTable:
    return UnreadableTable(str(path), reason=reason, of="events")
