"""How often things were bought in pairs, and how often they would have been by chance.

A thing is a product, or all products of one kind and color. Chance is stratified by slot and gender: of all pairs
of men's tops with men's shoes, those of a shirt with a shoe are expected to be as many as the share of the shirt
among these tops times the share of the shoe among these shoes. So neither that shirts sell better than bags, nor
that men buy for men, makes a pair go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from sartor.recommend.slots import Slot, clash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.recommend.garments import Garment
    from sartor.types import Matrix

    Places = npt.NDArray[np.int64]

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairCounts(Generic[Thing]):
    """Counted pairs of n things, in s strata.

    Attributes:
        places: Row of each thing.
        counts: How often two were bought together, a symmetric sparse ``(n, n)``.
        strata: ``(n,)`` slot and gender of each, by number.
        beside: ``(n, s)`` in how many pairs each is with something of a stratum.
        totals: ``(s, s)`` pairs of two strata.
    """

    places: Mapping[Thing, int]
    counts: Any
    strata: Places
    beside: Matrix
    totals: Matrix

    @classmethod
    def of(cls, places: Mapping[Thing, int], counts: Any, strata: Places) -> PairCounts[Thing]:
        """What follows from counts."""
        from scipy.sparse import csr_array

        things = np.arange(len(strata))
        shape = (len(strata), int(strata.max(initial=-1)) + 1)
        stratum = csr_array((np.ones(len(strata), np.float32), (things, strata)), shape=shape)
        beside = (counts @ stratum).toarray()
        return cls(places=places, counts=counts, strata=strata, beside=beside, totals=stratum.T @ beside)

    def among(self, things: Sequence[Thing | None]) -> tuple[Matrix, Matrix]:
        """Pairs counted and pairs expected among m things, ``(m, m)`` each; 0 for what was never bought."""
        rows = np.array([-1 if thing is None else self.places.get(thing, -1) for thing in things], np.int64)
        known = np.flatnonzero(rows >= 0)
        rows, inner = rows[known], np.ix_(known, known)
        strata = self.strata[rows]
        beside = self.beside[rows][:, strata]  # of each row's thing with the stratum of each column's
        counted = np.zeros((len(things), len(things)), np.float32)
        expected = np.zeros_like(counted)
        counted[inner] = self.counts[rows][:, rows].toarray()
        expected[inner] = beside * beside.T / np.maximum(self.totals[strata][:, strata], 1)
        return counted, expected

    def beside_any(self, things: Sequence[Thing]) -> tuple[Places, Matrix]:
        """Rows of all that was bought with any of these, and how often, ``(k,)`` each."""
        pairs = self.counts[[self.places[thing] for thing in things if thing in self.places]]
        rows, places = np.unique(pairs.indices.astype(np.int64), return_inverse=True)
        return rows, np.bincount(places, weights=pairs.data, minlength=len(rows)).astype(np.float32)


def count_products(baskets: Sequence[Sequence[str]], garments: Mapping[str, Garment]) -> PairCounts[str]:
    """Count pairs of products that can be in one look.

    Args:
        baskets: Ids of distinct products each, all of them among ``garments``.
        garments: What the products are, in the order that they get.
    """
    from scipy.sparse import csr_array

    places = {name: place for place, name in enumerate(garments)}
    taken = np.array([places[product_id] for basket in baskets for product_id in basket], np.int64)
    ends = np.cumsum([0, *map(len, baskets)])
    filled = csr_array((np.ones(len(taken), np.float32), taken, ends), shape=(len(baskets), len(places)))
    pairs = (filled.T @ filled).tocoo()
    slots = list(Slot)
    slot = np.array([slots.index(garment.slot) for garment in garments.values()], np.int64)
    beside = np.array([[not clash(one, other) for other in slots] for one in slots])
    kept = beside[slot[pairs.row], slot[pairs.col]]
    counts = csr_array((pairs.data[kept], (pairs.row[kept], pairs.col[kept])), shape=pairs.shape)
    return PairCounts.of(places, counts, _strata(garments.values()))


def count_kinds(products: PairCounts[str], garments: Mapping[str, Garment]) -> PairCounts[Garment]:
    """The same pairs, counted by kinds and colors; ``garments`` as the products were counted by."""
    from scipy.sparse import csr_array

    places = {garment: place for place, garment in enumerate(dict.fromkeys(garments.values()))}
    kinds = np.array([places[garment] for garment in garments.values()], np.int64)
    ones = np.ones(len(kinds), np.float32)
    member = csr_array((ones, (np.arange(len(kinds)), kinds)), shape=(len(kinds), len(places)))
    counts = (member.T @ products.counts @ member).tocsr()
    return PairCounts.of(places, counts, _strata(places))


def _strata(garments: Iterable[Garment]) -> Places:
    numbers: dict[tuple[Slot, str], int] = {}
    return np.array([numbers.setdefault((each.slot, each.gender), len(numbers)) for each in garments], np.int64)
