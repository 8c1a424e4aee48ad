"""Metrics of rankings, of lists beyond their relevance, and of probabilities.

Shapes: q queries, b queries of a block, m products ranked for each of them, the closest first. ``relevant`` is
``(b, m)``; it has fewer than k columns only if there are fewer candidates. ``totals`` is ``(b,)``, the relevant
products among the candidates. A metric that is not defined is NaN: precision if there are no candidates, every
other one if nothing is relevant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.ranking import rankings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.intervals import Values
    from sartor.evaluation.ranking import Gallery, Indices, Ranked
    from sartor.evaluation.relevance import Labels, Mask, Relevance
    from sartor.evaluation.reranking import Reranking
    from sartor.types import Matrix

BINS = 10  # of a reliability diagram
_NO_NEIGHBOR = -1


def precision_at_k(relevant: Mask, *, k: int) -> Values:
    """Share of the first ``k``, or of all candidates if there are fewer, that is relevant, ``(b,)`` in [0, 1]."""
    first = relevant[:, :k]
    if not first.shape[1]:
        return np.full(len(relevant), np.nan)
    return np.asarray(first.mean(axis=1), np.float64)


def hit_rate_at_k(relevant: Mask, totals: Indices, *, k: int) -> Values:
    """1 if one of the first ``k`` is relevant, else 0, ``(b,)``."""
    return np.where(totals > 0, relevant[:, :k].any(axis=1), np.nan)


def recall_at_k(relevant: Mask, totals: Indices, *, k: int) -> Values:
    """Share of all relevant products that is among the first ``k``, ``(b,)`` in [0, 1]."""
    return np.where(totals > 0, relevant[:, :k].sum(axis=1) / np.maximum(totals, 1), np.nan)


def ndcg_at_k(relevant: Mask, totals: Indices, *, k: int) -> Values:
    """Discounted gain of the first ``k`` over that of the best ranking, ``(b,)`` in [0, 1].

    A relevant product gains 1, divided by ``log2(1 + i)`` at rank i. The best ranking has relevant products at its
    first ``min(k, total)`` ranks.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, 2002.
    """
    discounts = 1 / np.log2(np.arange(k) + 2)  # (k,)
    first = relevant[:, :k]
    gains = first @ discounts[: first.shape[1]]
    best = np.cumsum(discounts)[np.clip(totals, 1, k) - 1]
    return np.where(totals > 0, np.minimum(gains / best, 1), np.nan)  # sums of all k in two orders differ a bit


def average_precision_at_r(relevant: Mask, totals: Indices) -> Values:
    """Mean over the first R ranks of the precision up to a rank if it is relevant, 0 if not, ``(b,)``.

    R is the number of relevant products, so ``relevant`` needs at least ``totals.max()`` columns.

    Source: Musgrave, Belongie and Lim, A Metric Learning Reality Check, 2020 (mAP@R).
    """
    ranks = np.arange(1.0, relevant.shape[1] + 1)
    scores = np.full(len(relevant), np.nan)
    for row in np.flatnonzero(totals > 0):
        hits = np.flatnonzero(relevant[row, : totals[row]])  # R differs by thousands within a block
        scores[row] = (ranks[: len(hits)] / ranks[hits]).sum() / totals[row]
    return scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Neighbors and metrics of every query.

    Attributes:
        neighbors: ``(q, max(ks))`` rows of the gallery's products, the closest first; -1 if there are fewer.
        scores: For each relevance, ``(q,)`` by the metric's name: NaN if it is not defined, or if the query is not
            labelled.
    """

    neighbors: Indices
    scores: tuple[Mapping[str, Values], ...]


def measure(  # noqa: PLR0913 - each is a keyword of its own
    queries: Matrix,
    gallery: Gallery,
    relevances: Sequence[Relevance],
    *,
    own: Indices,
    ks: Sequence[int],
    reranking: Reranking | None = None,
) -> Measured:
    """Rank the gallery for every query, and judge the rankings.

    Args:
        queries: ``(q, d)`` float32 of unit norm.
        gallery: What is ranked.
        relevances: What is relevant, for the same queries and the same gallery.
        own: ``(q,)`` the query's own product in the gallery, which is left out; -1 if it is not there.
        ks: Lengths of lists, at least one.
        reranking: Orders the nearest anew; None leaves them as they are.
    """
    longest = max(ks)
    depth = np.full(len(queries), longest if reranking is None else max(longest, reranking.candidates))
    for relevance in relevances:
        np.maximum(depth, relevance.totals, out=depth)
    neighbors = np.full((len(queries), longest), _NO_NEIGHBOR)
    scores = [{name: np.full(len(queries), np.nan) for name in metric_names(ks)} for _ in relevances]
    for block in rankings(queries, gallery, own=own, depth=depth):
        ranked = block if reranking is None else reranking.reordered(block)
        first = ranked.products[:, :longest]
        neighbors[ranked.rows, : first.shape[1]] = first
        for relevance, by_metric in zip(relevances, scores, strict=True):
            for name, values in _judged(ranked, relevance, ks).items():
                by_metric[name][ranked.rows] = np.where(relevance.labelled[ranked.rows], values, np.nan)
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


def agreement(neighbors: Indices, query_labels: Labels, gallery_labels: Labels) -> Values:
    """Share of each query's neighbors that have its label.

    Args:
        neighbors: ``(q, k)`` rows of the gallery.
        query_labels: ``(q,)``; empty if the query has no label.
        gallery_labels: ``(n,)``.

    Returns:
        ``(q,)`` in [0, 1]; NaN if the query has no label, or there are no neighbors.
    """
    return joint_agreement(neighbors, [query_labels], [gallery_labels])


def joint_agreement(
    neighbors: Indices, query_labels: Sequence[Labels], gallery_labels: Sequence[Labels]
) -> Values:
    """Share of each query's neighbors that have its labels for all attributes at once.

    The labels are as for ``agreement``, for each attribute in the same order. NaN if the query lacks one of them.
    """
    shared = np.ones(neighbors.shape, np.bool_)  # (q, k)
    labelled = np.full(len(neighbors), neighbors.shape[1] > 0)  # (q,)
    for of_queries, of_gallery in zip(query_labels, gallery_labels, strict=True):
        shared &= of_gallery[neighbors] == of_queries[:, np.newaxis]
        labelled &= of_queries != ""
    shares = shared.sum(axis=1) / max(1, neighbors.shape[1])
    return np.where(labelled, shares, np.nan)


def mean_agreement(neighbors: Indices, query_labels: Sequence[Labels], gallery_labels: Sequence[Labels]) -> Values:
    """Mean of ``agreement`` over the attributes for which the query has a label; NaN if it has no label at all."""
    total = np.zeros(len(neighbors))
    count = np.zeros(len(neighbors))
    for of_queries, of_gallery in zip(query_labels, gallery_labels, strict=True):
        shares = agreement(neighbors, of_queries, of_gallery)  # (q,)
        known = ~np.isnan(shares)
        total[known] += shares[known]
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def novelty(lists: Sequence[Indices], people: Indices, *, total: int) -> Values:
    """Mean self-information of each list's products in bits, ``(q,)`` from 0; NaN for an empty list.

    A product that ``c`` of ``total`` people know has ``-log2((c + 1) / (total + 1))``: 0 if all know it. The 1 is
    added so that a product that nobody knows has a finite value.

    Source: T. Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems" (PNAS 2010).

    Args:
        lists: Rows of products.
        people: How many people did something with each product, ``(n,)``.
        total: Number of people.
    """
    bits = -np.log2((people + 1) / (total + 1))
    return np.array([bits[rows].mean() if len(rows) else np.nan for rows in lists], np.float64)


def diversity(lists: Sequence[Indices], styles: Matrix) -> Values:
    """Mean cosine distance of each list's products to each other, ``(q,)`` in [0, 2]; NaN below two products.

    Source: C.-N. Ziegler et al., "Improving recommendation lists through topic diversification" (WWW 2005).

    Args:
        lists: Rows of products.
        styles: Embeddings of products, ``(n, d)`` of unit norm.
    """
    distances = np.full(len(lists), np.nan)
    for number, rows in enumerate(lists):
        count = len(rows)
        if count > 1:
            total = styles[rows].astype(np.float64).sum(axis=0)  # its squared norm is the sum of all cosines
            distances[number] = 1 - (float(total @ total) - count) / (count * (count - 1))
    return distances


def coverage(lists: Sequence[Indices], *, products: int) -> float:
    """Share of the products that are in at least one list."""
    return len(np.unique(np.concatenate(lists))) / products if len(lists) and products else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Predictions of about the same probability.

    Attributes:
        said: Their mean probability, from 0 to 1.
        right: The share of them that is right.
        count: Their number, at least 1.
    """

    said: float
    right: float
    count: int


def reliability(said: Values, right: Values) -> tuple[ReliabilityBin, ...]:
    """The bins of a reliability diagram, ten of equal width, without the empty ones.

    Args:
        said: Probabilities, ``(n,)``.
        right: 1 if the prediction is right, else 0, ``(n,)``.
    """
    bins = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return tuple(
        ReliabilityBin(
            said=float(said[bins == number].mean()),
            right=float(right[bins == number].mean()),
            count=int((bins == number).sum()),
        )
        for number in np.unique(bins)
    )


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean difference between what was said and what was right, from 0, over all predictions.

    Source: the expected calibration error of Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.said - each.right) for each in bins) / max(total, 1)
