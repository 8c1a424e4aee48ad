from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.evaluation import intervals as module
from sartor.evaluation.intervals import (
    Interval,
    agreement,
    bootstrap_interval,
    joint_agreement,
    mean_agreement,
    nearest,
    paired_test,
)

SEEDS = st.integers(0, 2**32 - 1)


def rows(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.normal(size=(count, 4))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(SEEDS, st.integers(1, 12), st.integers(1, 30), st.integers(1, 9), st.integers(1, 500))
def test_neighbors_are_those_of_a_full_sort_whatever_the_block(
    seed: int, queries: int, size: int, k: int, block_bytes: int
) -> None:
    rng = np.random.default_rng(seed)
    gallery, wanted = rows(rng, size), rows(rng, queries)
    own = rng.integers(-1, size, queries)
    inside = own >= 0
    wanted[inside] = gallery[own[inside]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_BYTES", block_bytes)
        found = nearest(wanted, gallery, k=k, own=own)
    assert found.shape == (queries, min(k, size - int(inside.any())))
    for row, query, self_ in zip(found, wanted, own, strict=True):
        scores = gallery.astype(np.float64) @ query
        others = np.delete(scores, self_) if self_ >= 0 else scores
        assert self_ not in row
        assert len(set(row.tolist())) == len(row)
        np.testing.assert_allclose(scores[row], np.sort(others)[::-1][: len(row)], atol=1e-6)


def test_equals_stand_in_the_order_of_the_gallery() -> None:
    gallery = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32)
    assert nearest(gallery[1:2], gallery, k=9, own=np.array([2])).tolist() == [[1, 3, 0]]


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


@given(SEEDS, st.lists(st.floats(-1, 1) | st.just(np.nan), max_size=40))
def test_an_interval_lies_within_its_values_and_repeats(seed: int, values: list[float]) -> None:
    given_, known = np.array(values, np.float64), [value for value in values if not np.isnan(value)]
    interval = bootstrap_interval(given_, rng=np.random.default_rng(seed), rounds=50)
    assert interval.count == len(known)
    if known:
        assert min(known) - 1e-12 <= interval.low <= interval.high <= max(known) + 1e-12
        assert interval == bootstrap_interval(given_, rng=np.random.default_rng(seed), rounds=50)
    else:
        assert np.isnan([interval.mean, interval.low, interval.high]).all()


def test_an_interval_covers_the_mean_of_a_sample() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    interval = bootstrap_interval(values, rng=np.random.default_rng(2))
    assert interval.low < interval.mean < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.1 / 20, rel=0.2)
    assert isinstance(interval, Interval)


def test_what_is_better_on_nearly_all_is_significant_one_way_only() -> None:
    rng = np.random.default_rng(3)
    old = rng.uniform(0, 1, 100)
    new = old + rng.normal(0.1, 0.05, 100)
    better = paired_test(new, old, rng=rng)
    assert better.p_value == 1 / 2001
    assert 0 < better.low < better.difference < better.high
    assert paired_test(old, new, rng=rng).p_value > 0.99


@given(SEEDS, st.lists(st.sampled_from([0.0, 0.2, 0.4, 1.0, np.nan]), max_size=20))
def test_what_is_equal_is_never_better(seed: int, scores: list[float]) -> None:
    values = np.array(scores, np.float64)
    test = paired_test(values, values, rng=np.random.default_rng(seed), rounds=20)
    assert test.p_value == 1
    assert test.count == int((~np.isnan(values)).sum())


def test_chance_alone_is_significant_as_often_as_it_should_be() -> None:
    rng = np.random.default_rng(4)
    p_values = [
        paired_test(rng.normal(size=30), rng.normal(size=30), rng=rng, rounds=99).p_value for _ in range(400)
    ]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.09
