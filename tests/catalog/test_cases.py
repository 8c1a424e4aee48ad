"""The small inputs of ``shared/cases``, each with what it must give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sartor.money import money_of
from tests.catalog.samples import Reading, read

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"needs {CASES}")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy of the cases, which are read-only."""
    for file in CASES.rglob("*"):
        if file.is_file():
            target = tmp_path / file.relative_to(CASES)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    return tmp_path


def titled(reading: Reading, title: str) -> tuple[dict[str, object], list[str]]:
    (item,) = [item for item in reading.products if item.product.title == title]
    return dict(item.product.attributes), [photo.name for photo in item.photos]


def test_shopify(case: Path) -> None:
    reading = read(case / "shopify.csv")
    assert reading.kind == "Shopify"
    assert len(reading.products) == 3
    red, photos = titled(reading, "Linen Shirt Red")
    assert photos == ["img/red.jpg"]
    assert (red["price"], red["compare_at_price"]) == ("49.00", "59.00")
    assert (red["size"], red["sizes_out_of_stock"]) == (("S", "M"), ("M",))
    blue, photos = titled(reading, "Linen Shirt Blue")
    assert (photos, blue["price"]) == (["img/blue.jpg"], "45.00")
    assert red["item_group_id"] == blue["item_group_id"]
    titled(reading, "Green Tee")
    assert reading.counts == {"products that are not published, left out": 1}


def test_woocommerce(case: Path) -> None:
    reading = read(case / "woocommerce.csv")
    red, red_photos = titled(reading, "Tee Red")
    blue, blue_photos = titled(reading, "Tee Blue")
    assert len(reading.products) == 2
    assert (red["price"], red["sale_price"], red["color"], red_photos) == ("20", "15", "Red", ["img/red.jpg"])
    assert (blue["price"], blue["color"], blue_photos) == ("20", "Blue", ["img/blue.jpg"])
    assert red["item_group_id"] == blue["item_group_id"]


def test_magento(case: Path) -> None:
    reading = read(case / "magento.csv")
    red, red_photos = titled(reading, "Tee Red S")
    blue, blue_photos = titled(reading, "Tee Blue S")
    assert len(reading.products) == 2
    assert red_photos == ["img/red.jpg", "img/blue.jpg", "img/green.jpg"]
    assert (red["price"], red["sale_price"], red["availability"]) == ("20", "15", "in_stock")
    assert (red["color"], red["size"], red["product_type"]) == ("Red", "S", "Men > Tees")
    assert (blue_photos, blue["availability"]) == (["img/blue.jpg"], "out_of_stock")
    assert red["item_group_id"] == blue["item_group_id"]
    assert reading.counts["products that are not published, left out"] == 1


def test_meta(case: Path) -> None:
    assert read(case / "meta.csv").photos == {"1": ["img/red.jpg", "img/blue.jpg", "img/green.jpg"]}


def test_german_columns(case: Path) -> None:
    reading = read(case / "german-semicolon.csv")
    assert titled(reading, "Hemd grün") == ({"price": "1234.50 EUR", "color": "grün"}, ["img/green.jpg"])
    assert titled(reading, "Hemd rot") == ({"price": "9.99 EUR", "color": "rot"}, ["img/red.jpg"])


def test_lists_and_money(case: Path) -> None:
    reading = read(case / "lists-and-money.jsonl")
    assert reading.photos == {"1": ["img/red.jpg", "img/blue.jpg"], "2": ["img/blue.jpg"]}
    assert reading.attributes("1") == {"price": "10.50 EUR", "sizes": ("S", "M")}
    assert reading.attributes("2") == {"price": "12.50"}


def test_prices(case: Path) -> None:
    reading = read(case / "prices.tsv")
    found = [money_of(str(item.product.attributes.get("price", ""))) for item in reading.products]
    amounts = [None if money is None else (money.amount, money.currency) for money in found]
    assert amounts == [
        (1299, "EUR"),
        (15, "USD"),
        (12.5, ""),
        (1299, "USD"),
        (49, "EUR"),
        (49, ""),
        (1299, "kr"),
        (1299, "INR"),
        (799, "Rs"),
        (1299.5, "CHF"),
        (20, "USD"),
        (20, ""),
        (1299, ""),
        (0, ""),
        None,
    ]
    assert reading.counts["currencies of prices, more than one"] == 6


def test_merchant_feeds(case: Path) -> None:
    table = read(case / "merchant.tsv")
    assert (table.attributes("A-001")["price"], table.attributes("A-001")["sale_price"]) == (
        "1299.00 EUR",
        "999.00 EUR",
    )
    assert table.attributes("A-001")["color"] == ("Red", "White")
    feed = read(case / "merchant.xml")
    assert feed.attributes("1")["material"] == "Linen"
    assert not [name for name in feed.attributes("1") if name.startswith("product_detail")]


def test_image_cells(case: Path) -> None:
    shutil.copyfile(case / "img" / "red.jpg", case / "img" / "robe été.jpg")
    assert [len(item.photos) for item in read(case / "image-cells.csv").products] == [1, 1, 2, 1]


def test_pipes(case: Path) -> None:
    assert [len(item.photos) for item in read(case / "pipe.csv").products] == [2, 2]
