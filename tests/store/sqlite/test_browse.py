"""The browse index: its words, its values, and what is filled by a migration."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sartor.store.base import Write
from sartor.store.sqlite.browse import expression_of
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.database import migrate
from sartor.store.sqlite.schema import MIGRATIONS
from sartor.types import FacetValue, ListingQuery, Product, Sort, StoredProduct
from sartor.values import values_of

TABLES = ("listed", "attribute_values", "product_values", "product_words")


WRITE_AND_DELETE = """
import random, sys
from pathlib import Path
from sartor.store.base import Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.types import Product, StoredProduct
store, rng = SqliteCatalogStore(Path(sys.argv[1])), random.Random(int(sys.argv[2]))
print("begun", flush=True)
while True:
    ids = [str(rng.randrange(60)) for _ in range(10)]
    if rng.random() < 0.3:
        store.delete(ids)
    else:
        store.write(Write(model="m", embeddings={}, products=tuple(StoredProduct(product=Product(
            id=each, title=rng.choice(["Red shirt", "Blue cap"]),
            attributes={"color": rng.choice("abc"), "price": rng.randrange(9)})) for each in ids)))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


def write(store: SqliteCatalogStore, *products: Product) -> None:
    stored = tuple(StoredProduct(product=product) for product in products)
    store.write(Write(products=stored, model="m", embeddings={}))


def assert_browsed_as_stored(path: Path) -> None:
    """Every product is listed with its values and words, and nothing else is."""
    store = SqliteCatalogStore(path)
    assert store.damage() == []
    products = [stored.product for stored in store.products(store.product_ids()).values()]
    listing = store.listing(ListingQuery(sort=Sort.TITLE, limit=1000))
    assert sorted(each.product.id for each in listing.products) == sorted(product.id for product in products)
    for word in ("red", "blue"):
        found = store.listing(ListingQuery(words=word, limit=1000)).products
        assert {each.product.id for each in found} == {each.id for each in products if word in each.title.lower()}
    store.close()
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT product_id, attribute, text, attribute_values.number FROM listed JOIN product_values"
            " ON product = listed.number LEFT JOIN attribute_values ON id = value"
        ).fetchall()
        unused = "SELECT count(*) FROM attribute_values WHERE id NOT IN (SELECT value FROM product_values)"
        assert connection.execute(unused).fetchone() == (0,)
    connection.close()
    assert sorted(rows, key=str) == sorted(((p.id, *v) for p in products for v in values_of(p)), key=str)


def test_a_store_of_before_is_filled_when_it_is_opened(path: Path) -> None:
    store = SqliteCatalogStore(path)
    products = [
        Product(id=each, title="Red shirt", attributes={"size": ("S", each), "price": 2}) for each in "cab"
    ]
    write(store, *products)
    store.close()
    with sqlite3.connect(path) as connection:
        for table in ("predictions", "predicted", *TABLES[::-1], "api_keys", "leases"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    again = SqliteCatalogStore(path)
    assert [each.product.id for each in again.listing(ListingQuery(sort=Sort.NEWEST)).products] == ["b", "a", "c"]
    assert again.facets(["size"], limit=1) == {"size": [FacetValue("S", 3)]}
    again.close()
    assert_browsed_as_stored(path)


def test_a_store_of_before_folded_words_finds_them_after_it_is_opened(path: Path) -> None:
    connection = sqlite3.connect(path)
    migrate(connection, path, MIGRATIONS[:6])
    connection.execute("INSERT INTO products VALUES ('a', 'Bjørn', '{\"fit\": \"T-Shirt\"}', '', 1)")
    connection.execute("INSERT INTO listed VALUES (7, 'a', 'bjørn', NULL)")
    connection.execute("INSERT INTO product_words (rowid, title, attributes) VALUES (7, 'Bjørn', 'T-Shirt')")
    connection.execute("INSERT INTO predictions VALUES ('a', '{\"color\": [\"Größe\", 0.99]}')")
    connection.commit()
    connection.close()
    store = SqliteCatalogStore(path)
    for words in ("bjorn", "bjørn", "tshirt", "t-shirt", "bjohrn", "grosse"):
        assert [each.product.id for each in store.listing(ListingQuery(words=words)).products] == ["a"], words
    assert store.damage() == []
    store.delete(["a"])
    assert store.listing(ListingQuery(words="bjorn")).total == 0
    store.close()
    assert_browsed_as_stored(path)


def test_a_fill_that_fails_leaves_the_version_before(path: Path) -> None:
    connection = sqlite3.connect(path)
    migrate(connection, path, MIGRATIONS[:2])

    def stop(_: sqlite3.Connection) -> None:
        raise KeyboardInterrupt

    stopped = (*MIGRATIONS[:2], MIGRATIONS[2]._replace(fill=stop))
    with pytest.raises(KeyboardInterrupt):
        migrate(connection, path, stopped)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    migrate(connection, path, MIGRATIONS)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_writes_and_deletes_are_followed(path: Path) -> None:
    store = SqliteCatalogStore(path)
    write(
        store,
        Product(id="a", title="Red cap", attributes={"color": ("x", "y"), "n": 1}),
        Product(id="b", title="Red"),
    )
    write(store, Product(id="a", title="Blue cap", attributes={"color": ("y", "y", "z")}))
    write(store, Product(id="c", title="Red"), Product(id="c", title="Blue", attributes={"nan": float("nan")}))
    store.delete(["b", "nobody"])
    store.close()
    assert_browsed_as_stored(path)


def test_products_deleted_by_hand_are_followed(path: Path) -> None:
    store = SqliteCatalogStore(path)
    write(store, Product(id="a", title="Red cap"), Product(id="b", title="Blue cap"))
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM products WHERE id = 'a'")
    connection.close()
    assert_browsed_as_stored(path)


@pytest.mark.parametrize("table", ["listed", "product_words", "attribute_values"])
def test_what_is_missing_is_damage(path: Path, table: str) -> None:
    store = SqliteCatalogStore(path)
    write(store, Product(id="a", title="Red", attributes={"color": "x"}))
    with sqlite3.connect(path) as connection:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.close()
    assert store.damage() != []
    store.close()


def test_a_kill_leaves_what_is_browsed_whole(path: Path) -> None:
    rng = np.random.default_rng(3)
    for seed in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_AND_DELETE, str(path), str(seed)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout.readline() == "begun\n"
            time.sleep(rng.uniform(0.02, 0.2))
            child.kill()
            child.wait()
        assert_browsed_as_stored(path)


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ("red shirt", '"red" "shirt"*'),
        ("shirt re", '"shirt"* "re"*'),
        ("t-shirt OR red", '"t-shirt"* "OR" "red"*'),
        ('say "red"', '"say" "red"*'),
        ("black & white", '"black"* "white"*'),
        ("red red red", '"red" "red"*'),
        ("a\0b", '"a" "b"*'),
        (" ", None),
        ("👗 -", None),
    ],
)
def test_words_are_quoted(words: str, expression: str | None) -> None:
    assert expression_of(words) == expression


def test_a_pasted_page_is_cut() -> None:
    assert len(expression_of(" ".join(str(number) * 100 for number in range(1000)))) < 3000
