"""What every format of a table offers: rows of named cells, read as a stream.

The formats are ``delimited`` (CSV and TSV), ``json_lines`` and ``merchant_xml``; a new one is a class with
``columns`` and ``rows``, and a line in ``tables.format_of``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sartor.catalog.findings import Findings
    from sartor.types import AttributeValue

Cell: TypeAlias = "AttributeValue | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table.

    Attributes:
        place: Where it stands, such as ``line 12``.
        cells: Column to value, in the table's order; empty text or None is a missing cell.
    """

    place: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStream:
    """A table that is open for reading.

    Attributes:
        label: What to call it in a message to a person.
        stream: Its bytes, from the start.
        findings: Where to count what is odd.
    """

    label: str
    stream: IO[bytes]
    findings: Findings


class TableFormat(Protocol):
    """How the bytes of a table become rows."""

    @property
    def header_lines(self) -> int | None:
        """Lines that are no row; None where rows are not lines."""
        ...

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The columns by the start of the table; later rows may have others."""
        ...

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The rows, read one by one.

        Raises:
            UnreadableTable: The rest of the table cannot be understood, or must not be read.
        """
        ...


def merged(pairs: Iterable[tuple[str, Cell]]) -> dict[str, Cell]:
    """Cells by column; a column that comes more than once has a tuple of all its values."""
    cells: dict[str, Cell] = {}
    for column, cell in pairs:
        earlier = cells.get(column)
        cells[column] = cell if earlier in {None, ""} else _both(earlier, cell)
    return cells


def texts(cell: Cell) -> tuple[str, ...]:
    """A cell as zero, one or several texts, stripped, without the empty ones."""
    if cell is None:
        return ()
    if isinstance(cell, tuple):
        return tuple(text for text in (value.strip() for value in cell) if text)
    text = str(cell).strip()
    return (text,) if text else ()


def storable(text: str) -> str:
    """Text that can be written as UTF-8: half a surrogate pair, as JSON may escape one, becomes ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _both(earlier: Cell, cell: Cell) -> Cell:
    values = (*texts(earlier), *texts(cell))
    return values if len(values) > 1 else earlier
