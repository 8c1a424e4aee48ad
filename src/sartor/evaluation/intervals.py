"""Intervals and paired tests of many metrics at once, over the same resampled queries.

``agreement`` has the same for one metric; here a round is one row of a matrix product, whatever the number of
metrics, which is what makes tens of thousands of queries affordable. Shapes: q queries, c metrics, r rounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.agreement import Interval, PairedTest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.evaluation.agreement import Values

_BLOCK_BYTES = 16 << 20  # of rounds held at once
_PERCENTILES = (2.5, 97.5)
_ROUNDING = 1e-12  # sums of the same differences in another order may differ by so much a query


def intervals(
    scores: Mapping[str, Values], *, rng: np.random.Generator, rounds: int = 1000
) -> dict[str, Interval]:
    """Mean and 95 % percentile bootstrap interval of each metric.

    All queries are resampled, and a round's mean is that of the values which are defined in it.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Args:
        scores: ``(q,)`` for each metric, of the same queries; NaN is left out.
        rng: Draws the samples.
        rounds: How many samples.
    """
    if not scores:
        return {}
    values = np.stack(list(scores.values()), axis=1)  # (q, c)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    sums, counts = np.hsplit(_resampled(np.hstack([filled, known]), rng=rng, rounds=rounds), 2)  # each (r, c)
    return {
        name: _interval(filled[:, place], int(known[:, place].sum()), sums[:, place], counts[:, place])
        for place, name in enumerate(scores)
    }


def paired_tests(
    new: Mapping[str, Values], old: Mapping[str, Values], *, rng: np.random.Generator, rounds: int = 2000
) -> dict[str, PairedTest]:
    """Test for each metric that both have whether ``new`` is higher, by flipping signs of differences at random.

    The observed difference counts as one of the rounds, so that p is never 0. A query's sign is the same for all
    metrics of a round.

    Source: Phipson and Smyth, Permutation P-values Should Never Be Zero, 2010.

    Args:
        new: ``(q,)`` for each metric; a query that either lacks, with NaN, is left out.
        old: ``(q,)`` for each metric, of the same queries.
        rng: Draws the samples, then the signs.
        rounds: How many times.
    """
    differences = {name: values - old[name] for name, values in new.items() if name in old}
    if not differences:
        return {}
    within = intervals(differences, rng=rng, rounds=rounds)
    as_high = _as_high(np.nan_to_num(np.stack(list(differences.values()), axis=1)), rng=rng, rounds=rounds)
    return {
        name: PairedTest(
            difference=interval.mean,
            low=interval.low,
            high=interval.high,
            p_value=(1 + int(times)) / (1 + rounds),
            count=interval.count,
        )
        for (name, interval), times in zip(within.items(), as_high, strict=True)
    }


def _interval(filled: Values, count: int, sums: Values, counts: Values) -> Interval:
    """The interval of a metric, from its values ``(q,)`` and the sums and counts of its rounds, each ``(r,)``."""
    if not count:
        return Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
    mean = float(filled.sum()) / count
    drawn = counts > 0  # a metric that few queries have may be missing from a round
    means = sums[drawn] / counts[drawn] if drawn.any() else np.array([mean])
    low, high = np.percentile(means, _PERCENTILES)
    return Interval(mean=mean, low=float(low), high=float(high), count=count)


def _resampled(columns: Values, *, rng: np.random.Generator, rounds: int) -> Values:
    """Sums of ``(q, c)`` columns over queries drawn with replacement, ``(rounds, c)``."""
    size = len(columns)
    totals = np.zeros((rounds, columns.shape[1]))
    if not size:
        return totals
    for block in _blocks(rounds, size):
        drawn = rng.integers(size, size=(len(totals[block]), size))  # (r, q)
        counts = [np.bincount(each, minlength=size) for each in drawn]
        totals[block] = np.array(counts, np.float64) @ columns  # (r, q) @ (q, c)
    return totals


def _as_high(differences: Values, *, rng: np.random.Generator, rounds: int) -> Values:
    """In how many rounds of random signs the sums of ``(q, c)`` differences are as high as they are, ``(c,)``."""
    size = len(differences)
    observed = differences.sum(axis=0)
    times = np.zeros(differences.shape[1])
    for block in _blocks(rounds, size):
        bits = rng.integers(256, size=(len(range(rounds)[block]), (size + 7) // 8), dtype=np.uint8)
        kept = np.unpackbits(bits, axis=1, count=size).astype(np.float64)  # (r, q), 1 where the sign is kept
        times += (2 * (kept @ differences) - observed >= observed - _ROUNDING * size).sum(axis=0)
    return times


def _blocks(rounds: int, size: int) -> list[slice]:
    """Slices of the rounds, of which each takes ``size`` float64 of memory."""
    step = max(1, _BLOCK_BYTES // (8 * max(1, size)))
    return [slice(start, start + step) for start in range(0, rounds, step)]
