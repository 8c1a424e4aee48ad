"""Formats of tables: delimited text with a header, and JSON Lines; each turns a stream of bytes into rows."""

from __future__ import annotations

import codecs
import csv
import json
import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias

from sartor.catalog.source import Case
from sartor.errors import UnreadableTable
from sartor.limits import MAX_LINE_BYTES, MAX_LINES_PER_ROW
from sartor.values import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.catalog.source import Findings
    from sartor.types import AttributeValue, SourcePhoto

Cell: TypeAlias = "AttributeValue | None"

# A line of words above the header, as templates of Meta have it; "#" or "#id" may be a column.
# Source: https://www.facebook.com/business/help/1898524300466211 (data feed templates)
_COMMENT = re.compile(r'"?#\s*[^\s,;|\t#]+\s+(?P<second>[^\s,;\t])')
DELIMITERS = (",", ";", "\t", "|")  # the first wins a draw, and is assumed for a table of one column
_QUOTE = '"'
_ADDRESSES = ("src", "originalSrc", "image_url", "imageUrl", "contentUrl")  # of a picture, in JSON
_LINKS = ("url", "link", "href", "path", "file", "filename", "name")  # likewise, if the column is named after it
_PICTURE_WORDS = ("image", "photo", "picture")
_MAX_INT = 2**63  # what stores and indexes hold as a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table.

    Attributes:
        location: For reports, such as ``line 12``.
        cells: Values by column, in the table's order; empty text or None is a missing cell.
        photos: Pictures that the table itself holds, by column; such a column has no cell.
    """

    location: str
    cells: Mapping[str, Cell]
    photos: Mapping[str, tuple[SourcePhoto, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStream:
    """A table that is open for reading, with the name for messages and the counts of oddities."""

    label: str
    stream: IO[bytes]
    findings: Findings


class TableFormat(Protocol):
    """Turns the bytes of a table into rows."""

    @property
    def header_lines(self) -> int | None:
        """Number of lines above the rows; None if rows are not lines."""
        ...

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The columns at the start of the table; later rows may have others."""
        ...

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The rows, read one by one.

        Raises:
            UnreadableTable: The rest of the table cannot be understood, or must not be read.
        """
        ...


def merged(pairs: Iterable[tuple[str, Cell]]) -> dict[str, Cell]:
    """Cells by column; a repeated column has a tuple of all its values."""
    cells: dict[str, Cell] = {}
    for column, cell in pairs:
        earlier = cells.get(column)
        cells[column] = cell if earlier in {None, ""} else _both(earlier, cell)
    return cells


def texts(cell: Cell) -> tuple[str, ...]:
    """The texts of a cell, stripped, without empty ones."""
    if cell is None:
        return ()
    if isinstance(cell, tuple):
        return tuple(text for text in (value.strip() for value in cell) if text)
    text = str(cell).strip()
    return (text,) if text else ()


def _both(earlier: Cell, cell: Cell) -> Cell:
    values = (*texts(earlier), *texts(cell))
    return values if len(values) > 1 else earlier


class TextLines:
    """An iterator over lines with their ends that can take lines back; ``number`` is the last line's, from 1.

    Each line is decoded by itself, so that a table is not read twice to learn its encoding.
    """

    def __init__(self, table: TableStream) -> None:
        self.number = 0
        self._table = table
        self._waiting: deque[str] = deque()
        self._read_lines = 0
        self._is_ended = True

    @property
    def is_cut(self) -> bool:
        """Whether the line last given is the last one of the file, and has no end."""
        return not self._waiting and not self._is_ended

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._waiting:
            self._waiting.extend(self._read())
        self.number += 1
        return self._waiting.popleft()

    def take_back(self, lines: Sequence[str]) -> None:
        """Put the last lines back."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)

    def _read(self) -> Iterator[str]:
        """The lines up to the next line feed; several in a file whose lines end with a carriage return."""
        chunk = self._table.stream.readline(MAX_LINE_BYTES)
        if not chunk:
            raise StopIteration
        if len(chunk) == MAX_LINE_BYTES:
            reason = f"line {self.number + 1} is longer than {MAX_LINE_BYTES:,} bytes"
            raise UnreadableTable(self._table.label, reason=reason)
        self._is_ended = chunk.endswith((b"\n", b"\r"))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """A table with a header and cells separated by one character, perhaps below lines of comment."""

    delimiter: str
    comment_lines: int = 0

    @property
    def header_lines(self) -> int:
        """The comments and the header."""
        return self.comment_lines + 1

    @classmethod
    def sniff(cls, head: str) -> Delimited | None:
        """The format by the first line of a file; None if that line is not a header."""
        lines = [line for line in head.splitlines() if line.strip()]
        followed = zip_longest(lines, lines[1:], fillvalue="")
        comments = next((rank for rank, pair in enumerate(followed) if not _is_comment(*pair)), 0)
        header = lines[comments] if lines else ""
        if not header or not all(letter.isprintable() or letter == "\t" for letter in header):
            return None
        unquoted = "".join(header.split(_QUOTE)[::2])
        return cls(delimiter=max(DELIMITERS, key=unquoted.count), comment_lines=comments)

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The header's cells."""
        return tuple(dict.fromkeys(_header(self._records(TextLines(table), table.findings))))

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The rows below the header; excess cells are joined into the last column.

        Raises:
            UnreadableTable: The last line has no end, and is shorter than all others or has an open quote.
        """
        lines = TextLines(table)
        records = self._records(lines, table.findings)
        header = _header(records)
        is_ragged = False
        for line_number, record, is_closed in records:
            location = f"line {line_number}"
            is_short = len(record) < len(header)
            if lines.is_cut and ((is_short and not is_ragged) or not is_closed):
                reason = f"it breaks off in the middle of a row, at {location}; the rest of it is missing"
                raise UnreadableTable(table.label, reason=reason)
            is_ragged = is_ragged or (is_short and is_closed)
            cells = self._fitted(record, len(header), location, table.findings)
            yield Row(location=location, cells=_named(header, cells))

    def _records(self, lines: TextLines, findings: Findings) -> Iterator[tuple[int, list[str], bool]]:
        """Number and cells of each line that is not blank, and whether its quotes are closed; the header, too."""
        width, comments = 0, self.comment_lines
        for line in lines:
            if line.isspace():
                continue
            if comments:
                comments -= 1
                continue
            number = lines.number
            is_closed = True
            if _QUOTE not in line:  # most lines; the csv module gives the same
                cells = line.split(self.delimiter)
            else:
                quoted = self._quoted(line, lines)
                if quoted is None:
                    is_closed = not self._has_open_quote(line)
                    findings.add(Case.STRAY_QUOTES, f"line {number}")
                cells = self._lenient(line, width) if quoted is None else quoted
            width = width or len(cells)
            yield number, cells, is_closed

    def _has_open_quote(self, line: str) -> bool:
        """Whether the last cell of a line begins with a quote that does not end."""
        _, opening, cell = line.rpartition(self.delimiter + _QUOTE)
        return bool(opening) and cell.count(_QUOTE) % 2 == 0

    def _quoted(self, line: str, lines: TextLines) -> list[str] | None:
        """Cells by the standard, over several lines where quoted; None if the quotes are not valid.

        It is strict: an opening quote without a closing one would swallow all rows up to the next quote.
        """
        try:  # most rows are one line
            return next(csv.reader((line,), delimiter=self.delimiter, skipinitialspace=True, strict=True))
        except csv.Error:
            pass
        further: list[str] = []

        def feed() -> Iterator[str]:
            yield line
            for following in islice(lines, MAX_LINES_PER_ROW):
                further.append(following)
                yield following

        try:
            return next(csv.reader(feed(), delimiter=self.delimiter, skipinitialspace=True, strict=True))
        except csv.Error:
            lines.take_back(further)
            return None

    def _lenient(self, line: str, width: int) -> list[str]:
        """Cells of a line with a stray quote: a lenient reader's if they fit, else with quotes as text."""
        try:
            lenient = next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True))
        except csv.Error:  # a cell over the csv module's limit of 128 KiB
            lenient = []
        return lenient if len(lenient) == width else line.split(self.delimiter)

    def _fitted(self, cells: list[str], width: int, location: str, findings: Findings) -> list[str]:
        while len(cells) > width and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) <= width:
            return cells + [""] * (width - len(cells))
        findings.add(Case.EXTRA_COMMAS if self.delimiter == "," else Case.EXTRA_CELLS, location)
        return [*cells[: width - 1], self.delimiter.join(cells[width - 1 :])]


def _is_comment(line: str, following: str) -> bool:
    """Whether a line is words about the columns; bars in it part columns only if the next line has as many."""
    match = _COMMENT.match(line)
    return match is not None and (match["second"] != "|" or line.count("|") > following.count("|"))


def _header(records: Iterator[tuple[int, list[str], bool]]) -> list[str]:
    _, names, _ = next(records, (0, [], True))
    return [name.strip() or f"column_{number}" for number, name in enumerate(names, start=1)]


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, Cell]:
    stripped = [cell.strip() for cell in cells]
    named: dict[str, Cell] = dict(zip(header, stripped, strict=True))
    return named if len(named) == len(header) else merged(zip(header, stripped, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines:
    """JSON Lines: one object a line.

    An object inside the object becomes columns with a dot (``details.fabric``), one level deep. Deeper objects,
    and lists of more than plain values, stay JSON text; a list of pictures becomes their addresses.
    """

    header_lines: int = 0

    @classmethod
    def sniff(cls, head: str) -> JsonLines | None:
        """The format if one of a file's first lines holds an object."""
        if not head.lstrip().startswith("{"):
            return None
        return cls() if any(_object(line) is not None for line in head.split("\n")) else None

    def columns(self, table: TableStream) -> tuple[str, ...]:
        """The columns of all rows."""
        return tuple(dict.fromkeys(column for row in self.rows(table) for column in row.cells))

    def rows(self, table: TableStream) -> Iterator[Row]:
        """The objects as rows; other lines are counted and skipped."""
        for location, parsed in self.objects(table):
            try:
                cells = cells_of(parsed)
            except RecursionError:
                table.findings.add(Case.BAD_JSON, location)
            else:
                yield Row(location=location, cells=cells)

    def objects(self, table: TableStream) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The location of each object, and the object; other lines are counted and skipped."""
        lines = TextLines(table)
        for line in lines:
            if line.isspace():
                continue
            location = f"line {lines.number}"
            parsed = _object(line)
            if parsed is None and lines.is_cut and line.lstrip().startswith("{"):
                reason = f"it breaks off in the middle of an object, at {location}; the rest of it is missing"
                raise UnreadableTable(table.label, reason=reason)
            if parsed is None:
                table.findings.add(Case.BAD_JSON, location)
            else:
                yield location, parsed


def _object(line: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
        return parsed if isinstance(parsed, dict) else None
    except (ValueError, RecursionError):  # ValueError also for a number of over 4,300 digits
        return None


def cells_of(parsed: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> dict[str, Cell]:
    """The cells of a JSON object, or of its columns and values."""
    return merged(_flattened(parsed.items() if isinstance(parsed, Mapping) else parsed))


def _flattened(outer: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Cell]]:
    for column, value in outer:
        pictures = _pictures(column, value)
        if pictures is not None:
            yield storable(column), pictures
        elif isinstance(value, dict):
            for inner, inner_value in value.items():
                yield storable(f"{column}.{inner}"), _cell(inner_value)
        else:
            yield storable(column), _cell(value)


def _pictures(column: str, value: Any) -> Cell:
    """The addresses of a list of pictures, or of one in a column that is named after it; None of anything else."""
    is_named = any(word in column.casefold() for word in _PICTURE_WORDS)
    items = value if isinstance(value, list) else [value] if is_named else []
    keys = (*_ADDRESSES, *_LINKS) if is_named else _ADDRESSES
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    found = [next((item[key] for key in keys if isinstance(item.get(key), str)), None) for item in items]
    return tuple(map(storable, map(str, found))) if all(found) else None


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
