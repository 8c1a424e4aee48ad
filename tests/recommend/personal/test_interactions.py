from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.events.model import Event, EventType, Person, RelationType
from sartor.recommend.personal import interactions as module
from sartor.recommend.personal.interactions import Interactions, ItemCooccurrence
from sartor.recommend.weights import (
    COOCCURRENCE_SHRINKAGE,
    DAY_S,
    EVENT_WEIGHTS,
    MAX_RELATED,
    MAX_TRANSACTION_PRODUCTS,
)
from sartor.store.sqlite.events import SqliteEventStore

NOW_S = 1_000 * DAY_S
LATELY = {"now_s": NOW_S, "window_s": 10 * DAY_S, "half_life_s": 5 * DAY_S}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    opened = SqliteEventStore(tmp_path / "events.sqlite3")
    yield opened
    opened.close()


def did(person: str, type_: EventType, product_id: str, *, days_ago: float = 0.0, **more: object) -> Event:
    at_s = NOW_S - days_ago * DAY_S
    return Event(
        id=f"{person} {type_} {product_id} {at_s} {more}", type=type_, person=Person.user(person), at_s=at_s,
        product_id=product_id, **more,
    )  # fmt: skip


def amounts(interactions: Interactions) -> dict[str, float]:
    return {
        interactions.product_id(row): float(value) for row, value in enumerate(interactions.popularity(**LATELY))
    }


def test_each_person_counts_once_for_a_product_by_the_strongest_event(store: SqliteEventStore) -> None:
    store.add([did("a", EventType.VIEW, "shirt", days_ago=0.001 * number) for number in range(50)])
    store.add([did("a", EventType.LIKE, "shirt"), did("b", EventType.LIKE, "shirt", days_ago=5)])
    interactions = Interactions(store)
    interactions.follow()
    assert amounts(interactions)["shirt"] == pytest.approx(1.5 * EVENT_WEIGHTS[EventType.LIKE])


def test_old_and_future_events_and_impressions_do_not_count(store: SqliteEventStore) -> None:
    store.add([
        did("a", EventType.LIKE, "old", days_ago=11), did("a", EventType.LIKE, "later", days_ago=-1),
        did("a", EventType.VIEW, "shown", recommendation_id="r", position=1), did("a", EventType.DISLIKE, "bad"),
        did("a", EventType.VIEW, "seen"),
    ])  # fmt: skip
    interactions = Interactions(store)
    interactions.follow()
    assert {product for product, amount in amounts(interactions).items() if amount} == {"seen"}


def test_new_events_are_followed(store: SqliteEventStore) -> None:
    interactions = Interactions(store)
    interactions.follow()
    assert amounts(interactions) == {}
    store.add([did("a", EventType.LIKE, "shirt")])
    interactions.follow()
    assert list(amounts(interactions)) == ["shirt"]


def test_erased_events_are_forgotten(store: SqliteEventStore) -> None:
    store.add([did("a", EventType.LIKE, "shirt"), did("b", EventType.LIKE, "skirt")])
    interactions = Interactions(store)
    interactions.follow()
    store.forget(Person.user("a"))
    interactions.follow()
    assert amounts(interactions) == {"skirt": EVENT_WEIGHTS[EventType.LIKE]}
    assert interactions.row("shirt") is None


def test_products_are_related_by_baskets_sessions_and_people(store: SqliteEventStore) -> None:
    for person in "abc":
        store.add([
            did(person, EventType.PURCHASE, "shirt", basket_id=f"basket {person}"),
            did(person, EventType.PURCHASE, "belt", days_ago=0.3, basket_id=f"basket {person}"),
            did(person, EventType.VIEW, "shoes", days_ago=0.001),
            did(person, EventType.VIEW, "watch", days_ago=0.9),
        ])  # fmt: skip
    interactions = Interactions(store)
    interactions.follow()

    def related_to_shirt(relation: RelationType) -> set[str]:
        return {
            interactions.product_id(row)
            for row in np.flatnonzero(interactions.related("shirt", relation, minimum=1))
        }

    assert related_to_shirt(RelationType.BOUGHT) == {"belt"}
    assert related_to_shirt(RelationType.SEEN) == {"shoes"}
    assert related_to_shirt(RelationType.LIKED) == {"belt", "shoes", "watch"}
    assert sorted(map(sorted, interactions.baskets())) == [["belt", "shirt"]] * 3
    assert (interactions.closeness("shirt", ["belt", "nothing"]) > 0).tolist() == [True, False]
    assert not interactions.related("shirt", RelationType.BOUGHT, minimum=4).any()


def test_many_events_are_learned_from_in_a_thread(
    store: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    store.add([did("a", EventType.VIEW, "shirt"), did("a", EventType.VIEW, "belt")])
    interactions = Interactions(store)
    interactions.catch_up()
    assert interactions.learned.events == 2


PRODUCTS = 8
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, PRODUCTS - 1)), max_size=60)


def learned(bought: list[tuple[int, int]], count: int = PRODUCTS) -> ItemCooccurrence:
    transactions, items = np.array(bought, np.int64).reshape(-1, 2).T
    return ItemCooccurrence.of(transactions, items, count=count)


@given(pairs)
def test_closeness_is_what_counting_by_hand_gives(bought: list[tuple[int, int]]) -> None:
    items = {number: {item for other, item in bought if other == number} for number, _ in bought}
    totals = Counter(item for transaction in items.values() for item in transaction)
    met = Counter(pair for transaction in items.values() for pair in combinations(sorted(transaction), 2))
    closest = learned(bought)
    for one in range(PRODUCTS):
        others, closeness = closest.related(one)
        assert one not in others
        for other, value in zip(others, closeness, strict=True):
            both = met[min(one, other), max(one, other)]
            assert np.isclose(value, both / (sqrt(totals[one] * totals[other]) + COOCCURRENCE_SHRINKAGE))
        assert len(others) == sum(1 for pair in met if one in pair)
        assert list(closeness) == sorted(closeness, reverse=True)
    assert closest.transactions.tolist() == [totals[item] for item in range(PRODUCTS)]


@given(pairs, st.lists(st.integers(0, PRODUCTS - 1), min_size=1, unique=True))
def test_closeness_to_several_is_the_weighted_mean(bought: list[tuple[int, int]], several: list[int]) -> None:
    closest = learned(bought)
    weights = np.arange(1, len(several) + 1, dtype=np.float32)
    expected = (
        sum(
            weight * closest.between(product, np.arange(PRODUCTS))
            for product, weight in zip(several, weights, strict=True)
        )
        / weights.sum()
    )
    assert np.allclose(closest.with_all(np.array(several), weights), expected, atol=1e-6)


def test_an_item_related_to_very_many_keeps_the_closest() -> None:
    count = MAX_RELATED + 30
    bought = [(number, item) for number in range(1, count) for item in (0, number)]
    bought += [(count + 1, 0), (count + 1, 5)]
    others, _ = learned(bought, count).related(0)
    assert len(others) == MAX_RELATED
    assert others[0] == 5


@given(pairs, st.integers(1, 5), st.sampled_from([1, 3, 1024]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_closest_are_kept_however_coarsely_they_are_counted(
    monkeypatch: pytest.MonkeyPatch, bought: list[tuple[int, int]], limit: int, bins: int
) -> None:
    everything = learned(bought)
    with monkeypatch.context() as patch:
        patch.setattr(module, "MAX_RELATED", limit)
        patch.setattr(module, "_CLOSENESS_BINS", bins)
        few = learned(bought)
    for product in range(PRODUCTS):
        assert few.related(product)[0].tolist() == everything.related(product)[0][:limit].tolist()


def test_the_latest_items_of_a_very_large_transaction_count() -> None:
    closest = learned(
        [(0, product) for product in range(MAX_TRANSACTION_PRODUCTS + 2)], MAX_TRANSACTION_PRODUCTS + 2
    )
    assert closest.transactions.tolist() == [0, 0] + [1] * MAX_TRANSACTION_PRODUCTS


def test_nothing_learned_is_no_error() -> None:
    nothing = ItemCooccurrence.of(np.empty(0, np.int64), np.empty(0, np.int64), count=0)
    assert nothing.with_all(np.empty(0, np.int64), np.empty(0, np.float32)).tolist() == []
