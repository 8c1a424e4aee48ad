"""What lists of recommendations are like, right or wrong: how novel, how diverse, how much they cover.

Shapes: q lists of at most k products, n products of the catalog, d numbers in an embedding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.evaluation.agreement import Indices, Values
    from sartor.types import Matrix


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
