"""Prices in several currencies are said, and never compared as if they were one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sartor import Shop
from sartor.errors import BadFilter, MixedCurrencies, UnknownAttribute
from sartor.recommend.filters import currencies_of, require_one_currency, where_of
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import ListingQuery, Product, StoredProduct
from sartor.values import compared, values_of
from tests.fakes import folder_of


def catalog(path: Path, *prices: dict[str, object]) -> SqliteCatalogStore:
    store = SqliteCatalogStore(path / "catalog.sqlite3")
    products = [Product(id=f"p{rank}", attributes=each) for rank, each in enumerate(prices)]
    store.write(Write(products=tuple(StoredProduct(product=each) for each in products), model="m", embeddings={}))
    return store


def ids(store: SqliteCatalogStore, **where: object) -> list[str]:
    query = ListingQuery(where=where_of({name.replace("__", ":"): value for name, value in where.items()}))
    return sorted(each.product.id for each in store.listing(query).products)


MIXED = (
    {"price": "20.00 EUR"},
    {"price": "20.00 USD", "sale_price": "15.00 USD"},
    {"price": "30,00 €"},
    {"price": 25, "currency": "USD"},
    {"price": "18"},
    {"price": "ask us"},
)


def test_a_price_is_compared_in_its_currency() -> None:
    sold = compared({"price": "20.00 EUR", "sale_price": "15.00 EUR"})
    assert sold["price:EUR"].numbers == (15.0,)
    assert sold["sale_price:EUR"].numbers == (15.0,)
    assert sold["price:currency"].texts == ("EUR",)
    assert compared({"price": ("10 EUR", "12 USD")})["price:currency"].texts == ("EUR", "USD")
    assert {each.attribute for each in values_of(Product(id="a", attributes={"price": "10"}))} == {"price"}


def test_a_filter_names_the_currency(tmp_path: Path) -> None:
    store = catalog(tmp_path, *MIXED)
    assert currencies_of(store) == {"EUR": 2, "USD": 2}
    assert ids(store, price__EUR=(10, 25)) == ["p0"]
    assert ids(store, price__USD=(10, 25)) == ["p1", "p3"]
    assert ids(store, price__USD=15) == ["p1"]
    assert ids(store, price__currency="EUR", price=(25, None)) == ["p2"]
    store.close()


@pytest.mark.parametrize("where", [{"price": (10, 50)}, {"price!": (10, 50)}, {"price": 20}, {"sale_price": 15}])
def test_an_amount_without_currency_is_refused_where_there_are_several(
    tmp_path: Path, where: dict[str, object]
) -> None:
    store = catalog(tmp_path, *MIXED)
    with pytest.raises(MixedCurrencies, match=r"prices in EUR \(2\), USD \(2\).*price:currency=EUR"):
        require_one_currency(where_of(where), store)
    require_one_currency(where_of({**where, "price:currency": "EUR"}), store)
    require_one_currency(where_of({"price": "20.00 EUR"}), store)
    with pytest.raises(UnknownAttribute, match="price:CHF"):
        require_one_currency(where_of({"price:CHF": (1, 2)}), store)
    store.close()


def test_one_currency_needs_no_name(tmp_path: Path) -> None:
    store = catalog(tmp_path, {"price": "20 EUR"}, {"price": "30"}, {"price": "ask us"})
    require_one_currency(where_of({"price": (10, 50)}), store, sorts=True, budget=5)
    assert ids(store, price=(10, 50)) == ["p0", "p1"]
    store.close()


@pytest.fixture
def mixed(shop: Shop, tmp_path: Path) -> Shop:
    kinds = ("Shirts", "Jeans", "Casual Shoes", "Shirts", "Jeans", "Casual Shoes")
    folder = folder_of(tmp_path / "feed", {str(rank): (40 * rank, 90, 200) for rank in range(len(kinds))})
    lines = ["id,image,title,price,articleType,gender"]
    for rank, kind in enumerate(kinds):
        lines.append(f"{rank},{rank}.png,Product {rank},{10 + rank} {'EUR' if rank < 3 else 'USD'},{kind},Men")
    (folder / "feed.csv").write_text("\n".join(lines))
    shop.index(folder / "feed.csv")
    return shop


def test_every_door_of_a_shop_says_it(mixed: Shop) -> None:
    with pytest.raises(MixedCurrencies, match="the filter price=10..50"):
        mixed.listing(where="price=10..50")
    with pytest.raises(MixedCurrencies, match="sorting by price"):
        mixed.listing(sort="-price")
    with pytest.raises(MixedCurrencies):
        mixed.similar(product="0", where={"price": (1, 50)})
    listing = mixed.listing(where="price:EUR=11..50", sort="price")
    assert [each.product.id for each in listing.products] == ["1", "2"]
    assert {hit.product_id for hit in mixed.similar(product="0", where="price:USD=..14").hits} == {"3", "4"}
    facets = mixed.facets(["price:currency"])["price:currency"]
    assert [(facet.value, facet.count) for facet in facets] == [("EUR", 3), ("USD", 3)]
    assert "price:currency" in mixed.facets()


def test_a_budget_is_in_the_currency_of_the_look(mixed: Shop) -> None:
    look = mixed.outfit("0", max_price=100)
    assert {piece.product_id for piece in look.pieces} == {"1", "2"}
    assert look.price == 23
    look = mixed.outfit("0", max_price=100, where="price:currency=USD")
    assert {piece.product_id for piece in look.pieces} <= {"3", "4", "5"}
    assert mixed.outfit("0").pieces


def test_a_filter_on_an_unknown_currency_is_no_filter(mixed: Shop) -> None:
    with pytest.raises(UnknownAttribute, match="price:EUR"):
        mixed.listing(where="price:EURO=1..2")
    with pytest.raises(BadFilter):
        mixed.listing(where="price:EUR=50..10")
