"""Embeddings as pickles, NumPy files and indexes of other libraries, read as other programs read them."""

from __future__ import annotations

import json
import pickle
import pickletools
from pathlib import Path

import numpy as np
import pytest
import qdrant_edge
from hypothesis import given, settings

from sartor.ingest.export.vectors import write_annoy, write_edge, write_faiss, write_npz, write_pickles
from sartor.types import Product
from tests.ingest.export.warehouse import (
    DIMENSION,
    Warehouse,
    catalogs,
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


K = 10
PRODUCTS = [
    Product(id=f"{number:03}", title="t", attributes={"size": ("S", "M"), "new": True}) for number in range(300)
]
QUERIES = unit_vectors(20)[::-1] + np.float32(0.01)


def exact(queries: np.ndarray) -> list[list[int]]:
    return np.argsort(-(queries @ unit_vectors(len(PRODUCTS)).T), axis=1)[:, :K].tolist()


def ids(folder: Path) -> list[str]:
    told = json.loads((folder / "ids.json").read_text())
    assert told["photos"][3] == "images/3-0.jpg"
    return told["ids"]


@pytest.fixture(scope="module")
def exported():
    with warehouse(with_photos(PRODUCTS)) as made:
        yield made


def test_faiss_finds_the_exact_neighbors_with_the_cosine_as_score(exported: Warehouse) -> None:
    faiss = pytest.importorskip("faiss", reason="FAISS needs the extra sartor[faiss]")
    write_faiss(exported.out, exported.source)
    index = faiss.read_index(str(exported.out / "embeddings.faiss"))
    scores, found = index.search(QUERIES, K)
    assert found.tolist() == exact(QUERIES)
    assert np.allclose(scores[0, 0], np.max(QUERIES[0] @ unit_vectors(300).T), atol=1e-6)
    assert ids(exported.out) == [product.id for product in PRODUCTS]


def test_annoy_finds_the_exact_neighbors(exported: Warehouse) -> None:
    annoy = pytest.importorskip("annoy", reason="Annoy has no wheels and needs a compiler: sartor[annoy]")
    lost = write_annoy(exported.out, exported.source)
    index = annoy.AnnoyIndex(DIMENSION, "angular")
    index.load(str(exported.out / "embeddings.ann"))
    found = [index.get_nns_by_vector(query, K, search_k=50_000) for query in QUERIES]
    assert found == exact(QUERIES)
    assert ids(exported.out) == [product.id for product in PRODUCTS]
    assert any("approximates" in sentence for sentence in lost)


def test_qdrant_edge_opens_the_shard_and_finds_the_exact_neighbors(exported: Warehouse) -> None:
    lost = write_edge(exported.out, exported.source)
    shard = qdrant_edge.EdgeShard.load(str(exported.out / "shard"))
    try:
        for query, wanted in zip(QUERIES, exact(QUERIES), strict=True):
            request = qdrant_edge.QueryRequest(
                query=qdrant_edge.Query.Nearest(query.tolist()), limit=K, with_payload=True
            )
            points = list(shard.query(request))
            assert [int(point.payload["id"]) for point in points] == wanted
        assert points[0].payload["attributes"] == {"size": ["S", "M"], "new": True}
        assert points[0].payload["title"] == "t"
    finally:
        shard.close()
    assert any("a server does not restore" in sentence for sentence in lost)
