"""Complements: how well two products go together by what shoppers bought together.

A pair's *lift* is how many times as often it was bought as it would be by chance. Few pairs are bought often, so a
lift is shrunk: that of two products toward that of their kinds and colors, and this one toward 1, which is chance.

Source: W. DuMouchel, "Bayesian Data Mining in Large Frequency Tables, with an Application to the FDA Spontaneous
Reporting System" (The American Statistician 53, 1999): counts are Poisson around lift times expectation, the lift
has a gamma prior, the expectation is stratified. The strength of the prior is fixed here, not fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.pair_counts import count_kinds, count_products
from sartor.recommend.slots import clash
from sartor.recommend.tuning import KINDS_SHARE, LARGEST_BASKET, LEAST_BASKETS, PRIOR_PAIRS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sartor.recommend.garments import Garment
    from sartor.recommend.pair_counts import PairCounts
    from sartor.recommend.slots import Slot
    from sartor.types import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What baskets say of two products.

    Attributes:
        score: ``lift / (1 + lift)``: 0.5 if they are bought together as often as by chance, toward 1 if more.
        confidence: How much it shall count, from 0, nothing is known, toward 1.
        together: In how many baskets both are.
        alike: In how many baskets there are two of their kinds and colors, counted by pairs.
    """

    score: float
    confidence: float
    together: int
    alike: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weights:
    """What baskets say of all pairs of n products: the attributes of ``Weight``, ``(n, n)`` each, symmetric."""

    places: Mapping[str, int]
    score: Matrix
    confidence: Matrix
    together: Matrix
    alike: Matrix

    def between(self, one: str, other: str) -> Weight:
        """What they say of two of the products."""
        pair = self.places[one], self.places[other]
        return Weight(
            score=float(self.score[pair]),
            confidence=float(self.confidence[pair]),
            together=int(self.together[pair]),
            alike=int(self.alike[pair]),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Complements:
    """What was learned from baskets.

    Attributes:
        baskets: From how many.
        products: Pairs of products.
        kinds: The same pairs by kind and color.
        names: The products that were bought, sorted.
        garments: What they are.
    """

    baskets: int
    products: PairCounts[str] = field(repr=False)
    kinds: PairCounts[Garment] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    garments: Mapping[str, Garment] = field(repr=False)

    @classmethod
    def of(cls, baskets: Iterable[Sequence[str]], garments: Mapping[str, Garment]) -> Complements | None:
        """Learn from baskets; None where they are too few, which leaves looks to the rules.

        Only pairs that can be in one look are counted. Neither the order of baskets nor that in a basket matters.

        Args:
            baskets: Ids of the products that were bought together; one that is there twice counts once.
            garments: What the products are; those that are missing are not worn.
        """
        pieces = ({name for name in basket if name in garments} for basket in baskets)
        usable = [sorted(worn) for worn in pieces if _has_pair(worn, garments)]
        if len(usable) < LEAST_BASKETS:
            return None
        names = tuple(sorted({name for basket in usable for name in basket}))
        bought = {name: garments[name] for name in names}
        products = count_products(usable, bought)
        kinds = count_kinds(products, bought)
        return cls(baskets=len(usable), products=products, kinds=kinds, names=names, garments=bought)

    def weights(self, product_ids: Sequence[str], garments: Sequence[Garment | None]) -> Weights:
        """What baskets say of all pairs of products; of a new one, what they say of its kind and color."""
        together, expected = self.products.among(product_ids)
        alike, alike_expected = self.kinds.among(garments)
        of_kinds = (alike + PRIOR_PAIRS) / (alike_expected + PRIOR_PAIRS)
        lift = (together + PRIOR_PAIRS * of_kinds) / (expected + PRIOR_PAIRS)
        doubt = (1 - _evidence(together, expected)) * (1 - KINDS_SHARE * _evidence(alike, alike_expected))
        return Weights(
            places={name: place for place, name in enumerate(product_ids)},
            score=lift / (1 + lift),
            confidence=1 - doubt,
            together=together,
            alike=alike,
        )

    def partners(self, product_ids: Sequence[str], slot: Slot, *, most: int) -> list[str]:
        """The products of a slot that were most often bought with any of these, the most frequent first."""
        rows, times = self.products.beside_any(product_ids)
        bought = ((self.names[row], count) for row, count in zip(rows, times, strict=True))
        worn_there = [(name, count) for name, count in bought if self.garments[name].slot is slot]
        return [name for name, _ in sorted(worn_there, key=lambda each: (-each[1], each[0]))[:most]]


def _has_pair(basket: Collection[str], garments: Mapping[str, Garment]) -> bool:
    """Whether two products of a basket can be in one look, and it is no reseller's."""
    return 1 < len(basket) <= LARGEST_BASKET and _go_together(frozenset([garments[name].slot for name in basket]))


@cache
def _go_together(slots: frozenset[Slot]) -> bool:
    return any(not clash(*pair) for pair in combinations(slots, 2))


def _evidence(counted: Matrix, expected: Matrix) -> Matrix:
    """How much is known of pairs, in [0, 1): they were seen often, or never where chance would have them."""
    pairs = np.maximum(counted, expected)
    return np.asarray(pairs / (pairs + PRIOR_PAIRS), np.float32)
