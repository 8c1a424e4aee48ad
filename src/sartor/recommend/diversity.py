"""Fewer of the same: hits that differ from each other, and variants of one thing as one hit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.types import Matrix, Vector

    Flags = npt.NDArray[np.bool_]


def mmr(scores: Vector, vectors: Matrix, *, k: int, diversity: float) -> list[int]:
    """Choose ``k`` of ``n`` candidates by maximal marginal relevance.

    Each next one has the greatest ``(1 - diversity) * score - diversity * closeness to the nearest chosen one``.

    Source: J. Carbonell and J. Goldstein, "The use of MMR" (SIGIR 1998).

    Args:
        scores: ``(n,)``.
        vectors: What candidates are compared by, ``(n, d)`` of unit norm.
        k: How many; all if there are fewer.
        diversity: From 0, the order of the scores, to 1, only unlike what is chosen.

    Returns:
        Places of the chosen ones, in order.
    """
    nearest = np.full(len(scores), -1.0, np.float32)
    left = np.ones(len(scores), np.bool_)
    chosen: list[int] = []
    while left.any() and len(chosen) < k:
        relevance = (1 - diversity) * scores - diversity * nearest
        best = int(np.where(left, relevance, -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen


def folded(groups: Sequence[str], alike: Flags) -> list[list[int]]:
    """Gather candidates that are one thing: of one group, or that look the same.

    Args:
        groups: Group of each candidate; empty where it has none.
        alike: Whether two candidates look the same, ``(n, n)``.

    Returns:
        Places of each thing's candidates; the first is its best, and things are in the order of their best.
    """
    things: list[list[int]] = []
    for place, group in enumerate(groups):
        for thing in things:
            if (group and group == groups[thing[0]]) or alike[place, thing[0]]:
                thing.append(place)
                break
        else:
            things.append([place])
    return things
