"""What ``index/base.py`` promises of every vector index. A second one is added to the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sartor.index.edge import EdgeIndex
from sartor.types import AnyOf, FacetValue, IndexEntry, Metric, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sartor.index.base import VectorIndex

DIMENSION = 8
INDEXES: list[Callable[[Path, Metric], VectorIndex]] = [
    lambda directory, metric: EdgeIndex(directory / "index", model="m", dimension=DIMENSION, metric=metric),
]
RED = Where((AnyOf(attribute="color", values=("red",)),))


@pytest.fixture(params=list(Metric))
def metric(request: pytest.FixtureRequest) -> Metric:
    return request.param


@pytest.fixture(params=INDEXES)
def index(request: pytest.FixtureRequest, tmp_path: Path, metric: Metric) -> Iterator[VectorIndex]:
    with request.param(tmp_path, metric) as opened:
        yield opened


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


def fill(index: VectorIndex) -> None:
    entries = [
        entry("a", axis(0), 1, color="red"),
        entry("b", axis(0, 0.5), 2, color="blue"),
        entry("b", axis(4), 3, is_main=False, color="blue"),
        entry("c", axis(2), 4, color="red"),
    ]
    index.writer.replace(["a", "b", "c"], entries)


def ids(index: VectorIndex, number: int = 0, **options: object) -> list[str]:
    return [one.product_id for one in index.search(axis(number), k=5, **options)]


def test_products_are_found_closest_first_each_once(index: VectorIndex, metric: Metric) -> None:
    fill(index)
    results = index.search(axis(0), k=5)
    assert [one.product_id for one in results] == ["a", "b", "c"]
    scores = [one.score for one in results]
    assert scores == sorted(scores, reverse=True)
    cosine = float(axis(0) @ axis(0, 0.5))
    assert scores[1] == pytest.approx(cosine if metric is Metric.COSINE else -np.sqrt(2 - 2 * cosine), abs=1e-5)
    assert len(index.search(axis(0), k=2)) == 2
    assert ids(index, exact=True) == ["a", "b", "c"]


def test_ties_are_ordered_by_id(index: VectorIndex) -> None:
    index.writer.replace(["z", "y", "x"], [entry(product_id, axis(0), 1) for product_id in ("z", "y", "x")])
    assert ids(index) == ["x", "y", "z"]


def test_filters_and_exclusions_hold(index: VectorIndex) -> None:
    fill(index)
    assert ids(index, where=RED) == ["a", "c"]
    assert ids(index, without=["a"]) == ["b", "c"]
    assert index.passing(RED, of=["a", "b", "unknown"]) == {"a"}
    assert set(index.some(where=RED, limit=5)) == {"a", "c"}
    assert index.some(limit=2) == index.some(limit=2)
    assert index.find(np.stack([axis(2), axis(0)]), k=1) == ["c", "a"]
    assert index.find(np.stack([axis(0), axis(0)]), k=1, without=["a"]) == ["b"]


def test_facets_count_products_not_photos(index: VectorIndex) -> None:
    fill(index)
    red, blue = FacetValue("red", 2), FacetValue("blue", 1)
    assert index.facets(["color", "none"], limit=5) == {"color": [red, blue], "none": []}
    assert index.facets(["color"], where=RED, limit=5) == {"color": [red]}


def test_replacing_removes_old_entries_and_products_without_one(index: VectorIndex) -> None:
    fill(index)
    index.writer.replace(["a", "b"], [entry("b", axis(6), 9)])
    assert index.entry_keys() == {("b", f"{9:064x}"), ("c", f"{4:064x}")}
    assert len(index) == 2
    assert ids(index, 6)[0] == "b"


def test_unknown_ids_are_left_out_of_entries(index: VectorIndex) -> None:
    fill(index)
    assert [(one.product_id, one.sha256, one.score) for one in index.entries(["unknown", "b"])] == [
        ("b", f"{2:064x}", 0.0)
    ]


def test_the_other_metric_ranks_alike(index: VectorIndex) -> None:
    fill(index)
    assert [ids(index.by(metric)) for metric in Metric] == [["a", "b", "c"]] * 2


def test_the_revision_follows_and_clearing_goes_back_to_0(index: VectorIndex) -> None:
    fill(index)
    index.writer.advance(3, changed=3)
    assert index.revision == 3
    index.writer.mark(4)
    assert index.revision == 4
    index.writer.clear()
    assert (index.revision, len(index), ids(index)) == (0, 0, [])


def test_a_closed_index_opens_as_it_was(
    request: pytest.FixtureRequest, index: VectorIndex, tmp_path: Path, metric: Metric
) -> None:
    fill(index)
    index.writer.mark(3)
    index.close()
    with request.node.callspec.params["index"](tmp_path, metric) as again:
        assert (again.revision, len(again), ids(again)) == (3, 4, ["a", "b", "c"])
