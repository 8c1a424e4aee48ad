"""The embedded vector index: what is asked of a Qdrant Edge shard in this process."""

from __future__ import annotations

import json
import logging
import math
import shutil
from copy import copy
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
import qdrant_edge as qdrant

from sartor.index.points import (
    KEYS,
    MAIN,
    PHOTO,
    PRODUCT,
    filter_of,
    key_of,
    number_field,
    point,
    text_field,
    vector_of,
)
from sartor.types import EVERYTHING, FacetValue, Metric, Neighbor
from sartor.values import numbers_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from sartor.index.points import PointId
    from sartor.types import IndexEntry, Matrix, Vector, Where


logger = logging.getLogger(__name__)


_FORMAT = 2  # of this directory; another one is rebuilt
_STATE_FILE = "state.json"
_SHARD = "shard"
_HNSW = qdrant.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000)  # Qdrant's own defaults


@dataclass(slots=True, kw_only=True)
class _State:
    """What ``state.json`` says: what the shard is made for, and what of the store it has on disk."""

    format: int = _FORMAT
    model: str
    dimension: int
    revision: int = 0
    fields: list[str] = field(default_factory=list)


class StoredShard:
    """A shard of a directory, new where there is none for this model.

    Args:
        directory: Where it lies; one process at a time may open it.
        model: Id of the model that its vectors are made by.
        dimension: Length of these.

    Attributes:
        shard: The shard that is open.
    """

    def __init__(self, directory: Path, *, model: str, dimension: int) -> None:
        self._directory = directory
        self._wanted = _State(model=model, dimension=dimension)
        self.shard, self._state = self._open()

    @property
    def revision(self) -> int:
        """Revision of the store up to which everything is on disk."""
        return self._state.revision

    @property
    def fields(self) -> Collection[str]:
        """Paths of attributes that can be filtered by."""
        return self._state.fields

    def mark(self, revision: int) -> None:
        """Bring everything to disk, and note that it is what the store has up to ``revision``."""
        self.shard.flush()
        self._state.revision = revision
        self._write_state()

    def clear(self) -> None:
        """Begin with an empty shard."""
        self.shard.close()
        self.shard, self._state = self._create()

    def _open(self) -> tuple[qdrant.EdgeShard, _State]:
        try:
            state = _State(**json.loads((self._directory / _STATE_FILE).read_bytes()))
            shard = qdrant.EdgeShard.load(str(self._directory / _SHARD), self._config())
        except FileNotFoundError:
            return self._create()
        except Exception as error:  # noqa: BLE001 - Qdrant Edge raises bare Exception; the index is derived
            logger.warning("the index %s cannot be opened and is built again: %s", self._directory, error)
            return self._create()
        made_for = (state.format, state.model, state.dimension)
        if made_for != (self._wanted.format, self._wanted.model, self._wanted.dimension):
            shard.close()
            return self._create()
        return shard, state

    def _create(self) -> tuple[qdrant.EdgeShard, _State]:
        shutil.rmtree(self._directory, ignore_errors=True)
        (self._directory / _SHARD).mkdir(parents=True)
        shard = qdrant.EdgeShard.create(str(self._directory / _SHARD), self._config())
        for name in (PRODUCT, PHOTO, MAIN):
            _index_field(shard, name, qdrant.PayloadSchemaType.Keyword)
        self._state = _State(model=self._wanted.model, dimension=self._wanted.dimension)
        self._write_state()
        return shard, self._state

    def _config(self) -> qdrant.EdgeConfig:
        vectors = qdrant.EdgeVectorParams(size=self._wanted.dimension, distance=qdrant.Distance.Dot)
        return qdrant.EdgeConfig(vectors=vectors, hnsw_config=_HNSW, wal_enabled=False)

    def _write_state(self) -> None:
        temporary = self._directory / f"{_STATE_FILE}.new"
        temporary.write_text(json.dumps(asdict(self._state)), encoding="utf-8")
        temporary.replace(self._directory / _STATE_FILE)

    def make_filterable(self, entries: Sequence[IndexEntry]) -> None:
        """Have the attributes of entries be filtered by, where that is new."""
        known = set(self._state.fields)
        for entry in entries:
            for name, value in entry.attributes.items():
                kinds = (
                    (text_field(name), qdrant.PayloadSchemaType.Keyword, texts_of),
                    (number_field(name), qdrant.PayloadSchemaType.Float, numbers_of),
                )
                for path, schema, parts_of in kinds:
                    if path not in known and parts_of(value):
                        _index_field(self.shard, path, schema)
                        known.add(path)
                        self._state.fields.append(path)


def _index_field(shard: qdrant.EdgeShard, path: str, schema: qdrant.PayloadSchemaType) -> None:
    shard.update(qdrant.UpdateOperation.create_field_index(path, schema))


_SCROLL_PAGE = 4096
_COUNTS_KEPT = 1024
_PRODUCTS_KEPT = 200_000  # points whose product is remembered: about 40 MB
_HNSW_EF = 128  # candidates of a search
# A query that leaves parts of the vectors out, such as their style, walks a graph that was built over all of them:
# by color alone, 128 candidates find 82 of the 100 nearest among 37,344 products, 512 find 97.
_HNSW_EF_OF_PARTS, _WHOLE_FROM = 512, 0.6
# So many photos are compared one by one where they pass a filter, or a query leaves parts out: about 10 ms.
_EXACT_UP_TO = 20_000
# Where all vectors together have so few numbers, one by one takes at most 5 ms. It covers what cannot be seen from
# a query: in 2,000 photos by ResNet50, style is nine tenths of it, and the graph is one of colors all the same.
_FEW_NUMBERS = 5_000_000
# A filter tears holes into the graph; ACORN steps over them. Without it, recall falls to 0.95 where three
# quarters of 37,344 products pass; with it, it stays above 0.99.
_ACORN = qdrant.AcornSearchParams(enable=True, max_selectivity=1.0)
_UNSAVED = 4096  # products that are done again after a crash, at most; saving costs as much as a few hundred


class EdgeIndex:
    """Nearest neighbors among the photos of a catalog, by one model.

    Vectors are compared by their dot product ``s``, which is the score by the cosine metric; by the euclidean one
    it is ``-sqrt(2 - 2 s)``, the negated distance where vectors have norm 1. So both rank alike.

    One process at a time may open a directory; its threads may share the index.
    """

    def __init__(self, directory: Path, *, model: str, dimension: int, metric: Metric = Metric.COSINE) -> None:
        self.metric = metric
        self._counted: dict[tuple[str, Where, int], list[FacetValue]] = {}
        self._passed: dict[Where, int] = {}
        self._products: dict[PointId, str] = {}  # of a point, which stays as it is: its id is made from it
        self._stored = StoredShard(directory, model=model, dimension=dimension)
        self._revision, self._unsaved = self._stored.revision, 0

    @property
    def revision(self) -> int:
        return self._revision

    def by(self, metric: Metric) -> EdgeIndex:
        other = copy(self)
        other.metric = metric
        return other

    def replace(self, product_ids: Collection[str], entries: Sequence[IndexEntry]) -> None:
        points = [point(entry) for entry in entries]
        if points:
            self._stored.make_filterable(entries)
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        if product_ids:
            gone = filter_of(of=product_ids, no_points={point.id for point in points})
            self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(gone))
        self._counted, self._passed = {}, {}

    def advance(self, revision: int, *, changed: int) -> None:
        self._revision = revision
        self._unsaved += changed
        if self._unsaved >= _UNSAVED:
            self.mark(revision)

    def mark(self, revision: int) -> None:
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
        exact = bool(where) and self._passing(where) <= _EXACT_UP_TO
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
        records = self._main_photos(filter_of(of=product_ids, main=True), len(product_ids), vectors=True)
        self._remembered(records)
        found = sorted((*key_of(record), place) for place, record in enumerate(records))
        return [
            Neighbor(product_id=product_id, sha256=sha256, score=0.0, vector=vector_of(records[place]))
            for product_id, sha256, place in found
        ]

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        return {key_of(record)[0] for record in self._main_photos(filter_of(where, of=of, main=True), len(of))}

    def some(self, *, where: Where = EVERYTHING, limit: int) -> list[str]:
        return [key_of(record)[0] for record in self._main_photos(filter_of(where, main=True), limit)]

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, limit: int
    ) -> dict[str, list[FacetValue]]:
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
        return {key_of(record) for record in self._records()}

    def __len__(self) -> int:
        return int(self._shard.count(qdrant.CountRequest(exact=True)))

    def optimize(self) -> bool:
        return bool(self._shard.optimize())

    def clear(self) -> None:
        self._stored.clear()
        self._counted, self._passed = {}, {}
        self._revision, self._unsaved = 0, 0

    def close(self) -> None:
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
        if len(self._products) + len(products) > _PRODUCTS_KEPT:
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
        limit = _EXACT_UP_TO if where or not _is_whole(vector) else _FEW_NUMBERS // len(vector)
        return photos <= limit

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
