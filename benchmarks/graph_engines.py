"""Approximate engines of others: hnswlib, FAISS, usearch and Annoy, each as its documentation shows it."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.engine import BUILD_CANDIDATES, CANDIDATES, LINKS, TIMES, FaissSelectors, Setting, found
from benchmarks.vector_catalog import K

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from benchmarks.vector_catalog import Filter, VectorCatalog
    from sartor.types import Vector

_TREES = 100
_NODES = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
_SEED = 0


class Hnswlib:
    """The HNSW of its inventors."""

    filters_by = "a filter function"

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """With as many threads as cores."""
        import hnswlib

        index = hnswlib.Index("ip", catalog.queries.shape[1])
        index.init_index(len(catalog), M=LINKS, ef_construction=BUILD_CANDIDATES, random_seed=_SEED)
        index.set_num_threads(os.cpu_count() or 1)
        for start, piece in catalog.pieces():
            index.add_items(piece, np.arange(start, start + len(piece)))
        index.save_index(str(directory / "index.hnswlib"))

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Into memory."""
        import hnswlib

        self._index = hnswlib.Index("ip", catalog.queries.shape[1])
        self._index.load_index(str(directory / "index.hnswlib"))
        self._index.set_num_threads(1)
        self._passes = {}

    def settings(self, where: Filter) -> Sequence[Setting]:  # noqa: ARG002 - an engine's
        """The candidates of a search."""
        return [Setting(ef, "ef") for ef in CANDIDATES]

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:
        """None at all where the filter leaves fewer than k of the candidates: it raises then."""
        self._index.set_ef(setting.value)
        try:
            return self._index.knn_query(query, k=K, filter=self._function(where))[0][0].astype(np.int64)
        except RuntimeError:
            return np.empty(0, np.int64)

    def _function(self, where: Filter) -> object:
        if not where.attribute:
            return None
        if where.attribute not in self._passes:
            self._passes[where.attribute] = where.passes.tolist().__getitem__
        return self._passes[where.attribute]


class FaissHnsw:
    """``IndexHNSWFlat``."""

    filters_by = "IDSelectorBitmap"

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """FAISS takes as many threads as cores."""
        import faiss

        index = faiss.IndexHNSWFlat(catalog.queries.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = BUILD_CANDIDATES
        for _, piece in catalog.pieces():
            index.add(piece)
        faiss.write_index(index, str(directory / "index.faiss"))

    def load(self, catalog: VectorCatalog, directory: Path) -> None:  # noqa: ARG002 - an engine's
        """Into memory; one query is one thread's work, and a team of threads only makes it wait."""
        import faiss

        faiss.omp_set_num_threads(1)
        self._index = faiss.read_index(str(directory / "index.faiss"))
        self._selectors = FaissSelectors()

    def settings(self, where: Filter) -> Sequence[Setting]:  # noqa: ARG002 - an engine's
        """The candidates of a search."""
        return [Setting(ef, "efSearch") for ef in CANDIDATES]

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:
        """By dot product."""
        import faiss

        parameters = faiss.SearchParametersHNSW(efSearch=setting.value, sel=self._selectors.of(where))
        return found(self._index.search(query[None], K, params=parameters)[1][0])


class Usearch:
    """USearch with float32."""

    filters_by = "fetching more; its Python has no filter"

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """With as many threads as cores."""
        index = self._empty(catalog)
        for start, piece in catalog.pieces():
            index.add(np.arange(start, start + len(piece)), piece, threads=os.cpu_count() or 1)
        index.save(str(directory / "index.usearch"))

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Into memory."""
        self._index = self._empty(catalog)
        self._index.load(str(directory / "index.usearch"))

    def settings(self, where: Filter) -> Sequence[Setting]:
        """The candidates of a search; behind a filter how many are fetched."""
        if where.attribute:
            return over_fetching(where)
        return [Setting(ef, "expansion_search") for ef in CANDIDATES]

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:
        """By dot product."""
        self._index.expansion_search = setting.value
        fetch = setting.value if where.attribute else K
        rows = self._index.search(query, fetch, threads=1).keys.astype(np.int64)
        return rows[where.passes[rows]][:K]

    @staticmethod
    def _empty(catalog: VectorCatalog) -> object:
        from usearch.index import Index

        return Index(
            ndim=catalog.queries.shape[1],
            metric="ip",
            dtype="f32",
            connectivity=LINKS,
            expansion_add=BUILD_CANDIDATES,
        )


class Annoy:
    """Annoy with 100 trees."""

    filters_by = "fetching more; it has no filter"

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """With as many threads as cores."""
        index = self._empty(catalog)
        index.set_seed(_SEED)
        for start, piece in catalog.pieces():
            for row, vector in enumerate(piece, start):
                index.add_item(row, vector)
        index.build(_TREES, n_jobs=-1)
        index.save(str(directory / "index.annoy"))

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Mapped, not read."""
        self._index = self._empty(catalog)
        self._index.load(str(directory / "index.annoy"))

    def settings(self, where: Filter) -> Sequence[Setting]:
        """How many nodes it looks at; behind a filter how many are fetched."""
        return over_fetching(where) if where.attribute else [Setting(nodes, "search_k") for nodes in _NODES]

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:
        """By angle."""
        if where.attribute:
            rows = np.array(self._index.get_nns_by_vector(query, setting.value), np.int64)
            return rows[where.passes[rows]][:K]
        return np.array(self._index.get_nns_by_vector(query, K, search_k=setting.value), np.int64)

    @staticmethod
    def _empty(catalog: VectorCatalog) -> object:
        from annoy import AnnoyIndex

        return AnnoyIndex(catalog.queries.shape[1], "angular")


def over_fetching(where: Filter) -> list[Setting]:
    """How many to fetch for an engine that filters afterwards: as many as hold k that pass, and times that."""
    fewest = K / where.share
    return [Setting(min(math.ceil(times * fewest), len(where.passes)), "fetched") for times in TIMES]
