"""Street photos keep their product."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.imaging.color import oklab
from tools.demo_catalog.catalog import plan
from tools.demo_catalog.product import DemoProduct
from tools.demo_catalog.street import SURFACES, chosen, street_photo


@pytest.fixture(scope="module")
def products() -> tuple[DemoProduct, ...]:
    return plan(count=200, rng=np.random.default_rng(1))


@pytest.mark.parametrize("surface", SURFACES)
def test_the_middle_of_a_street_photo_shows_the_product_in_its_color(
    products: tuple[DemoProduct, ...], surface: str
) -> None:
    product = next(each for each in products if each.article_type == "Sweatshirts" and not each.design.motif)
    pixels = np.asarray(street_photo(product, surface=surface, rng=np.random.default_rng(2)))
    assert pixels.shape == (640, 480, 3)
    middle = oklab(np.median(pixels[340:400, 200:280], axis=(0, 1)).astype(np.uint8)[None])
    shade = oklab(np.array([product.shade.rgb], np.uint8))
    assert np.linalg.norm(middle - shade) < 0.12


def test_the_ground_is_not_white(products: tuple[DemoProduct, ...]) -> None:
    pixels = np.asarray(street_photo(products[0], surface="wood", rng=np.random.default_rng(2)))
    assert pixels[:8, :8].mean() < 235
    assert pixels[:8].std() > 2


def test_the_same_generator_takes_the_same_photo(products: tuple[DemoProduct, ...]) -> None:
    one, again = (
        street_photo(products[0], surface="sheet", rng=np.random.default_rng(5)).tobytes() for _ in range(2)
    )
    assert one == again


def test_one_of_each_type_is_taken_before_a_second(products: tuple[DemoProduct, ...]) -> None:
    types = [product.article_type for product in chosen(products, limit=24)]
    assert len(types) == 24
    assert len(set(types[:23])) == 23


def test_a_small_catalog_gives_as_many_as_it_has() -> None:
    assert len(chosen(plan(count=2, rng=np.random.default_rng(0)), limit=24)) == 2
