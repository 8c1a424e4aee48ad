"""What the pages ask: a workspace that this process holds, or a running service over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sartor.recommend.tuning import DEFAULT_DIALS
from sartor.types import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.recommend.similar import Recommendation
    from sartor.recommend.traits import Dials
    from sartor.types import FacetValue, StoredProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """A model that is there.

    Attributes:
        id: Its id.
        embedded: Photos of the catalog that it has embedded.
    """

    id: str
    embedded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a catalog holds.

    Attributes:
        products: How many products.
        photos: How many photos.
        model: Id of the model that answers when none is chosen.
        models: Models that can be asked, that one first.
        facets: Attributes that make good filters, with their values.
    """

    products: int
    photos: int
    model: str
    models: tuple[ModelState, ...]
    facets: Mapping[str, Sequence[FacetValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a query is answered.

    Attributes:
        model: Id of the model.
        metric: By which metric scores are told.
        k: How many products.
        dials: How much style, color and category count.
        diversity: From 0, the closest, to 1, only what differs.
        where: Only products with these attributes.
    """

    model: str
    metric: Metric = Metric.COSINE
    k: int = 5
    dials: Dials = DEFAULT_DIALS
    diversity: float = 0.0
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Engine(Protocol):
    """What Search needs, which both kinds can do."""

    @property
    def place(self) -> str:
        """Where the catalog is, for a person."""
        ...

    def overview(self) -> Overview:
        """What the catalog holds."""
        ...

    def similar(self, photos: Sequence[bytes], product: str | None, how: How) -> Recommendation:
        """The products most similar to photos, or to a product.

        Raises:
            SartorError: The query cannot be answered.
        """
        ...

    def find(self, words: str, *, limit: int) -> Sequence[StoredProduct]:
        """Products with these words."""
        ...

    def product(self, product_id: str) -> StoredProduct:
        """One product.

        Raises:
            SartorError: There is none with this id.
        """
        ...

    def picture(self, sha256: str, *, max_px: int) -> tuple[bytes, str] | None:
        """A photo of the catalog with its media type; None where it is gone."""
        ...
