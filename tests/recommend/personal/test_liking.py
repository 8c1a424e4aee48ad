from __future__ import annotations

import pytest

from sartor.events.model import Event, EventType, Person
from sartor.recommend.personal.profile import user_preferences
from sartor.recommend.weights import EVENT_WEIGHTS, HISTORY_PRODUCTS, PREFERENCE_HALF_LIFE_S


def did(type_: EventType, product_id: str, *, at_s: float = 0.0, **more: object) -> Event:
    return Event(
        id=f"{type_} {product_id} {at_s}", type=type_, person=Person.user("u"), at_s=at_s, product_id=product_id,
        **more,
    )  # fmt: skip


def test_half_of_a_liking_is_left_after_the_half_life() -> None:
    events = [did(EventType.LIKE, "new", at_s=PREFERENCE_HALF_LIFE_S), did(EventType.LIKE, "old")]
    liking = user_preferences(events, disliked=(), bought=())
    assert liking.weights == pytest.approx({"new": EVENT_WEIGHTS[EventType.LIKE], "old": 2.0})


def test_a_purchase_says_more_than_a_view_and_many_views_say_a_little_more_than_one() -> None:
    views = [did(EventType.VIEW, "seen", at_s=second) for second in (4, 3, 2, 1)]
    liking = user_preferences([did(EventType.PURCHASE, "bought"), *views], disliked=(), bought=("bought",))
    assert list(liking.weights) == ["bought", "seen"]
    assert 1 < liking.weights["seen"] < 4
    assert liking.done == {"bought", "seen"}
    assert (liking.deed("bought"), liking.deed("seen")) == ("bought", "looked at")


def test_what_is_disliked_is_not_liked_whatever_else_was_done_with_it() -> None:
    liking = user_preferences(
        [did(EventType.PURCHASE, "a"), did(EventType.LIKE, "b")], disliked=("a",), bought=("a",)
    )
    assert list(liking.weights) == ["b"]
    assert "a" in liking.done


def test_that_a_product_was_shown_or_something_searched_for_is_no_liking() -> None:
    shown = did(EventType.VIEW, "a", recommendation_id="r", position=1)
    search = Event(id="s", type=EventType.SEARCH, person=Person.user("u"), at_s=1, query="red")
    assert user_preferences([search, shown], disliked=(), bought=()).weights == {}


def test_of_very_many_products_the_weightiest_count() -> None:
    events = [did(EventType.VIEW, f"p{number}", at_s=-number) for number in range(HISTORY_PRODUCTS + 5)]
    liking = user_preferences(events, disliked=(), bought=())
    assert len(liking.weights) == HISTORY_PRODUCTS
    assert "p0" in liking.weights
    assert len(liking.done) == HISTORY_PRODUCTS + 5
