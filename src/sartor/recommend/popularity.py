"""How much people like each product lately, so that one person counts once, however often something is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]
    Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Likings:
    """Who likes what: a row for each person and product.

    Attributes:
        products: ``(n,)``.
        weights: Of the strongest thing that the person did with the product, ``(n,)``.
        at_s: Of the last thing, in seconds since 1970 UTC, never falling, ``(n,)``.
    """

    products: Numbers
    weights: Vector
    at_s: Times

    @classmethod
    def of(cls, people: Numbers, products: Numbers, weights: Vector, at_s: Times) -> Likings:
        """Gather what people did, ``(e,)`` each, in any order."""
        order = np.lexsort((at_s, products, people))
        people, products, weights, at_s = people[order], products[order], weights[order], at_s[order]
        first = np.flatnonzero((np.diff(people, prepend=-1) != 0) | (np.diff(products, prepend=-1) != 0))
        last = np.append(first[1:], len(people))[: len(first)] - 1
        strongest = np.maximum.reduceat(weights, first) if len(first) else weights
        by_time = np.argsort(at_s[last], kind="stable")
        return cls(products[last][by_time], strongest[by_time], at_s[last][by_time])

    def amounts(self, count: int, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
        """How much each of ``count`` products is liked, ``(count,)``: the sum of weights, each halved by its age.

        Args:
            count: How many products there are.
            now_s: Now; who did something later does not count.
            window_s: Nor does who did nothing within so many seconds.
            half_life_s: After so many seconds half is left.
        """
        start, end = np.searchsorted(self.at_s, [now_s - window_s, now_s], side="right")
        near = slice(int(start), int(end))
        left = self.weights[near] * np.exp2((self.at_s[near] - now_s) / half_life_s)
        return np.bincount(self.products[near], weights=left, minlength=count).astype(np.float32)
