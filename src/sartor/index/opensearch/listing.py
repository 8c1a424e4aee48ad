"""The listing of a catalog in OpenSearch: pages, facets and words, which all processes read and one writes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sartor.browsing import MAX_FILTER_VALUES, good_filters, may_filter, phrases_of, read_cursor, write_cursor
from sartor.index.opensearch.documents import (
    PRODUCT,
    TEXT,
    attribute_of,
    counted,
    counting,
)
from sartor.index.opensearch.fenced import FencedIndex
from sartor.index.opensearch.listed import (
    NUMBER_ADDED,
    PRICE,
    STORED,
    TITLE_KEY,
    UNPRICED,
    UNTITLED,
    Reading,
    has_words,
    having,
    listed_document,
    listing_alias,
    listing_body,
    listing_facts,
    query_of,
    stored_of,
    word_query,
)
from sartor.index.opensearch.view import IndexView
from sartor.types import EVERYTHING, Listing, Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from sartor.browsing import Key
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.index.opensearch.documents import Json
    from sartor.types import FacetValue, ListedProduct, ListingQuery, Where

_MAX_RESULTS = 10_000  # of one search, OpenSearch's own limit
_MAX_COUNTED = 50  # attributes whose values are counted in one search: OpenSearch allows some 65,000 counts
_SCORE = "_score"


class OpenSearchListing:
    """The ``Browse`` of a workspace's catalog, as far as the indexer has written it.

    Args:
        server: The cluster; it stays open.
        workspace: Id of the workspace.

    Every call raises ``IndexAway`` if the engine does not answer, or if no indexer has made the index yet.
    """

    def __init__(self, server: OpenSearch, *, workspace: str) -> None:
        self._server, self._facts = server, listing_facts(workspace)
        alias = listing_alias(server.options, workspace)
        self._view = IndexView(server, alias=alias, facts=self._facts)
        self._names: tuple[tuple[str | None, int], tuple[str, ...]] = (None, -1), ()

    @property
    def listed_revision(self) -> int:
        self._view.refresh()
        return self._view.seen.revision

    def listing(self, query: ListingQuery) -> Listing:
        order = _order_of(query)
        after = read_cursor(query, *order.kinds)
        limit = max(0, query.limit)
        body: Json = {
            "stored_fields": "_none_",
            "docvalue_fields": [STORED],
            "track_total_hits": True,
            "query": query_of(query.where, query.words),
            "sort": list(order.sort),
        }
        if after is not None:
            body["search_after"] = order.values_of(after)
        total, hits = self._hits(body, count=limit + 1 if limit else 0)
        readings = () if total else self._readings(query.words)
        if readings:
            close = body | {"query": query_of(query.where, query.words, readings)}
            if after is not None:
                close["search_after"] = order.values_of(after)
            total, hits = self._hits(close, count=limit + 1 if limit else 0)
        shown = hits[:limit]
        return Listing(
            products=tuple(map(stored_of, shown)),
            total=total,
            next=write_cursor(query, order.key_of(shown[-1]["sort"])) if len(hits) > limit and shown else None,
            is_close=bool(readings),
        )

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, words: str = "", limit: int
    ) -> dict[str, list[FacetValue]]:
        if limit <= 0 or not attributes:
            return {name: [] for name in attributes}
        counts = counting(attributes, limit=limit)
        body = {"size": 0, "track_total_hits": True, "query": query_of(where, words), "aggs": counts}
        answer = self._ask(body)
        if not _total(answer) and (readings := self._readings(words)):
            answer = self._ask(body | {"query": query_of(where, words, readings)})
        return counted(attributes, answer)

    def facet_names(self, *, limit: int = 12) -> tuple[str, ...]:
        self._view.refresh()
        seen = self._view.seen
        if self._names[0] != (seen.name, seen.revision):
            self._names = (seen.name, seen.revision), self._good_filters()
        return self._names[1][: max(0, limit)]

    def _good_filters(self) -> tuple[str, ...]:
        name = self._view.seen.name
        if name is None:
            return ()
        mapping = self._server.call("GET", f"/{name}/_mapping")
        fields = next(iter(mapping.values()))["mappings"]["properties"][TEXT].get("properties", {})
        names = [attribute for attribute in map(attribute_of, fields) if may_filter(attribute)]
        products, attributes = 0, []
        for start in range(0, len(names), _MAX_COUNTED):
            part = names[start : start + _MAX_COUNTED]
            counts = counting(part, limit=MAX_FILTER_VALUES + 1)
            having_it = {f"{rank} having": {"filter": having(each)} for rank, each in enumerate(part)}
            answer = self._ask(
                {"size": 0, "track_total_hits": True, "query": query_of(), "aggs": {**counts, **having_it}}
            )
            products, values = _total(answer), counted(part, answer)
            for rank, each in enumerate(part):
                count = answer["aggregations"][f"{rank} having"]["doc_count"]
                attributes.append((each, [one.value for one in values[each]], count))
        return good_filters(attributes, products=products) if products else ()

    def _readings(self, words: str) -> tuple[Reading, ...]:
        """How to read each word, if no product of the whole catalog has all of them; empty if there is no way."""
        phrases = phrases_of(words)
        ways = {
            f"{rank} {way.value}": query
            for rank, phrase in enumerate(phrases)
            for way in Reading
            if (query := word_query(phrase, way)) is not None
        }
        if not ways:
            return ()
        asked = {"all": query_of(words=words), **ways}
        counts = {name: {"filter": each} for name, each in asked.items()}
        answer = self._ask({"size": 0, "query": query_of(), "aggs": counts}).get("aggregations", {})
        found = {name for name in asked if answer.get(name, {}).get("doc_count")}
        readings = [
            next((way for way in Reading if f"{rank} {way.value}" in found), None) for rank in range(len(phrases))
        ]
        if "all" in found or None in readings or set(readings) == {Reading.AS_IT_IS}:
            return ()
        return tuple(way for way in readings if way is not None)

    def _hits(self, body: Json, *, count: int) -> tuple[int, list[Json]]:
        """The total and the first hits, in parts of what one search may return."""
        hits: list[Json] = []
        while True:
            body["size"] = min(count - len(hits), _MAX_RESULTS)
            answer = self._ask(body)
            found = answer.get("hits", {}).get("hits", [])
            hits += found
            if len(found) < body["size"] or len(hits) >= count:
                return _total(answer), hits
            body["search_after"] = hits[-1]["sort"]

    def _ask(self, body: Json) -> Json:
        if self._view.seen.name is None:
            self._view.refresh()
        if self._view.seen.name is None:
            raise self._server.away(reason="nobody has written the listing there yet; start an indexer")
        return self._view.ask(body)


class OpenSearchListingWriter:
    """The ``ListingWriter`` of a workspace in OpenSearch.

    Args:
        server: The cluster; it stays open.
        workspace: Id of the workspace.
        term: Fencing token of the indexer's lease.
        clock: Seconds since 1970 (UTC).

    Raises:
        IndexAway: The engine does not answer.
        IndexUnusable: It cannot be used.
        IndexerReplaced: An indexer with a higher term writes the index.
    """

    def __init__(
        self, server: OpenSearch, *, workspace: str, term: int, clock: Callable[[], float] = time.time
    ) -> None:
        facts = listing_facts(workspace)
        alias = listing_alias(server.options, workspace)
        body = listing_body(server.options, facts)
        self._index = FencedIndex(server, alias=alias, facts=facts, body=body, term=term, clock=clock)
        self.advance, self.mark, self.clear = self._index.advance, self._index.mark, self._index.clear

    @property
    def revision(self) -> int:
        return self._index.revision

    def replace(self, product_ids: Collection[str], products: Sequence[ListedProduct], *, revision: int) -> None:
        documents: dict[str, Json | None] = dict.fromkeys(product_ids)
        documents |= {listed.stored.product.id: listed_document(listed) for listed in products}
        self._index.put(documents, revision=revision)

    def share(self) -> int:
        """Nothing to copy: all processes use it."""
        return 0


class _Order(NamedTuple):
    """An order of products.

    Attributes:
        sort: As OpenSearch takes it.
        kinds: Types of the parts of a cursor.
        flag: Whether the first value says that the product has none of what it is sorted by.
    """

    sort: tuple[Json, ...]
    kinds: tuple[tuple[type, ...], ...]
    flag: bool = False

    def key_of(self, values: Sequence[Any]) -> list[Key]:
        """The key of a product for a cursor, from what it was sorted by."""
        if not self.flag:
            return list(values)
        is_missing, value, product_id = values
        return [None if is_missing else value, product_id]

    def values_of(self, key: Sequence[Any]) -> list[Any]:
        """What it was sorted by."""
        if not self.flag:
            return list(key)
        value, product_id = key
        nothing = "" if str in self.kinds[0] else 0.0
        return [int(value is None), nothing if value is None else value, product_id]


_NEWEST = _Order(({NUMBER_ADDED: "desc"},), ((int,),))
_BEST = _Order(({_SCORE: "desc"}, {NUMBER_ADDED: "desc"}), ((float,), (int,)))
_ORDERS = {
    Sort.NEWEST: _NEWEST,
    Sort.TITLE: _Order(
        ({UNTITLED: "asc"}, {TITLE_KEY: "asc"}, {PRODUCT: "asc"}), ((str, type(None)), (str,)), flag=True
    ),
    Sort.PRICE_UP: _Order(
        ({UNPRICED: "asc"}, {PRICE: "asc"}, {PRODUCT: "asc"}), ((float, type(None)), (str,)), flag=True
    ),
    Sort.PRICE_DOWN: _Order(
        ({UNPRICED: "asc"}, {PRICE: "desc"}, {PRODUCT: "desc"}), ((float, type(None)), (str,)), flag=True
    ),
}


def _order_of(query: ListingQuery) -> _Order:
    if query.sort is Sort.RELEVANCE:
        return _BEST if has_words(query.words) else _NEWEST
    return _ORDERS[query.sort]


def _total(answer: Json) -> int:
    return int(answer.get("hits", {}).get("total", {}).get("value", 0))
