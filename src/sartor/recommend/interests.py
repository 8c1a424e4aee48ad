"""What somebody likes: not one taste, but several, each a group of products that are close to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.tuning import INTEREST_APART, MOST_INTERESTS

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.types import Matrix, Vector

    Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """One of somebody's interests.

    Attributes:
        share: How much of all weight it has, above 0 to 1.
        members: Places of the products that it was found in, the weightiest first.
    """

    share: float
    members: tuple[int, ...]


def interests(style: Matrix, weights: Vector) -> list[Interest]:
    """Group products into interests by Ward's method, the weightiest first, at most ``MOST_INTERESTS``.

    Source: A. Pal et al., "PinnerSage" (KDD 2020), section 4.

    Args:
        style: Of the products, ``(n, d)`` of norm 1.
        weights: How much each counts, ``(n,)`` above 0.
    """
    labels = _clusters(style)
    total = float(weights.sum())
    found = [
        Interest(float(weights[members].sum()) / total, _weightiest_first(members, weights))
        for members in (np.flatnonzero(labels == label) for label in np.unique(labels))
    ]
    return sorted(found, key=lambda interest: (-interest.share, interest.members))[:MOST_INTERESTS]


def _clusters(style: Matrix) -> Places:
    if len(style) == 1:
        return np.zeros(1, np.int64)
    from scipy.cluster.hierarchy import fcluster, ward
    from scipy.spatial.distance import pdist

    found = fcluster(ward(pdist(style)), INTEREST_APART, criterion="distance")
    return np.asarray(found)


def _weightiest_first(members: Places, weights: Vector) -> tuple[int, ...]:
    return tuple(sorted((int(member) for member in members), key=lambda member: (-weights[member], member)))
