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

_BLOCK = 2048  # products that are compared with all others at once; bounds memory


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """For each product those that go with it.

    The closeness of two products is ``c / (sqrt(n m) + shrinkage)``: on ``c`` occasions there were both, on ``n``
    and ``m`` each; so that two that met once by chance are not close.

    Source: item-to-item collaborative filtering by cosine, B. Sarwar et al., WWW 2001; the shrinkage as
    R. Bell and Y. Koren, ICDM 2007.

    Attributes:
        closeness: ``(p, p)`` in [0, 1), of each product at most ``TOGETHER_KEPT`` others.
        occasions: On how many there was each product, ``(p,)``.
    """

    closeness: sparse.csr_matrix
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
        closeness = sparse.vstack(blocks, format="csr") if blocks else sparse.csr_matrix((0, 0), dtype=np.float32)
        return cls(closeness, often)

    def beside(self, product: int) -> tuple[Numbers, Vector]:
        """Products that go with one, the closest first, and how close they are."""
        row = self.closeness[product]
        order = np.lexsort((row.indices, -row.data))
        return row.indices[order].astype(np.int64), row.data[order]

    def between(self, product: int, others: Numbers) -> Vector:
        """How close one product is to each of others, ``(n,)``."""
        return np.asarray(self.closeness[product, others].toarray()).ravel()

    def with_all(self, products: Numbers, weights: Vector) -> Vector:
        """How well each product goes with several, ``(p,)``: the mean of closenesses, by weight."""
        total = float(np.abs(weights).sum()) or 1.0
        asked = sparse.csr_matrix(
            (weights / total, (np.zeros(len(products), np.int64), products)),
            shape=(1, self.closeness.shape[0]),
            dtype=np.float32,
        )
        return np.asarray((asked @ self.closeness).toarray()).ravel()


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


def _closest(both: sparse.csr_matrix, often: Numbers, start: int) -> sparse.csr_matrix:
    both = both.tocoo()
    rows, columns = both.row.astype(np.int64), both.col.astype(np.int64)
    other = columns != rows + start
    rows, columns, met = rows[other], columns[other], both.data[other]
    closeness = met / (np.sqrt(often[rows + start] * often[columns]) + TOGETHER_SHRINKAGE)
    order = np.lexsort((columns, -closeness, rows))
    rows, columns, closeness = rows[order], columns[order], closeness[order]
    sizes = np.bincount(rows, minlength=both.shape[0])
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = place < TOGETHER_KEPT
    return sparse.csr_matrix(
        (closeness[kept].astype(np.float32), (rows[kept], columns[kept])), shape=both.shape, dtype=np.float32
    )
