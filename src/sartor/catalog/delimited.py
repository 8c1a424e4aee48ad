"""CSV and its kin: cells separated by a comma, semicolon, tab or bar, under a header.

Real files have unquoted commas, stray quotes and short lines. The rule here is that a line is never lost: it is
read as the standard says where that works, and to the letter where it does not.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from sartor.catalog.findings import Case
from sartor.catalog.table_format import Row, merged
from sartor.catalog.text_lines import TextLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.catalog.findings import Findings
    from sartor.catalog.table_format import Cell, TableStream

DELIMITERS = (",", ";", "\t", "|")  # the first wins a draw, and is assumed for a table of one column
_QUOTE = '"'
_MAX_LINES_PER_ROW = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """A table with a header, its cells separated by one character."""

    delimiter: str
    header_lines: int = 1

    @classmethod
    def sniff(cls, head: str) -> Delimited | None:
        """The format by the first line of a file, None when that line is no header."""
        header = next((line for line in head.splitlines() if line.strip()), "")
        if not header or not all(letter.isprintable() or letter == "\t" for letter in header):
            return None
        unquoted = "".join(header.split(_QUOTE)[::2])
        return cls(delimiter=max(DELIMITERS, key=unquoted.count))

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The header's cells."""
        return tuple(dict.fromkeys(_header(self._records(TextLines(table), table.findings))))

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The rows below the header; excess cells are joined into the last column."""
        records = self._records(TextLines(table), table.findings)
        header = _header(records)
        for line_number, record in records:
            place = f"line {line_number}"
            cells = self._fitted(record, len(header), place, table.findings)
            yield Row(place=place, cells=_named(header, cells))

    def _records(self, lines: TextLines, findings: Findings) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of each line that is not blank, the header included."""
        width = 0
        for line in lines:
            if line.isspace():
                continue
            number = lines.number
            if _QUOTE not in line:  # most lines; the csv module would say the same
                cells = line.split(self.delimiter)
            else:
                quoted = self._quoted(line, lines)
                if quoted is None:
                    findings.add(Case.STRAY_QUOTES, f"line {number}")
                cells = self._to_the_letter(line, width) if quoted is None else quoted
            width = width or len(cells)
            yield number, cells

    def _quoted(self, line: str, lines: TextLines) -> list[str] | None:
        """Cells as the standard has them, over several lines if need be; None when the quotes make no sense.

        Strictness matters: an opening quote that nobody closes would swallow every row up to the next quote.
        """
        further: list[str] = []

        def feed() -> Iterator[str]:
            yield line
            for following in islice(lines, _MAX_LINES_PER_ROW):
                further.append(following)
                yield following

        try:
            return next(csv.reader(feed(), delimiter=self.delimiter, skipinitialspace=True, strict=True))
        except csv.Error:
            lines.take_back(further)
            return None

    def _to_the_letter(self, line: str, width: int) -> list[str]:
        """Cells of a line with a stray quote: a lenient reader's if they fit, else with quotes as text."""
        try:
            lenient = next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True))
        except csv.Error:  # a cell over the csv module's limit of 128 KiB
            lenient = []
        return lenient if len(lenient) == width else line.split(self.delimiter)

    def _fitted(self, cells: list[str], width: int, place: str, findings: Findings) -> list[str]:
        while len(cells) > width and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) <= width:
            return cells + [""] * (width - len(cells))
        findings.add(Case.EXTRA_COMMAS if self.delimiter == "," else Case.EXTRA_CELLS, place)
        return [*cells[: width - 1], self.delimiter.join(cells[width - 1 :])]


def _header(records: Iterator[tuple[int, list[str]]]) -> list[str]:
    _, names = next(records, (0, []))
    return [name.strip() or f"column_{number}" for number, name in enumerate(names, start=1)]


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, Cell]:
    stripped = [cell.strip() for cell in cells]
    named: dict[str, Cell] = dict(zip(header, stripped, strict=True))
    return named if len(named) == len(header) else merged(zip(header, stripped, strict=True))
