"""Similar products: the nearest neighbors of a query, without the query itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sartor.recommend.filters import require_attributes
from sartor.types import EVERYTHING, Hit, Neighbor, StoredProduct, Vector, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

DEFAULT_K = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarQuery:
    """What is looked for.

    Attributes:
        vectors: Embeddings of the query's photos, ``(d,)`` each; the query is their mean, scaled to norm 1.
        k: How many products.
        where: Only products that pass this filter.
        without: Ids of products to leave out: the query itself.
        exact: Compare with every photo, rather than through an approximate index.
    """

    vectors: tuple[Vector, ...]
    k: int = DEFAULT_K
    where: Where = EVERYTHING
    without: frozenset[str] = frozenset()
    exact: bool = False


class NearestNeighbors(Protocol):
    """What is asked of a vector index."""

    def search(
        self, vector: Vector, *, k: int, where: Where, without: Collection[str], exact: bool
    ) -> list[Neighbor]:
        """The ``k`` closest products, the closest first."""
        ...


class Catalog(Protocol):
    """What is asked of a catalog store."""

    def products(self, product_ids: Collection[str]) -> Mapping[str, StoredProduct]:
        """The products with these ids, as far as there are any."""
        ...

    def attribute_names(self) -> Sequence[str]:
        """Names of all attributes."""
        ...


def similar(query: SimilarQuery, *, index: NearestNeighbors, catalog: Catalog) -> tuple[Hit, ...]:
    """Find the products that look most like a query.

    Returns:
        At most ``k`` distinct products, their scores never rising.

    Raises:
        UnknownAttribute: The filter asks about an attribute that no product has.
        ValueError: ``k`` is below 1.
    """
    if query.k < 1:
        msg = f"k must be at least 1, not {query.k}"
        raise ValueError(msg)
    require_attributes(query.where, catalog.attribute_names())
    neighbors = index.search(
        mean_direction(query.vectors), k=query.k, where=query.where, without=query.without, exact=query.exact
    )
    products = catalog.products([neighbor.product_id for neighbor in neighbors])
    return tuple(_hit(neighbor, products[neighbor.product_id]) for neighbor in neighbors)


def mean_direction(vectors: Sequence[Vector]) -> Vector:
    """The mean of unit vectors, scaled to norm 1 again; the first one where they cancel out."""
    mean = np.mean(np.asarray(vectors, np.float64), axis=0)  # (d,)
    norm = float(np.linalg.norm(mean))
    return vectors[0] if norm == 0 else np.asarray(mean / norm, np.float32)


def _hit(neighbor: Neighbor, stored: StoredProduct) -> Hit:
    closest = next(photo for photo in stored.photos if photo.sha256 == neighbor.sha256)
    return Hit(
        product_id=neighbor.product_id,
        score=neighbor.score,
        title=stored.product.title,
        attributes=stored.product.attributes,
        photo=closest,
    )
