"""Bootstrap intervals of means, and paired tests of whether one model scores higher than another.

Every interval resamples queries (or people, or answers) with replacement, all metrics of a query together: a round
is then one row of a matrix product, whatever the number of metrics. Shapes: q queries, c metrics, r rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    Values: TypeAlias = npt.NDArray[np.float64]

# Draws for a number of rounds whether each query's difference keeps its sign, (r, q) of 0 and 1.
DrawSigns: TypeAlias = "Callable[[int], npt.NDArray[np.integer]]"

_PERCENTILES = (2.5, 97.5)
_ROUNDS_BYTES = 16 << 20  # memory for the rounds that are computed at once
_ROUNDING_PER_QUERY = 1e-12  # how much sums of the same differences in another order may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over ``count`` values with its 95 % interval; NaN if there are no values."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Whether one model scores higher than another on the same queries.

    Attributes:
        difference: Mean of new minus old; NaN without queries.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p_value: One-sided: how often chance alone gives this difference or a larger one.
        count: Queries that have a score from both.
    """

    difference: float
    low: float
    high: float
    p_value: float
    count: int


def intervals(
    scores: Mapping[str, Values], *, rng: np.random.Generator, rounds: int = 1000
) -> dict[str, Interval]:
    """Mean and 95 % percentile bootstrap interval of each metric.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Args:
        scores: ``(q,)`` for each metric, of the same queries. All queries are resampled; NaN is left out of means.
        rng: Draws the samples.
        rounds: Number of samples.
    """
    if not scores:
        return {}
    values = np.stack(list(scores.values()), axis=1)  # (q, c)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    sums, counts = np.hsplit(resampled_sums(np.hstack([filled, known]), rng=rng, rounds=rounds), 2)  # each (r, c)
    means = sums / np.where(counts > 0, counts, np.nan)  # a metric that few queries have may be missing in a round
    found = {}
    for column, name in enumerate(scores):
        count = int(known[:, column].sum())
        mean = float(filled[:, column].sum()) / max(count, 1)
        found[name] = percentile_interval(mean, means[:, column], count=count)
    return found


def bootstrap_interval(values: Values, *, rng: np.random.Generator, rounds: int = 1000) -> Interval:
    """The same for one metric, ``(q,)``: here only queries that have a value are resampled."""
    return intervals({"": values[~np.isnan(values)]}, rng=rng, rounds=rounds)[""]


def paired_tests(
    new: Mapping[str, Values], old: Mapping[str, Values], *, rng: np.random.Generator, rounds: int = 2000
) -> dict[str, PairedTest]:
    """Test for each metric that both have whether ``new`` is higher, by flipping signs of differences at random.

    The observed difference counts as one of the rounds, so that p is never 0. In each round a query has the same
    sign for all metrics.

    Source: Phipson and Smyth, Permutation P-values Should Never Be Zero, 2010.

    Args:
        new: ``(q,)`` for each metric; queries with NaN in either are left out.
        old: ``(q,)`` for each metric, of the same queries.
        rng: Draws the samples, then the signs.
        rounds: Number of samples, and of sign flips.
    """
    differences = {name: values - old[name] for name, values in new.items() if name in old}
    if not differences:
        return {}
    count = len(next(iter(differences.values())))

    def draw_signs(rounds: int) -> npt.NDArray[np.integer]:
        bits = rng.integers(256, size=(rounds, (count + 7) // 8), dtype=np.uint8)
        return np.unpackbits(bits, axis=1, count=count)

    within = intervals(differences, rng=rng, rounds=rounds)
    columns = np.nan_to_num(np.stack(list(differences.values()), axis=1))  # (q, c)
    p_values = _p_values(columns, draw_signs, rounds=rounds)
    return {name: _test(interval, float(p)) for (name, interval), p in zip(within.items(), p_values, strict=True)}


def paired_test(new: Values, old: Values, *, rng: np.random.Generator, rounds: int = 2000) -> PairedTest:
    """The same for one metric, ``(q,)`` each: here only queries that have both scores are resampled."""
    differences = new - old
    differences = differences[~np.isnan(differences)]
    interval = bootstrap_interval(differences, rng=rng, rounds=rounds)

    def draw_signs(rounds: int) -> npt.NDArray[np.integer]:
        return rng.integers(2, size=(rounds, len(differences)))

    return _test(interval, float(_p_values(differences[:, np.newaxis], draw_signs, rounds=rounds)[0]))


def resampled_sums(columns: Values, *, rng: np.random.Generator, rounds: int) -> Values:
    """Sums of ``(q, c)`` columns over rows drawn with replacement, ``(rounds, c)``."""
    size = len(columns)
    sums = np.zeros((rounds, columns.shape[1]))
    if not size:
        return sums
    for block in _blocks(rounds, size):
        drawn = rng.integers(size, size=(len(sums[block]), size))  # (r, q)
        counts = [np.bincount(rows, minlength=size) for rows in drawn]
        sums[block] = np.array(counts, np.float64) @ columns  # (r, q) @ (q, c)
    return sums


def percentile_interval(mean: float, sampled: Values, *, count: int) -> Interval:
    """The 95 % interval of a mean from the means of ``(r,)`` samples; NaN among them is left out."""
    if not count or np.isnan(mean):
        return Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
    known = sampled[~np.isnan(sampled)]
    low, high = np.percentile(known if len(known) else mean, _PERCENTILES)
    return Interval(mean=mean, low=float(low), high=float(high), count=count)


def _test(interval: Interval, p_value: float) -> PairedTest:
    return PairedTest(
        difference=interval.mean, low=interval.low, high=interval.high, p_value=p_value, count=interval.count
    )


def _p_values(differences: Values, draw_signs: DrawSigns, *, rounds: int) -> Values:
    """How often ``(q, c)`` differences with random signs sum to as much as they do, ``(c,)`` in (0, 1]."""
    observed = differences.sum(axis=0)
    as_high = np.zeros(differences.shape[1])
    for block in _blocks(rounds, len(differences)):
        kept = draw_signs(len(range(rounds)[block])).astype(np.float64)  # (r, q)
        sums = 2 * (kept @ differences) - observed
        as_high += (sums >= observed - _ROUNDING_PER_QUERY * len(differences)).sum(axis=0)
    return np.asarray((1 + as_high) / (1 + rounds))


def _blocks(rounds: int, size: int) -> list[slice]:
    """Slices of the rounds, each with at most ``_ROUNDS_BYTES`` of float64 for ``size`` queries."""
    step = max(1, _ROUNDS_BYTES // (8 * max(1, size)))
    return [slice(start, start + step) for start in range(0, rounds, step)]
