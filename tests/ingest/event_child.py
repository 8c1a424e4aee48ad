"""Run by ``test_event_kill``: adds events, and prints how many are acknowledged after every batch."""

from __future__ import annotations

import sys
from pathlib import Path

from sartor.events.model import Event, EventType, Person
from sartor.store.sqlite.events import SqliteEventStore

path, first, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


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


store = SqliteEventStore(path)
sys.stdout.write("ready\n")
sys.stdout.flush()
while True:
    taken = store.add([numbered(number) for number in range(first, first + batch)])
    first += batch
    sys.stdout.write(f"{first} {taken.duplicates}\n")
    sys.stdout.flush()
