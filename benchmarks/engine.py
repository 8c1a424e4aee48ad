"""What a comparison needs of a vector engine, and the two that compare with every vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmarks.vector_catalog import K

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from benchmarks.vector_catalog import Filter, VectorCatalog
    from sartor.types import Vector

LINKS, BUILD_CANDIDATES = 16, 100  # M and ef_construction of every graph, as Sartor has them
CANDIDATES = (10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024, 2048)
TIMES = (1, 2, 4, 8, 16, 32, 64)
COMPARED = "compared"


@dataclass(frozen=True, slots=True)
class Setting:
    """How hard an engine searches: a number of what its unit says; ``compared`` is an exact search."""

    value: int
    unit: str


class Engine(Protocol):
    """A vector engine with one index, in a process of its own.

    Attributes:
        filters_by: What it offers for a filter, in words.
    """

    filters_by: str

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """Build an index of all vectors and bring it to disk."""

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Open what was built."""

    def settings(self, where: Filter) -> Sequence[Setting]:
        """What to try, from quick to sure."""

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:
        """Rows of the k nearest that pass, fewer where it does not find as many."""


class ScikitLearn:
    """``NearestNeighbors(algorithm="brute")``, as the tutorials have it."""

    filters_by = "computing all distances and masking them"

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """There is nothing to build but the array."""
        vectors = np.empty((len(catalog), catalog.queries.shape[1]), np.float32)
        for start, piece in catalog.pieces():
            vectors[start : start + len(piece)] = piece
        np.save(directory / "vectors.npy", vectors)

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Fit, which keeps the array."""
        from sklearn.neighbors import NearestNeighbors

        self._count = len(catalog)
        self._vectors = np.load(directory / "vectors.npy")
        self._neighbors = NearestNeighbors(algorithm="brute").fit(self._vectors)
        self._squares = np.einsum("nd,nd->n", self._vectors, self._vectors)[None]

    def settings(self, where: Filter) -> Sequence[Setting]:  # noqa: ARG002 - an engine's
        """It has none."""
        return (Setting(self._count, COMPARED),)

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:  # noqa: ARG002
        """By euclidean distance, which ranks unit vectors as the cosine does."""
        from sklearn.metrics.pairwise import euclidean_distances

        if not where.attribute:
            return self._neighbors.kneighbors(query[None], n_neighbors=K, return_distance=False)[0]
        distances = euclidean_distances(query[None], self._vectors, Y_norm_squared=self._squares, squared=True)[0]
        distances[~where.passes] = np.inf
        nearest = np.argpartition(distances, K)[:K]
        return nearest[where.passes[nearest]]


class FaissFlat:
    """``IndexFlatIP``: exact."""

    filters_by = "IDSelectorBitmap"

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """There is nothing to build but the array."""
        import faiss

        index = faiss.IndexFlatIP(catalog.queries.shape[1])
        for _, piece in catalog.pieces():
            index.add(piece)
        faiss.write_index(index, str(directory / "index.faiss"))

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Read the array."""
        import faiss

        self._count = len(catalog)
        self._index = faiss.read_index(str(directory / "index.faiss"))
        self._selectors = FaissSelectors()

    def settings(self, where: Filter) -> Sequence[Setting]:
        """It has none."""
        return (Setting(round(self._count * where.share), COMPARED),)

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:  # noqa: ARG002
        """By dot product."""
        import faiss

        parameters = faiss.SearchParameters(sel=self._selectors.of(where))
        return found(self._index.search(query[None], K, params=parameters)[1][0])


class FaissSelectors:
    """Selectors of filters, each made once."""

    def __init__(self) -> None:
        self._kept = {}

    def of(self, where: Filter) -> object:
        """The selector; None where every product passes."""
        import faiss

        if not where.attribute:
            return None
        if where.attribute not in self._kept:
            bits = np.packbits(where.passes, bitorder="little")
            self._kept[where.attribute] = faiss.IDSelectorBitmap(bits)
        return self._kept[where.attribute]


def found(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows without the places that FAISS leaves empty."""
    return rows[rows >= 0]
