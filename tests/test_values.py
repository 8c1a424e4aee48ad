from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.types import Product
from sartor.values import (
    compared,
    compared_text,
    numbers_of,
    price_of,
    searched_of,
    texts_of,
    title_key,
    values_of,
)

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.from_regex(r"\A[ A-Za-z]{0,4}[-+]?[0-9]{1,3}(\.[0-9]{1,2})?[ A-Za-z]{0,4}\Z"),
    st.just("x" * 256),
    st.just("x" * 257),
)


@given(
    st.one_of(
        TEXTS,
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.tuples(TEXTS, TEXTS),
    )
)
def test_a_listing_filters_by_the_texts_and_numbers_that_the_index_has(value: object) -> None:
    values = values_of(Product(id="a", attributes={"name": value}))
    assert {each.text for each in values} - {None} == set(texts_of(value))
    assert {each.number for each in values} - {None} == set(numbers_of(value))


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, "9" * 400, "\ud800"])
def test_what_is_no_number_is_none(value: object) -> None:
    assert numbers_of(value) == []
    assert all(each.number is None for each in values_of(Product(id="a", attributes={"name": value})))


def test_titles_are_sorted_without_case_and_accents() -> None:
    titles = ["zebra", "Éclair", "apple", "Öl", "eclair b"]
    assert sorted(titles, key=title_key) == ["apple", "Éclair", "eclair b", "Öl", "zebra"]
    assert title_key(" ") is None


def test_the_lowest_price_counts() -> None:
    assert price_of(Product(id="a", attributes={"price": ("15.00 USD", "EUR 9")})) == 9
    assert price_of(Product(id="a", attributes={"price": "on request"})) is None
    assert price_of(Product(id="a")) is None


def test_links_and_switches_are_not_searched() -> None:
    attributes = {"link": "https://example.org", "sale": True, "color": ("Red", "Blue"), "year": 2011}
    assert searched_of(Product(id="a", attributes=attributes)) == "Red\nBlue\n2011"


def test_a_path_of_categories_is_found_by_each_category_above() -> None:
    product = Product(id="a", attributes={"product_type": ("Men > Tees > Printed", "Men > Sale")})
    assert [value.text for value in values_of(product)] == [
        "Men",
        "Men > Tees",
        "Men > Tees > Printed",
        "Men > Sale",
    ]
    assert compared(product.attributes)["product_type"].texts == tuple(each.text for each in values_of(product))


def test_a_number_is_one_text_and_an_id_with_zeros_is_another() -> None:
    assert texts_of(("10.00", "10.0", "10", "+10")) == ["10"] * 4
    assert texts_of(("010", "1.2.3", "-0", "00", "0.50")) == ["010", "1.2.3", "0", "00", "0.5"]
    assert texts_of(10.0) == texts_of(10) == ["10"]
    assert compared_text("size", "10.0") == "10"


def test_a_price_is_what_is_paid_and_an_availability_has_one_spelling() -> None:
    attributes = {"price": "1.299,00 €", "sale_price": "999 €", "availability": "Sold out", "size": "1.299,00 €"}
    found = compared(attributes)
    assert found["price"].numbers == found["sale_price"].numbers == (999.0,)
    assert found["availability"].texts == ("out_of_stock",)
    assert found["size"].numbers == ()
    assert price_of(Product(id="a", attributes=attributes)) == 999
    assert compared_text("availability", "sold-out") == "out_of_stock"
