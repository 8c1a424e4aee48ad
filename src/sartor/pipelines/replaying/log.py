"""Reads a log of events that is replayed, and not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.catalog.event_fields import event_of
from sartor.catalog.event_files import open_events
from sartor.errors import BadEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.events import Event


class LogFile:
    """Events of a CSV or JSON Lines file, as ``sartor events import`` reads it; read when they are asked for.

    Args:
        path: The file.
        now_s: Now, in seconds since 1970 UTC; later events are rejected.

    Attributes:
        name: What the file is called.
        rejected: Lines that told no event, the last time they were read.

    Raises:
        SourceNotFound: There is no such file.
        UnreadableTable: It is no file of events.
    """

    def __init__(self, path: Path, *, now_s: float) -> None:
        with open_events(path):  # what cannot be read is told before hours are spent on another file
            pass
        self.name, self.rejected = path.name, 0
        self._path, self._now_s = path, now_s

    def __iter__(self) -> Iterator[Event]:
        self.rejected = 0
        with open_events(self._path) as file:
            for line in file:
                try:
                    yield event_of(line.fields or {}, now_s=self._now_s)
                except BadEvent:
                    self.rejected += 1
