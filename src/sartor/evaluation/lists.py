"""What the lists of all queries have in common, which categories they confuse, and how single categories fare.

Shapes: q queries, n products of the gallery, k neighbors, padded with -1 where a query has fewer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.results import CategoryResult, Confusion, ListStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.evaluation.agreement import Indices, Labels, Values

OTHER = "other"

_MOST_SHOWN_SHARE = 0.01  # of the products, of which ``in_most_lists`` tells


def list_statistics(
    neighbors: Indices, *, product_ids: Sequence[str], copies: float, examples: int = 20
) -> ListStatistics:
    """How evenly lists show the gallery. Of no products, or no lists, shares are 0.

    Source: hubness is the skewness of the number of lists that products are in, as in Radovanović, Nanopoulos
    and Ivanović, Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data, 2010.

    Args:
        neighbors: ``(q, k)`` places in the gallery.
        product_ids: ``(n,)`` in the gallery's order.
        copies: Share of queries whose nearest product shows a copy of their photo.
        examples: How many products to name at most, of those shown most and of those never shown.
    """
    counts = np.bincount(neighbors[neighbors >= 0], minlength=len(product_ids))  # (n,) lists that have a product
    never = np.flatnonzero(counts == 0)
    by_count = np.argsort(-counts, kind="stable")
    top = by_count[: int(np.ceil(_MOST_SHOWN_SHARE * len(counts)))]
    return ListStatistics(
        k=neighbors.shape[1],
        coverage=1 - len(never) / len(counts) if len(counts) else 0.0,
        never_shown=len(never),
        never_shown_ids=tuple(product_ids[place] for place in never[:examples]),
        hubness=_skewness(counts),
        most_shown=tuple(
            (product_ids[place], int(counts[place])) for place in by_count[:examples] if counts[place]
        ),
        in_most_lists=float(counts[top].sum()) / max(1, int(counts.sum())),
        copies=copies,
    )


def confusion(neighbors: Indices, query_labels: Labels, gallery_labels: Labels, *, most: int = 20) -> Confusion:
    """Of which categories the neighbors of the most frequent categories' queries are.

    Only queries with neighbors count. Neighbors of a less frequent category, or of none, are ``other``.

    Args:
        neighbors: ``(q, k)`` places in the gallery.
        query_labels: ``(q,)``; an empty one is none.
        gallery_labels: ``(n,)``.
        most: How many categories at most; of equally frequent ones those that come first by name.
    """
    shown = neighbors >= 0  # (q, k)
    categories = _by_frequency(query_labels[shown.any(axis=1)])[:most]
    place_of = {label: place for place, label in enumerate(categories)}
    other = len(categories)
    mine = np.array([place_of.get(label, other) for label in query_labels.tolist()], np.int64)
    theirs = np.array([place_of.get(label, other) for label in gallery_labels.tolist()], np.int64)
    asked = np.broadcast_to(mine[:, np.newaxis], neighbors.shape)[shown]
    cells = asked * (other + 1) + theirs[neighbors[shown]]
    counts = np.bincount(cells, minlength=(other + 1) ** 2).reshape(other + 1, other + 1)[:other]
    return Confusion(
        categories=categories, found=(*categories, OTHER), shares=counts / counts.sum(axis=1, keepdims=True)
    )


def category_results(
    scores: Mapping[str, Values], labels: Labels, totals: Indices, *, fewest: int = 1
) -> tuple[CategoryResult, ...]:
    """The means of each category's queries, the most frequent category first, equals by name.

    Args:
        scores: ``(q,)`` for each metric; NaN is left out.
        labels: ``(q,)`` the category of each query; an empty one is none.
        totals: ``(q,)`` relevant products in the gallery for each query.
        fewest: Categories with fewer queries are left out.
    """
    names, codes = np.unique(labels, return_inverse=True)
    queries = np.bincount(codes, minlength=len(names))
    relevant = _means(totals.astype(np.float64), codes, len(names))
    means = {metric: _means(values, codes, len(names)) for metric, values in scores.items()}
    place_of = {name: place for place, name in enumerate(names.tolist())}
    return tuple(
        CategoryResult(
            category=name,
            queries=int(queries[place_of[name]]),
            in_gallery=float(relevant[place_of[name]]),
            metrics={metric: float(values[place_of[name]]) for metric, values in means.items()},
        )
        for name in _by_frequency(labels)
        if queries[place_of[name]] >= fewest
    )


def macro(categories: Sequence[CategoryResult]) -> dict[str, float]:
    """Mean of each metric over categories, each alike however many queries it has; NaN of nothing."""
    metrics = categories[0].metrics if categories else {}
    means = {}
    for name in metrics:
        values = np.array([each.metrics[name] for each in categories])
        known = values[~np.isnan(values)]
        means[name] = float(known.mean()) if len(known) else np.nan
    return means


def _by_frequency(labels: Labels) -> tuple[str, ...]:
    """The different labels, the most frequent first, equals by name, the empty one left out."""
    counts = Counter(labels.tolist())
    return tuple(sorted((label for label in counts if label), key=lambda label: (-counts[label], label)))


def _means(values: Values, codes: Indices, size: int) -> Values:
    """Mean of the values of each code, ``(size,)``, without NaN; NaN where that leaves none."""
    known = ~np.isnan(values)
    counts = np.bincount(codes[known], minlength=size)
    sums = np.bincount(codes[known], values[known], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _skewness(counts: Indices) -> float:
    """Third standardized moment; 0 where all are equal."""
    if not len(counts) or counts.min() == counts.max():
        return 0.0
    away = counts - counts.mean()
    return float((away**3).mean() / (away**2).mean() ** 1.5)
