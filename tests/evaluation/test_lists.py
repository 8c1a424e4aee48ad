from __future__ import annotations

from collections import Counter
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.evaluation.results import CategoryResult
from sartor.evaluation.retrieval import category_results, confusion, list_statistics, macro

SEEDS = st.integers(0, 2**32 - 1)
NAMES = ["", "shirt", "shoe", "bag", "hat"]


def some_lists(rng: np.random.Generator, queries: int, size: int, k: int) -> np.ndarray:
    """Lists of different products, some of them shorter than ``k``."""
    lists = np.full((queries, k), -1)
    for row in lists:
        shown = rng.permutation(size)[: rng.integers(0, k + 1)]
        row[: len(shown)] = shown
    return lists


@given(SEEDS, st.integers(0, 12), st.integers(0, 150), st.integers(1, 5), st.integers(0, 6))
def test_statistics_are_what_counting_says(seed: int, queries: int, size: int, k: int, examples: int) -> None:
    lists = some_lists(np.random.default_rng(seed), queries, size, k)
    ids = [f"p{place}" for place in range(size)]
    found = list_statistics(lists, product_ids=ids, copies=0.25, examples=examples)
    counts = Counter(dict.fromkeys(ids, 0))
    counts.update(ids[place] for place in lists.ravel().tolist() if place >= 0)
    never = [name for name in ids if not counts[name]]
    assert (found.k, found.copies, found.never_shown) == (k, 0.25, len(never))
    assert found.never_shown_ids == tuple(never[:examples])
    assert found.coverage == pytest.approx((size - len(never)) / size if size else 0)
    by_count = sorted(ids, key=lambda name: -counts[name])  # stable
    assert found.most_shown == tuple((name, counts[name]) for name in by_count[:examples] if counts[name])
    top = sum(counts[name] for name in by_count[: -(-size // 100)])
    assert found.in_most_lists == pytest.approx(top / counts.total() if counts.total() else 0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20).filter(lambda counts: len(set(counts)) > 1))
def test_hubness_is_the_skewness_of_scipy(counts: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    lists = np.repeat(np.arange(len(counts)), counts)[:, np.newaxis]
    found = list_statistics(lists, product_ids=[str(place) for place in range(len(counts))], copies=0.0)
    assert found.hubness == pytest.approx(stats.skew(counts), abs=1e-9)


def test_where_all_are_shown_alike_there_are_no_hubs() -> None:
    found = list_statistics(np.array([[1, 2], [2, 0], [0, 1]]), product_ids=["a", "b", "c"], copies=0.0)
    assert (found.hubness, found.coverage, found.never_shown, found.never_shown_ids) == (0, 1, 0, ())


def test_one_product_in_all_lists_is_a_hub() -> None:
    lists = np.array([[1], [0], [0], [0]])
    found = list_statistics(lists, product_ids=["hub", "b", "c", "d"], copies=0.0)
    assert found.most_shown == (("hub", 3), ("b", 1))
    assert found.in_most_lists == 0.75
    assert found.hubness > 0


@given(SEEDS, st.integers(0, 12), st.integers(0, 12), st.integers(1, 5))
def test_confusion_is_what_counting_says(seed: int, queries: int, size: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    lists = some_lists(rng, queries, size, 3)
    mine, theirs = rng.choice(NAMES, queries).astype(np.str_), rng.choice(NAMES, size).astype(np.str_)
    found = confusion(lists, mine, theirs, most=most)
    pairs = Counter(
        (str(label), str(theirs[place]))
        for label, row in zip(mine, lists, strict=True)
        for place in row
        if place >= 0
    )
    asked = Counter(str(label) for label, row in zip(mine, lists, strict=True) if label and (row >= 0).any())
    assert found.categories == tuple(sorted(asked, key=lambda name: (-asked[name], name))[:most])
    assert found.found == (*found.categories, "other")
    assert found.shares.shape == (len(found.categories), len(found.found))
    for category, row in zip(found.categories, found.shares, strict=True):
        total = sum(pairs[category, name] for name in NAMES)
        named = [pairs[category, name] / total for name in found.categories]
        np.testing.assert_allclose(row, [*named, 1 - sum(named)], atol=1e-12)
        assert row.sum() == pytest.approx(1)


@given(SEEDS, st.integers(0, 30), st.integers(1, 4))
def test_categories_have_the_means_of_their_queries(seed: int, queries: int, fewest: int) -> None:
    rng = np.random.default_rng(seed)
    labels, totals = rng.choice(NAMES, queries).astype(np.str_), rng.integers(0, 9, queries)
    values = rng.choice([0.0, 0.5, 1.0, nan], queries)
    found = category_results({"mAP@R": values}, labels, totals, fewest=fewest)
    counts = Counter(label for label in labels.tolist() if label)
    assert [each.category for each in found] == sorted(
        (name for name in counts if counts[name] >= fewest), key=lambda name: (-counts[name], name)
    )
    for each in found:
        inside = labels == each.category
        known = values[inside & ~np.isnan(values)]
        mean = known.mean() if len(known) else nan
        assert each.queries == counts[each.category]
        assert each.in_gallery == pytest.approx(totals[inside].mean())
        assert each.metrics["mAP@R"] == pytest.approx(mean, nan_ok=True)


def category(value: float, queries: int) -> CategoryResult:
    return CategoryResult(category="", queries=queries, in_gallery=1.0, metrics={"mAP@R": value})


def test_the_macro_mean_counts_categories_alike_and_leaves_nan_out() -> None:
    assert macro([category(1.0, 99), category(0.5, 1), category(nan, 50)]) == {"mAP@R": 0.75}
    assert macro([category(nan, 1)]) == pytest.approx({"mAP@R": nan}, nan_ok=True)
    assert macro([]) == {}
