"""Reads events from a CSV or JSON Lines file.

Columns and types are named like the fields and types of an event, or as other programs call them
(``events.vocabulary``). Other columns are ignored and counted; a type without a meaning here is marked.
The values of a line are checked later, by ``events.model.event_of``.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, TypeAlias

from sartor.catalog.formats import Delimited, JsonLines, TableStream, TextLines
from sartor.catalog.platforms.objects import JsonDocument
from sartor.catalog.source import Findings
from sartor.catalog.tables import format_of, why_no_format
from sartor.errors import SourceNotFound, UnreadableTable
from sartor.events.model import FIELDS
from sartor.events.vocabulary import Meaning, Vocabulary, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_Format: TypeAlias = Delimited | JsonLines

_HEAD_BYTES = 2**16
_PERSON_FIELDS = ("user_id", "visitor_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One line of a file, not yet checked.

    Attributes:
        location: Where it is, such as ``line 12``.
        fields: Values by the names of ``FIELDS``; None if the line is no JSON object.
        left_out: The type of the event as the file has it, if such events have no meaning here.
    """

    location: str
    fields: Mapping[str, object] | None
    left_out: str | None = None


class EventFile:
    """A file of events that is open for reading, once.

    Attributes:
        findings: What was odd so far, such as rows with a stray quote.
        ignored: How many events so far had a value in a column that is no field of an event, by column.
    """

    def __init__(
        self, table: TableStream, format_: _Format, vocabulary: Vocabulary, *, size_bytes: int, now_s: float
    ) -> None:
        self.size_bytes = size_bytes
        self.findings = table.findings
        self.ignored: Counter[str] = Counter()
        self._table = table
        self._format = format_
        self._vocabulary = vocabulary
        self._now_s = now_s
        self._fields_of = lru_cache(maxsize=256)(
            vocabulary.fields_of
        )  # lines have the same columns, or a few variants
        self._type_of = lru_cache(maxsize=1024)(vocabulary.type_of)

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
            yield self._line(row.location, row.cells)

    def _objects(self) -> Iterator[EventLine]:
        lines = TextLines(self._table)
        for line in lines:
            if not line.isspace():
                parsed = _object(line)
                location = f"line {lines.number}"
                yield EventLine(location=location, fields=None) if parsed is None else self._line(location, parsed)

    def _line(self, location: str, cells: Mapping[str, object]) -> EventLine:
        names = self._fields_of(tuple(cells))
        fields = {}
        for column, value in cells.items():
            name = names.get(column)
            if name is not None:
                fields[name] = value
            elif value not in (None, ""):
                self.ignored[column] += 1
        left_out = self._translate_type(fields)
        if fields.get("timestamp") not in (None, ""):
            fields["timestamp"], noticed = time_of(fields["timestamp"], now_s=self._now_s)
            if noticed is not None:
                self.findings.add(noticed, location)
        return EventLine(location=location, fields=fields, left_out=left_out)

    def _translate_type(self, fields: dict[str, object]) -> str | None:
        """Put the type's own name for another program's; returns the latter if it has no meaning here."""
        given = fields.get("type")
        name = "" if given is None else given
        if not isinstance(name, str):
            return None
        meaning = self._type_of(name)
        if meaning is Meaning.LEFT_OUT:
            return name
        if isinstance(meaning, str):
            fields["type"] = meaning
        return None


@contextmanager
def open_events(
    path: Path, vocabulary: Vocabulary | None = None, *, now_s: float | None = None
) -> Iterator[EventFile]:
    """Open a file of events.

    Args:
        path: A CSV or JSON Lines file.
        vocabulary: What the file calls fields and types, beside the usual names.
        now_s: The time now, in seconds since 1970 UTC.

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
        vocabulary = vocabulary or Vocabulary()
        format_ = _format_of(path, stream, vocabulary)
        table = TableStream(label=str(path), stream=stream, findings=Findings())
        now_s = time.time() if now_s is None else now_s
        yield EventFile(table, format_, vocabulary, size_bytes=path.stat().st_size, now_s=now_s)


def _format_of(path: Path, stream: IO[bytes], vocabulary: Vocabulary) -> _Format:
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    format_ = format_of(head)
    if format_ is None:
        raise _unreadable(path, why_no_format(head))
    if isinstance(format_, Delimited):
        columns = format_.columns(TableStream(label=str(path), stream=stream, findings=Findings()))
        stream.seek(0)
        if missing_columns := vocabulary.missing_in(columns):
            reason = f"it has no column {missing_columns[0]!r}, which is mapped to a field"
            raise _unreadable(path, f"{reason}; its columns: {', '.join(columns)}")
        known = set(vocabulary.fields_of(columns).values())
        has_type = "type" in known or isinstance(vocabulary.type_of(""), str)
        if not has_type or not known.intersection(_PERSON_FIELDS):
            missing = "type" if not has_type else "user_id or visitor_id"
            reason = (
                f"it has no column {missing} (its columns: {', '.join(columns)}); --columns THEIRS=OURS maps one"
            )
            raise _unreadable(path, f"{reason}; an event has: {', '.join(FIELDS)}")
        return format_
    if isinstance(format_, JsonLines):
        return format_
    if isinstance(format_, JsonDocument):
        raise _unreadable(path, "it is JSON, but not one object a line; write it as JSON Lines")
    raise _unreadable(path, "it is a feed of products")


def _object(line: str) -> dict[str, object] | None:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):  # ValueError also for a number of over 4,300 digits
        return None
    return parsed if isinstance(parsed, dict) else None


def _unreadable(path: Path, reason: str) -> UnreadableTable:
    return UnreadableTable(str(path), reason=reason, of="events")
