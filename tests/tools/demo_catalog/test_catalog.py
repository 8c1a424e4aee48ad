"""The plan: which products there are, without drawing any."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.recommend.features import color_family
from sartor.recommend.outfit.rules import DEFAULT_SLOTS, Slot, slot_of
from tools.demo_catalog.catalog import BRANDS, PATTERNS, plan
from tools.demo_catalog.garments import DRAWERS
from tools.demo_catalog.palette import COLORS
from tools.demo_catalog.product import DemoProduct

KAGGLE_TYPES = {
    *("Tshirts", "Shirts", "Tops", "Sweatshirts", "Sweaters", "Jackets", "Blazers", "Dresses", "Skirts", "Jeans"),
    *("Trousers", "Shorts", "Casual Shoes", "Formal Shoes", "Heels", "Flats", "Handbags", "Backpacks", "Watches"),
    *("Sunglasses", "Caps", "Scarves", "Belts"),
}


def planned(count: int = 600, seed: int = 0) -> tuple[DemoProduct, ...]:
    return plan(count=count, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def products() -> tuple[DemoProduct, ...]:
    return planned()


def test_the_default_catalog_has_every_article_type(products: tuple[DemoProduct, ...]) -> None:
    assert {product.article_type for product in products} == KAGGLE_TYPES == set(DRAWERS)


def test_the_default_catalog_has_many_colors_and_patterns(products: tuple[DemoProduct, ...]) -> None:
    assert len({product.color for product in products}) >= 16
    assert {"Solid", "Striped", "Checked", "Polka Dots", "Denim", "Knit", "Floral", "Graphic"} <= {
        product.design.pattern for product in products
    }


def test_the_same_seed_plans_the_same_products() -> None:
    assert planned(80, 3) == planned(80, 3)
    assert planned(80, 3) != planned(80, 4)


def test_a_group_is_one_design_in_different_colors(products: tuple[DemoProduct, ...]) -> None:
    groups = defaultdict(list)
    for product in products:
        groups[product.item_group_id].append(product)
    assert sum(len(group) > 1 for group in groups.values()) > 50
    for group in groups.values():
        first = group[0]
        assert len({product.color for product in group}) == len(group)
        for product in group:
            assert product.design == first.design
            assert product.title.removesuffix(product.shade.name) == first.title.removesuffix(first.shade.name)
            assert (product.brand, product.price_cents, product.usage) == (
                first.brand,
                first.price_cents,
                first.usage,
            )


@pytest.mark.parametrize("gender", ["Men", "Women"])
def test_there_is_something_for_every_place_in_a_look(products: tuple[DemoProduct, ...], gender: str) -> None:
    slots = [slot_of(product.article_type) for product in products if product.design.gender in (gender, "Unisex")]
    assert all(slots.count(slot) >= 8 for slot in DEFAULT_SLOTS)
    assert slots.count(Slot.OUTERWEAR) >= 8


@settings(max_examples=12, deadline=None)
@given(count=st.integers(1, 160), seed=st.integers(0, 2**32))
def test_any_count_gives_as_many_products_with_words_from_the_vocabularies(count: int, seed: int) -> None:
    products = planned(count, seed)
    assert len(products) == len({product.id for product in products}) == count
    patterns = {pattern for pattern, _ in PATTERNS.values()} | {"Knit"}
    for product in products:
        attributes = product.attributes
        assert attributes["articleType"] in KAGGLE_TYPES
        assert attributes["masterCategory"] in {"Apparel", "Footwear", "Accessories"}
        assert attributes["gender"] in {"Men", "Women", "Unisex", "Boys", "Girls"}
        assert attributes["color"] in COLORS
        assert attributes["pattern"] in patterns
        assert attributes["season"] in {"Summer", "Winter", "Fall", "Spring"}
        assert attributes["usage"] in {"Casual", "Formal", "Sports", "Party"}
        assert attributes["brand"] in BRANDS
        assert 10 <= float(attributes["price"].removesuffix(" USD")) <= 400
        assert attributes["title"].endswith(f" in {product.shade.name}")


def test_fewer_than_one_product_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        planned(0)


def test_every_color_belongs_to_a_family_that_the_recommenders_know() -> None:
    assert {color_family(color) for color in COLORS}.isdisjoint(color.lower() for color in COLORS if " " in color)
