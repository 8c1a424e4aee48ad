"""What recommenders ask of index, catalog and encoder, and what all of them answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, overload

from sartor.recommend.weights import FEED_DIVERSITY, HISTORY_EVENTS, Blend
from sartor.types import EVERYTHING, Hit, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from sartor.events.model import Person
    from sartor.types import FacetValue, Matrix, Neighbor, StoredProduct, Vector

GROUP = "item_group_id"  # the attribute that variants of one product share


class FacetCounts(Protocol):
    """Counts the values of attributes."""

    def facets(self, attributes: Sequence[str], *, where: Where, limit: int) -> Mapping[str, Sequence[FacetValue]]:
        """Values of attributes among the products that pass a filter."""
        ...


class NeighborIndex(FacetCounts, Protocol):
    """What similar products need of a vector index; outfits and feeds need all of ``VectorIndex``."""

    def search(
        self, vector: Vector, *, k: int, where: Where, without: Collection[str], exact: bool
    ) -> list[Neighbor]:
        """The ``k`` products closest to a vector, the closest first."""
        ...


class ProductReader(Protocol):
    """Reads products."""

    def products(self, product_ids: Collection[str]) -> Mapping[str, StoredProduct]:
        """Products by id; unknown ids are left out."""
        ...


class InputSize(Protocol):
    """What a network takes."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width."""
        ...


class PhotoEncoder(Protocol):
    """An encoder of photos."""

    @property
    def card(self) -> InputSize:
        """What describes the model."""
        ...

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """Resize an RGB photo for the network, ``(h, w, 3)``."""
        ...

    def embed(self, images: Sequence[Image.Image]) -> Matrix:
        """Embed RGB photos, ``(n, d)`` of unit norm; a row of NaN where the network fails."""
        ...

    def embed_pixels(self, pixels: Sequence[NDArray[np.uint8]]) -> Matrix:
        """Embed prepared photos."""
        ...

    def feature_maps(self, pixels: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.float32]]:
        """The maps that embeddings are pooled from, the finest first, ``(n, h, w, c)`` each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What recommenders know of the model that embedded the catalog.

    Attributes:
        attributes: Names of all attributes that can be filtered by.
        predicted: Value and probability by attribute for vectors of the index, ``(n, d + m + c)``.
        matching: Match probabilities ``(n,)`` for closenesses ``(n, 3)`` in style, color and category; None where
            the model is not calibrated.
    """

    attributes: tuple[str, ...]
    predicted: Callable[[Matrix], Sequence[Mapping[str, tuple[str, float]]]]
    matching: Callable[[Matrix], Vector] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits(Sequence["Hit"]):
    """Recommended products, each once, the best first; iterates and indexes as its ``hits``."""

    hits: tuple[Hit, ...]

    @overload
    def __getitem__(self, rank: int) -> Hit: ...
    @overload
    def __getitem__(self, rank: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, rank: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[rank]

    def __len__(self) -> int:
        return len(self.hits)


class Basis(StrEnum):
    """What a feed is based on."""

    HISTORY = "history"  # the person's events
    CONTEXT = "context"  # what others do, among the products that the person is looking at
    TRENDING = "trending"  # what others do
    NEWEST = "newest"  # the catalog alone
    TOGETHER = "together"  # what others did with the same product


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Hits):
    """Products recommended to a person or by what people do; a varied feed is not sorted by score."""

    based_on: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """A request for a feed.

    Attributes:
        person: Whom it is for.
        k: Number of products.
        now_s: Now, in seconds since 1970 UTC; later events do not count.
        where: Only products that pass this filter.
        context: What the person is looking at; without a history, products that pass this come first.
        diversity: From 0, the best, to 1, the most varied.
        without: Ids of products to leave out.
        blend: Weights of the signals.
        events: How many of the person's last events count.
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
