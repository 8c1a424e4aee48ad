"""Lines of a text table, decoded as they stream: UTF-8 with or without its mark, else Windows-1252."""

from __future__ import annotations

import codecs
from collections import deque
from typing import TYPE_CHECKING

from sartor.catalog.findings import Case
from sartor.errors import UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.catalog.table_format import TableStream

MAX_LINE_BYTES = 16 * 2**20


class TextLines:
    """An iterator of lines with their ends, which counts them and takes lines back.

    Each line is decoded for itself, so that a table need not be read twice to learn its encoding.

    Attributes:
        number: Number of the line that came last, from 1.
    """

    def __init__(self, table: TableStream) -> None:
        self.number = 0
        self._table = table
        self._waiting: deque[str] = deque()
        self._read_lines = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._waiting:
            self._waiting.extend(self._read())
        self.number += 1
        return self._waiting.popleft()

    def take_back(self, lines: Sequence[str]) -> None:
        """Give the last lines again."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)

    def _read(self) -> Iterator[str]:
        """The lines up to the next line feed: one, or more in a file whose lines end with a carriage return."""
        chunk = self._table.stream.readline(MAX_LINE_BYTES)
        if not chunk:
            raise StopIteration
        if len(chunk) == MAX_LINE_BYTES:
            reason = f"line {self.number + 1} is longer than {MAX_LINE_BYTES:,} bytes"
            raise UnreadableTable(self._table.label, reason=reason)
        if self.number == 0:
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        return map(self._decoded, chunk.splitlines(keepends=True))

    def _decoded(self, line: bytes) -> str:
        self._read_lines += 1
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._table.findings.add(Case.NOT_UTF8, f"line {self._read_lines}")
            return line.decode("cp1252", "replace")
