"""The archive that the package ships is what this program draws."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tools.demo_catalog import DemoProduct, draw, plan
from tools.demo_catalog.__main__ import SHIPPED, SHIPPED_COUNT
from tools.demo_catalog.street import SURFACES, chosen, street_photo

MAX_DIFFERENCE = 4.0  # mean over pixels and channels, of 255: what WebP at the shipped quality leaves
MIN_DIFFERENCE_OF_OTHERS = 8.0
DRAWN = ["Dresses", "Shirts", "Casual Shoes", "Handbags", "Watches"]


@pytest.fixture(scope="module")
def archive() -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(SHIPPED) as archive:
        yield archive


@pytest.fixture(scope="module")
def products() -> tuple[DemoProduct, ...]:
    return plan(count=SHIPPED_COUNT, rng=np.random.default_rng(0))


def photo(archive: zipfile.ZipFile, name: str) -> Image.Image:
    return Image.open(io.BytesIO(archive.read(name))).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())


def test_the_shipped_table_is_the_plan(archive: zipfile.ZipFile, products: tuple[DemoProduct, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(archive.read("catalog/products.csv").decode())))
    assert rows == [product.attributes for product in products]


def test_each_product_has_its_photo_and_its_street_photo(
    archive: zipfile.ZipFile, products: tuple[DemoProduct, ...]
) -> None:
    names = [f"catalog/{product.image}" for product in products]
    surfaces = [*SURFACES]
    for number, product in enumerate(chosen(products, limit=24)):
        names.append(f"queries/{product.id}-{surfaces[number % len(surfaces)]}.webp")
    assert archive.namelist() == [*names, "catalog/products.csv"]


@pytest.mark.parametrize("article_type", DRAWN)
def test_a_shipped_photo_is_what_is_drawn_now(
    archive: zipfile.ZipFile, products: tuple[DemoProduct, ...], article_type: str
) -> None:
    product, other = [each for each in products if each.article_type == article_type][:2]
    drawn = draw(product)
    assert difference(photo(archive, f"catalog/{product.image}"), drawn) < MAX_DIFFERENCE
    assert difference(photo(archive, f"catalog/{other.image}"), drawn) > MIN_DIFFERENCE_OF_OTHERS


def test_a_shipped_street_photo_is_what_is_taken_now(
    archive: zipfile.ZipFile, products: tuple[DemoProduct, ...]
) -> None:
    product = products[0]
    taken = street_photo(product, surface="wood", rng=np.random.default_rng([0, product.design.seed]))
    assert difference(photo(archive, f"queries/{product.id}-wood.webp"), taken) < MAX_DIFFERENCE
