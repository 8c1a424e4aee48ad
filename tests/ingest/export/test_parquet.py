"""The catalog with its embeddings as Parquet, read as other programs read it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from sartor.types import Product
from tests.ingest.export.warehouse import catalogs, stored, typed, warehouse, with_photos


@settings(max_examples=15, deadline=None)
@given(catalogs())
def test_parquet_has_every_product_with_its_types_and_embeddings(products: list[Product]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra sartor[parquet]")
    from sartor.ingest.export.parquet import write_parquet

    with warehouse([*with_photos(products), stored(Product(id="no photo"))]) as made:
        write_parquet(made.out / "e.parquet", made.source)
        table = parquet.read_table(made.out / "e.parquet")
        rows = {row["id"]: row for row in table.to_pylist()}
        vectors = {row.product.id: row.vector for page in made.source.rows() for row in page}
    assert rows.keys() == {product.id for product in products} | {"no photo"}
    assert rows["no photo"]["embedding"] is None
    assert rows["no photo"]["photo"] is None
    for product in products:
        row = rows[product.id]
        assert row["title"] == product.title
        assert np.array_equal(np.array(row["embedding"], np.float32), vectors[product.id])
        own = {"id", "title", "photo", "sha256", "embedding"}
        told = {name: value for name, value in row.items() if name not in own and value is not None}
        again = {
            name.removeprefix("attribute_"): tuple(v) if isinstance(v, list) else v for name, v in told.items()
        }
        assert typed(again) == typed(product.attributes)


def test_parquet_says_which_types_and_names_it_had_to_change() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra sartor[parquet]")
    from sartor.ingest.export.parquet import write_parquet

    products = [
        stored(Product(id="a", attributes={"x": 1, "photo": "p", "tags": "one", "n": 1}), "1.jpg"),
        stored(Product(id="b", attributes={"x": True, "tags": ("a", "b"), "n": 0.5}), "2.jpg"),
    ]
    with warehouse(products) as made:
        lost = write_parquet(made.out / "e.parquet", made.source)
        first, second = parquet.read_table(made.out / "e.parquet").to_pylist()
    assert (first["x"], first["attribute_photo"], first["tags"], first["n"]) == ("1", "p", ["one"], 1.0)
    assert (second["x"], second["attribute_photo"], second["tags"], second["n"]) == ("true", None, ["a", "b"], 0.5)
    assert any("n, tags, x" in sentence for sentence in lost)
    assert any("photo is attribute_photo" in sentence for sentence in lost)
