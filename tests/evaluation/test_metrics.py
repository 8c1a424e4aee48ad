from __future__ import annotations

from itertools import combinations
from math import log2, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.evaluation import ranking
from sartor.evaluation.metrics import (
    agreement,
    average_precision_at_r,
    calibration_error,
    coverage,
    diversity,
    hit_rate_at_k,
    joint_agreement,
    mean_agreement,
    measure,
    metric_names,
    ndcg_at_k,
    novelty,
    precision_at_k,
    recall_at_k,
    reliability,
)
from sartor.evaluation.ranking import Gallery, nearest
from sartor.evaluation.relevance import MappedLabels, SameLabels, SameProduct

SEEDS = st.integers(0, 2**32 - 1)


def gallery_of_photos(vectors: np.ndarray) -> Gallery:
    """Each photo is a product."""
    return Gallery(vectors=vectors, firsts=np.arange(len(vectors)))


def by_definition(marks: list[bool], k: int) -> dict[str, float]:
    """The metrics of one query, from whether each candidate is relevant, the closest first."""
    total, first = sum(marks), marks[:k]
    if not marks:
        return dict.fromkeys(metric_names([k]), nan)
    if not total:
        return {**dict.fromkeys(metric_names([k]), nan), f"precision@{k}": 0.0}
    ideal = sum(1 / log2(i + 1) for i in range(1, min(k, total) + 1))
    return {
        f"precision@{k}": sum(first) / len(first),
        f"hit rate@{k}": float(any(first)),
        f"recall@{k}": sum(first) / total,
        f"nDCG@{k}": sum(mark / log2(i + 1) for i, mark in enumerate(first, 1)) / ideal,
        "mAP@R": sum(mark * sum(marks[:i]) / i for i, mark in enumerate(marks[:total], 1)) / total,
    }


def of_one(marks: list[bool], k: int) -> dict[str, float]:
    relevant, totals = np.array([marks], np.bool_), np.array([sum(marks)])
    return {
        f"precision@{k}": precision_at_k(relevant, k=k)[0],
        f"hit rate@{k}": hit_rate_at_k(relevant, totals, k=k)[0],
        f"recall@{k}": recall_at_k(relevant, totals, k=k)[0],
        f"nDCG@{k}": ndcg_at_k(relevant, totals, k=k)[0],
        "mAP@R": average_precision_at_r(relevant, totals)[0],
    }


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 25))
def test_metrics_are_what_their_definitions_say(marks: list[bool], k: int) -> None:
    assert of_one(marks, k) == pytest.approx(by_definition(marks, k), nan_ok=True)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.booleans(), min_size=2, max_size=20).filter(any), st.integers(1, 25))
def test_metrics_are_those_of_scikit_learn(marks: list[bool], k: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    falling = np.arange(len(marks), 0, -1)
    found = of_one(marks, k)
    assert found[f"nDCG@{k}"] == pytest.approx(sklearn.ndcg_score([marks], [falling], k=k))
    first = marks[: sum(marks)]  # scikit-learn divides by the relevant ones in the list, mAP@R by all
    average = sklearn.average_precision_score(first, falling[: len(first)]) if any(first) else 0.0
    assert found["mAP@R"] == pytest.approx(average * sum(first) / sum(marks))


@given(st.integers(1, 12), st.integers(0, 12), st.integers(1, 15))
def test_the_best_ranking_scores_1_and_the_worst_none_within_its_first(found: int, other: int, k: int) -> None:
    best = of_one([True] * found + [False] * other, k)
    assert [best["mAP@R"], best[f"nDCG@{k}"], best[f"hit rate@{k}"]] == [pytest.approx(1)] * 3
    worst = of_one([False] * other + [True] * found, k)
    assert worst[f"hit rate@{k}"] == (k > other)
    assert worst[f"nDCG@{k}"] <= best[f"nDCG@{k}"] <= 1


def test_rows_of_a_block_are_judged_apart() -> None:
    relevant = np.array([[True, False, True], [False, False, False], [False, True, False]])
    totals = np.array([2, 0, 1])
    np.testing.assert_allclose(precision_at_k(relevant, k=2), [0.5, 0, 0.5])
    np.testing.assert_allclose(recall_at_k(relevant, totals, k=2), [0.5, nan, 1])
    np.testing.assert_allclose(average_precision_at_r(relevant, totals), [0.5, nan, 0])


def neighbors_by_definition(query: np.ndarray, gallery: Gallery, own: int) -> list[int]:
    photos = np.split(gallery.vectors, gallery.firsts[1:])[: gallery.products]
    scores = [float((own_photos @ query).max()) for own_photos in photos]
    return sorted((place for place in range(len(scores)) if place != own), key=lambda place: -scores[place])


@settings(deadline=None, max_examples=50)
@given(SEEDS, st.integers(0, 8), st.integers(0, 15), st.integers(1, 4), st.integers(200, 3000))
def test_all_queries_are_measured_by_every_relevance(
    seed: int, queries: int, size: int, classes: int, block_bytes: int
) -> None:
    rng = np.random.default_rng(seed)
    photos = rng.integers(1, 3, size)
    vectors = rng.integers(-1, 2, (int(photos.sum()), 3)).astype(np.float32)  # exact scores with many equals
    gallery = Gallery(vectors=vectors, firsts=np.cumsum(photos) - photos)
    asked, own = rng.integers(-1, 2, (queries, 3)).astype(np.float32), rng.integers(-1, size, queries)
    names = np.array(["", "a", "b", "c"][:classes], np.str_)
    mine, theirs = rng.choice(names, queries), rng.choice(names, size)
    relevances = [SameLabels([mine], [theirs], own), MappedLabels(mine, theirs, own, {"a": {"b", "c"}})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_BLOCK_BYTES", block_bytes)
        measured = measure(asked, gallery, relevances, own=own, ks=(1, 6))
    assert measured.neighbors.shape == (queries, 6)
    assert [tuple(each) for each in measured.scores] == [metric_names((1, 6))] * 2
    wanted = [{label: {label} for label in "abc"}, {"a": {"b", "c"}}]
    for row in range(queries):
        places = neighbors_by_definition(asked[row], gallery, own[row])
        assert measured.neighbors[row].tolist() == (places + [-1] * 6)[:6]
        for scores, names_of in zip(measured.scores, wanted, strict=True):
            marks = [theirs[place] in names_of.get(str(mine[row]), ()) for place in places]
            expected = {**by_definition(marks, 1), **by_definition(marks, 6)}
            if str(mine[row]) not in names_of:
                expected = dict.fromkeys(expected, nan)
            assert {name: values[row] for name, values in scores.items()} == pytest.approx(expected, nan_ok=True)


def test_a_photo_of_a_product_finds_that_product() -> None:
    gallery = Gallery(vectors=np.eye(3, dtype=np.float32)[[0, 1, 2]], firsts=np.array([0, 2]))
    outside = np.full(3, -1)
    asked = np.eye(3, dtype=np.float32)
    measured = measure(asked, gallery, [SameProduct(np.array([0, 0, -1]))], own=outside, ks=(1, 5))
    assert measured.neighbors.tolist() == [[0, 1, -1, -1, -1], [0, 1, -1, -1, -1], [1, 0, -1, -1, -1]]
    np.testing.assert_array_equal(measured.scores[0]["hit rate@1"], [1, 1, nan])
    np.testing.assert_array_equal(measured.scores[0]["precision@5"], [0.5, 0.5, nan])


def test_in_a_gallery_of_one_class_everything_is_right() -> None:
    rng = np.random.default_rng(3)
    vectors, own, labels = rng.normal(size=(9, 4)).astype(np.float32), np.arange(9), np.full(9, "shirt")
    measured = measure(
        vectors, gallery_of_photos(vectors), [SameLabels([labels], [labels], own)], own=own, ks=(20,)
    )
    assert all(values == pytest.approx(np.ones(9)) for values in measured.scores[0].values())


def test_a_query_alone_in_its_gallery_has_no_neighbors_and_no_agreement() -> None:
    found = nearest(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), k=5, own=np.array([0]))
    assert found.shape == (1, 0)
    assert np.isnan(agreement(found, np.array(["a"]), np.array(["a"]))).all()


def test_agreement_is_the_share_with_the_same_label() -> None:
    neighbors = np.array([[0, 1, 2, 3], [0, 1, 2, 3], [3, 2, 1, 0]])
    shares = agreement(neighbors, np.array(["red", "", "pink"]), np.array(["red", "red", "blue", ""]))
    np.testing.assert_array_equal(shares, [0.5, np.nan, 0])


@given(SEEDS, st.integers(1, 20), st.integers(1, 9))
def test_agreeing_in_all_is_rarer_than_in_each_and_the_mean_lies_between(seed: int, queries: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    neighbors = rng.integers(0, 30, (queries, k))
    mine = [rng.choice(["", "a", "b"], queries) for _ in range(2)]
    theirs = [rng.choice(["", "a", "b"], 30) for _ in range(2)]
    each = np.array([agreement(neighbors, *pair) for pair in zip(mine, theirs, strict=True)])
    joint, mean = joint_agreement(neighbors, mine, theirs), mean_agreement(neighbors, mine, theirs)
    assert np.array_equal(np.isnan(joint), np.isnan(each).any(axis=0))
    assert np.array_equal(np.isnan(mean), np.isnan(each).all(axis=0))
    both = ~np.isnan(joint)
    assert (joint[both] <= each[:, both].min(axis=0)).all()
    np.testing.assert_allclose(mean[both], each[:, both].mean(axis=0))
    one = np.isnan(each).sum(axis=0) == 1
    np.testing.assert_array_equal(mean[one], np.nansum(each[:, one], axis=0))


PRODUCTS = 8
LISTS = st.lists(
    st.lists(st.integers(0, PRODUCTS - 1), unique=True, max_size=5).map(lambda rows: np.array(rows, np.int64)),
    max_size=5,
)


@given(LISTS)
def test_novelty_diversity_and_coverage_are_what_their_definitions_say(lists: list[np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    styles = rng.standard_normal((PRODUCTS, 4)).astype(np.float32)
    styles /= np.linalg.norm(styles, axis=1, keepdims=True)
    people = rng.integers(0, 10, PRODUCTS)
    told = zip(lists, novelty(lists, people, total=10), diversity(lists, styles), strict=True)
    for rows, new, differs in told:
        if len(rows):
            assert new == pytest.approx(np.mean([-np.log2((people[row] + 1) / 11) for row in rows]))
        else:
            assert np.isnan(new)
        if len(rows) > 1:
            pairs = [1 - styles[one] @ styles[other] for one, other in combinations(rows, 2)]
            assert differs == pytest.approx(np.mean(pairs), abs=1e-5)
        else:
            assert np.isnan(differs)
    shown = {int(row) for rows in lists for row in rows}
    assert coverage(lists, products=PRODUCTS) == pytest.approx(len(shown) / PRODUCTS)


def test_what_all_know_is_not_novel() -> None:
    assert novelty([np.array([0])], np.array([10]), total=10)[0] == 0


def test_of_no_lists_nothing_is_covered() -> None:
    assert coverage([], products=3) == 0


def test_each_bin_tells_what_was_said_and_what_is_right() -> None:
    low, high = reliability(np.array([0.12, 0.18, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0]))

    assert (low.said, low.right, low.count) == (pytest.approx(0.15), 0.5, 2)
    assert (high.said, high.right, high.count) == (pytest.approx(0.975), 1.0, 2)
    assert calibration_error((low, high)) == pytest.approx((0.35 + 0.025) / 2)


def test_what_keeps_its_word_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    said = rng.random(20_000)
    right = (rng.random(20_000) < said).astype(float)

    assert calibration_error(reliability(said, right)) < 0.02
    assert calibration_error(reliability(said, 1 - right)) > 0.4


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50))
def test_no_answer_is_lost(answers: list[tuple[float, bool]]) -> None:
    bins = reliability(np.array([said for said, _ in answers]), np.array([float(right) for _, right in answers]))

    assert sum(each.count for each in bins) == len(answers)
    assert 0 <= calibration_error(bins) <= 1
