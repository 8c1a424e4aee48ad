"""The embedded vector index: what is asked of a Qdrant Edge shard in this process."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import qdrant_edge as qdrant

from sartor.index.conditions import filter_of
from sartor.index.payload import text_field
from sartor.index.points import KEYS, key_of, point, vector_of
from sartor.index.shard import StoredShard
from sartor.types import EVERYTHING, FacetValue, Metric, Neighbor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from sartor.index.points import PointId
    from sartor.index.shard import ShardOpener
    from sartor.types import IndexEntry, Matrix, Vector, Where

_SCROLL_PAGE = 4096
_COUNTS_KEPT = 1024
_HNSW_EF = 128  # candidates of a search
# A query that leaves parts of the vectors out, such as their style, walks a graph that was built over all of them:
# by color alone, 128 candidates find 82 of the 100 nearest among 37,344 products, 512 find 97.
_HNSW_EF_OF_PARTS, _WHOLE_FROM = 512, 0.6
# A filter tears holes into the graph; ACORN steps over them. Without it, recall falls to 0.95 where three
# quarters of 37,344 products pass; with it, it stays above 0.99.
_ACORN = qdrant.AcornSearchParams(enable=True, max_selectivity=1.0)
_UNSAVED = 4096  # products that are done again after a crash, at most; saving costs as much as a few hundred


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits:
    """Up to which size a search compares vectors one by one, and how much it remembers.

    Attributes:
        exact_photos: Photos that are compared one by one where they pass a filter, or where a query leaves parts
            of the vectors out: about 10 ms.
        exact_numbers: Numbers in all vectors together up to which every query is exact: at most 5 ms. It covers
            what a query does not show: in 2,000 photos by ResNet50, style is nine tenths of the vector, and the
            graph still follows the colors.
        remembered_products: Points whose product is remembered between searches: about 40 MB.
    """

    exact_photos: int = 20_000
    exact_numbers: int = 5_000_000
    remembered_products: int = 200_000


LIMITS = SearchLimits()


class EdgeIndex:
    """Nearest neighbors among the photos of a catalog, by one model.

    Vectors are compared by their dot product ``s``, which is the score by the cosine metric; by the euclidean one
    it is ``-sqrt(2 - 2 s)``, the negated distance where vectors have norm 1. So both rank alike.

    One process at a time may open a directory; its threads may share the index.

    Args:
        directory: Where the index lies.
        model: Id of the model that the vectors are made by.
        dimension: Length of the vectors.
        metric: What the scores are.
        limits: When a search is exact, and what is remembered.
        shards: Opens the shard. A test passes one that fails, or that notes what it is asked.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        directory: Path,
        *,
        model: str,
        dimension: int,
        metric: Metric = Metric.COSINE,
        limits: SearchLimits = LIMITS,
        shards: ShardOpener = qdrant.EdgeShard,
    ) -> None:
        self.metric = metric
        self._limits = limits
        self._counted: dict[tuple[str, Where, int], list[FacetValue]] = {}
        self._passed: dict[Where, int] = {}
        self._products: dict[PointId, str] = {}  # of a point, which stays as it is: its id is made from it
        self._stored = StoredShard(directory, model=model, dimension=dimension, shards=shards)
        self._revision, self._unsaved = self._stored.revision, 0

    @property
    def revision(self) -> int:
        """Revision of the store up to which the index has everything."""
        return self._revision

    def by(self, metric: Metric) -> EdgeIndex:
        """The same index with scores of another metric, for a search; it is closed with this one."""
        other = copy(self)
        other.metric = metric
        return other

    def replace(self, product_ids: Collection[str], entries: Sequence[IndexEntry]) -> None:
        """Make ``entries`` all that the index has of these products; none for a product deletes it.

        What a product had and has still is there all the time, for searches that go on beside this.
        """
        points = [point(entry) for entry in entries]
        if points:
            self._stored.make_filterable(entries)
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        if product_ids:
            gone = filter_of(of=product_ids, no_points={point.id for point in points})
            self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(gone))
        self._counted, self._passed = {}, {}

    def advance(self, revision: int, *, changed: int) -> None:
        """Note that the index has the store up to ``revision``; after many changed products, on disk too."""
        self._revision = revision
        self._unsaved += changed
        if self._unsaved >= _UNSAVED:
            self.mark(revision)

    def mark(self, revision: int) -> None:
        """Bring everything to disk and note that the index has the store up to ``revision``."""
        self._stored.mark(revision)
        self._revision, self._unsaved = revision, 0

    def search(
        self,
        vector: Vector,
        *,
        k: int,
        where: Where = EVERYTHING,
        without: Collection[str] = (),
        exact: bool = False,
    ) -> list[Neighbor]:
        """Find the ``k`` products whose photos are closest to a vector, the closest first, equals by id.

        Args:
            vector: ``(n,)`` float32.
            k: How many products; there are fewer when the catalog has fewer that pass.
            where: Only products that pass this filter.
            without: Ids of products to leave out.
            exact: Compare with every photo, rather than through the HNSW graph.
        """
        limit, exact = k, exact or self._is_small(where, vector)
        while True:
            points = self._nearest(vector, limit=limit, where=where, without=without, exact=exact)
            neighbors = self._closest_photo_of_each_product(points)
            if len(neighbors) >= k or len(points) < limit:
                return neighbors[:k]
            limit *= 2  # products with several photos took more than one place

    def find(
        self, vectors: Matrix, *, k: int, where: Where = EVERYTHING, without: Collection[str] = ()
    ) -> list[str]:
        """Ids of the products of the ``k`` photos that are closest to each of some vectors, each id once.

        Args:
            vectors: ``(v, n)`` float32; the products of the first come first, the closest of each before the rest.
            k: Photos of each.
            where: Only products that pass this filter.
            without: Ids of products to leave out.
        """
        exact = bool(where) and self._passing(where) <= self._limits.exact_photos
        wanted = filter_of(where, without=without)
        requests = [
            qdrant.QueryRequest(
                query=qdrant.Query.Nearest(vector.tolist()),
                limit=k,
                filter=wanted,
                params=_params(vector, exact=exact),
            )
            for vector in vectors
        ]
        found = self._shard.query_batch(qdrant.QueryBatchRequest(requests)) if requests else []
        return list(dict.fromkeys(self._product_ids([point.id for points in found for point in points])))

    def entries(self, product_ids: Collection[str]) -> list[Neighbor]:
        """The main photos of products, as far as the index has them, by id; their scores are 0."""
        records = self._main_photos(filter_of(of=product_ids, main=True), len(product_ids), vectors=True)
        self._remembered(records)
        found = sorted((*key_of(record), place) for place, record in enumerate(records))
        return [
            Neighbor(product_id=product_id, sha256=sha256, score=0.0, vector=vector_of(records[place]))
            for product_id, sha256, place in found
        ]

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        """Which of some products the index has, and a filter lets pass."""
        return {key_of(record)[0] for record in self._main_photos(filter_of(where, of=of, main=True), len(of))}

    def some(self, *, where: Where = EVERYTHING, limit: int) -> list[str]:
        """Ids of some products that pass a filter, always the same ones."""
        return [key_of(record)[0] for record in self._main_photos(filter_of(where, main=True), limit)]

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, limit: int
    ) -> dict[str, list[FacetValue]]:
        """Values of attributes among the products that pass a filter, the most frequent first, equals by value.

        Args:
            attributes: Which ones; those that no product has a text of get no values.
            where: Only products that pass this filter are counted.
            limit: Values of each attribute, at most.
        """
        wanted = filter_of(where, main=True)
        return {name: self._counted_once(name, where, wanted, limit) for name in attributes}

    def _counted_once(self, name: str, where: Where, wanted: qdrant.Filter, limit: int) -> list[FacetValue]:
        """Counts do not depend on a query and take longer than a search, so they are kept until a write."""
        kept, key = self._counted, (name, where, limit)  # a write puts another dict in its place
        found = kept.get(key)
        if found is None:
            found = self._facet(name, wanted, limit)
            if len(kept) < _COUNTS_KEPT:
                kept[key] = found
        return list(found)

    def _facet(self, name: str, wanted: qdrant.Filter, limit: int) -> list[FacetValue]:
        if text_field(name) not in self._stored.fields:
            return []
        found = self._shard.facet(qdrant.FacetRequest(text_field(name), limit=limit, exact=True, filter=wanted))
        values = [FacetValue(str(hit.value), hit.count) for hit in found.hits if hit.count]
        return sorted(values, key=lambda each: (-each.count, each.value))

    def entry_keys(self) -> set[tuple[str, str]]:
        """``(product id, SHA-256)`` of every photo in the index."""
        return {key_of(record) for record in self._records()}

    def __len__(self) -> int:
        return int(self._shard.count(qdrant.CountRequest(exact=True)))

    def optimize(self) -> bool:
        """Build the HNSW graph over what came since the last time; returns whether there was anything to do."""
        return bool(self._shard.optimize())

    def clear(self) -> None:
        """Empty the index, as if the store had never been read."""
        self._stored.clear()
        self._counted, self._passed = {}, {}
        self._revision, self._unsaved = 0, 0

    def close(self) -> None:
        """Bring everything to disk and close the shard, so that another process can open it."""
        if self._unsaved:
            self.mark(self._revision)
        self._shard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _shard(self) -> qdrant.EdgeShard:
        return self._stored.shard

    def _product_ids(self, point_ids: Sequence[PointId]) -> list[str]:
        """Whose photos points are, as far as they are still there; reading that takes as long as finding them."""
        kept = self._products
        missing = [point_id for point_id in point_ids if point_id not in kept]
        read = (
            self._remembered(self._shard.retrieve(missing, with_payload=KEYS, with_vector=False))
            if missing
            else {}
        )
        found = (kept.get(point_id) or read.get(point_id) for point_id in point_ids)
        return [product_id for product_id in found if product_id]

    def _remembered(self, records: Sequence[qdrant.Record]) -> dict[PointId, str]:
        products = {record.id: key_of(record)[0] for record in records}
        if len(self._products) + len(products) > self._limits.remembered_products:
            self._products = {}  # what another thread reads stays as it is
        self._products |= products
        return products

    def _nearest(
        self, vector: Vector, *, limit: int, where: Where, without: Collection[str], exact: bool
    ) -> list[qdrant.ScoredPoint]:
        request = qdrant.QueryRequest(
            query=qdrant.Query.Nearest(vector.tolist()),
            limit=limit,
            filter=filter_of(where, without=without),
            params=_params(vector, exact=exact),
            with_payload=KEYS,
            with_vector=True,
        )
        return list(self._shard.query(request))

    def _main_photos(self, wanted: qdrant.Filter, limit: int, *, vectors: bool = False) -> list[qdrant.Record]:
        request = qdrant.ScrollRequest(limit=max(1, limit), filter=wanted, with_payload=KEYS, with_vector=vectors)
        return list(self._shard.scroll(request)[0])

    def _is_small(self, where: Where, vector: Vector) -> bool:
        """Whether comparing one by one is fast enough; it finds what a graph may miss."""
        photos = self._passing(where)
        if where or not _is_whole(vector):
            return photos <= self._limits.exact_photos
        return photos <= self._limits.exact_numbers // len(vector)

    def _passing(self, where: Where) -> int:
        """How many photos pass a filter; counted once until a write."""
        kept = self._passed  # a write puts another dict in its place
        count = kept.get(where)
        if count is None:
            count = int(self._shard.count(qdrant.CountRequest(exact=True, filter=filter_of(where))))
            if len(kept) < _COUNTS_KEPT:
                kept[where] = count
        return count

    def _closest_photo_of_each_product(self, points: Sequence[qdrant.ScoredPoint]) -> list[Neighbor]:
        neighbors: dict[str, Neighbor] = {}
        for found in points:
            product_id, sha256 = key_of(found)
            score, vector = self._score(found.score), vector_of(found)
            neighbor = Neighbor(product_id=product_id, sha256=sha256, score=score, vector=vector)
            neighbors.setdefault(product_id, neighbor)
        # Qdrant leaves the order of equals open, and another one after a rebuild.
        return sorted(neighbors.values(), key=lambda neighbor: (-neighbor.score, neighbor.product_id))

    def _score(self, product: float) -> float:
        if self.metric is Metric.EUCLIDEAN:
            return 0.0 - math.sqrt(max(0.0, 2 - 2 * product))
        return min(1.0, product)  # float32 rounds past 1

    def _records(self) -> Iterator[qdrant.Record]:
        offset = None
        while True:
            page, offset = self._shard.scroll(
                qdrant.ScrollRequest(offset=offset, limit=_SCROLL_PAGE, with_payload=KEYS)
            )
            yield from page
            if offset is None:
                return


def _params(vector: Vector, *, exact: bool) -> qdrant.SearchParams:
    candidates = _HNSW_EF if _is_whole(vector) else _HNSW_EF_OF_PARTS
    return qdrant.SearchParams(exact=exact, hnsw_ef=candidates, acorn=_ACORN)


def _is_whole(vector: Vector) -> bool:
    return bool(np.count_nonzero(vector) >= _WHOLE_FROM * len(vector))
