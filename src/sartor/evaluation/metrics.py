"""How well relevant products are ranked: metrics of single queries, and all of them for a whole evaluation.

Shapes: q queries, b queries of a block, m products ranked for each of them, the closest first. ``relevant`` is
``(b, m)``; it may have fewer than k columns only when there are fewer candidates. ``totals`` is ``(b,)``, the
relevant products among the candidates. A metric that is not defined is NaN: precision where there are no
candidates, every other one where nothing is relevant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.ranking import rankings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.intervals import Indices, Values
    from sartor.evaluation.ranking import Gallery, Ranked
    from sartor.evaluation.relevance import Mask, Relevance
    from sartor.types import Matrix


BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Answers that were said to be about equally probable.

    Attributes:
        said: Their mean probability, from 0 to 1.
        right: The share of them that is right.
        count: Their number, at least 1.
    """

    said: float
    right: float
    count: int


def reliability(said: Values, right: Values) -> tuple[ReliabilityBin, ...]:
    """The bins of a reliability diagram, ten of equal width, the empty ones left out.

    Args:
        said: Probabilities, ``(n,)``.
        right: 1 for what is right and 0 for what is not, ``(n,)``.
    """
    places = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return tuple(
        ReliabilityBin(
            said=float(said[places == place].mean()),
            right=float(right[places == place].mean()),
            count=int((places == place).sum()),
        )
        for place in np.unique(places)
    )


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean difference of what is said and what is right, from 0, over all answers.

    Source: the expected calibration error of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.said - each.right) for each in bins) / max(total, 1)


NO_NEIGHBOR = -1


def precision_at_k(relevant: Mask, *, k: int) -> Values:
    """Share of the first ``k``, or of all candidates if they are fewer, that is relevant, ``(b,)`` in [0, 1]."""
    first = relevant[:, :k]
    if not first.shape[1]:
        return np.full(len(relevant), np.nan)
    return np.asarray(first.mean(axis=1), np.float64)


def hit_rate_at_k(relevant: Mask, totals: Indices, *, k: int) -> Values:
    """1 where at least one of the first ``k`` is relevant, else 0, ``(b,)``."""
    return np.where(totals > 0, relevant[:, :k].any(axis=1), np.nan)


def recall_at_k(relevant: Mask, totals: Indices, *, k: int) -> Values:
    """Share of all relevant products that is among the first ``k``, ``(b,)`` in [0, 1]."""
    return np.where(totals > 0, relevant[:, :k].sum(axis=1) / np.maximum(totals, 1), np.nan)


def ndcg_at_k(relevant: Mask, totals: Indices, *, k: int) -> Values:
    """Discounted gain of the first ``k`` over that of the best ranking, ``(b,)`` in [0, 1].

    A relevant product gains 1, at place i divided by ``log2(1 + i)``; the best ranking has its ``min(k, total)``
    first places relevant.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, 2002.
    """
    discounts = 1 / np.log2(np.arange(k) + 2)  # (k,)
    first = relevant[:, :k]
    gains = first @ discounts[: first.shape[1]]
    best = np.cumsum(discounts)[np.clip(totals, 1, k) - 1]
    return np.where(totals > 0, np.minimum(gains / best, 1), np.nan)  # sums of all k in two orders differ a bit


def average_precision_at_r(relevant: Mask, totals: Indices) -> Values:
    """Mean over the first R places of the precision up to a place that is relevant, 0 for others, ``(b,)``.

    R is the number of relevant products, so that ``relevant`` needs at least ``totals.max()`` columns.

    Source: Musgrave, Belongie and Lim, A Metric Learning Reality Check, 2020 (mAP@R).
    """
    ranks = np.arange(1.0, relevant.shape[1] + 1)
    scores = np.full(len(relevant), np.nan)
    for row in np.flatnonzero(totals > 0):
        found = np.flatnonzero(relevant[row, : totals[row]])  # R differs by thousands within a block
        scores[row] = (ranks[: len(found)] / ranks[found]).sum() / totals[row]
    return scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Neighbors and metrics of every query.

    Attributes:
        neighbors: ``(q, max(ks))`` places in the gallery, the closest first; -1 where there are fewer.
        scores: For each relevance, by the metric's name, ``(q,)``: NaN where it is not defined, or the query
            is not labelled.
    """

    neighbors: Indices
    scores: tuple[Mapping[str, Values], ...]


def measure(
    queries: Matrix, gallery: Gallery, relevances: Sequence[Relevance], *, own: Indices, ks: Sequence[int]
) -> Measured:
    """Rank the gallery for every query, and judge the rankings.

    Args:
        queries: ``(q, d)`` float32 of unit norm.
        gallery: What is ranked.
        relevances: What is relevant, of the same queries and the same gallery.
        own: ``(q,)`` place in the gallery of each query itself, which is left out; -1 where it is not in it.
        ks: Lengths of lists, at least one.
    """
    longest = max(ks)
    depth = np.full(len(queries), longest)
    for relevance in relevances:
        np.maximum(depth, relevance.totals, out=depth)
    neighbors = np.full((len(queries), longest), NO_NEIGHBOR)
    scores = [{name: np.full(len(queries), np.nan) for name in metric_names(ks)} for _ in relevances]
    for ranked in rankings(queries, gallery, own=own, depth=depth):
        first = ranked.products[:, :longest]
        neighbors[ranked.rows, : first.shape[1]] = first
        for relevance, found in zip(relevances, scores, strict=True):
            for name, values in _judged(ranked, relevance, ks).items():
                found[name][ranked.rows] = np.where(relevance.labelled[ranked.rows], values, np.nan)
    return Measured(neighbors=neighbors, scores=tuple(scores))


def metric_names(ks: Sequence[int]) -> tuple[str, ...]:
    """Names of the metrics that ``measure`` gives, in their order."""
    return (*(f"{name}@{k}" for k in ks for name in ("precision", "hit rate", "recall", "nDCG")), "mAP@R")


def _judged(ranked: Ranked, relevance: Relevance, ks: Sequence[int]) -> dict[str, Values]:
    """The metrics of a block by one relevance, each ``(b,)``."""
    totals = relevance.totals[ranked.rows]
    needed = max(*ks, int(totals.max(initial=0)))
    relevant = relevance.of(ranked.rows, ranked.products[:, :needed])
    columns = [
        metric
        for k in ks
        for metric in (
            precision_at_k(relevant, k=k),
            hit_rate_at_k(relevant, totals, k=k),
            recall_at_k(relevant, totals, k=k),
            ndcg_at_k(relevant, totals, k=k),
        )
    ]
    return dict(zip(metric_names(ks), [*columns, average_precision_at_r(relevant, totals)], strict=True))


def novelty(lists: Sequence[Indices], people: Indices, *, total: int) -> Values:
    """Mean self-information of each list's products in bits, ``(q,)`` from 0; NaN for an empty list.

    A product that ``c`` of ``total`` people know has ``-log2((c + 1) / (total + 1))``: 0 for what all know; the
    one is added so that what nobody knows has some, too.

    Source: T. Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems" (PNAS 2010).

    Args:
        lists: Rows of products.
        people: How many people did something with each product, ``(n,)``.
        total: How many people there are.
    """
    bits = -np.log2((people + 1) / (total + 1))
    return np.array([bits[rows].mean() if len(rows) else np.nan for rows in lists], np.float64)


def diversity(lists: Sequence[Indices], styles: Matrix) -> Values:
    """Mean cosine distance of each list's products to each other, ``(q,)`` in [0, 2]; NaN below two products.

    Source: C.-N. Ziegler et al., "Improving recommendation lists through topic diversification" (WWW 2005).

    Args:
        lists: Rows of products.
        styles: Embeddings of products, ``(n, d)`` of norm 1.
    """
    found = np.full(len(lists), np.nan)
    for place, rows in enumerate(lists):
        count = len(rows)
        if count > 1:
            total = styles[rows].astype(np.float64).sum(axis=0)  # the sum of all cosines is its squared norm
            found[place] = 1 - (float(total @ total) - count) / (count * (count - 1))
    return found


def coverage(lists: Sequence[Indices], *, products: int) -> float:
    """Share of the products that are in at least one list."""
    return len(np.unique(np.concatenate(lists))) / products if len(lists) and products else 0.0
