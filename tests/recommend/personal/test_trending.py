from __future__ import annotations

import numpy as np
import pytest

from sartor.errors import UnknownValue
from sartor.events.model import EventType, RelationType
from sartor.recommend.base import Basis, Feed
from sartor.recommend.personal.signals import related_scores, trend_scores
from sartor.recommend.personal.trending import together, trending
from sartor.recommend.weights import DAY_S, EVENT_WEIGHTS
from sartor.types import EVERYTHING, AnyOf, Where
from tests.recommend.small_catalog import NOW_S, SmallCatalog

WEEK_S = 7 * DAY_S


@pytest.fixture
def clothes(catalog: SmallCatalog) -> SmallCatalog:
    catalog.add("shirt", (1, 0, 0), gender="Men", item_group_id="shirt")
    catalog.add("large shirt", (0.5, 0.5, 0), gender="Men", item_group_id="shirt")
    catalog.add("dress", (0, 1, 0), gender="Women")
    catalog.add("boots", (0, 0, 1), gender="Men")
    return catalog


def trend(catalog: SmallCatalog, *, k: int = 5, where: Where = EVERYTHING) -> Feed:
    popularity = trend_scores(catalog.interactions, now_s=NOW_S, window_s=WEEK_S)
    return trending(catalog.candidates(), popularity, k=k, where=where)


def bought_with(catalog: SmallCatalog, product_id: str, *, by: RelationType | None = None) -> Feed:
    catalog.interactions.learn()
    related = related_scores(catalog.interactions, product_id, by=by)
    return together(catalog.candidates(), product_id, related, k=5, where=EVERYTHING)


def test_the_most_popular_product_comes_first_with_its_popularity(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "dress", "boots")
    clothes.did("bob", EventType.LIKE, "dress", days_ago=3.5)
    clothes.did("cid", EventType.LIKE, "boots", days_ago=8)
    feed = trend(clothes)

    assert feed.based_on is Basis.TRENDING
    assert [hit.product_id for hit in feed] == ["dress", "boots"]
    assert [hit.score for hit in feed] == pytest.approx(np.array([1.5, 1]) * EVENT_WEIGHTS[EventType.LIKE])
    assert {hit.reasons for hit in feed} == {("trending",)}


def test_variants_stand_behind_the_more_popular_one(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "large shirt")
    clothes.did("ann", EventType.VIEW, "shirt")

    assert [(hit.product_id, hit.variants) for hit in trend(clothes)] == [("large shirt", ("shirt",))]


def test_a_filter_holds_and_a_value_that_no_product_has_is_refused(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.LIKE, "dress", "boots")

    men = Where((AnyOf(attribute="gender", values=("Men",)),))
    assert [hit.product_id for hit in trend(clothes, where=men)] == ["boots"]
    with pytest.raises(UnknownValue, match="did you mean 'Men'"):
        trend(clothes, where=Where((AnyOf(attribute="gender", values=("Man",)),)))


def test_without_interactions_nothing_is_trending(clothes: SmallCatalog) -> None:
    assert list(trend(clothes)) == []


def test_products_bought_together_come_without_the_products_own_variants(clothes: SmallCatalog) -> None:
    for person in ("ann", "bob"):
        clothes.did(person, EventType.PURCHASE, "shirt", "large shirt", "boots", basket=person)
    feed = bought_with(clothes, "shirt", by=RelationType.BOUGHT)

    assert feed.based_on is Basis.TOGETHER
    assert [hit.product_id for hit in feed] == ["boots"]
    assert feed[0].reasons == ("often bought together",)
    assert feed[0].score == pytest.approx(2 / (2 + 5))  # of two baskets both, over the shrinkage


def test_the_closest_relation_gives_the_reason(clothes: SmallCatalog) -> None:
    for person in ("ann", "bob", "cid"):
        clothes.did(person, EventType.VIEW, "shirt", days_ago=1)
        clothes.did(person, EventType.VIEW, "boots", days_ago=0.5)  # another session of the same month

    assert [hit.reasons for hit in bought_with(clothes, "shirt")] == [("liked by the same people",)]


def test_a_product_of_one_transaction_says_nothing(clothes: SmallCatalog) -> None:
    clothes.did("ann", EventType.PURCHASE, "shirt", "boots", basket="one")

    assert list(bought_with(clothes, "shirt")) == []
