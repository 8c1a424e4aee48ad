from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.events.model import Event, EventType, Person
from sartor.recommend.candidates import MainPhotos
from sartor.recommend.features import COLOR_DIMENSION
from sartor.recommend.personal.profile import (
    UserPreferences,
    UserProfile,
    disliked_products,
    interests,
    opinions,
    user_preferences,
    user_profile,
)
from sartor.recommend.weights import (
    DISLIKE_WEIGHT,
    EVENT_WEIGHTS,
    HISTORY_PRODUCTS,
    MAX_INTERESTS,
    PREFERENCE_HALF_LIFE_S,
)
from tests.recommend.small_catalog import DIMENSION, SmallCatalog


def did(type_: EventType, product_id: str, *, at_s: float = 0.0, **more: object) -> Event:
    return Event(
        id=f"{type_} {product_id} {at_s}", type=type_, person=Person.user("u"), at_s=at_s, product_id=product_id,
        **more,
    )  # fmt: skip


def test_half_of_a_preference_is_left_after_the_half_life() -> None:
    events = [did(EventType.LIKE, "new", at_s=PREFERENCE_HALF_LIFE_S), did(EventType.LIKE, "old")]
    preferences = user_preferences(events, disliked=(), bought=())
    assert preferences.weights == pytest.approx({"new": EVENT_WEIGHTS[EventType.LIKE], "old": 2.0})


def test_a_purchase_says_more_than_a_view_and_many_views_say_a_little_more_than_one() -> None:
    views = [did(EventType.VIEW, "seen", at_s=second) for second in (4, 3, 2, 1)]
    preferences = user_preferences([did(EventType.PURCHASE, "bought"), *views], disliked=(), bought=("bought",))
    assert list(preferences.weights) == ["bought", "seen"]
    assert 1 < preferences.weights["seen"] < 4
    assert preferences.done == {"bought", "seen"}
    assert (preferences.deed("bought"), preferences.deed("seen")) == ("bought", "looked at")


def test_a_disliked_product_is_not_liked_even_if_it_was_bought() -> None:
    preferences = user_preferences(
        [did(EventType.PURCHASE, "a"), did(EventType.LIKE, "b")], disliked=("a",), bought=("a",)
    )
    assert list(preferences.weights) == ["b"]
    assert "a" in preferences.done


def test_impressions_and_searches_are_no_preference() -> None:
    shown = did(EventType.VIEW, "a", recommendation_id="r", position=1)
    search = Event(id="s", type=EventType.SEARCH, person=Person.user("u"), at_s=1, query="red")
    assert user_preferences([search, shown], disliked=(), bought=()).weights == {}


def test_the_weightiest_of_very_many_products_count() -> None:
    events = [did(EventType.VIEW, f"p{number}", at_s=-number) for number in range(HISTORY_PRODUCTS + 5)]
    preferences = user_preferences(events, disliked=(), bought=())
    assert len(preferences.weights) == HISTORY_PRODUCTS
    assert "p0" in preferences.weights
    assert len(preferences.done) == HISTORY_PRODUCTS + 5


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def around(axis: int, count: int, *, seed: int) -> np.ndarray:
    center = np.eye(16, dtype=np.float32)[axis]
    noise = np.random.default_rng(seed).normal(scale=0.02, size=(count, 16)).astype(np.float32)
    return unit(center + noise)


def test_products_of_two_styles_are_two_interests_the_weightier_first() -> None:
    style = np.concatenate([around(0, 4, seed=0), around(7, 3, seed=1)])
    groups = interests(style, np.array([1, 1, 1, 1, 3, 4, 3], np.float32))
    assert [set(each.members) for each in groups] == [{4, 5, 6}, {0, 1, 2, 3}]
    assert groups[0].members[0] == 5
    assert np.isclose(sum(each.share for each in groups), 1)


def test_one_product_is_one_interest() -> None:
    (only,) = interests(around(0, 1, seed=0), np.ones(1, np.float32))
    assert (only.share, only.members) == (1.0, (0,))


@given(st.integers(1, 30), st.integers(0, 5))
def test_interests_share_no_product_and_are_few(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    style = unit(rng.normal(size=(count, 16)).astype(np.float32))
    groups = interests(style, rng.uniform(0.1, 5, count).astype(np.float32))
    members = [member for each in groups for member in each.members]
    assert len(set(members)) == len(members)
    assert 1 <= len(groups) <= MAX_INTERESTS
    assert [each.share for each in groups] == sorted((each.share for each in groups), reverse=True)


def profile_of(catalog: SmallCatalog, preferences: UserPreferences) -> UserProfile | None:
    return user_profile(preferences, MainPhotos(catalog.index), sizes=(DIMENSION, COLOR_DIMENSION))


def test_a_profile_has_a_query_for_each_interest(catalog: SmallCatalog) -> None:
    catalog.add("red shirt", (1, 0, 0))
    catalog.add("blue boots", (0, 0, 1))
    profile = profile_of(catalog, UserPreferences(weights={"blue boots": 3.0, "red shirt": 1.0, "gone": 1.0}))

    assert profile is not None
    assert [member.product_id for member in profile.members] == ["blue boots", "red shirt"]
    assert profile.shares.tolist() == [0.75, 0.25]
    style = 1 / 1.2  # its share, beside color; the model has no categories
    assert profile.queries[:, :DIMENSION] == pytest.approx(np.array([[0, 0, style], [style, 0, 0]]))
    assert profile.members[profile.nearest(profile.members[1].vector)].product_id == "red shirt"


def test_a_disliked_product_pushes_every_interest_away(catalog: SmallCatalog) -> None:
    catalog.add("red shirt", (1, 0, 0))
    catalog.add("green shirt", (0, 1, 0))
    preferences = UserPreferences(weights={"red shirt": 1.0}, disliked=frozenset({"green shirt"}))
    profile = profile_of(catalog, preferences)

    assert profile is not None
    assert profile.queries[0, :DIMENSION] * 1.2 == pytest.approx(np.array([1, -DISLIKE_WEIGHT, 0]))


def test_a_profile_of_products_that_the_index_does_not_have_is_none(catalog: SmallCatalog) -> None:
    assert profile_of(catalog, UserPreferences(weights={"gone": 1.0})) is None
    assert profile_of(catalog, UserPreferences()) is None


def test_the_last_opinion_of_a_product_counts(catalog: SmallCatalog) -> None:
    ann = Person.user("ann")
    catalog.did("ann", EventType.DISLIKE, "shirt", "skirt", days_ago=2)
    catalog.did("ann", EventType.LIKE, "shirt", days_ago=1)
    catalog.did("ann", EventType.VIEW, "boots")

    assert list(opinions(catalog.events, ann).items()) == [
        ("shirt", EventType.LIKE),
        ("skirt", EventType.DISLIKE),
    ]
    assert disliked_products(catalog.events, ann) == {"skirt"}
    assert disliked_products(catalog.events, Person.user("bob")) == frozenset()
