from __future__ import annotations

import numpy as np
import pytest

from sartor.events.model import EventType, Person
from sartor.recommend.base import Basis, Feed, FeedRequest
from sartor.recommend.weights import EVENT_WEIGHTS, MIN_CLOSENESS, MIN_TOP_POPULARITY, Blend
from sartor.types import AnyOf, Where
from tests.recommend.small_catalog import NOW_S, SmallCatalog

VISUAL = Blend(visual=1, together=0, popular=0, new=0)
TOGETHER = Blend(visual=0, together=1, popular=0, new=0)
POPULAR = Blend(visual=0, together=0, popular=1, new=0)


def feed(catalog: SmallCatalog, person: str = "ann", **options: object) -> Feed:
    request = {"k": 10, "now_s": NOW_S, "diversity": 0.0} | options
    return catalog.for_you().feed(FeedRequest(person=Person.user(person), **request))


def ids(shown: Feed) -> list[str]:
    return [hit.product_id for hit in shown]


@pytest.fixture
def clothes(catalog: SmallCatalog) -> SmallCatalog:
    """A catalog of three styles, two products each."""
    catalog.add("red shirt", (1, 0, 0), gender="Men")
    catalog.add("wine shirt", (0.95, 0.05, 0), gender="Men", item_group_id="wine")
    catalog.add("green dress", (0, 1, 0), gender="Women")
    catalog.add("lime dress", (0.05, 0.95, 0), gender="Women")
    catalog.add("blue boots", (0, 0, 1), gender="Men")
    catalog.add("wine boots", (0, 0.05, 0.95), gender="Women", item_group_id="wine")
    return catalog


def test_what_looks_like_a_liked_product_comes_first_and_says_so(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "red shirt")
    shown = feed(clothes, blend=VISUAL)

    assert shown.based_on is Basis.HISTORY
    assert ids(shown)[0] == "wine shirt"
    assert shown[0].reasons == ("because you liked Red Shirt",)
    assert "red shirt" not in ids(shown)


def test_the_visual_score_is_the_closeness_above_the_minimum(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "red shirt")
    closeness = (
        0.95 / np.hypot(0.95, 0.05) / 1.2
    )  # style has 1 of 1.2 shares, the rest is color, which is not known
    first = feed(clothes, blend=VISUAL)[0]

    assert first.score == pytest.approx((closeness - MIN_CLOSENESS) / (1 - MIN_CLOSENESS), abs=1e-5)


def test_bought_and_disliked_products_and_their_variants_are_not_shown_again(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "red shirt", "blue boots", days_ago=1)
    clothes.did("ann", EventType.DISLIKE, "wine shirt", days_ago=1)
    clothes.did("ann", EventType.PURCHASE, "green dress", days_ago=300)

    assert ids(feed(clothes)) == ["lime dress"]


def test_a_dislike_that_was_taken_back_does_not_count(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.DISLIKE, "wine shirt", days_ago=2)
    clothes.did("ann", EventType.LIKE, "wine shirt", days_ago=1)

    assert ids(feed(clothes, blend=VISUAL))[0] == "red shirt"


def test_popularity_is_scored_on_a_logarithmic_scale(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.VIEW, "red shirt")
    for person in ("bob", "cid"):
        clothes.did(person, EventType.LIKE, "green dress")
    clothes.did("bob", EventType.LIKE, "blue boots")
    first, second = feed(clothes, k=2, blend=POPULAR)
    likes = np.array([2, 1]) * EVENT_WEIGHTS[EventType.LIKE]

    assert (first.product_id, second.product_id) == ("green dress", "blue boots")
    assert [first.score, second.score] == pytest.approx(np.log1p(likes) / np.log1p(MIN_TOP_POPULARITY), abs=1e-5)
    assert first.reasons == ("liked by many lately",)


def test_what_others_chose_together_with_a_liked_product_is_recommended(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "red shirt")
    for person in ("bob", "cid", "dan"):
        clothes.did(person, EventType.PURCHASE, "red shirt", "blue boots", basket=person)
    clothes.interactions.learn()
    shown = feed(clothes, blend=TOGETHER)

    assert ids(shown) == ["blue boots"]
    assert shown[0].reasons == ("chosen by others who liked Red Shirt",)


def test_filters_and_left_out_products_hold(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "red shirt")
    women = Where((AnyOf(attribute="gender", values=("Women",)),))

    assert set(ids(feed(clothes, where=women))) == {"green dress", "lime dress", "wine boots"}
    assert "lime dress" not in ids(feed(clothes, where=women, without=frozenset({"lime dress"})))
    assert ids(feed(clothes, where=Where((AnyOf(attribute="gender", values=("Boys",)),)))) == []


def test_later_events_do_not_count(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "red shirt", days_ago=-1)

    assert feed(clothes).based_on is Basis.NEWEST


def test_without_a_history_others_come_first(clothes: SmallCatalog) -> None:
    assert feed(clothes, "zoe").based_on is Basis.NEWEST
    clothes.did("bob", EventType.LIKE, "blue boots")
    assert feed(clothes, "zoe").based_on is Basis.TRENDING


def test_a_history_of_products_that_left_the_catalog_is_a_cold_start_without_them(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "gone")
    clothes.did("ann", EventType.DISLIKE, "blue boots")

    assert feed(clothes).based_on is Basis.TRENDING
    assert "blue boots" not in ids(feed(clothes))


@pytest.mark.parametrize("options", [{"k": 0}, {"diversity": 1.5}, {"diversity": -0.1}])
def test_numbers_out_of_range_are_refused(catalog: SmallCatalog, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="k must be at least 1 and diversity from 0 to 1"):
        feed(catalog, **options)
