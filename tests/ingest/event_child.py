"""Run by ``test_events_kill``: adds events, and prints how many are acknowledged after every batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from sartor.events.model import Event, EventType, Person
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from pathlib import Path


def numbered(number: int) -> Event:
    """An event that follows from its number."""
    return Event(
        id=f"e-{number}",
        type=tuple(EventType)[number % 6],
        person=Person.user(f"u-{number % 50}"),
        at_s=1e9 + number,
        product_id=f"p-{number % 700}",
        basket_id=f"b-{number // 3}",
    )


def add(stdout: TextIO, path: Path, first: int, batch: int) -> None:
    """Add batches for ever."""
    store = SqliteEventStore(path)
    stdout.write("ready\n")
    stdout.flush()
    while True:
        taken = store.add([numbered(number) for number in range(first, first + batch)])
        first += batch
        stdout.write(f"{first} {taken.duplicates}\n")
        stdout.flush()
