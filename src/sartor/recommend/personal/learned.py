"""What follows from the events of all people: item co-occurrence, baskets, and how much people like items.

It holds numbers only: no name, no id of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sartor.recommend.weights import COOCCURRENCE_SHRINKAGE, MAX_RELATED, MAX_TRANSACTION_PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from sartor.events.model import RelationType
    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]
    Times = npt.NDArray[np.float64]

_CLOSENESS_BINS = 1024
_BLOCK = 2048  # products that are compared with all others at once; bounds memory
_NOTHING = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ItemCooccurrence:
    """For each item the items that it occurs with.

    The closeness of two items is ``c / (sqrt(n m) + shrinkage)``, where ``c`` transactions have both, and ``n``
    and ``m`` have each. The shrinkage keeps two that met once by chance apart.

    Source: item-to-item collaborative filtering by cosine, B. Sarwar et al., WWW 2001; the shrinkage as
    R. Bell and Y. Koren, ICDM 2007.
    """

    starts: Numbers  # where the related items of each item begin, (n_items + 1,)
    others: Numbers  # related items end to end, of each item the closest first, at most MAX_RELATED
    closeness: Vector  # how close they are, in (0, 1)
    transactions: Numbers  # number of transactions with each item, (n_items,)

    @classmethod
    def of(cls, transactions: Numbers, items: Numbers, *, count: int) -> ItemCooccurrence:
        """Learn from pairs of a transaction and an item below ``count``, ``(n,)`` each, the latest last."""
        occurs = _occurrences(transactions, items, count)
        totals = np.asarray(occurs.sum(axis=0)).ravel().astype(np.int64)
        by_item = occurs.T.tocsr()
        blocks = [
            _closest(by_item[start : start + _BLOCK] @ occurs, totals, start) for start in range(0, count, _BLOCK)
        ]
        sizes, others, closeness = (np.concatenate(part) for part in zip(_NOTHING, *blocks, strict=True))
        return cls(np.concatenate([[0], np.cumsum(sizes)]), others, closeness, totals)

    def related(self, item: int) -> tuple[Numbers, Vector]:
        """Items related to one, the closest first, and how close they are."""
        own = slice(self.starts[item], self.starts[item + 1])
        return self.others[own], self.closeness[own]

    def between(self, item: int, others: Numbers) -> Vector:
        """How close one item is to each of others, ``(n,)``."""
        near, closeness = self.related(item)
        return np.asarray((near == others[:, None]) @ closeness, np.float32)

    def renumbered(self, rows: Numbers, *, count: int) -> ItemCooccurrence:
        """The same with other rows: item ``i`` becomes ``rows[i]`` of ``count``; the new ones know nothing."""
        old_sizes = np.diff(self.starts)
        sizes, transactions = np.zeros(count, np.int64), np.zeros(count, np.int64)
        sizes[rows], transactions[rows] = old_sizes, self.transactions
        order = np.argsort(rows, kind="stable")  # old items by their new rows
        taken = np.repeat(self.starts[:-1][order], old_sizes[order])
        within = np.arange(len(taken)) - np.repeat(
            np.cumsum(old_sizes[order]) - old_sizes[order], old_sizes[order]
        )
        kept = taken + within
        return ItemCooccurrence(
            starts=np.concatenate([[0], np.cumsum(sizes)]),
            others=rows[self.others[kept]],
            closeness=self.closeness[kept],
            transactions=transactions,
        )

    def with_all(self, items: Numbers, weights: Vector) -> Vector:
        """How well each item goes with several, ``(n_items,)``: the mean of closenesses, by weight."""
        total = np.zeros(len(self.transactions), np.float32)
        for item, weight in zip(items, weights / (float(weights.sum()) or 1.0), strict=True):
            others, closeness = self.related(item)
            total[others] += weight * closeness  # no other comes twice
        return total


def _occurrences(transactions: Numbers, items: Numbers, count: int) -> sparse.csr_matrix:
    """Which transactions have which items, ``(t, n_items)`` of 0 and 1; of large ones the latest items."""
    _, first = np.unique(transactions[::-1] * np.int64(max(count, 1)) + items[::-1], return_index=True)
    kept = np.sort(len(items) - 1 - first)  # of each pair the last
    transactions, items = transactions[kept], items[kept]
    names, rows, sizes = np.unique(transactions, return_inverse=True, return_counts=True)
    order = np.argsort(rows, kind="stable")
    from_end = np.empty(len(rows), np.int64)
    from_end[order] = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(rows))
    near = from_end <= MAX_TRANSACTION_PRODUCTS
    shape = (len(names), count)
    return sparse.csr_matrix((np.ones(int(near.sum()), np.float32), (rows[near], items[near])), shape=shape)


def _closest(both: sparse.csr_matrix, totals: Numbers, start: int) -> tuple[Numbers, Numbers, Vector]:
    """For items from ``start`` on: the number of their related items, which, and how close they are."""
    both = both.tocoo()
    rows, columns, roots = both.row, both.col, np.sqrt(totals).astype(np.float32)
    closeness = both.data / (roots[rows + start] * roots[columns] + COOCCURRENCE_SHRINKAGE)
    closeness[columns == rows + start] = 0  # itself
    near = _may_be_kept(rows, closeness, count=both.shape[0])
    rows, columns, closeness = rows[near], columns[near], closeness[near]
    order = np.lexsort((columns, -closeness, rows))
    rows, columns, closeness = rows[order], columns[order], closeness[order]
    sizes = np.bincount(rows, minlength=both.shape[0])
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = rank < MAX_RELATED
    return np.minimum(sizes, MAX_RELATED), columns[kept].astype(np.int64), closeness[kept]


def _may_be_kept(rows: Numbers, closeness: Vector, *, count: int) -> npt.NDArray[np.bool_]:
    """Which pairs may be among the closest of their row, ``(n,)``: counting is much faster than sorting them all.

    Each row's pairs are counted by bins of closeness; below the bin at which enough are above, none is kept.
    """
    bins = (np.sqrt(closeness) * _CLOSENESS_BINS).astype(np.int64)
    cells = rows * np.int64(_CLOSENESS_BINS) + bins
    counts = np.bincount(cells, minlength=count * _CLOSENESS_BINS).reshape(count, _CLOSENESS_BINS)
    enough = counts[:, ::-1].cumsum(axis=1) >= MAX_RELATED  # from the closest bin on
    lowest = np.where(enough[:, -1], _CLOSENESS_BINS - 1 - enough.argmax(axis=1), 0)
    return np.asarray((bins >= lowest[rows]) & (closeness > 0))


@dataclass(frozen=True, slots=True, eq=False)
class InteractionWeights:
    """How much people like items: ``n`` rows, one for each person and item."""

    items: Numbers
    weights: Vector  # of the person's strongest event with the item
    at_s: Times  # of the last one, in seconds since 1970 UTC, never falling

    @classmethod
    def of(cls, people: Numbers, items: Numbers, weights: Vector, at_s: Times) -> InteractionWeights:
        """Gather events, ``(e,)`` each, in any order."""
        order = np.lexsort((at_s, items, people))
        people, items, weights, at_s = people[order], items[order], weights[order], at_s[order]
        first = np.flatnonzero((np.diff(people, prepend=-1) != 0) | (np.diff(items, prepend=-1) != 0))
        last = np.append(first[1:], len(people))[: len(first)] - 1
        strongest = np.maximum.reduceat(weights, first) if len(first) else weights
        by_time = np.argsort(at_s[last], kind="stable")
        return cls(items[last][by_time], strongest[by_time], at_s[last][by_time])

    def popularity(self, count: int, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
        """The popularity of ``count`` items, ``(count,)``: the sum of weights, each halved by its age.

        Rows whose last event is after ``now_s``, or before the window, do not count.
        """
        start, end = np.searchsorted(self.at_s, [now_s - window_s, now_s], side="right")
        near = slice(int(start), int(end))
        left = self.weights[near] * np.exp2((self.at_s[near] - now_s) / half_life_s)
        return np.bincount(self.items[near], weights=left, minlength=count).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was learned from events."""

    cooccurrence: Mapping[RelationType, ItemCooccurrence]
    baskets: tuple[tuple[int, ...], ...]  # rows of the items of each basket with at least two
    weights: InteractionWeights
    events: int  # number of events

    @property
    def items(self) -> int:
        """The number of items that were known."""
        return min((len(each.transactions) for each in self.cooccurrence.values()), default=0)

    def renumbered(self, rows: Numbers, *, count: int) -> Learned:
        """The same with other rows of the items: ``i`` becomes ``rows[i]`` of ``count``."""
        return Learned(
            cooccurrence={name: each.renumbered(rows, count=count) for name, each in self.cooccurrence.items()},
            baskets=tuple(tuple(rows[list(basket)].tolist()) for basket in self.baskets),
            weights=InteractionWeights(rows[self.weights.items], self.weights.weights, self.weights.at_s),
            events=self.events,
        )
