"""Exact nearest neighbors: the closest photos to a query, and whole rankings of a gallery of products.

Both work block by block, so that memory stays bounded. Shapes: q queries, n products of the gallery, p photos of
them, d dimensions of an embedding, b queries of a block, m products ranked for each of them.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from sartor.types import Matrix

    Indices: TypeAlias = npt.NDArray[np.int64]

_BLOCK_BYTES = 64 << 20  # memory for the scores and rows of one block
_MAX_THREADS = 4  # each holds a block; more of them rank faster than one reader can judge
_SORTED_AT_ONCE = 1 << 17  # keys that stay in a core's cache; making those of a whole block takes twice as long
_ROW_BITS = 32
_ROW = (1 << _ROW_BITS) - 1


def nearest(queries: Matrix, gallery: Matrix, *, k: int, own: Indices) -> Indices:
    """The ``k`` gallery rows with the highest cosine to each query, the closest first, without the query itself.

    Args:
        queries: ``(q, d)`` float32 of unit norm.
        gallery: ``(n, d)`` float32 of unit norm.
        k: Number of neighbors.
        own: ``(q,)`` row in the gallery of each query itself; -1 if it is not in the gallery.

    Returns:
        ``(q, min(k, others))`` rows of the gallery; ``others`` is ``n``, or ``n - 1`` as soon as one query is in
        the gallery. Equally close ones come in the gallery's order.
    """
    count = max(0, min(k, len(gallery) - int(bool((own >= 0).any()))))
    neighbors = np.empty((len(queries), count), np.int64)
    if not count:
        return neighbors
    step = max(1, _BLOCK_BYTES // (4 * len(gallery)))
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        scores = queries[block] @ gallery.T  # (b, d) @ (d, n) -> (b, n) float32 in [-1, 1]
        inside = np.flatnonzero(own[block] >= 0)
        scores[inside, own[block][inside]] = -np.inf
        best = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)  # (b, k)
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        neighbors[block] = np.take_along_axis(best, order, axis=1)
    return neighbors


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gallery:
    """The photos that are searched. A product's score is that of its photo closest to the query.

    Attributes:
        vectors: ``(p, d)`` float32 of unit norm, all photos, product by product.
        firsts: ``(n,)`` row of each product's first photo, increasing from 0: every product has a photo.
    """

    vectors: Matrix
    firsts: Indices

    @property
    def products(self) -> int:
        """Number of products, n."""
        return len(self.firsts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """The closest products to some queries.

    Attributes:
        rows: ``(b,)`` the queries.
        products: ``(b, m)`` rows of the gallery's products, the closest first, equally close ones in the gallery's
            order, without the query itself.
    """

    rows: Indices
    products: Indices


def rankings(queries: Matrix, gallery: Gallery, *, own: Indices, depth: Indices) -> Iterator[Ranked]:
    """Rank the gallery for each query, in blocks of queries that ask for similar depths.

    Every query is in one block. All queries of a block have equally many candidates: the n products, or one less
    if they are in the gallery themselves. The blocks and their order depend on ``own`` and ``depth`` alone.

    Args:
        queries: ``(q, d)`` float32 of unit norm.
        gallery: What is ranked.
        own: ``(q,)`` the query's own product in the gallery; -1 if it is not there.
        depth: ``(q,)`` how many products each query needs at least.

    Yields:
        Blocks whose ``m`` is the largest depth in them, or the number of candidates if that is smaller.
    """
    scorer = _Scorer(gallery)
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Ranked]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="sartor-rank") as pool:
        for rows in _blocks(scorer, own=own, depth=depth):
            inside = bool(own[rows[0]] >= 0)
            count = min(int(depth[rows].max()), gallery.products - int(inside))
            waiting.append(pool.submit(_rank, queries[rows], scorer, own[rows], rows, count))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Scorer:
    """Compares queries with all products in layers: the first photo of each, then the second of each that has one.

    Products with more photos come before those with fewer, so that a layer is compared with the first columns of
    the layers before it. ``np.maximum.reduceat`` over the photos of each product took 100 ns a product and query,
    several times as long as everything else.
    """

    def __init__(self, gallery: Gallery) -> None:
        self.products = gallery.products
        self._layers = [gallery.vectors]  # each (products that have such a photo, d)
        self._columns: Indices | None = None  # (n,) column of each product's score; None if in the products' order
        if self.products < len(gallery.vectors):
            photos = np.diff(gallery.firsts, append=len(gallery.vectors))  # (n,)
            order = np.argsort(-photos, kind="stable")
            rows = [gallery.firsts[order[: (photos > nth).sum()]] + nth for nth in range(photos.max())]
            self._layers = [gallery.vectors[layer] for layer in rows]
            self._columns = np.argsort(order)

    @property
    def bytes_per_query(self) -> int:
        """What ``scores`` holds at once: those of one layer, those so far, and those in the products' order."""
        return 4 * self.products * (1 if self._columns is None else 3)

    def scores(self, queries: Matrix) -> Matrix:
        """The cosine in [-1, 1] of ``(b, d)`` queries to the closest photo of each product, ``(b, n)`` float32."""
        best: Matrix = queries @ self._layers[0].T  # (b, d) @ (d, n) -> (b, n)
        for layer in self._layers[1:]:
            first = best[:, : len(layer)]
            np.maximum(first, queries @ layer.T, out=first)
        return best if self._columns is None else best.take(self._columns, axis=1)


def _blocks(scorer: _Scorer, *, own: Indices, depth: Indices) -> Iterator[Indices]:
    """The queries of each block: first those outside the gallery, then those in it, each by their depth."""
    for group in (np.flatnonzero(own < 0), np.flatnonzero(own >= 0)):
        rows = group[np.argsort(depth[group], kind="stable")]
        deepest = min(int(depth[group].max(initial=0)), scorer.products)
        row_bytes = scorer.bytes_per_query + 8 * deepest
        step = max(1, _BLOCK_BYTES // max(1, row_bytes))
        for start in range(0, len(rows), step):
            yield rows[start : start + step]


def _rank(queries: Matrix, scorer: _Scorer, own: Indices, rows: Indices, count: int) -> Ranked:
    """The first ``count`` products for a block's ``(b, d)`` queries, all or none of which are in the gallery."""
    if count <= 0:
        return Ranked(rows=rows, products=np.empty((len(rows), 0), np.int64))
    scores = scorer.scores(queries)
    if own[0] >= 0:
        scores[np.arange(len(rows)), own] = -np.inf  # last, and at least one more product than asked for exists
    return Ranked(rows=rows, products=_closest(scores, count))


def _closest(scores: Matrix, count: int) -> Indices:
    """Columns of the ``count`` highest scores of each row, ``(b, count)``, the highest first, equals in order.

    Args:
        scores: ``(b, n)`` float32 without NaN; overwritten.
        count: From 1 to n.
    """
    columns = np.arange(scores.shape[1])
    step = max(1, _SORTED_AT_ONCE // len(columns))
    closest = np.empty((len(scores), count), np.int64)
    for start in range(0, len(scores), step):
        keys = _keys(scores[start : start + step], columns)
        if count < len(columns):
            keys.partition(count - 1, axis=1)
        first = keys[:, :count]
        first.sort(axis=1)
        np.bitwise_and(first, _ROW, out=closest[start : start + step])
    return closest


def _keys(scores: Matrix, columns: Indices) -> Indices:
    """Integers in the order of falling scores, then of columns: NumPy sorts them with vector instructions.

    The bits of a float32, read as an int32, are in the order of positive floats. Those of negative floats run the
    other way, which flipping all but the sign turns round. Subtracting from 0 makes -0.0 the same as 0.0.

    Args:
        scores: ``(b, n)``; overwritten.
        columns: ``(n,)`` from 0 to 2^32 - 1.
    """
    bits = np.subtract(np.float32(0), scores, out=scores).view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    keys = bits.astype(np.int64)
    keys <<= _ROW_BITS
    keys |= columns
    return keys
