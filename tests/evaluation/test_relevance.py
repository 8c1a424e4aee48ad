from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation.relevance import MappedLabels, Relevance, SameLabels, SameProduct

SEEDS = st.integers(0, 2**32 - 1)
NAMES = ["", "red", "pink", "blue"]


def drawn(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.choice(NAMES, count).astype(np.str_)


def check(relevance: Relevance, expected: np.ndarray, labelled: np.ndarray, own: np.ndarray) -> None:
    """Compare with ``expected``, which says of every query and product whether they are relevant."""
    queries, size = expected.shape
    every = np.broadcast_to(np.arange(size), expected.shape)
    assert relevance.labelled.tolist() == labelled.tolist()
    found = relevance.of(np.arange(queries), every)
    assert found.dtype == np.bool_
    assert found.tolist() == expected.tolist()
    some = np.arange(queries)[::-2]
    assert relevance.of(some, every[some, ::-1]).tolist() == expected[some, ::-1].tolist()
    others = [[place for place in range(size) if place != self_] for self_ in own]
    totals = [int(row[places].sum()) for row, places in zip(expected, others, strict=True)]
    assert relevance.totals.tolist() == totals


@given(SEEDS, st.integers(0, 9), st.integers(0, 12), st.integers(1, 3))
def test_products_with_the_same_labels_by_every_attribute_are_relevant(
    seed: int, queries: int, size: int, attributes: int
) -> None:
    rng = np.random.default_rng(seed)
    mine = [drawn(rng, queries) for _ in range(attributes)]
    theirs = [drawn(rng, size) for _ in range(attributes)]
    own = rng.integers(-1, size, queries)
    expected = np.array(
        [
            [all(a[q] == b[p] != "" for a, b in zip(mine, theirs, strict=True)) for p in range(size)]
            for q in range(queries)
        ],
        np.bool_,
    ).reshape(queries, size)
    labelled = np.array([all(a[q] != "" for a in mine) for q in range(queries)], np.bool_)
    check(SameLabels(mine, theirs, own), expected, labelled, own)


@given(
    SEEDS,
    st.integers(0, 9),
    st.integers(0, 12),
    st.dictionaries(st.sampled_from([*NAMES, "none"]), st.sets(st.sampled_from([*NAMES, "none"]))),
)
def test_products_with_a_mapped_label_are_relevant(
    seed: int, queries: int, size: int, names: dict[str, set[str]]
) -> None:
    rng = np.random.default_rng(seed)
    mine, theirs = drawn(rng, queries), drawn(rng, size)
    own = rng.integers(-1, size, queries)
    labelled = np.array([label != "" and label in names for label in mine.tolist()], np.bool_)
    expected = np.array(
        [
            [known and b != "" and b in names[a] for b in theirs.tolist()]
            for a, known in zip(mine.tolist(), labelled, strict=True)
        ],
        np.bool_,
    ).reshape(queries, size)
    check(MappedLabels(mine, theirs, own, names), expected, labelled, own)


def test_a_product_without_a_label_is_relevant_to_none_not_even_to_a_query_without_one() -> None:
    relevance = SameLabels([np.array(["", "red"])], [np.array(["", "red"])], np.array([-1, -1]))
    assert relevance.of(np.array([0, 1]), np.array([[0, 1], [0, 1]])).tolist() == [[False, False], [False, True]]
    assert relevance.totals.tolist() == [0, 1]


@pytest.mark.parametrize("own", [1, -1])
def test_the_query_itself_counts_only_where_it_is_not_in_the_gallery(own: int) -> None:
    mine, theirs = np.array(["red"]), np.array(["red", "red", "blue"])
    expected = 2 if own < 0 else 1
    assert SameLabels([mine], [theirs], np.array([own])).totals.tolist() == [expected]
    assert MappedLabels(mine, theirs, np.array([own]), {"red": ["red"]}).totals.tolist() == [expected]


def test_a_query_whose_label_maps_to_none_is_labelled_but_finds_nothing() -> None:
    relevance = MappedLabels(np.array(["red"]), np.array(["red"]), np.array([-1]), {"red": []})
    assert relevance.labelled.tolist() == [True]
    assert relevance.totals.tolist() == [0]


def test_one_product_is_the_same_as_the_query() -> None:
    relevance = SameProduct(np.array([2, -1]))
    assert relevance.labelled.tolist() == [True, False]
    assert relevance.totals.tolist() == [1, 0]
    places = np.array([[2, 0, 1], [2, 0, 1]])
    assert relevance.of(np.array([0, 1]), places).tolist() == [[True, False, False], [False, False, False]]
