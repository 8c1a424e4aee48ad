from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sartor.events.model import Event, EventType, Person, RelationType
from sartor.recommend.personal import interactions as module
from sartor.recommend.personal.interactions import Interactions
from sartor.recommend.personal.published import Publication, SharedLearning
from sartor.recommend.weights import DAY_S
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.events import SqliteEventStore
from sartor.store.sqlite.files import FolderFiles

NOW_S = 1_000 * DAY_S
LATELY = {"now_s": NOW_S, "window_s": 30 * DAY_S, "half_life_s": 5 * DAY_S}
PRODUCTS = [f"product {number}" for number in range(12)]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqliteCatalogStore]:
    opened = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteEventStore]:
    """A store of events that are many already, in the eyes of what learns from them."""
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    monkeypatch.setattr(module, "_FEW_EVENTS", 3)
    opened = SqliteEventStore(tmp_path / "events.sqlite3")
    opened.add(made(np.random.default_rng(5), 60))
    yield opened
    opened.close()


@pytest.fixture
def files(tmp_path: Path) -> FolderFiles:
    return FolderFiles(tmp_path / "learned")


def made(rng: np.random.Generator, count: int, first: int = 0) -> list[Event]:
    types = (EventType.VIEW, EventType.LIKE, EventType.PURCHASE)
    return [
        Event(
            id=f"event {first + number}",
            type=types[rng.integers(3)],
            person=Person.user(f"person {rng.integers(6)}"),
            at_s=NOW_S - float(rng.integers(20)) * DAY_S,
            product_id=PRODUCTS[rng.integers(len(PRODUCTS))],
        )
        for number in range(count)
    ]


def process(events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore) -> Interactions:
    """What a process of its own would have."""
    return Interactions(events, shared=SharedLearning(files, catalog.lease))


def told(interactions: Interactions) -> list[object]:
    """All that is asked of it, by the ids of products."""
    popularity = interactions.popularity(**LATELY)
    of_id = {
        product_id: float(np.round(popularity[row], 5))
        for product_id in PRODUCTS
        if (row := interactions.row(product_id)) is not None and row < len(popularity)
    }
    close = [np.round(interactions.closeness(product_id, PRODUCTS), 6).tolist() for product_id in PRODUCTS]
    related = [
        sorted(
            (interactions.product_id(int(row)), float(value))
            for row, value in enumerate(interactions.related(product_id, relation, minimum=1))
            if value
        )
        for product_id in PRODUCTS
        for relation in RelationType
    ]
    return [of_id, close, related, sorted(map(sorted, interactions.baskets()))]


def test_what_one_process_learned_serves_another_which_reads_only_what_came_later(
    events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore
) -> None:
    alone = Interactions(events)
    alone.catch_up()
    learner = process(events, files, catalog)
    learner.catch_up()
    assert len(files.names()) == 1
    other = process(events, files, catalog)
    other.follow()
    assert len(other) == 0
    assert told(other) == told(learner) == told(alone)
    events.add(made(np.random.default_rng(6), 1, first=60))
    other.follow()
    alone.follow()
    assert len(other) == 1
    assert told(other)[0] == told(alone)[0]


def test_rows_of_a_process_stay_when_it_takes_what_another_one_learned(
    events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore
) -> None:
    other = process(events, files, catalog)
    other._ids, other._rows = ["product 11", "its own"], {"product 11": 0, "its own": 1}
    learner = process(events, files, catalog)
    learner.catch_up()
    other._adopt(SharedLearning(files, catalog.lease).newest(erasures=events.erasures(), after=0))
    assert (other.row("product 11"), other.row("its own")) == (0, 1)
    assert told(other) == told(learner)


def test_only_the_process_whose_turn_it_is_learns(
    events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore
) -> None:
    someone = SharedLearning(files, catalog.lease)
    assert someone.is_turn()
    waits = process(events, files, catalog)
    waits.catch_up()
    assert waits.learned.events == 0
    assert files.names() == []
    catalog.lease("learner", someone._holder, hold_s=0.0)  # it ended
    waits._looked_at = float("-inf")
    waits.catch_up()
    assert waits.learned.events == 60
    assert len(files.names()) == 1


def test_a_process_that_took_over_learns_from_all_events(
    events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = SharedLearning(files, catalog.lease)
    learner = Interactions(events, shared=former)
    learner.catch_up()
    successor = process(events, files, catalog)
    catalog.lease("learner", former._holder, hold_s=0.0)
    events.add(made(np.random.default_rng(7), 40, first=60))
    monkeypatch.setattr(module, "_SOON_S", 0.0)
    successor.catch_up()
    assert successor.learned.events == 100
    alone = Interactions(events)
    alone.catch_up()
    assert told(successor) == told(alone)
    assert [name[-3:] for name in files.names()] == ["100"]


def test_nothing_that_was_learned_before_an_erasure_is_used(
    events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore
) -> None:
    shared = SharedLearning(files, catalog.lease)
    learner = Interactions(events, shared=shared)
    learner.catch_up()
    events.forget(Person.user("person 1"))
    assert shared.newest(erasures=events.erasures(), after=0) is None
    learner._looked_at = float("-inf")
    learner.catch_up()
    alone = Interactions(events)
    alone.catch_up()
    assert told(learner) == told(alone)
    assert len(files.names()) == 1


def test_where_nothing_can_be_published_a_process_learns_for_itself(
    events: SqliteEventStore, catalog: SqliteCatalogStore, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    interactions = process(events, FolderFiles(tmp_path / "file"), catalog)
    interactions.catch_up()
    assert interactions.learned.events == 60


def test_a_damaged_publication_and_one_of_other_events_are_left_alone(
    events: SqliteEventStore, files: FolderFiles, catalog: SqliteCatalogStore, tmp_path: Path
) -> None:
    shared = SharedLearning(files, catalog.lease)
    learner = Interactions(events, shared=shared)
    learner.catch_up()
    whole = shared.newest(erasures=events.erasures(), after=0)
    assert whole is not None
    assert Publication.read(whole.content(), erasures=0).product_ids == whole.product_ids
    files.upload(whole.name.replace("60", "99"), io.BytesIO(whole.content()[:-200]))
    assert shared.newest(erasures=events.erasures(), after=0) is None
    shared.clear()
    assert files.names() == []
    shared.publish(whole)
    empty = SqliteEventStore(tmp_path / "others.sqlite3")
    other = Interactions(empty, shared=shared)
    assert other.learned.events == 0
    empty.close()
