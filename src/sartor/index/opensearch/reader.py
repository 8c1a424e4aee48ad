"""Reads from an index in OpenSearch: searches, facets and what else ``VectorIndex`` promises."""

from __future__ import annotations

import json
import math
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from opensearchpy.exceptions import NotFoundError

from sartor.index.opensearch.connection import reason_of
from sartor.index.opensearch.documents import (
    PHOTO_COUNT,
    PRODUCT,
    SHA256,
    VECTORS,
    Facts,
    alias_of,
    compared,
    counted,
    counting,
    dot_of,
    filter_of,
    nearest,
    sha256s_of,
    vectors_of,
)
from sartor.index.opensearch.view import STRICT, IndexView
from sartor.types import EVERYTHING, Metric, Neighbor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sartor.index.opensearch.connection import OpenSearch
    from sartor.index.opensearch.documents import Json
    from sartor.types import FacetValue, Matrix, Vector, Where

_CANDIDATES = 128  # of a search
# A query that leaves parts of the vectors out, such as their style, walks a graph that was built over all of them.
_CANDIDATES_OF_PARTS, _WHOLE_FROM = 512, 0.6
_MAX_RESULTS = 10_000  # of one search, OpenSearch's own limit
_MAX_VECTORS = 1_000  # products whose vectors come in one answer
_MAX_CACHED_COUNTS = 1024
_KEEP = "1m"  # a view of the index, between two pages of it
_COLUMNS = {"stored_fields": "_none_", "track_total_hits": False}
_KEYS = {**_COLUMNS, "docvalue_fields": [PRODUCT, PHOTO_COUNT]}
_PHOTOS = {**_COLUMNS, "docvalue_fields": [PRODUCT, SHA256, VECTORS]}
_BY_ID = [{PRODUCT: "asc"}]
_CLOSEST = [{"_score": "desc"}, {PRODUCT: "asc"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactLimits:
    """Up to which size a search compares vectors one by one.

    Attributes:
        photos: Photos that pass the filter.
        photos_of_parts: The same for a query that leaves parts of the vectors out.
    """

    photos: int = 5_000
    photos_of_parts: int = 20_000


class OpenSearchIndex:
    """The ``VectorIndex`` of a model in OpenSearch, written by an indexer.

    It is empty where no indexer has made it yet, or has made it for another model.

    Args:
        server: The cluster; it stays open when the index is closed.
        workspace: Id of the workspace.
        model_id: Id of the model, by which the index is named.
        model: SHA-256 of the model that made the vectors.
        dimension: Length of the vectors.
        metric: The metric of the scores.
        limits: When a search is exact.

    Raises:
        IndexAway: The engine does not answer.
        IndexUnusable: It cannot be used, or the index is another workspace's.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        server: OpenSearch,
        *,
        workspace: str,
        model_id: str,
        model: str,
        dimension: int,
        metric: Metric = Metric.COSINE,
        limits: ExactLimits | None = None,
    ) -> None:
        self.metric = metric
        self._server, self._limits = server, limits or ExactLimits()
        self._facts = Facts(workspace=workspace, model=model, dimension=dimension)
        alias = alias_of(server.options, workspace=workspace, model_id=model_id)
        self._view = IndexView(
            server, alias=alias, facts=self._facts
        )  # shared with the same index by another metric
        self.refresh()

    @property
    def revision(self) -> int:
        return self._view.seen.revision

    def by(self, metric: Metric) -> Self:
        other = copy(self)
        other.metric = metric
        return other

    @property
    def writer(self) -> None:
        """Only the indexer writes it."""

    def refresh(self) -> None:
        self._view.refresh()

    def search(
        self,
        vector: Vector,
        *,
        k: int,
        where: Where = EVERYTHING,
        without: Collection[str] = (),
        exact: bool = False,
    ) -> list[Neighbor]:
        query = self._query(vector, k=k, where=where, without=without, exact=exact)
        hits = self._hits({**_PHOTOS, "query": query, "size": min(k, _MAX_RESULTS), "sort": _CLOSEST})
        neighbors = [self._closest_photo(hit, vector) for hit in hits]
        return sorted(neighbors, key=lambda neighbor: (-neighbor.score, neighbor.product_id))

    def find(
        self, vectors: Matrix, *, k: int, where: Where = EVERYTHING, without: Collection[str] = ()
    ) -> list[str]:
        bodies = [
            {
                **_KEYS,
                "query": self._query(vector, k=k, where=where, without=without),
                "size": min(k, _MAX_RESULTS),
                "sort": _CLOSEST,
            }
            for vector in vectors
        ]
        answers = self._multi_search(bodies)
        several = {_product(hit) for hits in answers for hit in hits if hit["fields"][PHOTO_COUNT][0] > 1}
        photos = self._vectors_of(several)
        found: dict[str, None] = {}
        for vector, hits in zip(vectors, answers, strict=False):
            ranked = []
            for hit in hits:
                product_id = _product(hit)
                dots = _dots(photos[product_id], vector) if product_id in photos else [dot_of(hit["sort"][0])]
                ranked += [(-float(dot), product_id) for dot in dots]
            found |= dict.fromkeys(product_id for _, product_id in sorted(ranked)[:k])
        return list(found)

    def entries(self, product_ids: Collection[str]) -> list[Neighbor]:
        hits = self._photos_of(product_ids)
        return [
            Neighbor(
                product_id=_product(hit),
                sha256=_sha256s(hit)[0],
                score=0.0,
                vector=self._vectors(hit)[0],
            )
            for hit in sorted(hits, key=_product)
        ]

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        found: set[str] = set()
        for part in _parts(of, _MAX_RESULTS):
            body = {**_KEYS, "query": filter_of(where, of=part, main=True), "size": len(part)}
            found |= {_product(hit) for hit in self._hits(body)}
        return found

    def some(self, *, where: Where = EVERYTHING, limit: int) -> list[str]:
        found: list[str] = []
        body: Json = {**_KEYS, "query": filter_of(where, main=True), "sort": _BY_ID}
        while len(found) < limit:
            body["size"] = min(limit - len(found), _MAX_RESULTS)
            hits = self._hits(body)
            found += [_product(hit) for hit in hits]
            if len(hits) < body["size"]:
                break
            body["search_after"] = hits[-1]["sort"]
        return found

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, limit: int
    ) -> dict[str, list[FacetValue]]:
        counts = counting(attributes, limit=limit)
        answer = self._ask({"size": 0, "query": filter_of(where, main=True), "aggs": counts}) if counts else {}
        return counted(attributes, answer)

    def entry_keys(self) -> set[tuple[str, str]]:
        name = self._view.seen.name
        if name is None:
            return set()
        try:
            opened = self._server.call("POST", f"/{name}/_search/point_in_time", params={"keep_alive": _KEEP})
        except NotFoundError:
            return set()  # it was replaced; the next refresh sees the other one
        try:
            return self._keys_at(opened["pit_id"])
        finally:
            self._server.call("DELETE", "/_search/point_in_time", {"pit_id": [opened["pit_id"]]})

    def __len__(self) -> int:
        return self._count(None)

    def close(self) -> None:
        """Nothing to do: the connection is the workspace's."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _query(
        self,
        vector: Vector,
        *,
        k: int,
        where: Where,
        without: Collection[str],
        exact: bool = False,
    ) -> Json:
        whole = bool(np.count_nonzero(vector) >= _WHOLE_FROM * len(vector))
        limit = self._limits.photos if whole else self._limits.photos_of_parts
        condition = filter_of(where, without=without)
        if exact or self._count_passing(where) <= limit:
            return compared(vector, condition=condition)
        candidates = _CANDIDATES if whole else _CANDIDATES_OF_PARTS
        return nearest(vector, k=min(k, _MAX_RESULTS), candidates=candidates, condition=condition)

    def _count_passing(self, where: Where) -> int:
        """How many photos pass a filter; counted once until the indexer writes."""
        counts = self._view.seen.counts  # another revision has another dict
        count = counts.get(where)
        if count is None:
            count = self._count(filter_of(where))
            if len(counts) < _MAX_CACHED_COUNTS:
                counts[where] = count
        return count

    def _count(self, condition: Json | None) -> int:
        photos = {"photos": {"sum": {"field": PHOTO_COUNT}}}
        answer = self._ask({"size": 0, "query": condition or {"match_all": {}}, "aggs": photos})
        return int(answer.get("aggregations", {}).get("photos", {}).get("value", 0))

    def _closest_photo(self, hit: Json, vector: Vector) -> Neighbor:
        photos = self._vectors(hit)
        dots = _dots(photos, vector)
        closest = int(np.argmax(dots))
        return Neighbor(
            product_id=_product(hit),
            sha256=_sha256s(hit)[closest],
            score=self._score(float(dots[closest])),
            vector=photos[closest],
        )

    def _score(self, product: float) -> float:
        if self.metric is Metric.EUCLIDEAN:
            return 0.0 - math.sqrt(max(0.0, 2 - 2 * product))
        return min(1.0, product)  # float32 rounds past 1

    def _vectors_of(self, product_ids: Collection[str]) -> dict[str, Matrix]:
        return {_product(hit): self._vectors(hit) for hit in self._photos_of(product_ids, main=False)}

    def _photos_of(self, product_ids: Collection[str], *, main: bool = True) -> list[Json]:
        """The photos of products, of those with a main photo or of all."""
        hits: list[Json] = []
        for part in _parts(product_ids, _MAX_VECTORS):
            hits += self._hits({**_PHOTOS, "query": filter_of(of=part, main=main), "size": len(part)})
        return hits

    def _vectors(self, hit: Json) -> Matrix:
        return vectors_of(hit["fields"][VECTORS][0], self._facts.dimension)

    def _keys_at(self, point_in_time: str) -> set[tuple[str, str]]:
        """The keys of all photos as they are at one moment, read page by page."""
        body: Json = {
            **_COLUMNS,
            "docvalue_fields": [PRODUCT, SHA256],
            "query": {"exists": {"field": PRODUCT}},
            "size": _MAX_RESULTS,
            "sort": _BY_ID,
            "pit": {"id": point_in_time, "keep_alive": _KEEP},
        }
        keys: set[tuple[str, str]] = set()
        while hits := self._server.call("POST", "/_search", body, params=STRICT)["hits"]["hits"]:
            keys |= {(_product(hit), sha256) for hit in hits for sha256 in _sha256s(hit)}
            body["search_after"] = hits[-1]["sort"]
        return keys

    def _hits(self, body: Json) -> list[Json]:
        hits: list[Json] = self._ask(body).get("hits", {}).get("hits", [])
        return hits

    def _multi_search(self, bodies: Sequence[Json]) -> list[list[Json]]:
        if not bodies:
            return []
        lines = (json.dumps(line) for body in bodies for line in ({}, body))
        answers = self._ask("".join(f"{line}\n" for line in lines)).get("responses", ())
        for answer in answers:
            if "error" in answer:
                raise self._server.away(reason=reason_of(answer["error"]))
        return [answer["hits"]["hits"] for answer in answers]

    def _ask(self, body: Json | str) -> Json:
        return self._view.ask(body)


def _product(hit: Json) -> str:
    return str(hit["fields"][PRODUCT][0])


def _sha256s(hit: Json) -> list[str]:
    return sha256s_of(hit["fields"][SHA256][0])


def _dots(photos: Matrix, vector: Vector) -> Vector:
    """Dot products, ``(n,)`` float32, the same for the same photo in every row."""
    product: Vector = (photos.astype(np.float64) @ vector.astype(np.float64)).astype(np.float32)
    return product


def _parts(names: Collection[str], size: int) -> Iterator[list[str]]:
    listed = sorted(set(names))
    return (listed[start : start + size] for start in range(0, len(listed), size))
