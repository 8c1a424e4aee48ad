"""What an event store promises, whatever comes in which order."""

from __future__ import annotations

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.errors import VisitorTaken, WorkspaceTooNew, WorkspaceUnusable
from sartor.events.model import Event, EventType, Person, Taken
from sartor.store.sqlite.events import SqliteEventStore
from sartor.store.sqlite.people import Digests

if TYPE_CHECKING:
    from collections.abc import Iterator

ANN, BOB, GUEST = Person.user("ann"), Person.user("bob"), Person.visitor("guest")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    store = SqliteEventStore(tmp_path / "events.sqlite3")
    yield store
    store.close()


def event(
    event_id: str,
    person: Person = ANN,
    *,
    at_s: float = 0.0,
    type: EventType = EventType.VIEW,  # noqa: A002 - the field's word
    product_id: str = "p",
    **fields: object,
) -> Event:
    return Event(id=event_id, type=type, person=person, at_s=at_s, product_id=product_id, **fields)


def ids(events: list[Event]) -> list[str]:
    return [each.id for each in events]


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
PEOPLE = st.builds(Person, st.sampled_from(sorted({each.kind for each in (ANN, GUEST)})), st.sampled_from("abc"))
EVENTS = st.builds(
    Event,
    id=TEXTS,
    type=st.sampled_from(EventType),
    person=PEOPLE,
    at_s=st.floats(0, 4e9),
    product_id=st.sampled_from(["", "p", "q", "ü \N{T-SHIRT}"]),
    recommendation_id=st.just("") | TEXTS,
    position=st.none() | st.integers(1, 10_000),
    quantity=st.integers(1, 10_000),
    price=st.none() | st.floats(0, 1e9),
    basket_id=st.sampled_from(["", "b", "c"]),
    query=st.just("") | TEXTS,
)
HISTORIES = st.lists(EVENTS, max_size=30, unique_by=lambda each: each.id)


@settings(deadline=None)
@given(HISTORIES)
def test_every_field_comes_back_exactly(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> None:
    store = SqliteEventStore(tmp_path_factory.mktemp("events") / "events.sqlite3")
    assert store.add(events) == Taken(added=len(events))
    held = [each for person in {each.person for each in events} for each in store.history(person)]
    store.close()
    assert sorted(held, key=lambda each: each.id) == sorted(events, key=lambda each: each.id)


@settings(deadline=None)
@given(HISTORIES, st.randoms(use_true_random=False), st.integers(1, 7))
def test_order_and_repetition_change_no_history(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], rng: random.Random, batch: int
) -> None:
    store = SqliteEventStore(tmp_path_factory.mktemp("events") / "events.sqlite3")
    sent = events + rng.choices(events, k=len(events)) if events else []
    rng.shuffle(sent)
    taken = [store.add(sent[start : start + batch]) for start in range(0, len(sent), batch)]
    assert sum(each.added for each in taken) == len(events)
    assert sum(each.added + each.duplicates for each in taken) == len(sent)
    for person in {each.person for each in events}:
        expected = [each for each in events if each.person == person]
        history = store.history(person)
        assert [each.at_s for each in history] == sorted(each.at_s for each in expected)
        assert set(history) == set(expected)
        assert {each.at_s for each in store.recent(person, limit=3)} <= {each.at_s for each in history[-3:]}
    named = [each.product_id for each in events if each.product_id]
    assert store.product_counts() == {product: named.count(product) for product in named}
    assert store.counts() == (len(events), len({each.person for each in events}))
    store.close()


def test_of_two_events_with_one_id_the_first_is_kept(store: SqliteEventStore) -> None:
    assert store.add([event("1", at_s=1), event("1", at_s=2)]) == Taken(added=1, duplicates=1)
    assert store.add([event("1", BOB, at_s=3), event("2")]) == Taken(added=1, duplicates=1)
    assert [(each.id, each.at_s) for each in store.history(ANN)] == [("2", 0), ("1", 1)]
    assert store.history(BOB) == []


def test_ids_whose_keys_are_one_are_told_apart(tmp_path: Path) -> None:
    with patch.object(Digests, "_digest", return_value=7):
        store = SqliteEventStore(tmp_path / "events.sqlite3")
        store.add([event("1", product_id="a"), event("2", BOB, product_id="b")])
        assert store.add([event("1"), event("3", GUEST, product_id="b")]) == Taken(added=1, duplicates=1)
        assert [(each.id, each.product_id) for each in store.history(GUEST)] == [("3", "b")]
        assert store.forget(BOB) == 1
        assert (ids(store.history(ANN)), store.history(BOB)) == (["1"], [])
        assert store.product_counts() == {"a": 1, "b": 1}
        store.close()


def test_nothing_to_add_is_no_error(store: SqliteEventStore) -> None:
    assert store.add([]) == Taken()
    assert store.counts() == (0, 0)


def test_the_newest_come_first_and_of_equals_the_last_that_came(store: SqliteEventStore) -> None:
    store.add([event("old", at_s=1), event("new", at_s=3), event("first", at_s=2), event("second", at_s=2)])
    assert ids(store.recent(ANN, limit=10)) == ["new", "second", "first", "old"]
    assert ids(store.recent(ANN, limit=2)) == ["new", "second"]
    assert ids(store.recent(ANN, limit=9, until_s=2)) == ["second", "first", "old"]
    assert ids(store.history(ANN)) == ["old", "first", "second", "new"]


def test_recent_and_products_are_of_the_types_that_are_asked_for(store: SqliteEventStore) -> None:
    store.add([
        event("1", type=EventType.LIKE, product_id="a"),
        event("2", type=EventType.DISLIKE, product_id="b"),
        event("3", type=EventType.SEARCH, product_id="", query="boots"),
    ])  # fmt: skip
    assert ids(store.recent(ANN, limit=9, types={EventType.LIKE, EventType.SEARCH})) == ["3", "1"]
    assert store.recent(ANN, limit=9, types=()) == []
    assert store.products_of(ANN, {EventType.LIKE, EventType.DISLIKE, EventType.SEARCH}) == {"a", "b"}
    assert store.products_of(BOB, set(EventType)) == set()


def test_a_user_and_a_visitor_of_one_id_are_two(store: SqliteEventStore) -> None:
    store.add([event("1", Person.user("x")), event("2", Person.visitor("x"))])
    assert ids(store.history(Person.user("x"))) == ["1"]
    assert store.counts() == (2, 2)


def test_a_merged_visitors_events_are_the_users_past_and_later(store: SqliteEventStore) -> None:
    store.add([event("1", GUEST, at_s=1), event("2", ANN, at_s=2, type=EventType.LIKE, product_id="q")])
    assert store.merge("guest", into="ann") == 1
    assert store.merge("guest", into="ann") == 0
    store.add([event("3", GUEST, at_s=3)])
    assert store.resolve(GUEST) == ANN
    for person in (ANN, GUEST):
        assert [(each.id, each.person) for each in store.history(person)] == [("1", ANN), ("2", ANN), ("3", ANN)]
        assert ids(store.recent(person, limit=2)) == ["3", "2"]
        assert store.products_of(person, set(EventType)) == {"p", "q"}
        assert store.visitors(person) == ("guest",)
    assert store.counts() == (3, 1)
    assert set(store.after({}, limit=9).people) == {store.after({"events": 1}, limit=1).people[0]}


def test_a_visitor_is_merged_before_anything_came(store: SqliteEventStore) -> None:
    assert store.merge("guest", into="ann") == 0
    assert store.erasures() == 0
    assert store.holds(ANN)
    store.add([event("1", GUEST)])
    assert ids(store.history(ANN)) == ["1"]


def test_a_visitor_goes_to_one_user_alone(store: SqliteEventStore) -> None:
    store.merge("guest", into="ann")
    with pytest.raises(VisitorTaken, match=r"'guest' was merged into another user than 'bob'"):
        store.merge("guest", into="bob")
    assert (store.resolve(GUEST), store.holds(BOB)) == (ANN, False)


def test_who_is_not_known_is_nobody(store: SqliteEventStore) -> None:
    assert store.resolve(GUEST) == GUEST
    assert not store.holds(GUEST)
    assert (store.history(GUEST), store.recent(GUEST, limit=3), store.visitors(GUEST)) == ([], [], ())
    assert (store.forget(GUEST), store.withdraw(GUEST, EventType.LIKE, "p"), store.erasures()) == (0, 0, 0)


def test_a_like_is_withdrawn_and_can_come_again(store: SqliteEventStore) -> None:
    like = event("1", type=EventType.LIKE)
    store.add([like, event("2", type=EventType.LIKE, product_id="q"), event("3"), event("4", BOB)])
    assert store.withdraw(ANN, EventType.LIKE, "p") == 1
    assert ids(store.history(ANN)) == ["2", "3"]
    assert store.product_counts() == {"p": 2, "q": 1}
    assert store.add([like]) == Taken(added=1)


def test_a_visitors_like_is_withdrawn_by_the_user(store: SqliteEventStore) -> None:
    store.add([event("1", GUEST, type=EventType.LIKE)])
    store.merge("guest", into="ann")
    assert store.withdraw(ANN, EventType.LIKE, "p") == 1
    assert store.counts() == (0, 1)


def test_who_is_forgotten_begins_anew(store: SqliteEventStore) -> None:
    store.add([event("1"), event("2", GUEST, product_id="q", basket_id="b"), event("3", BOB, basket_id="c")])
    store.merge("guest", into="ann")
    assert store.forget(GUEST) == 2
    assert not store.holds(ANN)
    assert store.resolve(GUEST) == GUEST
    assert store.counts() == (1, 1)
    assert store.product_counts() == {"p": 1}
    assert store.add([event("1"), event("4", GUEST)]) == Taken(added=2)
    assert (ids(store.history(ANN)), ids(store.history(GUEST))) == (["1"], ["4"])
    assert store.merge("guest", into="bob") == 1


def test_followers_get_columns_in_the_order_of_arrival(store: SqliteEventStore) -> None:
    store.add([
        event("1", at_s=5, product_id="b", basket_id="x"),
        event("2", BOB, at_s=4, type=EventType.SEARCH, product_id=""),
        event("3", at_s=3.5, type=EventType.LIKE, product_id="a"),
        event("4", at_s=2, product_id="b", basket_id="x"),
    ])  # fmt: skip
    rows = store.after({}, limit=3)
    assert len(rows) == 3
    assert [rows.product_ids[place] if place >= 0 else "" for place in rows.products] == ["b", "", "a"]
    assert [tuple(EventType)[place] for place in rows.types] == [EventType.VIEW, EventType.SEARCH, EventType.LIKE]
    assert rows.at_s.tolist() == [5, 4, 3.5]
    assert rows.people[0] == rows.people[2] != rows.people[1]
    assert rows.baskets.tolist()[1:] == [0, 0]
    rest = store.after(rows.position, limit=3)
    assert (rest.product_ids, rest.products.tolist()) == (("b",), [0])
    assert rest.baskets[0] == rows.baskets[0] > 0
    none = store.after(rest.position, limit=3)
    assert (len(none), none.position, none.product_ids) == (0, rest.position, ())
    assert [column.dtype for column in (rows.people, rows.products, rows.types, rows.at_s, rows.baskets)] == [
        np.int64, np.int64, np.int8, np.float64, np.int64,
    ]  # fmt: skip


def test_followers_learn_that_something_was_taken_back(store: SqliteEventStore) -> None:
    store.add([event("1"), event("2", GUEST), event("3", BOB), event("4", ANN, type=EventType.LIKE)])
    seen = [store.erasures()]
    store.add([event("5", BOB)])
    assert store.erasures() == seen[0]
    for change in (
        lambda: store.merge("guest", into="ann"),
        lambda: store.withdraw(ANN, EventType.LIKE, "p"),
        lambda: store.forget(ANN),
    ):
        change()
        assert store.erasures() not in seen
        seen.append(store.erasures())
    assert ids(store.history(BOB)) == ["3", "5"]
    assert store.after({}, limit=9).position == {"events": 5}
    assert len(store.after({}, limit=9)) == 2


def test_arrival_numbers_are_not_given_again(store: SqliteEventStore) -> None:
    store.add([event("1"), event("2", BOB)])
    position = store.after({}, limit=9).position
    store.forget(BOB)
    store.add([event("3", BOB)])
    assert store.after(position, limit=9).position == {"events": position["events"] + 1}


def test_another_connection_sees_what_was_acknowledged(tmp_path: Path, store: SqliteEventStore) -> None:
    store.add([event("1")])
    other = SqliteEventStore(tmp_path / "events.sqlite3")
    assert ids(other.history(ANN)) == ["1"]
    other.close()


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite3"
    SqliteEventStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(WorkspaceTooNew):
        SqliteEventStore(path)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite3"
    path.write_text("no store" * 999)
    with pytest.raises(WorkspaceUnusable, match=r"events\.sqlite3"):
        SqliteEventStore(path)


def test_threads_may_write_and_read_at_once(store: SqliteEventStore) -> None:
    batches = [
        [event(str(number), product_id=f"p{number}") for number in range(start, start + 30)]
        for start in range(0, 300, 15)
    ]

    def write(batch: list[Event]) -> int:
        taken = store.add(batch)
        history, rows = store.history(ANN), store.after({}, limit=10**6)
        assert {each.id for each in batch} <= set(ids(history))
        assert {f"p{each.id}" for each in batch} <= set(rows.product_ids)
        return taken.added

    with ThreadPoolExecutor(4) as pool:
        added = sum(pool.map(write, batches))
    assert added == store.counts()[0] == len({each.id for batch in batches for each in batch})
