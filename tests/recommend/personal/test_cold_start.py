from __future__ import annotations

import pytest

from sartor.events.model import EventType, Person
from sartor.recommend.base import Basis, Feed, FeedRequest
from sartor.recommend.personal.cold_start import cold_start
from sartor.recommend.personal.signals import NewProducts, Signals, popularity_scores
from sartor.recommend.weights import DAY_S
from sartor.types import AnyOf, Where
from tests.recommend.small_catalog import NOW_S, SmallCatalog

WOMEN = Where((AnyOf(attribute="gender", values=("Women",)),))


def start(catalog: SmallCatalog, person: str = "zoe", **options: object) -> Feed:
    """A cold start by what people did and what is new."""
    request = {"k": 3, "now_s": NOW_S, "diversity": 0.0} | options
    signals = Signals(
        popular=popularity_scores(catalog.interactions, now_s=NOW_S), new=NewProducts(catalog.store).scores()
    )
    return cold_start(catalog.candidates(), signals, FeedRequest(person=Person.visitor(person), **request))


def ids(feed: Feed) -> list[str]:
    return [hit.product_id for hit in feed]


@pytest.fixture
def clothes(catalog: SmallCatalog) -> SmallCatalog:
    for number in range(12):
        angle = (1, number / 4, number % 3)
        catalog.add(f"p{number:02}", angle, gender="Women" if number % 2 else "Men")
    return catalog


def test_the_newest_product_is_new_in_and_scores_half(clothes: SmallCatalog) -> None:
    hits = {hit.product_id: hit for hit in start(clothes, k=12)}

    assert hits["p11"].reasons == ("new in",)
    assert hits["p11"].score == 0.5
    assert hits["p00"].reasons == ()
    assert hits["p00"].score == 0


def test_popular_products_are_trending_and_score_their_popularity(clothes: SmallCatalog) -> None:
    clothes.did("bob", EventType.LIKE, "p03")
    feed = start(clothes, k=12)
    (popular,) = (hit for hit in feed if hit.product_id == "p03")

    assert feed.based_on is Basis.TRENDING
    assert popular.reasons == ("trending",)
    assert popular.score == popularity_scores(clothes.interactions, now_s=NOW_S).of(["p03"])[0]


def test_without_interactions_a_feed_is_based_on_what_is_new(clothes: SmallCatalog) -> None:
    assert start(clothes).based_on is Basis.NEWEST


def test_products_in_the_context_come_before_all_others_and_say_so(clothes: SmallCatalog) -> None:
    clothes.did("bob", EventType.LIKE, "p03", "p04")
    feed = start(clothes, k=12, context=WOMEN)
    women = [number % 2 == 1 for number in range(12)]

    assert feed.based_on is Basis.CONTEXT
    assert [hit.attributes["gender"] == "Women" for hit in feed] == sorted(women, reverse=True)
    reasons = {hit.product_id: hit.reasons for hit in feed}
    assert (reasons["p03"], reasons["p04"]) == (("trending in Women",), ("trending",))
    assert reasons["p11"] == ("new in Women",)


def test_a_filter_holds_and_left_out_products_do_not_come(clothes: SmallCatalog) -> None:
    feed = start(clothes, k=12, where=WOMEN, without=frozenset({"p01", "p03"}))

    assert set(ids(feed)) == {"p05", "p07", "p09", "p11"}


def test_a_person_sees_the_same_all_day_and_others_see_other_products(clothes: SmallCatalog) -> None:
    people = [tuple(ids(start(clothes, f"person {number}"))) for number in range(8)]

    assert ids(start(clothes)) == ids(start(clothes, now_s=NOW_S + DAY_S / 2))
    assert len(set(people)) > 1
    assert len({tuple(ids(start(clothes, now_s=NOW_S + days * DAY_S))) for days in range(8)}) > 1
