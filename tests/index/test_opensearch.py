"""What an index in OpenSearch promises beyond the contract: one indexer at a time, late writes, swaps, errors."""

from __future__ import annotations

import datetime
import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("opensearchpy", reason="opensearch-py is not installed; run: make test")

from sartor.errors import BadAddress, IndexAway, IndexerReplaced, IndexUnusable, SartorError
from sartor.index.edge import EdgeIndex
from sartor.index.opensearch.connection import OpenSearch
from sartor.index.opensearch.documents import document, document_id
from sartor.index.opensearch.reader import ExactLimits, OpenSearchIndex
from sartor.index.opensearch.writer import OpenSearchWriter
from sartor.types import AnyOf, Between, Condition, IndexEntry, Metric, Not, Where

DIMENSION = 8
OF = {"workspace": "w", "model_id": "m", "model": "sha", "dimension": DIMENSION}
DAY_S = 86_400.0
engines = pytest.mark.engines


@pytest.fixture
def server(opensearch_address: str) -> Iterator[OpenSearch]:
    with closing(OpenSearch(opensearch_address)) as opened:
        yield opened


def vectors(count: int, *, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


VECTORS = vectors(100)


def entry(product_id: str, row: int = 0, *, is_main: bool = True, **attributes: object) -> IndexEntry:
    return IndexEntry(
        product_id=product_id,
        sha256=f"{row:064x}",
        vector=VECTORS[row],
        attributes=attributes,
        is_main=is_main,
    )


def write(writer: OpenSearchWriter, revision: int, *entries: IndexEntry, deleted: tuple[str, ...] = ()) -> None:
    writer.replace([*deleted, *(one.product_id for one in entries)], entries, revision=revision)
    writer.advance(revision, changed=len(entries))


def content(server: OpenSearch, **of: object) -> tuple[int, set[tuple[str, int]]]:
    with OpenSearchIndex(server, **{**OF, **of}) as index:
        return index.revision, {(product_id, int(sha256, 16)) for product_id, sha256 in index.entry_keys()}


def names(server: OpenSearch) -> list[str]:
    return sorted(server.call("GET", f"/{server.options.prefix}-*/_alias"))


# Several indexers


@engines
def test_an_indexer_goes_on_where_the_one_before_it_stopped(server: OpenSearch) -> None:
    write(OpenSearchWriter(server, **OF, term=1), 3, entry("a", 1))
    second = OpenSearchWriter(server, **OF, term=2)
    assert second.revision == 3
    write(second, 4, entry("b", 2))
    assert content(server) == (4, {("a", 1), ("b", 2)})
    assert names(server) == [f"{server.options.prefix}-w-m-1"]


@engines
def test_an_indexer_that_was_replaced_writes_nothing_more(server: OpenSearch) -> None:
    former = OpenSearchWriter(server, **OF, term=1)
    write(former, 3, entry("a", 1))
    OpenSearchWriter(server, **OF, term=2)
    calls: list[Callable[[], object]] = [
        lambda: former.replace(["a"], [entry("a", 9)], revision=9),
        lambda: former.advance(9, changed=1),
        lambda: former.mark(9),
        lambda: former.clear(),
        lambda: OpenSearchWriter(server, **OF, term=1),
    ]
    for call in calls:
        with pytest.raises(
            IndexerReplaced, match="of term 1, no longer writes .*: an indexer of term 2 writes it"
        ):
            call()
    assert content(server) == (3, {("a", 1)})
    assert len(names(server)) == 1


@engines
def test_an_older_indexer_that_takes_the_alias_in_a_race_does_not_keep_it(server: OpenSearch) -> None:
    older = OpenSearchWriter(server, **OF, term=1)
    newer = OpenSearchWriter(server, **OF, term=2)
    older._take_alias()  # as if it had been paused after it looked at the term
    write(newer, 2, entry("a", 1))
    with pytest.raises(IndexerReplaced):
        older.replace(["a"], [entry("a", 9)], revision=9)
    assert content(server) == (2, {("a", 1)})


@engines
def test_what_a_former_indexer_sends_late_brings_nothing_older_back(server: OpenSearch) -> None:
    late = OpenSearchWriter(server, **OF, term=1)
    two_photos = [entry("a", 1), entry("a", 2, is_main=False)]
    late.replace(["a", "b"], [*two_photos, entry("b", 3)], revision=5)
    late.advance(5, changed=2)
    newer = OpenSearchWriter(server, **OF, term=2)
    write(newer, 7, entry("a", 4), deleted=("b", "never there"))
    # The requests of the former one that are under way inside the cluster know the index by its own name.
    name, lines = names(server)[0], ""
    for product_id, entries in {"a": two_photos, "b": [entry("b", 3)], "never there": [entry("x", 5)]}.items():
        action = {"_id": document_id(product_id), "version": 6, "version_type": "external_gte"}
        lines += f"{json.dumps({'index': action})}\n{json.dumps(document(entries, revision=6, term=1))}\n"
    answer = server.call("POST", f"/{name}/_bulk", lines)
    assert [item["index"]["status"] for item in answer["items"]] == [409, 409, 409]
    newer.advance(8, changed=0)
    assert content(server) == (8, {("a", 4)})


@engines
def test_a_repeated_page_changes_nothing(server: OpenSearch) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    for _ in range(2):
        write(writer, 5, entry("a", 1), entry("b", 2), deleted=("c",))
    write(writer, 4, entry("a", 9))  # a page that ended earlier, as an indexer that begins again may send it
    assert content(server)[1] == {("a", 1), ("b", 2)}


# Tombstones


@engines
def test_a_tombstone_is_invisible_and_kept_for_a_day(server: OpenSearch) -> None:
    now_s = [1_000_000.0]
    writer = OpenSearchWriter(server, **OF, term=1, clock=lambda: now_s[0])

    def documents() -> int:
        return server.call("GET", f"/{names(server)[0]}/_count")["count"]

    write(writer, 1, entry("a", 1), entry("b", 2))
    write(writer, 2, deleted=("a",))
    with OpenSearchIndex(server, **OF) as index:
        assert len(index) == 1
        assert index.search(VECTORS[1], k=5)[0].product_id == "b"
        assert index.search(VECTORS[1], k=5, exact=True)[0].product_id == "b"
        assert index.some(limit=5) == ["b"]
        assert index.passing(Where(), of=["a", "b"]) == {"b"}
        assert index.search(VECTORS[1], k=5, where=Where((Not(condition=Between(attribute="x", low=0)),)))
    assert documents() == 3  # b, the tombstone, the state
    now_s[0] += DAY_S / 2
    writer.advance(3, changed=0)
    assert documents() == 3
    now_s[0] += DAY_S / 2 + 1
    writer.advance(4, changed=0)
    writer.advance(5, changed=0)
    assert documents() == 2


# A new index in the place of another


@engines
def test_a_cleared_index_is_read_until_the_new_one_has_caught_up(server: OpenSearch) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    write(writer, 5, entry("a", 1))
    with OpenSearchIndex(server, **OF) as reader:
        writer.clear()
        assert writer.revision == 0
        write(writer, 2, entry("b", 2))
        reader.refresh()
        assert (reader.revision, ids(reader)) == (5, ["a"])
        writer.mark(2)
        assert ids(reader) == ["b"]  # also before it refreshes
        reader.refresh()
        assert reader.revision == 2
    assert names(server) == [f"{server.options.prefix}-w-m-2"]


def ids(index: OpenSearchIndex) -> list[str]:
    return [one.product_id for one in index.search(VECTORS[0], k=9)]


@engines
def test_another_model_is_built_beside_the_one_in_use(server: OpenSearch) -> None:
    write(OpenSearchWriter(server, **OF, term=1), 5, entry("a", 1))
    other = {"model": "other", "dimension": 4}
    small = IndexEntry(product_id="a", sha256=f"{7:064x}", vector=vectors(1, dimension=4)[0])
    building = OpenSearchWriter(server, **{**OF, **other}, term=2)
    assert building.revision == 0
    write(building, 3, small)
    again = OpenSearchWriter(server, **{**OF, **other}, term=3)  # after a restart
    assert again.revision == 3
    assert content(server) == (5, {("a", 1)})
    assert content(server, **other) == (0, set())
    again.mark(5)
    assert content(server, **other) == (5, {("a", 7)})
    assert content(server) == (0, set())
    assert len(names(server)) == 1


@engines
def test_an_indexer_that_was_replaced_while_it_built_does_not_swap(server: OpenSearch) -> None:
    former = OpenSearchWriter(server, **OF, term=1)
    write(former, 5, entry("a", 1))
    former.clear()
    write(former, 1, entry("b", 2))
    newer = OpenSearchWriter(server, **OF, term=2)
    with pytest.raises(IndexerReplaced):
        former._put_in_place()  # as if it had been paused just before
    newer.mark(6)
    assert content(server) == (6, {("a", 1)})
    assert len(names(server)) == 1
    with pytest.raises(IndexerReplaced, match="it was removed"):
        former.replace(["c"], [entry("c", 3)], revision=9)
    assert len(names(server)) == 1  # the late write made no index


# The same answers as the embedded index

CONDITIONS = st.one_of(
    st.builds(
        AnyOf,
        attribute=st.sampled_from(["color", "size", "none"]),
        values=st.lists(st.sampled_from(["red", "blue", "38", "40.5"]), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(
        Between,
        attribute=st.sampled_from(["size", "color"]),
        low=st.sampled_from([None, 38, 40.5]),
        high=st.sampled_from([39, 40.5, 100]),
    ),
)
WHERES = st.lists(CONDITIONS | CONDITIONS.map(lambda one: Not(condition=one)), max_size=3).map(
    lambda conditions: Where(tuple[Condition, ...](conditions))
)
PRODUCTS = st.dictionaries(
    st.sampled_from([f"p{number}" for number in range(12)]),
    st.tuples(
        st.integers(0, 3),  # photos
        st.fixed_dictionaries(
            {},
            optional={
                "color": st.sampled_from(["red", "blue", ("red", "blue"), "38"]),
                "size": st.sampled_from([38, 40.5, "40.5", "38 EUR", True]),
            },
        ),
    ),
    min_size=1,
)


@engines
@given(pages=st.lists(PRODUCTS, min_size=1, max_size=3), wheres=st.lists(WHERES, min_size=3, max_size=3))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("exact_photos", [0, 5_000])
def test_it_answers_as_the_embedded_index_does(
    server: OpenSearch,
    tmp_path_factory: pytest.TempPathFactory,
    pages: list[dict[str, tuple[int, dict[str, object]]]],
    wheres: list[Where],
    exact_photos: int,
) -> None:
    writer = OpenSearchWriter(server, **OF, term=1)
    writer.clear()
    writer.mark(0)
    limits = ExactLimits(photos=exact_photos, photos_of_parts=exact_photos)
    with (
        EdgeIndex(tmp_path_factory.mktemp("edge"), model="m", dimension=DIMENSION) as edge,
        OpenSearchIndex(server, **OF, limits=limits) as index,
    ):
        photo = 0
        for revision, page in enumerate(pages, start=1):
            entries = []
            for product_id, (photos, attributes) in page.items():
                for number in range(photos):
                    photo += 1
                    entries.append(entry(product_id, photo % 90, is_main=number == 0, **attributes))
            edge.replace(page, entries, revision=revision)
            write(writer, revision, *entries, deleted=tuple(page))
        index.refresh()
        assert index.entry_keys() == edge.entry_keys()
        assert len(index) == len(edge)
        everybody = [f"p{number}" for number in range(12)]
        assert index.entries(everybody) == edge.entries(everybody)
        assert all(
            np.array_equal(ours.vector, theirs.vector)
            for ours, theirs in zip(index.entries(everybody), edge.entries(everybody), strict=True)
        )
        for query, where in zip(VECTORS[90:], wheres, strict=False):
            for metric in Metric:
                for k in (1, 4, 40):
                    ours, theirs = (
                        one.by(metric).search(query, k=k, where=where, without=["p3"]) for one in (index, edge)
                    )
                    assert [one.product_id for one in ours] == [one.product_id for one in theirs]
                    assert [one.sha256 for one in ours] == [one.sha256 for one in theirs]
                    assert np.allclose([one.score for one in ours], [one.score for one in theirs], atol=1e-5)
            both = np.stack([query, VECTORS[99]])
            for k in (1, 3, 40):
                assert index.find(both, k=k, where=where) == edge.find(both, k=k, where=where)
            assert index.passing(where, of=everybody[:8]) == edge.passing(where, of=everybody[:8])
            assert set(index.some(where=where, limit=40)) == set(edge.some(where=where, limit=40))
            names_ = ["color", "size", "none"]
            assert index.facets(names_, where=where, limit=9) == edge.facets(names_, where=where, limit=9)
