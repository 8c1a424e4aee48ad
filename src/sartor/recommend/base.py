"""Recommendations for a person: candidates of each interest, of what others did and of what is new; blended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, overload

from sartor.recommend.personal.signals import (
    Blend,
)
from sartor.recommend.weights import FEED_DIVERSITY, HISTORY_EVENTS
from sartor.types import EVERYTHING, FacetValue, Hit, Neighbor, StoredProduct, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sartor.events.model import Person
    from sartor.recommend.rank import Matching
    from sartor.types import Attributes, EmbeddedPhoto, Matrix, Vector


GROUP = "item_group_id"


class NeighborIndex(Protocol):
    """What is asked of a vector index."""

    def search(
        self, vector: Vector, *, k: int, where: Where, without: Collection[str], exact: bool
    ) -> list[Neighbor]:
        """The ``k`` closest products, the closest first."""
        ...

    def facets(self, attributes: Sequence[str], *, where: Where, limit: int) -> Mapping[str, Sequence[FacetValue]]:
        """Values of attributes among the products that pass a filter."""
        ...


class Catalog(Protocol):
    """What is asked of a catalog store."""

    def products(self, product_ids: Collection[str]) -> Mapping[str, StoredProduct]:
        """The products with these ids, as far as there are any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is known of the model that embedded the catalog.

    Attributes:
        attributes: Names of all attributes that can be asked for.
        predicted: What the model predicts of photos, by the vectors that an index has of them.
        matching: From closeness to match; None where the model is not calibrated.
    """

    attributes: tuple[str, ...]
    predicted: PredictedOf
    matching: Matching | None


class PredictedOf(Protocol):
    """What the model predicts of photos."""

    def __call__(self, vectors: Matrix) -> Sequence[Mapping[str, tuple[str, float]]]:
        """Value and probability by attribute, for each of ``(n, d + m + c)``."""
        ...


class Shelves(NeighborIndex, Protocol):
    """What is asked of a vector index."""

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        """Which of some products a filter lets pass."""
        ...


class Wardrobe(Protocol):
    """What is known of the products' photos and kinds."""

    def main_photos(self, product_ids: Collection[str]) -> Mapping[str, EmbeddedPhoto]:
        """The embedded main photo of each product, as far as there is one."""
        ...

    def attributes_of(self, photos: Sequence[EmbeddedPhoto]) -> Sequence[Attributes]:
        """What the catalog says of each photo's product, and what the model predicts where it says nothing."""
        ...

    def beside_kind(self, photo: EmbeddedPhoto, kind: str) -> Vector:
        """What is particular in a photo's style beside its kind, ``(d,)`` of norm 1."""
        ...

    def as_query(self, style: Vector) -> Vector:
        """A style as what the index compares."""
        ...

    def price_of(self, attributes: Attributes) -> float | None:
        """A product's price."""
        ...


class Basis(StrEnum):
    """What a feed was made from."""

    HISTORY = "history"  # what the person did
    CONTEXT = "context"  # what others do, among the products that the person looks at now
    TRENDING = "trending"  # what others do
    NEWEST = "newest"  # nothing but the catalog
    TOGETHER = "together"  # what others did with the same product


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Sequence["Hit"]):
    """Recommended products.

    Attributes:
        hits: The products, each once, in order; their scores need not fall where they are varied.
        based_on: What they were chosen by.
    """

    hits: tuple[Hit, ...]
    based_on: Basis

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, place: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[place]

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """What is wanted.

    Attributes:
        person: Whom it is for.
        k: How many products.
        now_s: Now, in seconds since 1970 UTC; later events do not count.
        where: Only products that pass this filter.
        context: What the person looks at now: of one without a history, products that pass come first.
        diversity: From 0, the best, to 1, only what differs.
        without: Ids of products to leave out.
        blend: How much each part counts.
        events: At most so many of the person's last events are looked at.
    """

    person: Person
    k: int
    now_s: float
    where: Where = EVERYTHING
    context: Where = EVERYTHING
    diversity: float = FEED_DIVERSITY
    without: frozenset[str] = frozenset()
    blend: Blend = field(default_factory=Blend)
    events: int = HISTORY_EVENTS
