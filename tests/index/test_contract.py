"""What ``index/base.py`` promises of every vector index. Another one is added to the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sartor.index.edge import EdgeIndex
from sartor.types import AnyOf, Between, FacetValue, IndexEntry, Metric, Not, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from sartor.index.base import IndexWriter, VectorIndex

DIMENSION = 8
RED = Where((AnyOf(attribute="color", values=("red",)),))


@dataclass(frozen=True)
class Place:
    """Where an index is kept, so that it can be opened again."""

    open: Callable[[], VectorIndex]
    open_writer: Callable[[VectorIndex], IndexWriter]


@dataclass
class Written:
    """An index with what writes it; reads see what was written."""

    index: VectorIndex
    writer: IndexWriter
    revision: int = 0

    def write(self, product_ids: Collection[str], entries: Sequence[IndexEntry]) -> None:
        self.revision += 1
        self.writer.replace(product_ids, entries, revision=self.revision)
        self.writer.advance(self.revision, changed=len(product_ids))
        self.index.refresh()


@pytest.fixture(params=list(Metric))
def metric(request: pytest.FixtureRequest) -> Metric:
    return request.param


@pytest.fixture(params=["edge", pytest.param("opensearch", marks=pytest.mark.engines)])
def place(request: pytest.FixtureRequest, tmp_path: Path, metric: Metric) -> Iterator[Place]:
    if request.param == "edge":
        yield Place(
            open=lambda: EdgeIndex(tmp_path / "index", model="m", dimension=DIMENSION, metric=metric),
            open_writer=lambda index: index.writer,
        )
        return
    address = request.getfixturevalue("opensearch_address")
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.index.opensearch.reader import OpenSearchIndex
    from sartor.index.opensearch.writer import OpenSearchWriter

    server = OpenSearch(address)
    of = {"workspace": "w", "model_id": "m", "model": "sha", "dimension": DIMENSION}
    yield Place(
        open=lambda: OpenSearchIndex(server, **of, metric=metric),
        open_writer=lambda _: OpenSearchWriter(server, **of, term=1),
    )
    server.close()


@pytest.fixture
def written(place: Place) -> Iterator[Written]:
    with place.open() as index:
        yield Written(index, place.open_writer(index))


@pytest.fixture
def index(written: Written) -> VectorIndex:
    return written.index


def axis(number: int, lean: float = 0.0) -> np.ndarray:
    """A unit vector along an axis, leaning a little toward the next one."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[[number, number + 1]] = 1, lean
    return vector / np.linalg.norm(vector)


def entry(
    product_id: str, vector: np.ndarray, photo: int = 0, *, is_main: bool = True, **attributes: object
) -> IndexEntry:
    return IndexEntry(
        product_id=product_id, sha256=f"{photo:064x}", vector=vector, attributes=attributes, is_main=is_main
    )


def fill(written: Written) -> None:
    entries = [
        entry("a", axis(0), 1, color="red"),
        entry("b", axis(0, 0.5), 2, color="blue"),
        entry("b", axis(4), 3, is_main=False, color="blue"),
        entry("c", axis(2), 4, color="red"),
    ]
    written.write(["a", "b", "c"], entries)


def ids(index: VectorIndex, number: int = 0, **options: object) -> list[str]:
    return [one.product_id for one in index.search(axis(number), k=5, **options)]


def test_products_are_found_closest_first_each_once(written: Written, index: VectorIndex, metric: Metric) -> None:
    fill(written)
    results = index.search(axis(0), k=5)
    assert [one.product_id for one in results] == ["a", "b", "c"]
    scores = [one.score for one in results]
    assert scores == sorted(scores, reverse=True)
    cosine = float(axis(0) @ axis(0, 0.5))
    assert scores[1] == pytest.approx(cosine if metric is Metric.COSINE else -np.sqrt(2 - 2 * cosine), abs=1e-5)
    assert len(index.search(axis(0), k=2)) == 2
    assert ids(index, exact=True) == ["a", "b", "c"]


def test_ties_are_ordered_by_id(written: Written, index: VectorIndex) -> None:
    written.write(["z", "y", "x"], [entry(product_id, axis(0), 1) for product_id in ("z", "y", "x")])
    assert ids(index) == ["x", "y", "z"]


def test_filters_and_exclusions_hold(written: Written, index: VectorIndex) -> None:
    fill(written)
    assert ids(index, where=RED) == ["a", "c"]
    assert ids(index, without=["a"]) == ["b", "c"]
    assert index.passing(RED, of=["a", "b", "unknown"]) == {"a"}
    assert set(index.some(where=RED, limit=5)) == {"a", "c"}
    assert index.some(limit=2) == index.some(limit=2)
    assert index.find(np.stack([axis(2), axis(0)]), k=1) == ["c", "a"]
    assert index.find(np.stack([axis(0), axis(0)]), k=1, without=["a"]) == ["b"]


def test_facets_count_products_not_photos(written: Written, index: VectorIndex) -> None:
    fill(written)
    red, blue = FacetValue("red", 2), FacetValue("blue", 1)
    assert index.facets(["color", "none"], limit=5) == {"color": [red, blue], "none": []}
    assert index.facets(["color"], where=RED, limit=5) == {"color": [red]}


def test_replacing_removes_old_entries_and_products_without_one(written: Written, index: VectorIndex) -> None:
    fill(written)
    written.write(["a", "b"], [entry("b", axis(6), 9)])
    assert index.entry_keys() == {("b", f"{9:064x}"), ("c", f"{4:064x}")}
    assert len(index) == 2
    assert ids(index, 6)[0] == "b"


def test_unknown_ids_are_left_out_of_entries(written: Written, index: VectorIndex) -> None:
    fill(written)
    assert [(one.product_id, one.sha256, one.score) for one in index.entries(["unknown", "b"])] == [
        ("b", f"{2:064x}", 0.0)
    ]


def test_the_other_metric_ranks_alike(written: Written, index: VectorIndex) -> None:
    fill(written)
    assert [ids(index.by(metric)) for metric in Metric] == [["a", "b", "c"]] * 2


def test_the_revision_follows_and_clearing_goes_back_to_0(written: Written, index: VectorIndex) -> None:
    fill(written)
    written.writer.advance(3, changed=3)
    index.refresh()
    assert (written.writer.revision, index.revision) == (3, 3)
    written.writer.mark(4)
    index.refresh()
    assert index.revision == 4
    written.writer.clear()
    assert written.writer.revision == 0
    written.writer.mark(0)
    index.refresh()
    assert (index.revision, len(index), ids(index)) == (0, 0, [])


def test_a_closed_index_opens_as_it_was(place: Place) -> None:
    with place.open() as index:
        written = Written(index, place.open_writer(index))
        fill(written)
        written.writer.mark(3)
    with place.open() as again:
        assert (again.revision, len(again), ids(again)) == (3, 4, ["a", "b", "c"])


def test_an_index_that_nobody_wrote_is_empty(place: Place) -> None:
    with place.open() as index:
        assert (index.revision, len(index), ids(index), index.entry_keys()) == (0, 0, [], set())
        assert index.find(np.stack([axis(0)]), k=3) == []
        assert index.facets(["color"], limit=3) == {"color": []}
        assert (index.some(limit=3), index.passing(RED, of=["a"]), index.entries(["a"])) == ([], set(), [])


def test_a_product_deleted_and_written_again_is_there(written: Written, index: VectorIndex) -> None:
    fill(written)
    written.write(["a"], [])
    assert ids(index) == ["b", "c"]
    assert len(index) == 3
    assert index.facets(["color"], limit=5)["color"] == [FacetValue("blue", 1), FacetValue("red", 1)]
    written.write(["a"], [entry("a", axis(0), 1, color="red")])
    assert ids(index) == ["a", "b", "c"]


def test_numbers_texts_and_absent_attributes_are_filtered_as_values_say(
    written: Written, index: VectorIndex
) -> None:
    sizes: dict[str, dict[str, object]] = {
        "a": {"size": 38, "price": "15.00 USD", "care.of": "wool"},
        "b": {"size": "M", "price": 20},
        "c": {"size": ("S", "M"), "new": True},
        "d": {},
    }
    written.write(list(sizes), [entry(name, axis(0), row, **of) for row, (name, of) in enumerate(sizes.items())])

    def passing(*conditions: AnyOf | Between | Not) -> list[str]:
        return ids(index, where=Where(conditions))

    assert passing(AnyOf(attribute="size", values=("38", "M"))) == ["a", "b", "c"]
    assert passing(Between(attribute="size", low=30)) == ["a"]
    assert passing(Between(attribute="price", low=15, high=20)) == ["a", "b"]
    assert passing(Between(attribute="price", high=19.5)) == ["a"]
    assert passing(Not(condition=AnyOf(attribute="size", values=("M",)))) == ["a", "d"]
    assert passing(Not(condition=Between(attribute="price", high=19))) == ["b", "c", "d"]
    assert passing(AnyOf(attribute="new", values=("true",))) == ["c"]
    assert passing(AnyOf(attribute="care.of", values=("wool",))) == ["a"]
    assert passing(AnyOf(attribute="unknown", values=("x",))) == []
    assert index.facets(["size", "care.of"], limit=2) == {
        "size": [FacetValue("M", 2), FacetValue("38", 1)],
        "care.of": [FacetValue("wool", 1)],
    }


def test_photos_of_one_product_fill_several_ranks_of_find(written: Written, index: VectorIndex) -> None:
    entries = [entry("a", axis(0, lean / 10), lean, is_main=lean == 0) for lean in range(3)]
    written.write(["a", "b"], [*entries, entry("b", axis(0, 0.4), 9)])
    assert index.find(np.stack([axis(0)]), k=3) == ["a"]
    assert index.find(np.stack([axis(0)]), k=4) == ["a", "b"]
