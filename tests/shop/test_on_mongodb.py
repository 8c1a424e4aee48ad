"""A shop whose catalog is in MongoDB answers exactly as one on SQLite."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed: pip install 'sartor[mongodb]'")

import sartor
from sartor import Product, ProductInput, Shop
from tests.copies import copied
from tests.fakes import photo, various_colors

pytestmark = pytest.mark.engines


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twenty products in a table, with their photos."""
    directory = tmp_path / "source"
    (directory / "images").mkdir(parents=True)
    rows = ["id,title,gender,price,color,sizes,image"]
    for number, (name, color) in enumerate(various_colors(20).items()):
        (directory / "images" / f"{name}.png").write_bytes(photo(color))
        gender, price = ("Women", "Men", "")[number % 3], number % 7 + 0.5
        shade = ("red", "blue", "dark green")[number % 3]
        title = f"{shade.title()} {('shirt', 'coat')[number % 2]} {number}"
        rows.append(f"{name},{title},{gender},{price},{shade},S|M,images/{name}.png")
    (directory / "products.csv").write_text("\n".join(rows) + "\n")
    return directory


def answers(shop: Shop) -> list[object]:
    """Whatever a shopper can ask for."""
    listings = [
        shop.listing(where=where, words=words, sort=sort, limit=7)
        for where in (None, {"gender": "Women"}, {"price": (2, 5), "color!": "red"})
        for words in ("", "shirt", "dark gr")
        for sort in ("relevance", "newest", "title", "price", "-price")
    ]
    ids = [stored.product.id for stored in shop.listing(limit=100).products]
    return [
        [(page.products, page.total) for page in listings],
        shop.facets(),
        shop.facets(["color", "gender"], where={"price": (2, 5)}, words="shirt"),
        [shop.similar(product=product_id, k=6) for product_id in ids],
        [shop.similar(product=product_id, k=4, where={"gender": "Women"}, diversity=0.5) for product_id in ids],
        shop.similar(color="navy", k=5),
        shop.counts(),
    ]


def test_the_same_catalog_gives_the_same_answers(
    mongodb_address: str, empty_home: Path, source: Path, tmp_path: Path
) -> None:
    homes = [copied(empty_home, tmp_path / name) for name in ("sqlite", "mongodb")]
    with sartor.open(homes[0]) as embedded, sartor.open(homes[1], store=mongodb_address) as grown:
        shops = [embedded, grown]
        reports = [shop.index(source) for shop in shops]
        assert reports[0].products == reports[1].products == 20
        assert answers(embedded) == answers(grown)
        for shop in shops:
            assert shop.delete("p003")
            assert shop.delete("p011")
            assert shop.index(source, limit=12).embedded == 2
        assert answers(embedded) == answers(grown)
    with sartor.open(homes[1], store=mongodb_address) as again, sartor.open(homes[0]) as embedded:
        assert answers(embedded) == answers(again)


def test_two_shops_on_one_database_follow_each_other(
    mongodb_address: str, empty_home: Path, source: Path, tmp_path: Path
) -> None:
    homes = [copied(empty_home, tmp_path / name) for name in ("one", "other")]
    with (
        sartor.open(homes[0], store=mongodb_address) as one,
        sartor.open(homes[1], store=mongodb_address) as other,
    ):
        one.index(source)
        deadline_s = time.monotonic() + 20
        while other.revision < one.revision:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        assert [hit.product_id for hit in other.similar(product="p001", k=5)] == [
            hit.product_id for hit in one.similar(product="p001", k=5)
        ]


def test_a_product_that_another_shop_has_just_written_can_be_deleted(
    mongodb_address: str, empty_home: Path, tmp_path: Path
) -> None:
    homes = [copied(empty_home, tmp_path / name) for name in ("one", "other")]
    with (
        sartor.open(homes[0], store=mongodb_address) as one,
        sartor.open(homes[1], store=mongodb_address) as other,
    ):
        other._backends.store._watcher.stop()  # it hears of nothing any more
        time.sleep(1)
        one.put(ProductInput(product=Product(id="new"), photos=[photo((200, 0, 0))]))
        assert other._backends.store.revision < one.revision
        assert other.delete("new") is not None
        assert other.delete("new") is None
        one._backends.store.follow()
        assert one.product_ids() == []
