"""The embedded vector index: a Qdrant Edge shard in this process."""

from __future__ import annotations

import json
import logging
import math
import shutil
from copy import copy
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

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
from sartor.types import EVERYTHING, FacetValue, IndexEntry, Metric, Neighbor
from sartor.values import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from sartor.index.points import PointId
    from sartor.replicas import Replica
    from sartor.types import Matrix, Vector, Where

logger = logging.getLogger(__name__)

_FORMAT = 6  # of the directory; an index of another format is rebuilt
_STATE_FILE = "state.json"
_SHARD = "shard"
_HNSW = qdrant.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000)  # Qdrant's own defaults
_HNSW_EF = 128  # candidates of a search
# A query that leaves parts of the vectors out, such as their style, walks a graph that was built over all of them:
# by color alone, 128 candidates find 82 of the 100 nearest among 37,344 products, 512 find 97.
_HNSW_EF_OF_PARTS, _WHOLE_FROM = 512, 0.6
# A filter tears holes into the graph; ACORN steps over them. Without it, recall falls to 0.95 where three
# quarters of 37,344 products pass; with it, it stays above 0.99.
_ACORN = qdrant.AcornSearchParams(enable=True, max_selectivity=1.0)
_SCROLL_PAGE = 4096
_MAX_CACHED_COUNTS = 1024
_MAX_UNSAVED = 4096  # products to do again after a crash; saving costs as much as a few hundred
# Edge numbers its operations, and leaves a point as it is if that was changed by a later number. Killed while it
# saves, it has points of later numbers than the last one that it remembers (0.9.0): what is then written to them
# is lost without an error. So more numbers are passed over than operations can have been left unsaved: two for
# each product, and one for each new field.
_PASSED_OVER = 3 * _MAX_UNSAVED


class ShardOpener(Protocol):
    """Creates or loads a shard: ``qdrant_edge.EdgeShard``, or a stand-in of a test that fails."""

    def create(self, path: str, config: qdrant.EdgeConfig, /) -> qdrant.EdgeShard:
        """Create an empty shard in a directory."""

    def load(self, path: str, config: qdrant.EdgeConfig, /) -> qdrant.EdgeShard:
        """Load the shard of a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLimits:
    """Up to which size a search compares vectors one by one, and how much it remembers.

    Attributes:
        exact_photos: Photos that are compared one by one if they pass a filter, or if a query leaves parts of the
            vectors out: about 10 ms.
        exact_numbers: Numbers in all vectors together up to which every query is exact: at most 5 ms. It covers
            what a query does not show: in 2,000 photos by ResNet50, style is nine tenths of the vector, and the
            graph still follows the colors.
        remembered_products: Points whose product is remembered between searches: about 40 MB.
        remembered_numbers: Numbers in the vectors that are remembered between searches: about 40 MB.
    """

    exact_photos: int = 20_000
    exact_numbers: int = 5_000_000
    remembered_products: int = 200_000
    remembered_numbers: int = 10_000_000


LIMITS = SearchLimits()


def revision_in(directory: Path, *, model: str, dimension: int) -> int | None:
    """The store's revision that the index in a directory has on disk; None if it is no index of this model."""
    try:
        state = _State(**json.loads((directory / _STATE_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    made_for = (state.format, state.model, state.dimension)
    return state.revision if made_for == (_FORMAT, model, dimension) else None


class _Found(NamedTuple):
    """What an answer needs of a point."""

    product_id: str
    sha256: str
    vector: Vector  # read-only, since answers share it


class _Points:
    """What is known of points between searches, until they are written again; threads may share it.

    Args:
        read: Reads points; those that are gone are left out.
        limit: Points that are remembered.
    """

    def __init__(self, read: Callable[[list[PointId]], Iterable[qdrant.Record]], *, limit: int) -> None:
        self._read, self._limit = read, limit
        self._lock, self._writes = Lock(), 0
        self._known: dict[PointId, _Found] = {}

    def of(self, point_ids: Sequence[PointId]) -> list[_Found | None]:
        """Points in order; None for one that is gone."""
        known, writes = self._known, self._writes
        found = [known.get(point_id) for point_id in point_ids]
        missing = [point_id for point_id, each in zip(point_ids, found, strict=True) if each is None]
        if not missing:
            return found
        read = {record.id: _found(record) for record in self._read(missing)}
        with self._lock:
            if self._writes == writes:  # else it may be what was there before the write
                if len(self._known) + len(read) > self._limit:
                    self._known = {}  # another thread keeps the dict that it reads
                self._known.update(read)
        return [
            read.get(point_id) if each is None else each for point_id, each in zip(point_ids, found, strict=True)
        ]

    def forget(self, point_ids: Iterable[PointId]) -> None:
        """Read points anew from now on; called when they were written."""
        with self._lock:
            self._writes += 1
            for point_id in point_ids:
                self._known.pop(point_id, None)

    def clear(self) -> None:
        """Read all points anew from now on."""
        with self._lock:
            self._writes += 1
            self._known = {}


def _found(record: qdrant.Record) -> _Found:
    product_id, sha256 = key_of(record)
    vector = vector_of(record)
    vector.setflags(write=False)
    return _Found(product_id, sha256, vector)


class EdgeIndex:
    """The ``VectorIndex`` of a Qdrant Edge shard in a directory that belongs to this process.

    Edge does not lock its directory, and two processes in one lose points: see ``sartor.replicas``.

    Args:
        directory: The directory of the index; made, or made anew, if it holds no index of this model.
        replica: The directory as it was claimed; it is released when the index is closed.
        model: Id of the model that made the vectors.
        dimension: Length of the vectors.
        metric: The metric of the scores.
        limits: When a search is exact, and how much is remembered.
        shards: Opens the shard. A test passes one that fails, or that records its calls.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        directory: Path,
        *,
        model: str,
        dimension: int,
        metric: Metric = Metric.COSINE,
        limits: SearchLimits = LIMITS,
        replica: Replica | None = None,
        shards: ShardOpener = qdrant.EdgeShard,
    ) -> None:
        self.metric, self._replica = metric, replica
        self._limits = limits
        self._cached_facets: dict[tuple[str, Where, int], list[FacetValue]] = {}
        self._cached_counts: dict[Where, int] = {}
        self._products: dict[PointId, str] = {}  # by point; it never changes, since a point's id is made from it
        self._points = _Points(self._read_points, limit=limits.remembered_numbers // dimension)
        self._stored = _StoredShard(directory, model=model, dimension=dimension, shards=shards)
        self._revision, self._unsaved = self._stored.revision, 0

    @property
    def revision(self) -> int:
        return self._revision

    def by(self, metric: Metric) -> Self:
        other = copy(self)
        other.metric = metric
        return other

    @property
    def writer(self) -> Self:
        return self

    def refresh(self) -> None:
        """Nothing to do: this process writes it."""

    def replace(
        self,
        product_ids: Collection[str],
        entries: Sequence[IndexEntry],
        *,
        revision: int,  # noqa: ARG002 - nobody else writes
    ) -> None:
        points = [point(entry) for entry in entries]
        self._stored.note_unsaved()
        if points:
            self._stored.make_filterable(entries)
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
            self._points.forget(point.id for point in points)
        if product_ids:
            gone = filter_of(of=product_ids, no_points={point.id for point in points})
            self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(gone))
        self._cached_facets, self._cached_counts = {}, {}

    def advance(self, revision: int, *, changed: int) -> None:
        self._revision = revision
        self._unsaved += changed
        if self._unsaved >= _MAX_UNSAVED:
            self.mark(revision)

    def mark(self, revision: int) -> None:
        self._stored.mark(revision)
        self._revision, self._unsaved = revision, 0

    def share(self) -> int:
        if self._replica is None or not self._replica.is_wanted:
            return 0
        self.mark(self._revision)
        return self._replica.share()

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
            request = qdrant.QueryRequest(
                query=qdrant.Query.Nearest(vector.tolist()),
                limit=limit,
                filter=filter_of(where, without=without),
                params=_params(vector, exact=exact),
            )
            points = list(self._shard.query(request))
            neighbors = self._closest_photo_of_each_product(points)
            if len(neighbors) >= k or len(points) < limit:
                return neighbors[:k]
            limit *= 2  # products with several photos filled more than one rank

    def find(
        self, vectors: Matrix, *, k: int, where: Where = EVERYTHING, without: Collection[str] = ()
    ) -> list[str]:
        exact = bool(where) and self._count_passing(where) <= self._limits.exact_photos
        condition = filter_of(where, without=without)
        requests = [
            qdrant.QueryRequest(
                query=qdrant.Query.Nearest(vector.tolist()),
                limit=k,
                filter=condition,
                params=_params(vector, exact=exact),
            )
            for vector in vectors
        ]
        answers = self._shard.query_batch(qdrant.QueryBatchRequest(requests)) if requests else []
        return list(dict.fromkeys(self._product_ids([point.id for points in answers for point in points])))

    def entries(self, product_ids: Collection[str]) -> list[Neighbor]:
        records = self._main_photos(filter_of(of=product_ids, main=True), len(product_ids), vectors=True)
        self._remember(records)
        keys = sorted((*key_of(record), row) for row, record in enumerate(records))
        return [
            Neighbor(product_id=product_id, sha256=sha256, score=0.0, vector=vector_of(records[row]))
            for product_id, sha256, row in keys
        ]

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        return {key_of(record)[0] for record in self._main_photos(filter_of(where, of=of, main=True), len(of))}

    def some(self, *, where: Where = EVERYTHING, limit: int) -> list[str]:
        return [key_of(record)[0] for record in self._main_photos(filter_of(where, main=True), limit)]

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, limit: int
    ) -> dict[str, list[FacetValue]]:
        condition = filter_of(where, main=True)
        return {name: self._cached_facet(name, where, condition, limit) for name in attributes}

    def entry_keys(self) -> set[tuple[str, str]]:
        return {key_of(record) for record in self._records()}

    def __len__(self) -> int:
        return int(self._shard.count(qdrant.CountRequest(exact=True)))

    def optimize(self) -> bool:
        return bool(self._shard.optimize())

    def clear(self) -> None:
        self._stored.clear()
        self._points.clear()
        self._cached_facets, self._cached_counts = {}, {}
        self._revision, self._unsaved = 0, 0

    def close(self) -> None:
        if self._unsaved:
            self.mark(self._revision)
        self._shard.close()
        if self._replica is not None:
            self._replica.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _shard(self) -> qdrant.EdgeShard:
        return self._stored.shard

    def _cached_facet(self, name: str, where: Where, condition: qdrant.Filter, limit: int) -> list[FacetValue]:
        """Counts do not depend on a query and take longer than a search, so they are kept until a write."""
        cache, key = self._cached_facets, (name, where, limit)  # a write puts another dict in its place
        values = cache.get(key)
        if values is None:
            values = self._facet(name, condition, limit)
            if len(cache) < _MAX_CACHED_COUNTS:
                cache[key] = values
        return list(values)

    def _facet(self, name: str, condition: qdrant.Filter, limit: int) -> list[FacetValue]:
        if text_field(name) not in self._stored.fields:
            return []
        answer = self._shard.facet(
            qdrant.FacetRequest(text_field(name), limit=limit, exact=True, filter=condition)
        )
        values = [FacetValue(str(hit.value), hit.count) for hit in answer.hits if hit.count]
        return sorted(values, key=lambda value: (-value.count, value.value))

    def _product_ids(self, point_ids: Sequence[PointId]) -> list[str]:
        """Products of points that still exist; reading a point takes as long as finding it, so they are cached."""
        cache = self._products
        missing = [point_id for point_id in point_ids if point_id not in cache]
        read = (
            self._remember(self._shard.retrieve(missing, with_payload=KEYS, with_vector=False)) if missing else {}
        )
        products = (cache.get(point_id) or read.get(point_id) for point_id in point_ids)
        return [product_id for product_id in products if product_id]

    def _remember(self, records: Sequence[qdrant.Record]) -> dict[PointId, str]:
        products = {record.id: key_of(record)[0] for record in records}
        if len(self._products) + len(products) > self._limits.remembered_products:
            self._products = {}  # another thread keeps the dict that it reads
        self._products |= products
        return products

    def _main_photos(self, condition: qdrant.Filter, limit: int, *, vectors: bool = False) -> list[qdrant.Record]:
        request = qdrant.ScrollRequest(
            limit=max(1, limit), filter=condition, with_payload=KEYS, with_vector=vectors
        )
        return list(self._shard.scroll(request)[0])

    def _is_small(self, where: Where, vector: Vector) -> bool:
        """Whether comparing one by one is fast enough; it finds what a graph may miss."""
        photos = self._count_passing(where)
        if where or not _is_whole(vector):
            return photos <= self._limits.exact_photos
        return photos <= self._limits.exact_numbers // len(vector)

    def _count_passing(self, where: Where) -> int:
        """How many photos pass a filter; counted once until a write."""
        cache = self._cached_counts  # a write puts another dict in its place
        count = cache.get(where)
        if count is None:
            count = int(self._shard.count(qdrant.CountRequest(exact=True, filter=filter_of(where))))
            if len(cache) < _MAX_CACHED_COUNTS:
                cache[where] = count
        return count

    def _closest_photo_of_each_product(self, points: Sequence[qdrant.ScoredPoint]) -> list[Neighbor]:
        """The neighbors among points, which a query gives without payload and vector: those cost more than it."""
        neighbors: dict[str, Neighbor] = {}
        for scored, found in zip(points, self._points.of([each.id for each in points]), strict=True):
            if found is not None and found.product_id not in neighbors:
                product_id, sha256, vector = found
                neighbors[product_id] = Neighbor(
                    product_id=product_id, sha256=sha256, score=self._score(scored.score), vector=vector
                )
        # Qdrant leaves the order of ties open, and another one after a rebuild.
        return sorted(neighbors.values(), key=lambda neighbor: (-neighbor.score, neighbor.product_id))

    def _read_points(self, point_ids: list[PointId]) -> list[qdrant.Record]:
        return list(self._shard.retrieve(point_ids, with_payload=KEYS, with_vector=True))

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


@dataclass(slots=True, kw_only=True)
class _State:
    """The content of ``state.json``: what the shard was made for, and the store's revision that is on disk."""

    format: int = _FORMAT
    model: str
    dimension: int
    revision: int = 0
    saved: bool = False  # whether the shard has nothing later
    fields: list[str] = field(default_factory=list)


class _StoredShard:
    """A shard with its state in a directory, created if there is none for this model."""

    def __init__(self, directory: Path, *, model: str, dimension: int, shards: ShardOpener) -> None:
        self._directory, self._shards = directory, shards
        self._wanted = _State(model=model, dimension=dimension)
        self.shard, self._state = self._open()

    @property
    def revision(self) -> int:
        return self._state.revision

    @property
    def fields(self) -> Collection[str]:
        """Payload paths of the attributes that can be filtered by."""
        return self._state.fields

    def mark(self, revision: int) -> None:
        self.shard.flush()
        self._state.revision, self._state.saved = revision, True
        self._write_state()

    def note_unsaved(self) -> None:
        """Say on disk that the shard has changes that may get lost, before it has them."""
        if self._state.saved:
            self._state.saved = False
            self._write_state()

    def clear(self) -> None:
        self.shard.close()
        self.shard, self._state = self._create()

    def make_filterable(self, entries: Sequence[IndexEntry]) -> None:
        """Index the payload fields of attributes that are new."""
        known = set(self._state.fields)
        for entry in entries:
            for name, values in compared(entry.attributes).items():
                for path, schema, is_there in (
                    (text_field(name), qdrant.PayloadSchemaType.Keyword, bool(values.texts)),
                    (number_field(name), qdrant.PayloadSchemaType.Float, bool(values.numbers)),
                ):
                    if path not in known and is_there:
                        _index_field(self.shard, path, schema)
                        known.add(path)
                        self._state.fields.append(path)

    def _open(self) -> tuple[qdrant.EdgeShard, _State]:
        try:
            state = _State(**json.loads((self._directory / _STATE_FILE).read_bytes()))
            shard = self._shards.load(str(self._directory / _SHARD), self._config())
        except FileNotFoundError:
            return self._create()
        except Exception as error:  # noqa: BLE001 - Qdrant Edge raises bare Exception; the index is derived
            logger.warning("the index %s cannot be opened and is built again: %s", self._directory, error)
            return self._create()
        made_for = (state.format, state.model, state.dimension)
        if made_for != (self._wanted.format, self._wanted.model, self._wanted.dimension):
            shard.close()
            return self._create()
        if not state.saved:
            _pass_over_operations(shard, self._wanted.dimension)
        return shard, state

    def _create(self) -> tuple[qdrant.EdgeShard, _State]:
        shutil.rmtree(self._directory, ignore_errors=True)
        (self._directory / _SHARD).mkdir(parents=True)
        shard = self._shards.create(str(self._directory / _SHARD), self._config())
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


def _pass_over_operations(shard: qdrant.EdgeShard, dimension: int) -> None:
    """Have the next operations later numbers than any that a killed process left on points."""
    for _ in range(_PASSED_OVER):
        shard.update(qdrant.UpdateOperation.delete_points([]))
    # Only an operation on a point makes the shard save the number.
    passing = point(
        IndexEntry(product_id="", sha256="", vector=np.ones(dimension, np.float32), attributes={}, is_main=False)
    )
    shard.update(qdrant.UpdateOperation.upsert_points([passing]))
    shard.update(qdrant.UpdateOperation.delete_points([passing.id]))
    shard.flush()


def _index_field(shard: qdrant.EdgeShard, path: str, schema: qdrant.PayloadSchemaType) -> None:
    shard.update(qdrant.UpdateOperation.create_field_index(path, schema))


def _params(vector: Vector, *, exact: bool) -> qdrant.SearchParams:
    candidates = _HNSW_EF if _is_whole(vector) else _HNSW_EF_OF_PARTS
    return qdrant.SearchParams(exact=exact, hnsw_ef=candidates, acorn=_ACORN)


def _is_whole(vector: Vector) -> bool:
    return bool(np.count_nonzero(vector) >= _WHOLE_FROM * len(vector))
