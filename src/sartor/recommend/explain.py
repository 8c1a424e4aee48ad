"""Why a hit is one: in words, and by the regions of two photos that make them close."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.imaging.thumbnail import heated
from sartor.limits import MIN_SAID_PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.heads import Regions
    from sartor.recommend.base import PhotoEncoder
    from sartor.types import Attributes, Vector

    Map = npt.NDArray[np.float32]  # (h, w)

_SAME_COLOR, _NEAR_COLOR, _OTHER_COLOR = 0.9, 0.7, 0.35
_SAME_SHAPE = 0.75
_MAX_REASONS = 3

# Names of attributes in reasons; an empty one is not said, others go by their own name.
_SPOKEN = {"articleType": "type", "product_type": "type", "masterCategory": "", "subCategory": "", "usage": "use"}
_ORDER = ("product_type", "articleType", "gender", "color", "pattern", "material", "brand", "usage", "season")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAttributes:
    """Attributes of a query.

    Attributes:
        known: From the catalog, if the query is a product.
        predicted: From the model: value and probability by attribute.
        colors: Names of its main colors.
    """

    known: Mapping[str, object] = field(default_factory=dict)
    predicted: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    colors: tuple[str, ...] = ()

    def values(self) -> dict[str, object]:
        """Value by attribute, the catalog's before the model's; uncertain predictions are left out."""
        return _values(self.known, self.predicted)


def reasons_of(
    query: QueryAttributes, known: Attributes, predicted: Mapping[str, tuple[str, float]], closeness: Vector
) -> tuple[str, ...]:
    """Why a hit is one, in words: by its known and predicted attributes, and its closeness ``(3,)``."""
    asked, own = query.values(), _values(known, predicted)
    shared = [name for name in _ORDER if name in asked and asked[name] == own.get(name)]
    style, color, _category = (float(value) for value in closeness)
    reasons = [_same(name, asked[name]) for name in shared if name != "color" and _SPOKEN.get(name) != ""]
    if style >= _SAME_SHAPE and color <= _OTHER_COLOR:
        reasons.insert(0, "same shape, different color")
    elif color >= _SAME_COLOR:
        reasons.insert(1, "the same color")
    elif "color" in shared:
        reasons.insert(1, _same("color", asked["color"]))
    elif color >= _NEAR_COLOR:
        reasons.insert(1, "a color close to it")
    return tuple(reasons[:_MAX_REASONS]) or (("a similar look",) if style > 0 else ())


def _values(known: Mapping[str, object], predicted: Mapping[str, tuple[str, float]]) -> dict[str, object]:
    sure = {name: value for name, (value, probability) in predicted.items() if probability >= MIN_SAID_PROBABILITY}
    return {**sure, **known}


def _same(name: str, value: object) -> str:
    return f"same {_SPOKEN.get(name, name)}: {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why two photos are close.

    Attributes:
        photos: Both, cut as the network takes them, with the maps as heat over them.
        maps: What each region of either photo adds to the cosine, ``(h, w)`` each; both sum to it.
        cosine: Of the two embeddings.
    """

    photos: tuple[Image.Image, Image.Image]
    maps: tuple[Map, Map]
    cosine: float


def explain(encoder: PhotoEncoder, regions: Regions, photos: tuple[Image.Image, Image.Image]) -> Explained:
    """Split the cosine of two decoded photos over the regions of each."""
    prepared = [encoder.prepare(photo) for photo in photos]
    one, other = encoder.embed_pixels(prepared)
    features = encoder.feature_maps(prepared)
    maps = regions.of([level[0] for level in features], other), regions.of([level[1] for level in features], one)
    hottest = max(float(map_.max()) for map_ in maps)
    shown = [
        heated(photo, map_ / hottest if hottest > 0 else map_ * 0)
        for photo, map_ in zip(photos, maps, strict=True)
    ]
    return Explained(photos=(shown[0], shown[1]), maps=maps, cosine=float(one @ other))
