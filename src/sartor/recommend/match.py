"""How sure a hit is: from its score to a percentage that keeps its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sartor.types import Matrix, Vector

WEAK_BELOW = 0.2


@dataclass(frozen=True, slots=True)
class Matching:
    """A calibrated line through closenesses: of the hits with match 80 %, about 80 % are of the query's kind.

    ``match = 1 / (1 + e^-(w_style s + w_color c + w_category k + b))``; fitted on products that the model has not
    learned from. A match does not depend on the dials.

    Source: J. Platt, "Probabilistic outputs for support vector machines" (1999).
    """

    weights: tuple[float, float, float]
    intercept: float

    def of(self, closeness: Matrix) -> Vector:
        """Matches ``(n,)`` from 0 to 1 for closenesses ``(n, 3)`` in style, color and category."""
        return np.asarray(1 / (1 + np.exp(-(closeness @ np.array(self.weights) + self.intercept))), np.float32)
