"""Intervals and paired tests of many metrics at once, over the same resampled queries.

``agreement`` has the same for one metric; here a round is one row of a matrix product, whatever the number of
metrics, which is what makes tens of thousands of queries affordable. Shapes: q queries, c metrics, r rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.types import Matrix

    Indices: TypeAlias = npt.NDArray[np.int64]
    Labels: TypeAlias = npt.NDArray[np.str_]
    Values: TypeAlias = npt.NDArray[np.float64]


NOT_IN_GALLERY = -1


_BLOCK_BYTES = 64 << 20  # of scores held at once
_PERCENTILES = (2.5, 97.5)
_ROUNDING = 1e-12  # sums of the same differences in another order may differ by so much


def nearest(queries: Matrix, gallery: Matrix, *, k: int, own: Indices) -> Indices:
    """The ``k`` gallery rows with the highest cosine to each query, the closest first, the query itself left out.

    Args:
        queries: ``(q, d)`` float32 with unit norm.
        gallery: ``(n, d)`` float32 with unit norm.
        k: How many neighbors.
        own: ``(q,)`` index in the gallery of each query itself; -1 where it is not in it.

    Returns:
        ``(q, min(k, others))`` indices into the gallery; ``others`` counts the gallery rows that every query
        may have, one less than ``n`` as soon as a query is in it. Equals stand in the gallery's order.
    """
    count = max(0, min(k, len(gallery) - int(bool((own >= 0).any()))))
    found = np.empty((len(queries), count), np.int64)
    if not count:
        return found
    step = max(1, _BLOCK_BYTES // (4 * len(gallery)))
    for start in range(0, len(queries), step):
        mine = own[start : start + step]
        scores = queries[start : start + step] @ gallery.T  # (b, d) @ (d, n) -> (b, n) float32 in [-1, 1]
        rows = np.flatnonzero(mine >= 0)
        scores[rows, mine[rows]] = -np.inf
        best = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)  # (b, k)
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        found[start : start + step] = np.take_along_axis(best, order, axis=1)
    return found


def agreement(neighbors: Indices, query_labels: Labels, gallery_labels: Labels) -> Values:
    """Share of each query's neighbors that have its label.

    Args:
        neighbors: ``(q, k)`` indices into the gallery.
        query_labels: ``(q,)``; an empty one is none.
        gallery_labels: ``(n,)``.

    Returns:
        ``(q,)`` in [0, 1]; NaN where the query has no label, or there are no neighbors.
    """
    return joint_agreement(neighbors, [query_labels], [gallery_labels])


def joint_agreement(
    neighbors: Indices, query_labels: Sequence[Labels], gallery_labels: Sequence[Labels]
) -> Values:
    """Share of each query's neighbors that have its label by every attribute at once.

    Args:
        neighbors: ``(q, k)`` indices into the gallery.
        query_labels: ``(q,)`` for each attribute; an empty one is none.
        gallery_labels: ``(n,)`` for each attribute, in the same order.

    Returns:
        ``(q,)`` in [0, 1]; NaN where the query lacks one of the labels, or there are no neighbors.
    """
    shared = np.ones(neighbors.shape, np.bool_)  # (q, k)
    labelled = np.full(len(neighbors), neighbors.shape[1] > 0)  # (q,)
    for mine, theirs in zip(query_labels, gallery_labels, strict=True):
        shared &= theirs[neighbors] == mine[:, np.newaxis]
        labelled &= mine != ""
    shares = shared.sum(axis=1) / max(1, neighbors.shape[1])
    return np.where(labelled, shares, np.nan)


def mean_agreement(neighbors: Indices, query_labels: Sequence[Labels], gallery_labels: Sequence[Labels]) -> Values:
    """Mean over several attributes of ``agreement``, over those by which the query has a label.

    Args:
        neighbors: ``(q, k)`` indices into the gallery.
        query_labels: ``(q,)`` for each attribute; an empty one is none.
        gallery_labels: ``(n,)`` for each attribute, in the same order.

    Returns:
        ``(q,)`` in [0, 1]; NaN where the query has no label at all, or there are no neighbors.
    """
    total = np.zeros(len(neighbors))
    count = np.zeros(len(neighbors))
    for mine, theirs in zip(query_labels, gallery_labels, strict=True):
        shares = agreement(neighbors, mine, theirs)  # (q,)
        known = ~np.isnan(shares)
        total[known] += shares[known]
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % interval.

    Attributes:
        mean: The mean; NaN of nothing.
        low: Lower end.
        high: Upper end.
        count: How many values it is the mean of.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Whether one model scores higher than another on the same queries.

    Attributes:
        difference: Mean of new minus old; NaN of nothing.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p_value: One-sided: how often chance alone gives such a difference or a larger one.
        count: Queries that both have a score of.
    """

    difference: float
    low: float
    high: float
    p_value: float
    count: int


def bootstrap_interval(values: Values, *, rng: np.random.Generator, rounds: int = 1000) -> Interval:
    """Mean and 95 % percentile bootstrap interval.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Args:
        values: ``(q,)``; NaN is left out.
        rng: Draws the samples.
        rounds: How many samples.
    """
    known = values[~np.isnan(values)]
    count = len(known)
    if not count:
        return Interval(mean=np.nan, low=np.nan, high=np.nan, count=0)
    means = [known[rng.integers(count, size=count)].mean() for _ in range(rounds)]  # each (q,) at a time
    low, high = np.percentile(means, _PERCENTILES)
    return Interval(mean=float(known.mean()), low=float(low), high=float(high), count=count)


def paired_test(new: Values, old: Values, *, rng: np.random.Generator, rounds: int = 2000) -> PairedTest:
    """Test whether ``new`` is higher than ``old``, by flipping the signs of their differences at random.

    The observed difference counts as one of the rounds, so that p is never 0.

    Source: Phipson and Smyth, Permutation P-values Should Never Be Zero, 2010.

    Args:
        new: ``(q,)``; a query that either lacks, with NaN, is left out.
        old: ``(q,)``, of the same queries.
        rng: Draws the signs and the samples.
        rounds: How many times.
    """
    differences = new - old
    differences = differences[~np.isnan(differences)]
    interval = bootstrap_interval(differences, rng=rng, rounds=rounds)
    as_high = 0
    for _ in range(rounds):
        signs = 2.0 * rng.integers(2, size=len(differences)) - 1.0  # (q,)
        as_high += int(signs @ differences >= differences.sum() - _ROUNDING * len(differences))
    return PairedTest(
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        p_value=(1 + as_high) / (1 + rounds),
        count=interval.count,
    )


_ROUNDS_BYTES = 16 << 20  # of rounds held at once
_ROUNDING_PER_QUERY = 1e-12  # sums of the same differences in another order may differ by so much a query


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
        times += (2 * (kept @ differences) - observed >= observed - _ROUNDING_PER_QUERY * size).sum(axis=0)
    return times


def _blocks(rounds: int, size: int) -> list[slice]:
    """Slices of the rounds, of which each takes ``size`` float64 of memory."""
    step = max(1, _ROUNDS_BYTES // (8 * max(1, size)))
    return [slice(start, start + step) for start in range(0, rounds, step)]
