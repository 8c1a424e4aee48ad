"""Embeddings as pickles, NumPy and Parquet files, read again as other programs read them."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from sartor.ingest.export.vectors import write_npz, write_pickles
from sartor.types import Product
from tests.ingest.export.warehouse import (
    DIMENSION,
    catalogs,
    stored,
    typed,
    unit_vectors,
    warehouse,
    with_photos,
)

EXAMPLES = settings(max_examples=15, deadline=None)
SOME = [Product(id=str(number)) for number in range(5)]


def globals_of(file: Path) -> set[str]:
    return {
        str(argument) for opcode, argument, _ in pickletools.genops(file.read_bytes()) if opcode.name == "GLOBAL"
    }


def opcodes_of(file: Path) -> set[str]:
    return {opcode.name for opcode, _, _ in pickletools.genops(file.read_bytes())}


def loaded(file: Path):
    return pickle.loads(file.read_bytes())  # noqa: S301 - our own


@EXAMPLES
@given(catalogs())
def test_an_npz_file_has_every_embedding_to_the_bit(products: list[Product]) -> None:
    with warehouse(with_photos(products, each=2)) as made:
        write_npz(made.out / "e.npz", made.source)
        with np.load(made.out / "e.npz", allow_pickle=False) as written:
            rows = [row for page in made.source.rows() for row in page]
            assert list(written["ids"]) == [row.product.id for row in rows]
            assert list(written["photos"]) == [row.photo.name for row in rows if row.photo]
            assert written["embeddings"].dtype == np.float32
            assert np.array_equal(written["embeddings"], np.stack([row.vector for row in rows]))
        assert [each.name for each in made.out.iterdir()] == ["e.npz"]


def test_pickles_are_lists_of_arrays_and_of_names() -> None:
    with warehouse(with_photos(SOME)) as made:
        write_pickles(made.out, made.source)
        embeddings, names = (loaded(made.out / name) for name in ("embeddings.pkl", "filenames.pkl"))
    assert type(embeddings) is list
    assert type(names) is list
    assert names == [f"images/{number}-0.jpg" for number in range(5)]
    assert {(type(each), each.shape, each.dtype.str) for each in embeddings} == {(np.ndarray, (DIMENSION,), "<f4")}
    assert np.array_equal(np.array(embeddings), unit_vectors(5))
    embeddings[0][0] = 5  # an array as any other
    assert embeddings[1][0] != 5


def test_pickles_name_no_module_that_only_one_numpy_has() -> None:
    with warehouse(with_photos(SOME)) as made:
        write_pickles(made.out, made.source)
        file = made.out / "embeddings.pkl"
        assert globals_of(file) == {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}
        assert "STACK_GLOBAL" not in opcodes_of(file)
        assert globals_of(made.out / "filenames.pkl") == set()
        assert file.read_bytes()[:2] == b"\x80\x04"


@EXAMPLES
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


def test_photos_that_were_not_embedded_are_left_out_and_counted() -> None:
    with warehouse(with_photos(SOME), embedded=3) as made:
        lost = write_npz(made.out / "e.npz", made.source)
        assert "products without a photo that m has embedded: 2 of 5" in lost
        assert (made.source.tally.products, made.source.tally.photos, made.source.tally.embeddings) == (3, 3, 3)


def test_pages_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.ingest.export.source.PAGE", 2)
    with warehouse(with_photos(SOME, each=3)) as made:
        write_npz(made.out / "e.npz", made.source)
        write_pickles(made.out, made.source)
        with np.load(made.out / "e.npz") as written:
            assert written["embeddings"].shape == (15, DIMENSION)
            assert np.array_equal(np.array(loaded(made.out / "embeddings.pkl")), written["embeddings"])
        assert made.source.tally.products == 5
