from __future__ import annotations

import pytest

from sartor.offers import Availability, availability_of, is_price, price_attribute


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("in_stock", Availability.IN_STOCK),
        ("In Stock", Availability.IN_STOCK),
        ("instock", Availability.IN_STOCK),
        ("https://schema.org/InStock", Availability.IN_STOCK),
        ("IN_STOCK", Availability.IN_STOCK),
        ("auf Lager", Availability.IN_STOCK),
        ("out of stock", Availability.OUT_OF_STOCK),
        ("outofstock", Availability.OUT_OF_STOCK),
        ("http://schema.org/SoldOut", Availability.OUT_OF_STOCK),
        ("Épuisé", Availability.OUT_OF_STOCK),
        ("discontinued", Availability.OUT_OF_STOCK),
        ("pre-order", Availability.PREORDER),
        ("PreOrder", Availability.PREORDER),
        ("onbackorder", Availability.BACKORDER),
        ("available for order", Availability.BACKORDER),
        ("maybe", None),
        ("", None),
    ],
)
def test_all_spellings_of_an_availability_mean_the_same(text: str, state: Availability | None) -> None:
    assert availability_of(text) is state


def test_a_price_is_known_by_its_name() -> None:
    assert all(map(is_price, ("price", "sale_price", "compareAtPrice", "Regular price", "shipping.price")))
    assert not any(map(is_price, ("price_range", "prices", "color", "", "reprice")))


def test_what_is_paid_is_the_sale_price_if_there_is_one() -> None:
    assert price_attribute({"price": "20", "sale_price": "15"}) == "15"
    assert price_attribute({"price": "20", "sale_price": ""}) == "20"
    assert price_attribute({}) is None
