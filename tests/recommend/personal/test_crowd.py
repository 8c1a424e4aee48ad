from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sartor.events.model import Event, EventType, Person, RelationType
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


def amounts(crowd: Interactions) -> dict[str, float]:
    return {crowd.id(place): float(value) for place, value in enumerate(crowd.popularity(**LATELY))}


def test_each_person_counts_once_a_product_by_the_strongest_event(store: SqliteEventStore) -> None:
    store.add([did("a", EventType.VIEW, "shirt", days_ago=0.001 * number) for number in range(50)])
    store.add([did("a", EventType.LIKE, "shirt"), did("b", EventType.LIKE, "shirt", days_ago=5)])
    crowd = Interactions(store)
    crowd.follow()
    assert amounts(crowd)["shirt"] == pytest.approx(1.5 * EVENT_WEIGHTS[EventType.LIKE])


def test_what_is_old_or_to_come_or_only_shown_does_not_count(store: SqliteEventStore) -> None:
    store.add([
        did("a", EventType.LIKE, "old", days_ago=11), did("a", EventType.LIKE, "later", days_ago=-1),
        did("a", EventType.VIEW, "shown", recommendation_id="r", position=1), did("a", EventType.DISLIKE, "bad"),
        did("a", EventType.VIEW, "seen"),
    ])  # fmt: skip
    crowd = Interactions(store)
    crowd.follow()
    assert {product for product, amount in amounts(crowd).items() if amount} == {"seen"}


def test_it_follows_what_comes(store: SqliteEventStore) -> None:
    crowd = Interactions(store)
    crowd.follow()
    assert amounts(crowd) == {}
    store.add([did("a", EventType.LIKE, "shirt")])
    crowd.follow()
    assert list(amounts(crowd)) == ["shirt"]


def test_what_is_erased_is_forgotten(store: SqliteEventStore) -> None:
    store.add([did("a", EventType.LIKE, "shirt"), did("b", EventType.LIKE, "skirt")])
    crowd = Interactions(store)
    crowd.follow()
    store.forget(Person.user("a"))
    crowd.follow()
    assert amounts(crowd) == {"skirt": EVENT_WEIGHTS[EventType.LIKE]}
    assert crowd.place("shirt") is None


def test_products_meet_in_baskets_sessions_and_with_one_person(store: SqliteEventStore) -> None:
    for person in "abc":
        store.add([
            did(person, EventType.PURCHASE, "shirt", basket_id=f"basket {person}"),
            did(person, EventType.PURCHASE, "belt", days_ago=0.3, basket_id=f"basket {person}"),
            did(person, EventType.VIEW, "shoes", days_ago=0.001),
            did(person, EventType.VIEW, "watch", days_ago=0.9),
        ])  # fmt: skip
    crowd = Interactions(store)
    crowd.follow()

    def beside_shirt(occasion: RelationType) -> set[str]:
        return {crowd.id(place) for place in np.flatnonzero(crowd.beside("shirt", occasion, least=1))}

    assert beside_shirt(RelationType.BOUGHT) == {"belt"}
    assert beside_shirt(RelationType.SEEN) == {"shoes"}
    assert beside_shirt(RelationType.LIKED) == {"belt", "shoes", "watch"}
    assert sorted(map(sorted, crowd.baskets())) == [["belt", "shirt"]] * 3
    assert (crowd.closeness("shirt", ["belt", "nothing"]) > 0).tolist() == [True, False]
    assert not crowd.beside("shirt", RelationType.BOUGHT, least=4).any()


def test_many_events_are_learned_from_beside_the_requests(
    store: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sartor.recommend.personal import interactions as room

    monkeypatch.setattr(room, "_AT_ONCE", 1)
    store.add([did("a", EventType.VIEW, "shirt"), did("a", EventType.VIEW, "belt")])
    crowd = Interactions(store)
    crowd.catch_up()
    assert crowd.learned.taken == 2
