"""What makes products relevant to a query: the same labels, labels that a map names, or one product.

Shapes: q queries, n products of the gallery, b queries of a block, m products ranked for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from sartor.evaluation.agreement import Indices, Labels

    Mask: TypeAlias = npt.NDArray[np.bool_]

_UNLABELLED_QUERY = np.int32(-1)
_UNLABELLED_PRODUCT = np.int32(-2)  # another one, so that a query without a label matches nothing


class Relevance(Protocol):
    """Which products are relevant to which queries, by one criterion."""

    @property
    def labelled(self) -> Mask:
        """Queries that can be judged, ``(q,)``."""

    @property
    def totals(self) -> Indices:
        """Relevant products in the gallery for each query, ``(q,)``; 0 where it is not labelled."""

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the products ranked for some queries are relevant to them.

        Args:
            rows: ``(b,)`` queries.
            products: ``(b, m)`` places in the gallery, of products other than the query itself.

        Returns:
            ``(b, m)``; False where the query is not labelled.
        """


class SameLabels:
    """Products are relevant that have the query's label by every attribute; an empty label is none.

    Args:
        query_labels: ``(q,)`` for each attribute.
        gallery_labels: ``(n,)`` for each attribute, in the same order.
        own: ``(q,)`` place in the gallery of each query itself, which is not counted; -1 where it is not in it.
    """

    def __init__(self, query_labels: Sequence[Labels], gallery_labels: Sequence[Labels], own: Indices) -> None:
        codes, known = _codes(query_labels, gallery_labels)  # each (q + n,)
        count = len(own)
        self._mine = np.where(known[:count], codes[:count], _UNLABELLED_QUERY)
        self._theirs = np.where(known[count:], codes[count:], _UNLABELLED_PRODUCT)
        self.labelled: Mask = known[:count]
        sizes = np.bincount(self._theirs[known[count:]], minlength=int(codes.max(initial=0)) + 1)
        inside = np.flatnonzero(own >= 0)
        totals = np.where(self.labelled, sizes[self._mine], 0)
        totals[inside] -= self._theirs[own[inside]] == self._mine[inside]
        self.totals: Indices = totals

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the ``(b, m)`` products are relevant to the ``(b,)`` queries."""
        marks: Mask = self._theirs[products] == self._mine[rows][:, np.newaxis]
        return marks


class MappedLabels:
    """Products are relevant whose label is one of those that a map gives for the query's label.

    A query whose label is empty or not in the map is not labelled; a product without a label is never relevant.

    Args:
        query_labels: ``(q,)``.
        gallery_labels: ``(n,)``.
        own: ``(q,)`` place in the gallery of each query itself, which is not counted; -1 where it is not in it.
        map: For a label of queries, the labels of the products that are relevant to them.
    """

    def __init__(
        self,
        query_labels: Labels,
        gallery_labels: Labels,
        own: Indices,
        map: Mapping[str, Collection[str]],  # noqa: A002 - its word on the command line
    ) -> None:
        wanted = sorted((set(query_labels.tolist()) & set(map)) - {""})
        row_of = {label: row for row, label in enumerate(wanted)}
        names, self._theirs = np.unique(gallery_labels, return_inverse=True)
        self._table = np.zeros(
            (len(wanted) + 1, len(names)), np.bool_
        )  # the last row is of queries without a label
        for label, row in row_of.items():
            self._table[row] = [name != "" and name in map[label] for name in names.tolist()]
        self._mine = np.array([row_of.get(label, -1) for label in query_labels.tolist()], np.int64)
        self.labelled: Mask = self._mine >= 0
        sizes = np.bincount(self._theirs, minlength=len(names))
        inside = np.flatnonzero(own >= 0)
        totals = (self._table @ sizes)[self._mine]
        totals[inside] -= self._table[self._mine[inside], self._theirs[own[inside]]]
        self.totals: Indices = totals

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the ``(b, m)`` products are relevant to the ``(b,)`` queries."""
        return np.take_along_axis(self._table[self._mine[rows]], self._theirs[products], axis=1)


class SameProduct:
    """The one relevant product is the one that the query shows; it may be found at the query's own place.

    Args:
        targets: ``(q,)`` its place in the gallery; -1 where it is not known.
    """

    def __init__(self, targets: Indices) -> None:
        self._targets = targets
        self.labelled: Mask = targets >= 0
        self.totals: Indices = self.labelled.astype(np.int64)

    def of(self, rows: Indices, products: Indices) -> Mask:
        """Which of the ``(b, m)`` products are relevant to the ``(b,)`` queries."""
        marks: Mask = products == self._targets[rows][:, np.newaxis]
        return marks


def _codes(query_labels: Sequence[Labels], gallery_labels: Sequence[Labels]) -> tuple[npt.NDArray[np.int32], Mask]:
    """A number for each combination of labels, queries first, ``(q + n,)``, and where no label is missing."""
    both = [np.concatenate(pair) for pair in zip(query_labels, gallery_labels, strict=True)]  # each (q + n,)
    codes = np.zeros(len(both[0]), np.int64)
    for labels in both:
        names, each = np.unique(labels, return_inverse=True)
        codes = np.unique(codes * len(names) + each, return_inverse=True)[1]
    small = codes.astype(np.int32)  # ``of`` gathers from the cache, and is faster the more of them fit in
    return small, np.all([labels != "" for labels in both], axis=0)
