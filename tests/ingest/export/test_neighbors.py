"""Indexes of other libraries: their neighbors are those of the exact cosine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import qdrant_edge

from sartor.ingest.export.vectors import write_annoy, write_edge, write_faiss
from sartor.types import Product
from tests.ingest.export.warehouse import DIMENSION, Warehouse, unit_vectors, warehouse, with_photos

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
def made():
    with warehouse(with_photos(PRODUCTS)) as made:
        yield made


def test_faiss_finds_the_exact_neighbors_with_the_cosine_as_score(made: Warehouse) -> None:
    faiss = pytest.importorskip("faiss", reason="FAISS needs the extra sartor[faiss]")
    write_faiss(made.out, made.source)
    index = faiss.read_index(str(made.out / "embeddings.faiss"))
    scores, found = index.search(QUERIES, K)
    assert found.tolist() == exact(QUERIES)
    assert np.allclose(scores[0, 0], np.max(QUERIES[0] @ unit_vectors(300).T), atol=1e-6)
    assert ids(made.out) == [product.id for product in PRODUCTS]


def test_annoy_finds_the_exact_neighbors(made: Warehouse) -> None:
    annoy = pytest.importorskip("annoy", reason="Annoy has no wheels and needs a compiler: sartor[annoy]")
    lost = write_annoy(made.out, made.source)
    index = annoy.AnnoyIndex(DIMENSION, "angular")
    index.load(str(made.out / "embeddings.ann"))
    found = [index.get_nns_by_vector(query, K, search_k=50_000) for query in QUERIES]
    assert found == exact(QUERIES)
    assert ids(made.out) == [product.id for product in PRODUCTS]
    assert any("approximates" in sentence for sentence in lost)


def test_qdrant_edge_opens_the_shard_and_finds_the_exact_neighbors(made: Warehouse) -> None:
    lost = write_edge(made.out, made.source)
    shard = qdrant_edge.EdgeShard.load(str(made.out / "shard"))
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
