"""Candidates of feeds: products of the catalog that may be recommended, with the vectors of their main photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.limits import MAX_CACHED_CANDIDATES
from sartor.recommend.base import GROUP
from sartor.recommend.rank import CandidateSet

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sartor.index.base import VectorIndex
    from sartor.recommend.base import Model
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Neighbor, Where

_STEP = 512


class MainPhotos:
    """Main photos by product, read from an index and cached until it changes; threads may share it."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._cached: tuple[int, dict[str, Neighbor | None]] = (-1, {})

    def warm_up(self, product_ids: Sequence[str]) -> None:
        """Read the photos of products ahead of requests, as many as are cached."""
        for start in range(0, min(len(product_ids), MAX_CACHED_CANDIDATES), _STEP):
            self.of(product_ids[start : min(start + _STEP, MAX_CACHED_CANDIDATES)])

    def of(self, product_ids: Sequence[str]) -> list[Neighbor]:
        """The main photos of products, in order; products without one are left out, scores are 0."""
        revision, cached = self._cached
        if revision != self._index.revision or len(cached) > MAX_CACHED_CANDIDATES:
            self._cached = _, cached = self._index.revision, {}  # what another thread reads stays as it is
        if missing := [product_id for product_id in product_ids if product_id not in cached]:
            entries = {entry.product_id: entry for entry in self._index.entries(missing)}
            cached.update((product_id, entries.get(product_id)) for product_id in missing)
        return [photo for product_id in product_ids if (photo := cached[product_id]) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSource:
    """Finds candidates in a catalog."""

    index: VectorIndex
    photos: MainPhotos
    catalog: CatalogStore
    model: Model
    sizes: tuple[int, int]  # lengths of style and color in the index's vectors

    def nearest(self, queries: Matrix, *, k: int, where: Where, without: Collection[str]) -> list[Neighbor]:
        """The ``k`` products nearest to each query ``(q, n)`` that pass a filter, each once."""
        return self.photos.of(self.index.find(queries, k=k, where=where, without=without))

    def passing(self, product_ids: Sequence[str], where: Where) -> list[Neighbor]:
        """Those of some products that pass a filter, in order."""
        if where:
            passing = self.index.passing(where, of=product_ids)
            product_ids = [product_id for product_id in product_ids if product_id in passing]
        return self.photos.of(product_ids)

    def some(self, where: Where, *, limit: int) -> list[Neighbor]:
        """Some products that pass a filter, always the same."""
        return self.photos.of(self.index.some(where=where, limit=limit))

    def rankable(self, neighbors: Sequence[Neighbor]) -> CandidateSet:
        """Candidates with what their re-ranking needs."""
        return CandidateSet.of(neighbors, catalog=self.catalog, model=self.model, sizes=self.sizes)

    def groups_of(self, product_ids: Collection[str]) -> frozenset[str]:
        """Item groups of products."""
        products = self.catalog.products(product_ids).values() if product_ids else ()
        return frozenset(
            str(stored.product.attributes[GROUP]) for stored in products if GROUP in stored.product.attributes
        )
