"""The contract of a vector index: nearest neighbors among the photos of a catalog, by one model.

An index is derived from the store and can be deleted at any time. It follows the store's revisions. The embedded
one, in ``index/edge.py``, belongs to one process, which writes it. One that many processes share, such as that in
``index/opensearch/``, is written by an indexer alone; the others read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from sartor.types import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sartor.types import FacetValue, IndexEntry, ListedProduct, Matrix, Metric, Neighbor, Vector, Where


class VectorIndex(Protocol):
    """Nearest neighbors by the dot product ``s`` of vectors. Threads may share it.

    Vectors are stored as given and must not be normalized: style, color and category stand end to end, so a norm
    may differ from 1. The score is ``s`` for the cosine metric and ``-sqrt(2 - 2 s)`` for the euclidean one. Both
    rank alike, and a higher score is closer.

    A filter means what ``sartor.values`` says: ``AnyOf`` compares ``texts_of``, ``Between`` ``numbers_of``, and
    ``Not`` lets a product pass that lacks the attribute. An index that is damaged, or was made for another model,
    opens empty at revision 0.

    Every method that asks an engine outside of this process raises ``IndexAway`` if it does not answer in time.
    """

    metric: Metric

    @property
    def revision(self) -> int:
        """Revision of the store that the index has followed to."""
        ...

    def by(self, metric: Metric) -> Self:
        """The same index with scores of another metric; it is closed together with this one."""
        ...

    @property
    def writer(self) -> IndexWriter | None:
        """What writes to the index; None if only the indexer does, in another process or another thread."""
        ...

    def refresh(self) -> None:
        """Notice what the indexer has written; nothing to do for an index that this process writes.

        Raises:
            IndexAway: The engine does not answer.
        """
        ...

    def search(
        self,
        vector: Vector,
        *,
        k: int,
        where: Where = EVERYTHING,
        without: Collection[str] = (),
        exact: bool = False,
    ) -> list[Neighbor]:
        """Find the ``k`` products whose photos are closest to a vector, the closest first, ties by id.

        Args:
            vector: ``(n,)`` float32.
            k: Number of products; fewer if fewer pass.
            where: Only products that pass this filter.
            without: Ids of products to leave out.
            exact: Compare with every photo instead of using the graph.
        """
        ...

    def find(
        self, vectors: Matrix, *, k: int, where: Where = EVERYTHING, without: Collection[str] = ()
    ) -> list[str]:
        """Ids of the products of the ``k`` photos closest to each of several vectors, each id once.

        Args:
            vectors: ``(v, n)`` float32; results of the first come first, the closest first.
            k: Photos for each vector.
            where: Only products that pass this filter.
            without: Ids of products to leave out.
        """
        ...

    def entries(self, product_ids: Collection[str]) -> list[Neighbor]:
        """The main photos of products, by id, with score 0; unknown ids are left out."""
        ...

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        """The products among ``of`` that are in the index and pass a filter."""
        ...

    def some(self, *, where: Where = EVERYTHING, limit: int) -> list[str]:
        """Ids of some products that pass a filter, always the same ones."""
        ...

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, limit: int
    ) -> dict[str, list[FacetValue]]:
        """Values of attributes with their number of products, the most frequent first, ties by value.

        Args:
            attributes: Attributes to count; one that no product has gets an empty list.
            where: Count only products that pass this filter.
            limit: Values of each attribute, at most.
        """
        ...

    def entry_keys(self) -> set[tuple[str, str]]:
        """``(product id, SHA-256)`` of every photo in the index."""
        ...

    def __len__(self) -> int:
        """Number of photos."""
        ...

    def close(self) -> None:
        """Write everything to disk and release the index."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class RevisionWriter(Protocol):
    """Writes what follows a store, in the order of the store's revisions. The caller serializes the calls.

    What is on disk may lag behind ``advance``; it is never ahead of it.
    """

    @property
    def revision(self) -> int:
        """Revision of the store that was written up to."""
        ...

    def advance(self, revision: int, *, changed: int) -> None:
        """Note that the index has followed the store to ``revision``; after many changes, write it to disk."""
        ...

    def mark(self, revision: int) -> None:
        """Write everything to disk and note that the index has followed the store to ``revision``."""
        ...

    def share(self) -> int:
        """Give other processes that wait for it a copy of an embedded index; returns how many there were.

        Call it between two writes. An index that all processes use anyway has nothing to copy.
        """
        ...

    def clear(self) -> None:
        """Remove all entries and go back to revision 0.

        An index that others read may keep what it has for them until ``mark`` says that the new one has caught up.
        """
        ...


class IndexWriter(RevisionWriter, Protocol):
    """Writes an index of photos."""

    def replace(self, product_ids: Collection[str], entries: Sequence[IndexEntry], *, revision: int) -> None:
        """Replace all entries of these products; a product without an entry is deleted.

        Searches that run meanwhile always find a product that was and stays in the index.

        Args:
            product_ids: All products that changed.
            entries: Their photos.
            revision: The last revision of the store that these changes are of, at least 1. An engine that others
                can write late refuses what is older than what it has.

        Raises:
            IndexAway: The engine does not answer.
            IndexerReplaced: Another indexer writes the index by now.
        """
        ...

    def optimize(self) -> bool:
        """Build the graph over new entries; returns whether there was anything to do."""
        ...


class ListingWriter(RevisionWriter, Protocol):
    """Writes the index of the catalog's listing, which all processes read."""

    def replace(self, product_ids: Collection[str], products: Sequence[ListedProduct], *, revision: int) -> None:
        """Replace these products; one that is not among ``products`` is deleted.

        Args:
            product_ids: All products that changed.
            products: Those that there are.
            revision: The last revision of the store that these changes are of, at least 1. What is older than
                what the index has is refused.

        Raises:
            IndexAway: The engine does not answer.
            IndexerReplaced: Another indexer writes the index by now.
        """
        ...
