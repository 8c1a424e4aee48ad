"""How things are called before a shopper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sartor.storefront.addresses import Filters
from sartor.storefront.views import _facet, attribute_texts, full_price_text, label, price_text, sizes_of
from sartor.types import FacetValue

if TYPE_CHECKING:
    from sartor.types import Attributes


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("articleType", "Type"),
        ("masterCategory", "Category"),
        ("sleeve_length", "Sleeve length"),
        ("heelHeight", "Heel height"),
        ("brand", "Brand"),
    ],
)
def test_attributes_are_named_for_people(attribute: str, name: str) -> None:
    assert label(attribute) == name


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"price": "19.90 USD"}, "$19.90"),
        ({"price": "1200.00 EUR"}, "€1,200.00"),
        ({"price": "1499 INR"}, "₹1,499"),
        ({"price": 25}, "25.00"),
        ({"price": "30.00 CHF"}, "30.00 CHF"),
        ({"price": "30.00 USD", "sale_price": "20.00 USD"}, "$20.00"),
        ({"price": "on request"}, ""),
        ({}, ""),
    ],
)
def test_prices_are_shown_in_their_currency(attributes: dict[str, str | int], text: str) -> None:
    assert price_text(attributes) == text


def test_values_without_a_result_are_behind_those_with_one() -> None:
    values = [
        FacetValue(value="Shirts", count=3),
        FacetValue(value="Tops", count=1),
        FacetValue(value="Bags", count=0),
    ]
    facet = _facet("articleType", values, Filters(), opens=False)
    assert [choice.value for choice in facet.choices] == ["Shirts", "Tops"]
    assert [choice.value for choice in facet.others] == ["Bags"]
    facet = _facet("articleType", values, Filters((("articleType", "Bags"),)), opens=False)
    assert [(choice.value, choice.checked) for choice in facet.choices][-1] == ("Bags", True)


@pytest.mark.parametrize(
    ("attributes", "sizes"),
    [
        ({"size": "S, M,L"}, ("S", "M", "L")),
        ({"size": ("36", "38")}, ("36", "38")),
        ({"size": "16/34"}, ("16/34",)),
        ({"size": "M", "sizes": "M;L"}, ("M", "L")),
        ({"size": " "}, ()),
        ({"size": 42}, ("42",)),
        ({}, ()),
    ],
)
def test_sizes_are_read_as_catalogs_write_them(attributes: Attributes, sizes: tuple[str, ...]) -> None:
    assert sizes_of(attributes) == sizes


def test_a_price_is_struck_out_only_in_a_sale() -> None:
    assert full_price_text({"price": "30.00 USD", "sale_price": "20.00 USD"}) == "$30.00"
    assert full_price_text({"price": "30.00 USD"}) == ""
    assert full_price_text({"price": "30.00 USD", "compare_at_price": "40.00 USD"}) == "$40.00"
    assert full_price_text({"price": "30.00 USD", "compare_at_price": "30.00 USD"}) == ""


def test_what_is_said_of_a_product_is_in_order_and_without_what_is_for_machines() -> None:
    attributes = {
        "season": "Fall",
        "link": "https://x",
        "gender": "Men",
        "price": 1,
        "tags": ("a", "b"),
        "x": True,
    }
    assert attribute_texts(attributes) == [("Gender", "Men"), ("Season", "Fall"), ("Tags", "a, b"), ("X", "Yes")]


def test_values_that_a_filter_does_not_show_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.storefront.views.MAX_FACET_VALUES", 10)
    values = [FacetValue(value=f"v{number}", count=30 - number) for number in range(25)]
    facet = _facet("brand", values, Filters((("brand", "v20"),)), opens=False)
    shown = {choice.value for choice in (*facet.choices, *facet.others)}
    assert "v20" in shown
    assert len(shown) + facet.further == 25
