"""Who is forgotten leaves no trace in any file, not even in the free space of pages, nor in a later copy."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sartor.errors import WorkspaceUnusable
from sartor.events.model import Event, EventType, Person
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PEOPLE, EVENTS, BATCH = 60, 9_000, 300
TYPES = tuple(EventType)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "home"
    directory.mkdir()
    return directory


@pytest.fixture
def store(directory: Path) -> Iterator[SqliteEventStore]:
    store = SqliteEventStore(directory / "events.sqlite3")
    yield store
    store.close()


def an_event(rng: random.Random, who: int) -> Event:
    """One whose every text says whose it is: ``owner-17-`` stands in no text of anybody else."""
    type_, mark = rng.choice(TYPES), f"owner-{who}-"
    kind = Person.visitor if rng.random() < 0.3 else Person.user
    return Event(
        id=f"{mark}{rng.getrandbits(rng.choice((32, 64, 400))):x}",
        type=type_,
        person=kind(f"{mark}person{rng.randrange(3)}"),
        at_s=rng.uniform(1e9, 2e9),
        product_id="" if type_ is EventType.SEARCH else rng.choice(("shirt", "boot", f"{mark}article")),
        recommendation_id=f"{mark}list" if rng.random() < 0.3 else "",
        basket_id=f"{mark}basket{rng.randrange(9)}" if type_ is EventType.PURCHASE else "",
        query=f"{mark}" + "looking for boots " * rng.randrange(90) if type_ is EventType.SEARCH else "",
    )


def people_of(events: Iterable[Event], who: int) -> set[Person]:
    return {each.person for each in events if each.id.startswith(f"owner-{who}-")}


def found(directory: Path, marks: Iterable[str]) -> list[tuple[str, str]]:
    """Which of the marks stand in which files, as text or as text of two bytes a letter."""
    files = {file.name: file.read_bytes() for file in directory.rglob("*") if file.is_file()}
    return [
        (name, mark)
        for name, content in files.items()
        for mark in marks
        if mark.encode() in content or mark.encode("utf-16-le") in content
    ]


@pytest.mark.parametrize("seed", range(3))
def test_no_file_holds_a_trace_of_who_was_forgotten(
    directory: Path, store: SqliteEventStore, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    forgotten: list[int] = []
    sent: list[Event] = []
    for start in range(0, EVENTS, BATCH):
        living = [who for who in range(PEOPLE) if who not in forgotten]
        batch = [an_event(rng, rng.choice(living)) for _ in range(BATCH)]
        sent += batch
        store.add(batch)
        for who in living:
            for visitor in people_of(batch, who):
                if visitor.kind == "visitor" and rng.random() < 0.1 and store.resolve(visitor) == visitor:
                    store.merge(visitor.id, into=f"owner-{who}-person0")
        if start % (2 * BATCH):
            continue
        leaving = rng.choice(living)
        for person in people_of(sent, leaving):
            store.forget(person)
        forgotten.append(leaving)
        assert found(directory, [f"owner-{leaving}-"]) == [], "with the store open"
    gone = [f"owner-{who}-" for who in forgotten]
    kept = [each for each in sent if not each.id.startswith(tuple(gone))]
    assert store.counts()[0] == len({each.id for each in kept})
    assert {mark for _, mark in found(directory, [each.id for each in kept[:200]])} == {
        each.id for each in kept[:200]
    }
    assert found(directory, gone) == []
    shutil.copytree(directory, tmp_path / "backup")
    assert found(tmp_path / "backup", gone) == []
    store.close()
    assert found(directory, gone) == [], "after closing"


def test_the_last_one_to_leave_leaves_an_empty_house(directory: Path, store: SqliteEventStore) -> None:
    rng = random.Random(9)  # noqa: S311 - no secret
    sent = [an_event(rng, rng.randrange(9)) for _ in range(3_000)]
    store.add(sent)
    for person in {each.person for each in sent}:
        store.forget(person)
    assert store.counts() == (0, 0)
    assert store.product_counts() == {}
    assert found(directory, ["owner-", "shirt", "boots"]) == []


def test_a_basket_stays_while_somebody_else_has_it(directory: Path, store: SqliteEventStore) -> None:
    ann, bob = (
        Event(
            id=name,
            type=EventType.PURCHASE,
            person=Person.user(name),
            at_s=1.0,
            product_id="rare",
            basket_id="common",
        )
        for name in ("annabel", "bobby")
    )
    store.add([ann, bob])
    store.forget(ann.person)
    assert found(directory, ["annabel"]) == []
    assert store.history(bob.person) == [bob]
    store.forget(bob.person)
    assert found(directory, ["bobby", "rare", "common"]) == []


def test_an_undone_like_leaves_no_trace(directory: Path, store: SqliteEventStore) -> None:
    like = Event(id="like-77", type=EventType.LIKE, person=Person.user("ann"), at_s=1.0, product_id="p")
    store.add([like, Event(id="view-1", type=EventType.VIEW, person=like.person, at_s=1.0, product_id="p")])
    store.withdraw(like.person, EventType.LIKE, "p")
    assert found(directory, ["like-77"]) == []
    assert found(directory, ["view-1"]) != []


def test_an_erasure_that_was_killed_half_way_is_completed_when_the_store_is_opened(
    directory: Path, store: SqliteEventStore, tmp_path: Path
) -> None:
    store.add([Event(id="secret-1", type=EventType.VIEW, person=Person.user("ann"), at_s=1.0, product_id="p")])
    store._sweep = lambda: True  # the process ends before this
    store.forget(Person.user("ann"))
    killed = shutil.copytree(directory, tmp_path / "killed")
    assert found(killed, ["secret-1"]) != []
    SqliteEventStore(killed / "events.sqlite3").close()
    assert found(killed, ["secret-1"]) == []


def test_it_is_said_when_another_process_keeps_what_was_erased(directory: Path, store: SqliteEventStore) -> None:
    store.add([Event(id="secret-1", type=EventType.VIEW, person=Person.user("ann"), at_s=1.0, product_id="p")])
    store._writer.all("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(directory / "events.sqlite3")
    other.execute("BEGIN")
    other.execute("SELECT * FROM events").fetchall()
    with pytest.raises(WorkspaceUnusable, match="do it once more"):
        store.forget(Person.user("ann"))
    other.close()
    assert store.forget(Person.user("ann")) == 0
    assert found(directory, ["secret-1"]) == []
