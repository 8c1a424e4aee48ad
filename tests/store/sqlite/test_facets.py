from __future__ import annotations

from pathlib import Path

import pytest

from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import AnyOf, FacetValue, Product, StoredProduct, Where


@pytest.fixture
def store(tmp_path: Path) -> SqliteCatalogStore:
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield store
    store.close()


def write(store: SqliteCatalogStore, *products: Product) -> None:
    stored = tuple(StoredProduct(product=product) for product in products)
    store.write(Write(products=stored, model="m", embeddings={}))


def test_counts_follow_every_write(store: SqliteCatalogStore, tmp_path: Path) -> None:
    def colors() -> list[FacetValue]:
        return store.facets(["color"], limit=9)["color"]

    write(
        store, Product(id="a", attributes={"color": "Red"}), Product(id="b", attributes={"color": ("Red", "Blue")})
    )
    assert colors() == [FacetValue("Red", 2), FacetValue("Blue", 1)]
    write(store, Product(id="a", attributes={"color": "Blue"}))
    assert colors() == [FacetValue("Blue", 2), FacetValue("Red", 1)]
    other = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    other.delete(["b"])
    other.close()
    assert colors() == [FacetValue("Blue", 1)]


def test_what_was_counted_can_be_changed_by_the_caller(store: SqliteCatalogStore) -> None:
    write(store, Product(id="a", attributes={"color": "Red"}))
    store.facets(["color"], limit=9)["color"].clear()
    assert store.facets(["color"], limit=9) == {"color": [FacetValue("Red", 1)]}


def test_few_and_many_are_counted_alike(store: SqliteCatalogStore) -> None:
    write(
        store,
        *(
            Product(
                id=str(number), attributes={"part": str(number % 40), "half": str(number % 2), "size": ("S", "M")}
            )
            for number in range(400)
        ),
    )
    for where, count in (({"part": "7"}, 10), ({"half": "1"}, 200)):
        ((name, value),) = where.items()
        found = store.facets(["half", "size"], where=Where((AnyOf(attribute=name, values=(value,)),)), limit=9)
        assert found == {
            "half": [FacetValue("1", count)],
            "size": [FacetValue("M", count), FacetValue("S", count)],
        }


def test_a_filter_bar_shows_what_many_products_have_in_few_values(store: SqliteCatalogStore) -> None:
    write(
        store,
        *(
            Product(
                id=str(number),
                attributes={
                    "gender": "WM"[number % 2],
                    "color": str(number % 7),
                    "sizes": ("S", str(number % 3)),
                    "brand": f"b{number % 201}",
                    "always": "x",
                    "item_group_id": str(number % 3),
                    "imageLink": f"file{number % 3}",
                    "page": f"https://example.org/{number % 3}",
                    "price": f"{number % 3} USD",
                    "Title": f"t{number % 3}",
                }
                | ({"season": str(number % 2)} if number < 201 else {})
                | ({"rare": str(number % 2)} if number < 60 else {}),
            )
            for number in range(402)
        ),
    )
    assert store.facet_names() == ("gender", "sizes", "color", "season")
    assert store.facet_names(limit=1) == ("gender",)


def test_an_empty_store_has_no_filter_bar(store: SqliteCatalogStore) -> None:
    assert store.facet_names() == ()
    assert store.facets(["color"], limit=9) == {"color": []}
