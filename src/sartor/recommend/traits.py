"""What products are compared by, and how much each of it counts.

A photo has three traits, each a vector of norm 1: its style, which is the encoder's embedding; its color, which
is its palette; and its category, which is how probable each class of the model's first attribute is. Closeness
in a trait is the dot product. The index holds the three end to end, so that one search with a weighted query
ranks by the weighted mean of the three, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import BadDial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.types import Matrix, Vector

TRAITS = ("style", "color", "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dials:
    """How much each trait counts, from 0 to 1; only their proportions matter, among the traits that there are.

    Raises:
        BadDial: One is out of its range, or all are 0.
    """

    style: float = 1.0
    color: float = 0.0
    category: float = 0.0

    def __post_init__(self) -> None:
        for name in TRAITS:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise BadDial(reason=f"{name} is {value:g}")
        if not any(self.shares):
            raise BadDial(reason="all are 0")

    @property
    def shares(self) -> tuple[float, float, float]:
        """The dials of style, color and category, scaled to sum 1; all 0 if all dials are."""
        total = self.style + self.color + self.category
        scale = 1 / total if total else 0.0
        return self.style * scale, self.color * scale, self.category * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What one photo, product or query is compared by.

    Attributes:
        style: ``(d,)``.
        color: ``(m,)``.
        category: ``(c,)``; empty where the model has no heads.
    """

    style: Vector
    color: Vector
    category: Vector

    def joined(self) -> Vector:
        """The three end to end, ``(d + m + c,)``."""
        return np.concatenate([self.style, self.color, self.category])

    def weighted(self, dials: Dials) -> Vector:
        """The same as a query: its dot product with a joined vector is the weighted mean of the closenesses.

        A trait that the model does not have leaves its share to the others.
        """
        parts = (self.style, self.color, self.category)
        shares = [share if len(part) else 0.0 for share, part in zip(dials.shares, parts, strict=True)]
        total = sum(shares) or 1.0
        return np.concatenate(
            [np.float32(share / total) * part for share, part in zip(shares, parts, strict=True)]
        )

    def closeness(self, others: Matrix) -> Matrix:
        """Closeness in style, color and category to joined vectors ``(n, d + m + c)``: ``(n, 3)`` in [-1, 1]."""
        own = (self.style, self.color, self.category)
        return np.stack([part @ mine for part, mine in zip(self.split(others), own, strict=True)], axis=1)

    def split(self, others: Matrix) -> list[Matrix]:
        """The style, color and category of joined vectors ``(n, d + m + c)``."""
        return np.split(others, np.cumsum([len(self.style), len(self.color)]), axis=1)


def category_of(probabilities: Vector) -> Vector:
    """A category trait: square roots, so that the dot product is how much two distributions overlap.

    Source: A. Bhattacharyya, "On a measure of divergence between two statistical populations" (1943).
    """
    return np.sqrt(probabilities)


def recolored(parts: Sequence[tuple[Traits, float]], color: Vector) -> list[tuple[Traits, float]]:
    """The same parts in another color."""
    return [(Traits(style=each.style, color=color, category=each.category), weight) for each, weight in parts]


def mixed(parts: Sequence[tuple[Traits, float]], against: Sequence[tuple[Traits, float]] = ()) -> Traits:
    """One query of several parts: in each trait ``unit(sum w_i v_i) - sum u_j v_j``.

    Args:
        parts: What the products shall be like, with weights ``w_i`` above 0.
        against: What they shall not be like, with weights ``u_j`` above 0. Another one lowers each product's
            score by its own closeness to it, times its weight; nothing falls further than what is disliked.
    """
    mixed = {}
    for name in TRAITS:
        toward = sum((weight * getattr(traits, name) for traits, weight in parts), np.float32(0))
        norm = float(np.linalg.norm(toward))
        toward = toward / norm if norm else getattr(parts[0][0], name)
        away = sum((weight * getattr(traits, name) for traits, weight in against), np.float32(0))
        mixed[name] = np.asarray(toward - away, np.float32)
    return Traits(**mixed)
