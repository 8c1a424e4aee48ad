"""Reads a log of events that is replayed, and not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.catalog.event_fields import event_of
from sartor.catalog.event_files import open_events
from sartor.errors import BadEvent

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Events of a file.

    Attributes:
        name: What the file is called.
        events: In its order.
        rejected: Lines that tell no event.
    """

    name: str
    events: tuple[Event, ...]
    rejected: int


def read_log(path: Path, *, now_s: float) -> Log:
    """Read a CSV or JSON Lines file, as ``sartor events import`` does.

    Args:
        path: The file.
        now_s: Now, in seconds since 1970 UTC; later events are rejected.

    Raises:
        SourceNotFound: There is no such file.
        UnreadableTable: It is no file of events.
    """
    events, rejected = [], 0
    with open_events(path) as file:
        for line in file:
            try:
                events.append(event_of(line.fields or {}, now_s=now_s))
            except BadEvent:
                rejected += 1
    return Log(name=path.name, events=tuple(events), rejected=rejected)
