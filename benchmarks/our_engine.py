"""Sartor's own index as an engine to compare: what is stored, built and asked is what a workspace does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.engine import CANDIDATES, COMPARED, Setting
from benchmarks.vector_catalog import K
from sartor.index import edge
from sartor.types import EVERYTHING, AnyOf, IndexEntry, Where

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from benchmarks.vector_catalog import Filter, VectorCatalog
    from sartor.types import Vector

_STEP = 512  # products at once, as a workspace's index takes them in
_MODEL = "vectors"
_MOST_CANDIDATES = 1024


class Sartor:
    """``EdgeIndex``, with the attributes that filters ask about; it answers with vectors, too."""

    filters_by = "its filter"
    as_it_is = Setting(edge._HNSW_EF, "hnsw_ef")  # noqa: SLF001 - a workspace offers no choice

    def build(self, catalog: VectorCatalog, directory: Path) -> None:
        """As after indexing: all products, the graph, and everything on disk."""
        with self._opened(catalog, directory) as index:
            for start, vectors in catalog.pieces(_STEP):
                entries = [self._entry(catalog, row, vector) for row, vector in enumerate(vectors, start)]
                index.replace([entry.product_id for entry in entries], entries, revision=1)
                index.advance(start + len(entries), changed=len(entries))
            index.optimize()
            index.mark(len(catalog))

    def load(self, catalog: VectorCatalog, directory: Path) -> None:
        """Mapped, not read."""
        self._index = self._opened(catalog, directory)
        self._count = len(catalog)

    def settings(self, where: Filter) -> Sequence[Setting]:
        """The candidates of a search, which a workspace fixes; few products that pass it compares one by one."""
        passing = round(self._count * where.share)
        exact = Setting(passing, COMPARED)
        if where.attribute and passing <= edge.LIMITS.exact_photos:
            return (exact,)
        return (*(Setting(ef, "hnsw_ef") for ef in CANDIDATES if ef <= _MOST_CANDIDATES), exact)

    def search(self, query: Vector, where: Filter, setting: Setting) -> npt.NDArray[np.int64]:
        """As a workspace asks."""
        exact = setting.unit == COMPARED
        edge._HNSW_EF = self.as_it_is.value if exact else setting.value  # noqa: SLF001 - as above
        wanted = (
            Where((AnyOf(attribute=where.attribute, values=(str(where.value),)),))
            if where.attribute
            else EVERYTHING
        )
        hits = self._index.search(query, k=K, where=wanted, exact=exact)
        return np.array([int(hit.product_id) for hit in hits], np.int64)

    @staticmethod
    def _entry(catalog: VectorCatalog, row: int, vector: Vector) -> IndexEntry:
        attributes = {name: str(values[row]) for name, values in catalog.labels.items()}
        return IndexEntry(product_id=str(row), sha256=f"{row:064x}", vector=vector, attributes=attributes)

    @staticmethod
    def _opened(catalog: VectorCatalog, directory: Path) -> edge.EdgeIndex:
        return edge.EdgeIndex(directory / "index", model=_MODEL, dimension=catalog.queries.shape[1])
