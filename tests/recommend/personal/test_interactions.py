from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sartor.events.model import Event, EventType, Person, RelationType
from sartor.recommend.personal import interactions as module
from sartor.recommend.personal.interactions import Interactions
from sartor.recommend.weights import DAY_S, EVENT_WEIGHTS
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
