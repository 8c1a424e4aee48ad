"""What goes with what, by what people did: products that were bought, or looked at, on the same occasion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sartor.recommend.tuning import TOGETHER_KEPT, TOGETHER_LARGEST, TOGETHER_SHRINKAGE

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]

_STEPS = 1024  # of closeness, as finely as it has to be parted for few to be left
_BLOCK = 2048  # products that are compared with all others at once; bounds memory


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """For each product those that go with it.

    The closeness of two products is ``c / (sqrt(n m) + shrinkage)``: on ``c`` occasions there were both, on ``n``
    and ``m`` each; so that two that met once by chance are not close.

    Source: item-to-item collaborative filtering by cosine, B. Sarwar et al., WWW 2001; the shrinkage as
    R. Bell and Y. Koren, ICDM 2007.

    Attributes:
        starts: Where the others of each product begin, ``(p + 1,)``.
        others: Those of all products end to end, of each the closest first, at most ``TOGETHER_KEPT``.
        closeness: How close they are, in (0, 1).
        occasions: On how many there was each product, ``(p,)``.
    """

    starts: Numbers
    others: Numbers
    closeness: Vector
    occasions: Numbers

    @classmethod
    def of(cls, occasions: Numbers, products: Numbers, *, count: int) -> Together:
        """Learn from pairs.

        Args:
            occasions: A number for each pair's occasion, ``(n,)``: a basket, a session.
            products: The product that there was, ``(n,)``, below ``count``; the latest come last.
            count: How many products there are.
        """
        there = _there(occasions, products, count)
        often = np.asarray(there.sum(axis=0)).ravel().astype(np.int64)
        by_product = there.T.tocsr()
        blocks = [
            _closest(by_product[start : start + _BLOCK] @ there, often, start) for start in range(0, count, _BLOCK)
        ]
        sizes, others, closeness = (np.concatenate(part) for part in zip(_NOTHING, *blocks, strict=True))
        return cls(np.concatenate([[0], np.cumsum(sizes)]), others, closeness, often)

    def beside(self, product: int) -> tuple[Numbers, Vector]:
        """Products that go with one, the closest first, and how close they are."""
        own = slice(self.starts[product], self.starts[product + 1])
        return self.others[own], self.closeness[own]

    def between(self, product: int, others: Numbers) -> Vector:
        """How close one product is to each of others, ``(n,)``."""
        near, closeness = self.beside(product)
        return np.asarray((near == others[:, None]) @ closeness, np.float32)

    def with_all(self, products: Numbers, weights: Vector) -> Vector:
        """How well each product goes with several, ``(p,)``: the mean of closenesses, by weight."""
        found = np.zeros(len(self.occasions), np.float32)
        for product, weight in zip(products, weights / (float(weights.sum()) or 1.0), strict=True):
            others, closeness = self.beside(product)
            found[others] += weight * closeness  # no other comes twice
        return found


def _there(occasions: Numbers, products: Numbers, count: int) -> sparse.csr_matrix:
    """Which products there were on which occasions, ``(o, p)`` of 0 and 1; of large ones the latest products."""
    _, first = np.unique(occasions[::-1] * np.int64(max(count, 1)) + products[::-1], return_index=True)
    kept = np.sort(len(products) - 1 - first)  # of each pair the last
    occasions, products = occasions[kept], products[kept]
    names, numbers, sizes = np.unique(occasions, return_inverse=True, return_counts=True)
    order = np.argsort(numbers, kind="stable")
    from_end = np.empty(len(numbers), np.int64)
    from_end[order] = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(numbers))
    near = from_end <= TOGETHER_LARGEST
    shape = (len(names), count)
    return sparse.csr_matrix((np.ones(int(near.sum()), np.float32), (numbers[near], products[near])), shape=shape)


def _closest(both: sparse.csr_matrix, often: Numbers, start: int) -> tuple[Numbers, Numbers, Vector]:
    """Of the products from one on: how many others each has, which, and how close they are."""
    both = both.tocoo()
    rows, columns, roots = both.row, both.col, np.sqrt(often).astype(np.float32)
    closeness = both.data / (roots[rows + start] * roots[columns] + TOGETHER_SHRINKAGE)
    closeness[columns == rows + start] = 0  # itself
    near = _may_be_kept(rows, closeness, count=both.shape[0])
    rows, columns, closeness = rows[near], columns[near], closeness[near]
    order = np.lexsort((columns, -closeness, rows))
    rows, columns, closeness = rows[order], columns[order], closeness[order]
    sizes = np.bincount(rows, minlength=both.shape[0])
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = place < TOGETHER_KEPT
    return np.minimum(sizes, TOGETHER_KEPT), columns[kept].astype(np.int64), closeness[kept]


def _may_be_kept(rows: Numbers, closeness: Vector, *, count: int) -> npt.NDArray[np.bool_]:
    """Which pairs may be among the closest of their row, ``(n,)``: counting is much faster than sorting them all.

    Each row's pairs are counted by steps of closeness; below the step at which enough are above, none is kept.
    """
    steps = (np.sqrt(closeness) * _STEPS).astype(np.int64)
    counts = np.bincount(rows * np.int64(_STEPS) + steps, minlength=count * _STEPS).reshape(count, _STEPS)
    enough = counts[:, ::-1].cumsum(axis=1) >= TOGETHER_KEPT  # from the closest step on
    lowest = np.where(enough[:, -1], _STEPS - 1 - enough.argmax(axis=1), 0)
    return np.asarray((steps >= lowest[rows]) & (closeness > 0))


_NOTHING = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
