from __future__ import annotations

from itertools import product
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.evaluation.intervals import Interval, bootstrap_interval, intervals, paired_test, paired_tests

SEEDS = st.integers(0, 2**32 - 1)
SCORES = st.sampled_from([0.0, 0.2, 0.25, 1.0, nan])
ROWS = st.lists(st.tuples(SCORES, SCORES), max_size=20)


def columns(rows: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array(rows, np.float64).reshape(-1, 2).T
    return first, second


@given(SEEDS, ROWS)
def test_an_interval_lies_within_its_values_and_leaves_nan_out(seed: int, rows: list[tuple[float, float]]) -> None:
    first, second = columns(rows)
    found = intervals({"first": first, "second": second}, rng=np.random.default_rng(seed), rounds=20)
    assert list(found) == ["first", "second"]
    for values, interval in zip((first, second), found.values(), strict=True):
        known = values[~np.isnan(values)]
        assert interval.count == len(known)
        if len(known):
            assert interval.mean == pytest.approx(known.mean())
            assert known.min() - 1e-9 <= interval.low <= interval.high <= known.max() + 1e-9
        else:
            assert isnan(interval.mean)
            assert isnan(interval.low)
            assert isnan(interval.high)


def test_intervals_are_about_those_of_one_metric_alone() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 1, 300)
    values[::3] = nan
    (found,) = intervals({"metric": values}, rng=rng, rounds=3000).values()
    alone = bootstrap_interval(values, rng=rng, rounds=3000)
    assert [found.mean, found.count] == [pytest.approx(alone.mean), alone.count]
    assert found.low == pytest.approx(alone.low, abs=0.005)
    assert found.high == pytest.approx(alone.high, abs=0.005)


def test_metrics_are_resampled_together_and_repeat() -> None:
    values = np.random.default_rng(2).uniform(0, 1, 50)
    scores = {"one": values, "half": values / 2}
    found = intervals(scores, rng=np.random.default_rng(3))
    assert found["half"].low == pytest.approx(found["one"].low / 2)
    assert found["half"].high == pytest.approx(found["one"].high / 2)
    assert found == intervals(scores, rng=np.random.default_rng(3))


def test_an_interval_covers_the_mean_as_often_as_it_should() -> None:
    rng = np.random.default_rng(4)
    samples = {str(place): rng.normal(0.5, 0.1, 80) for place in range(400)}  # resampled alike, but independent
    covered = [each.low <= 0.5 <= each.high for each in intervals(samples, rng=rng).values()]
    assert 0.9 < np.mean(covered) < 0.98


def test_nothing_has_no_interval_and_a_metric_missing_from_every_round_has_its_mean() -> None:
    rng = np.random.default_rng(5)
    assert intervals({}, rng=rng) == {}
    assert paired_tests({"a": np.ones(3)}, {"b": np.ones(3)}, rng=rng) == {}
    lonely = np.full(10_000, nan)
    lonely[7] = 0.25
    seeds = (np.random.default_rng(seed) for seed in range(12))
    found = {intervals({"metric": lonely}, rng=seed, rounds=1)["metric"] for seed in seeds}
    assert found == {Interval(mean=0.25, low=0.25, high=0.25, count=1)}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-8, 8), min_size=1, max_size=8))
def test_p_is_the_share_of_all_sign_flips_that_are_as_high(eighths: list[int]) -> None:
    differences = np.array(eighths) / 8
    flips = np.array(list(product([-1, 1], repeat=len(eighths)))) @ differences
    exact = np.mean(flips >= differences.sum())
    zeros = np.zeros(len(eighths))
    found = paired_tests({"metric": differences}, {"metric": zeros}, rng=np.random.default_rng(6), rounds=2000)
    assert found["metric"].p_value == pytest.approx(exact, abs=0.05)
    assert found["metric"].difference == pytest.approx(differences.mean())


def test_what_is_better_on_nearly_all_is_significant_one_way_only() -> None:
    rng = np.random.default_rng(7)
    old = {"recall@5": rng.uniform(0, 1, 100), "mAP@R": rng.uniform(0, 1, 100), "only old": np.ones(100)}
    new = {name: values + rng.normal(0.1, 0.05, 100) for name, values in old.items() if name != "only old"}
    better, worse = paired_tests(new, old, rng=rng), paired_tests(old, new, rng=rng)
    assert list(better) == ["recall@5", "mAP@R"]
    assert set(better) == set(worse)
    for name, test in better.items():
        assert test.p_value == 1 / 2001
        assert 0 < test.low < test.difference < test.high
        assert worse[name].p_value > 0.99


@given(SEEDS, ROWS)
def test_what_is_equal_is_never_better_and_queries_are_those_that_both_have(
    seed: int, rows: list[tuple[float, float]]
) -> None:
    new, old = columns(rows)
    scores = {"other": new, "same": old}
    found = paired_tests(scores, {"other": old, "same": old}, rng=np.random.default_rng(seed), rounds=20)
    assert found["same"].p_value == 1
    assert found["other"].count == int((~np.isnan(new - old)).sum())
    alone = paired_test(new, old, rng=np.random.default_rng(seed), rounds=20)
    assert found["other"].count == alone.count
    assert found["other"].difference == pytest.approx(alone.difference, nan_ok=True)


def test_chance_alone_is_significant_as_often_as_it_should_be() -> None:
    rng = np.random.default_rng(8)
    new, old = ({str(place): rng.normal(size=40) for place in range(400)} for _ in range(2))
    found = paired_tests(new, old, rng=rng, rounds=500)
    assert 0.02 < np.mean([test.p_value <= 0.05 for test in found.values()]) < 0.09


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


def test_one_metric_that_is_better_on_nearly_all_is_significant_one_way_only() -> None:
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


def test_chance_alone_is_significant_as_often_as_it_should_be_with_one_metric() -> None:
    rng = np.random.default_rng(4)
    p_values = [
        paired_test(rng.normal(size=30), rng.normal(size=30), rng=rng, rounds=99).p_value for _ in range(400)
    ]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.09
