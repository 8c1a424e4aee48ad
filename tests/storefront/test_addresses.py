"""Whatever a shopper sets stands in the address, once, and is read back from there."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from sartor.errors import BadFilter
from sartor.limits import MAX_RESULTS, MAX_TEXT_CHARS, RESULTS_PAGE
from sartor.service.problems import BadRequest
from sartor.storefront.addresses import Browse, Filters, Search, product_address
from sartor.types import AnyOf, Between, Not, Sort

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="=!"), min_size=1, max_size=12).filter(str.strip)
FILTERS = st.lists(st.tuples(NAMES, IDS), max_size=4, unique=True).map(lambda pairs: Filters(tuple(pairs)))
SHARES = st.none() | st.integers(0, 100).map(lambda percent: percent / 100)
LISTS = st.lists(IDS, max_size=4, unique=True).map(tuple)
BOXES = st.tuples(
    *[st.integers(0, 50).map(lambda n: n / 100)] * 2, *[st.integers(1, 50).map(lambda n: n / 100)] * 2
)
SEARCHES = st.builds(
    Search,
    photos=st.lists(
        st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1, max_size=4, unique=True
    ).map(tuple),
    products=LISTS,
    like=LISTS,
    dislike=LISTS,
    box=st.none() | BOXES,
    color=st.none() | st.sampled_from(["navy", "#2a56bb"]),
    style=SHARES,
    color_weight=SHARES,
    filters=FILTERS,
    k=st.integers(1, MAX_RESULTS),
)
BROWSES = st.builds(
    Browse,
    words=st.sampled_from(["", "blue dress", "50% off & more", "é"]),
    filters=FILTERS,
    sort=st.sampled_from(Sort),
    after=st.none() | IDS,
)


def params_of(address: str) -> QueryParams:
    return QueryParams(urlsplit(address).query)


@given(SEARCHES)
def test_a_search_is_read_back_from_its_address(search: Search) -> None:
    assert Search.parse(params_of(search.address)) == search


@given(BROWSES)
def test_a_view_of_the_catalog_is_read_back_from_its_address(browse: Browse) -> None:
    assert Browse.parse(params_of(browse.address)) == browse


@given(FILTERS, NAMES, IDS)
def test_a_filter_that_is_turned_around_twice_is_as_before(filters: Filters, name: str, value: str) -> None:
    once = filters.toggled(name, value)
    assert once.has(name, value) != filters.has(name, value)
    assert set(once.toggled(name, value).pairs) == set(filters.pairs)


@given(SEARCHES, IDS)
def test_what_is_liked_is_not_disliked(search: Search, product_id: str) -> None:
    liked = search.liking(product_id)
    assert (product_id in liked.like) == (product_id not in search.like)
    assert product_id not in liked.dislike
    assert product_id not in search.disliking(product_id).like


def test_values_of_one_attribute_widen_and_attributes_narrow() -> None:
    filters = Filters.parse(["color=Red", 'color="Blue, light"', "gender!=Men", "price=10..50"])
    assert filters.where().conditions == (
        AnyOf(attribute="color", values=("Red", "Blue, light")),
        Not(condition=AnyOf(attribute="gender", values=("Men",))),
        Between(attribute="price", low=10, high=50),
    )


def test_the_fields_of_the_price_become_one_filter() -> None:
    read = Browse.parse(QueryParams("where=price%3D1..2&where=color%3DRed&min_price=10&max_price="))
    assert read.filters.texts == ["color=Red", "price=10.."]
    assert Browse.parse(QueryParams("where=price%3D1..2&min_price=&max_price=")).filters.texts == []


def test_the_fields_of_the_box_are_percent() -> None:
    search = Search.parse(QueryParams("photo=a&x=10&y=20&w=50&h=500"))
    assert search.box == (0.1, 0.2, 0.5, 0.8)
    assert Search.parse(QueryParams("photo=a&x=0&y=0&w=100&h=100")).box is None
    assert Search.parse(QueryParams("photo=a&x=&y=20&w=50&h=50")).box is None


def test_a_dial_that_nobody_moved_is_not_in_the_address() -> None:
    search = Search.parse(QueryParams("product=1&style=1.0&style_was=1.0&colorweight=0.4&colorweight_was=0.2"))
    assert (search.style, search.color_weight) == (None, 0.4)


def test_pages_grow_by_twelve_up_to_an_end() -> None:
    search, pages = Search(products=("1",)), [RESULTS_PAGE]
    while longer := search.more():
        search = longer
        pages.append(search.k)
    assert pages == [12, 24, 36, 48, 60, 72, 84, 96]
    assert Search.parse(QueryParams("k=5000")).k == MAX_RESULTS


@pytest.mark.parametrize(
    "query", ["style=2", "style=nan", "colorweight=x", "k=x", "photo=a&box=1,2", "photo=a&box=a,b,c,d", "k=inf"]
)
def test_numbers_that_are_none_are_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        Search.parse(QueryParams(query))


@pytest.mark.parametrize(
    "query", ["where=color", "where=%3DRed", "where=color%3D", "min_price=1..2", "max_price=."]
)
def test_filters_that_are_none_are_refused(query: str) -> None:
    with pytest.raises(BadFilter):
        Browse.parse(QueryParams(query))


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(BadRequest):
        Browse.parse(QueryParams("sort=best"))


def test_an_id_with_everything_in_it_has_an_address() -> None:
    assert product_address('a/b ?#&%"<é') == "/product/a/b%20%3F%23%26%25%22%3C%C3%A9"


def test_words_that_are_too_long_are_not_cut() -> None:
    for page, name in ((Browse, "q"), (Search, "color")):
        with pytest.raises(BadRequest, match=f"{name} has at most {MAX_TEXT_CHARS} characters, not 600"):
            page.parse(QueryParams([(name, "x" * 600)]))
