"""Killed at any moment while events come in, the store has every acknowledged one once, and no batch by halves."""

from __future__ import annotations

import random
import time
from itertools import islice
from pathlib import Path

from sartor.events.model import Person
from sartor.ingest.events import import_events
from sartor.store.sqlite.database import Database
from sartor.store.sqlite.events import SqliteEventStore
from sartor.store.sqlite.schema import EVENT_MIGRATIONS
from tests.ingest.event_child import add
from tests.ingest.killing import child

KILLS, BATCH = 16, 40


def test_every_acknowledged_event_is_there_once_after_kill_9(tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - no secret
    path = tmp_path / "events.sqlite3"
    acknowledged = 0
    for _ in range(KILLS):
        again = max(0, acknowledged - rng.randrange(4) * BATCH)  # some come twice, as after a lost answer
        acknowledged = max(acknowledged, run_and_kill(path, again, rng))
        store = SqliteEventStore(path)
        events, people = store.counts()
        numbers = [int(event.id[2:]) for who in range(50) for event in store.history(Person.user(f"u-{who}"))]
        assert sorted(numbers) == list(range(len(numbers))), "each once, and nothing missing in between"
        assert events == len(numbers) >= acknowledged
        assert len(numbers) % BATCH == 0, "a batch is there by halves"
        assert people == min(50, len(numbers))
        assert sum(store.product_counts().values()) == len(store.after({}, limit=10**6)) == len(numbers)
        store.close()
        acknowledged = len(numbers)
    assert acknowledged > KILLS * BATCH, "the kills came too early to show anything"
    database = Database(path, migrations=EVENT_MIGRATIONS)
    assert database.all("PRAGMA integrity_check") == [("ok",)]
    database.close()


def run_and_kill(path: Path, first: int, rng: random.Random) -> int:
    """Add events in a child and kill it at a random moment; returns the number up to which it acknowledged."""
    lines, after_s = rng.randrange(12), rng.uniform(0, 0.03)
    with child(add, path, first, BATCH) as adding:
        assert adding.stdout.readline() == "ready\n"
        said = list(islice(adding.stdout, lines))
        time.sleep(after_s)
        adding.kill()
        said += adding.stdout.readlines()
    return max((int(line.split()[0]) for line in said if line.endswith("\n")), default=first)


def test_an_import_that_was_stopped_is_completed_by_doing_it_again(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    rows = (f"view,u-{number % 9},p-{number},{1_700_000_000 + number}" for number in range(12_000))
    file.write_text("\n".join(("type,user_id,product_id,timestamp", *rows)))
    store = SqliteEventStore(tmp_path / "events.sqlite3")

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    try:
        import_events(file, store=store, known=set, now_s=1.75e9, on_progress=stop)
    except KeyboardInterrupt:
        there, _ = store.counts()
    assert 0 < there < 12_000
    report = import_events(file, store=store, known=set, now_s=1.75e9)
    assert (report.read, report.added, report.duplicates) == (12_000, 12_000 - there, there)
    assert import_events(file, store=store, known=set, now_s=1.76e9).added == 0
    assert store.counts() == (12_000, 9)
    store.close()
