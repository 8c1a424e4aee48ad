"""Lines of a text table, decoded as they stream: UTF-8 with or without its mark, else Windows-1252."""

from __future__ import annotations

import io
from collections import deque
from typing import TYPE_CHECKING

from sartor.catalog.findings import Case
from sartor.errors import UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.catalog.table_format import TableStream

MAX_LINE_CHARS = 16 * 2**20


class TextLines:
    """An iterator of lines with their ends, which counts them and takes lines back.

    Attributes:
        number: Number of the line that came last, from 1.
    """

    def __init__(self, table: TableStream) -> None:
        self.number = 0
        self._label = table.label
        self._findings = table.findings
        # Bytes that are not UTF-8 pass as surrogates, which tells them apart without reading the file twice.
        self._text = io.TextIOWrapper(table.stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._returned: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def take_back(self, lines: Sequence[str]) -> None:
        """Give the last lines again."""
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)

    def _read(self) -> str:
        """The next line of the stream, empty at its end."""
        line = self._text.readline(MAX_LINE_CHARS)
        if len(line) == MAX_LINE_CHARS:
            reason = f"line {self.number + 1} is longer than {MAX_LINE_CHARS:,} characters"
            raise UnreadableTable(self._label, reason=reason)
        return line if line.isascii() else self._decoded(line)

    def _decoded(self, line: str) -> str:
        try:
            line.encode()
        except UnicodeEncodeError:
            self._findings.add(Case.NOT_UTF8, f"line {self.number + 1}")
            return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
        return line
