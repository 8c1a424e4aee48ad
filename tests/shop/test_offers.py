"""Prices and availability mean the same at every door: in listings, searches, looks and feeds."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor import Product, ProductInput, Shop
from sartor.errors import BadColumns, MixedCurrencies, UnreadableTable
from sartor.events.model import Event, EventType, Person
from sartor.store.sqlite.schema import MIGRATIONS
from tests.fakes import BLUE, GREEN, RED, folder_of, photo

FEED = """id\ttitle\timage_link\tproduct_type\tavailability\tprice\tsale_price
1\tRed\tred.png\tShirts\tin stock\t20 USD\t
2\tRed two\trose.png\tShirts\tSold out\t20 USD\t15 USD
3\tGreen\tgreen.png\tShirts\tpreorder\t$1,299.00\t
4\tBlue\tblue.png\tJeans\thttps://schema.org/OutOfStock\t10.00\t
"""
COLORS = {"red": RED, "rose": (250, 10, 10), "green": GREEN, "blue": BLUE}


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    folder = folder_of(tmp_path / "feed", COLORS)
    (folder / "feed.tsv").write_text(FEED)
    return folder / "feed.tsv"


@pytest.fixture
def offering(shop: Shop, feed: Path) -> Shop:
    shop.index(feed)
    return shop


def ids(hits: object) -> set[str]:
    return {hit.product_id for hit in hits}  # type: ignore[attr-defined]


def test_similar_products_are_in_stock_unless_others_are_wanted(offering: Shop) -> None:
    assert ids(offering.similar(photo((9, 9, 200)), k=9)) == {"1", "3"}
    assert ids(offering.similar(photo((9, 9, 200)), k=9, include_unavailable=True)) == {"1", "2", "3", "4"}
    assert ids(offering.similar(product="1", k=9)) == {"3"}
    assert ids(offering.similar(photo((9, 9, 200)), k=9, where={"availability": "out of stock"})) == {"2", "4"}
    assert ids(offering.similar(photo((9, 9, 200)), k=9, where={"product_type": "Jeans"})) == set()


def test_feeds_and_trends_have_what_is_in_stock(offering: Shop) -> None:
    people = [Person.user(name) for name in ("ann", "bob")]
    offering.record(
        *(
            Event(id=f"{person.id}{product}", type=EventType.LIKE, person=person, at_s=1.7e9, product_id=product)
            for person in people
            for product in ("1", "2", "4")
        )
    )
    assert ids(offering.trending(now_s=1.7e9)) == {"1"}
    assert ids(offering.trending(now_s=1.7e9, include_unavailable=True)) == {"1", "2", "4"}
    assert ids(offering.for_user("carl", now_s=1.7e9)) == {"1", "3"}
    assert ids(offering.for_user("carl", now_s=1.7e9, include_unavailable=True)) == {"1", "2", "3", "4"}
    assert ids(offering.together("1")) == set()
    assert ids(offering.together("1", include_unavailable=True)) == {"2", "4"}


def test_looks_have_what_is_in_stock(offering: Shop) -> None:
    assert [piece.product_id for piece in offering.outfit("1", slots=["bottom"]).pieces] == []
    look = offering.outfit("1", slots=["bottom"], include_unavailable=True)
    assert [piece.product_id for piece in look.pieces] == ["4"]


def test_looks_of_a_photo_have_what_is_in_stock(offering: Shop) -> None:
    (garment,) = offering.looks(photo((9, 9, 200)), k=9)
    assert ids(garment.found) == {"1", "3"}
    (garment,) = offering.looks(photo((9, 9, 200)), k=9, include_unavailable=True)
    assert ids(garment.found) == {"1", "2", "3", "4"}


def test_a_shop_may_recommend_what_is_out_of_stock(home: Path, feed: Path) -> None:
    (home / "sartor.toml").write_text("include_unavailable = true\n")
    with sartor.open(home) as shop:
        shop.index(feed)
        assert ids(shop.similar(photo((9, 9, 200)), k=9)) == {"1", "2", "3", "4"}
        assert ids(shop.similar(photo((9, 9, 200)), k=9, include_unavailable=False)) == {"1", "3"}


def test_a_shop_that_says_nothing_of_stock_recommends_everything(shop: Shop, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", COLORS))
    assert len(shop.similar(photo((9, 9, 200)), k=9)) == 4


def test_a_product_that_is_put_has_its_own_spelling_and_the_same_meaning(offering: Shop) -> None:
    product = Product(id="5", title="Pink", attributes={"availability": "Sold Out", "price": "1.299,00 €"})
    offering.put(ProductInput(product=product, photos=[photo((255, 90, 90))]))
    assert offering.product("5").product.attributes["price"] == "1.299,00 €"
    assert "5" not in ids(offering.similar(photo((200, 9, 9)), k=9))
    assert offering.listing(where={"price:EUR": (1298, 1300), "availability": "out_of_stock"}).total == 1
    with pytest.raises(MixedCurrencies):
        offering.listing(where={"price": (1298, 1300), "availability": "out_of_stock"})


def test_a_listing_shows_everything(offering: Shop) -> None:
    assert offering.listing().total == 4


def test_a_price_is_what_is_paid_now(offering: Shop) -> None:
    def found(**where: object) -> list[str]:
        page = offering.listing(where=where, sort="price")  # type: ignore[arg-type]
        return [stored.product.id for stored in page.products]

    assert found() == ["4", "2", "1", "3"]
    assert found(price=(14, 16)) == ["2"]
    assert found(price=20) == ["1"]
    assert found(sale_price=15) == ["2"]
    assert found(price=1299) == ["3"]
    assert ids(offering.similar(photo((9, 200, 9)), k=9, where={"price": (14, 16)}, include_unavailable=True)) == {
        "2"
    }


@pytest.mark.parametrize("asked", [10, 10.0, "10", "10.00", "10.0"])
def test_a_number_is_one_however_it_is_written(shop: Shop, tmp_path: Path, asked: object) -> None:
    folder = folder_of(tmp_path / "numbers", COLORS)
    lines = [
        '{"id": "a", "image": "red.png", "price": 10, "fit": 10}',
        '{"id": "b", "image": "rose.png", "price": 10.0, "fit": 10.0}',
        '{"id": "c", "image": "green.png", "price": "10.00 EUR", "fit": "10.00"}',
        '{"id": "d", "image": "blue.png", "price": "10.01", "fit": "010"}',
    ]
    (folder / "t.jsonl").write_text("\n".join(lines) + "\n")
    shop.index(folder / "t.jsonl")
    for name in ("price", "fit"):
        assert {each.product.id for each in shop.listing(where={name: asked}).products} == {"a", "b", "c"}  # type: ignore[dict-item]
        assert ids(shop.similar(photo((200, 9, 9)), k=9, where={name: asked})) == {"a", "b", "c"}  # type: ignore[dict-item]
    assert [(each.value, each.count) for each in shop.facets(["fit"])["fit"]] == [("10", 3), ("010", 1)]


def test_a_workspace_from_before_compares_the_same_after_its_migration(home: Path, feed: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(feed)
    import sqlite3

    connection = sqlite3.connect(home / "catalog.sqlite3")
    with connection:
        connection.execute("UPDATE attribute_values SET text = 'Sold out' WHERE text = 'out_of_stock'")
        connection.execute("UPDATE attribute_values SET number = NULL WHERE attribute = 'price'")
        connection.execute("UPDATE listed SET price = NULL")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
    connection.close()
    with sartor.open(home) as shop:
        assert [each.product.id for each in shop.listing(sort="price").products] == ["4", "2", "1", "3"]
        assert shop.listing(where={"availability": "out_of_stock"}).total == 2
        assert shop.listing(where={"price": (14, 16)}).total == 1
        assert shop.check() == ()


def test_columns_are_mapped_and_remembered(shop: Shop, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mapped", COLORS)
    table = folder / "t.csv"
    table.write_text('Nr,Wort,Datei1,VK\n7,Rot,red.png,"9,99 €"\n8,Blau,blue.png,"12,00 €"\n')
    with pytest.raises(UnreadableTable, match="--columns image=Datei1"):
        shop.index(table)
    columns = {"id": "Nr", "title": "Wort", "image": "Datei1", "price": "VK"}
    found = shop.preview(table, columns=columns)
    assert (found.products, found.photos, found.kind) == (2, 2, "table")
    assert dict(found.mapping) == {"Nr": "id", "Wort": "title", "Datei1": "photos", "VK": "price"}
    assert found.first[0].product.attributes == {"price": "9.99 EUR"}
    assert shop.counts().products == 0
    assert shop.index(table, columns=columns).added == 2
    assert shop.index(table).unchanged == 2
    with pytest.raises(UnreadableTable, match="it has no column 'Bild'"):
        shop.index(table, columns={"image": "Bild"})
    with pytest.raises(UnreadableTable):
        shop.index(table, columns={})
    with pytest.raises(BadColumns):
        shop.index(folder_of(tmp_path / "photos", COLORS), columns=columns)
