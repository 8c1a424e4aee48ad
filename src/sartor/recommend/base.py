"""What recommenders ask of a model, and what they answer; index and store have contracts of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, overload

from sartor.recommend.facts import GROUP, Candidates
from sartor.recommend.weights import FEED_DIVERSITY, HISTORY_EVENTS, Blend
from sartor.tabular import HIT_COLUMNS, Tabular
from sartor.types import EVERYTHING, Hit, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from sartor.encoders.card import ModelCard
    from sartor.events.model import Person
    from sartor.recommend.matching import Matcher
    from sartor.types import Attributes, Guesses, Matrix


__all__ = ["GROUP", "Basis", "Feed", "FeedRequest", "Hits", "Model", "PhotoEncoder"]


class PhotoEncoder(Protocol):
    """What recommenders need of an encoder."""

    card: ModelCard

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """Resize an RGB photo for the network, ``(h, w, 3)``."""

    def embed(self, images: Sequence[Image.Image]) -> Matrix:
        """Embed RGB photos, ``(n, d)`` of unit norm; a row of NaN if the network fails."""

    def embed_pixels(self, pixels: Sequence[NDArray[np.uint8]]) -> Matrix:
        """Embed prepared photos."""

    def embed_with_maps(self, pixels: Sequence[NDArray[np.uint8]]) -> tuple[Matrix, Sequence[NDArray[np.float32]]]:
        """Embed prepared photos, with their maps, in one run of the network."""

    def feature_maps(self, pixels: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.float32]]:
        """The maps that embeddings are pooled from, the finest first, ``(n, h, w, c)`` each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What recommenders know of the model that embedded the catalog."""

    attributes: tuple[str, ...]  # names of all that can be filtered by
    # Value and probability by attribute, for vectors of the index ``(n, d + m + c)``.
    predicted: Callable[[Matrix], Sequence[Mapping[str, tuple[str, float]]]]
    matching: Matcher | None  # None without a calibration
    is_default: bool = False  # whether its predictions are those that the catalog's listing has
    candidates: Candidates = field(default_factory=Candidates)  # those of earlier answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits(Sequence["Hit"], Tabular):
    """Recommended products, each once, the best first; iterates and indexes as its ``hits``.

    As a table, by ``to_pandas``, ``to_polars``, ``to_arrow`` or ``to_records``, it has the rank, from 1, what a
    hit has, and each attribute.
    """

    _columns = HIT_COLUMNS

    hits: tuple[Hit, ...]

    @overload
    def __getitem__(self, rank: int) -> Hit: ...
    @overload
    def __getitem__(self, rank: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, rank: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[rank]

    def __len__(self) -> int:
        return len(self.hits)

    def _rows(self) -> Iterator[tuple[dict[str, object], Attributes, Guesses]]:
        for rank, hit in enumerate(self.hits, start=1):
            own = {
                "rank": rank,
                "product_id": hit.product_id,
                "title": hit.title,
                "score": float(hit.score),
                "match": hit.match,
                "likeness": None if hit.likeness is None else hit.likeness.value,
                "style_closeness": float(hit.style),
                "color_closeness": float(hit.color),
                "reasons": list(hit.reasons),
                "variants": list(hit.variants),
                "photo": hit.photo.name,
            }
            yield own, hit.attributes, hit.predicted


class Basis(StrEnum):
    """What a feed is based on."""

    HISTORY = "history"  # the person's events
    CONTEXT = "context"  # what others do, among the products that the person is looking at
    TRENDING = "trending"  # what others do
    NEWEST = "newest"  # the catalog alone
    TOGETHER = "together"  # what others did with the same product


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Hits):
    """Products recommended to a person, or by what people do.

    Attributes:
        hits: The products, each once, in order; the scores of a varied feed may rise.
        based_on: What the feed is based on.
    """

    based_on: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """A request for ``k`` products for a person."""

    person: Person
    k: int
    now_s: float  # seconds since 1970 UTC; later events do not count
    where: Where = EVERYTHING
    context: Where = EVERYTHING  # what the person is looking at; it comes first for a person without history
    diversity: float = FEED_DIVERSITY  # from 0, the best, to 1, the most varied
    without: frozenset[str] = frozenset()  # ids of products
    blend: Blend = field(default_factory=Blend)
    events: int = HISTORY_EVENTS  # the last ones of the person that count
