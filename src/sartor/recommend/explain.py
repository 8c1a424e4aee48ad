"""Which regions of two photos make them close: heat maps that add up to the cosine of their embeddings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.imaging.thumbnail import heated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.encoder import Encoder
    from sartor.encoders.heads import Regions
    from sartor.types import Attributes, Vector

    Map = npt.NDArray[np.float32]  # (h, w)


_SURE = 0.5  # probability from which a prediction is said aloud
_SAME_COLOR, _NEAR_COLOR, _OTHER_COLOR = 0.9, 0.7, 0.35
_SAME_SHAPE = 0.75
_MOST = 3


# How attributes are called before a shopper; others go by their own name.
_SPOKEN = {"articleType": "type", "product_type": "type", "masterCategory": "", "subCategory": "", "usage": "use"}
_ORDER = ("product_type", "articleType", "gender", "color", "pattern", "material", "brand", "usage", "season")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAttributes:
    """What is known of a query.

    Attributes:
        known: What the catalog says of the query's product.
        predicted: What the model says of its photos: value and probability by attribute.
        colors: Names of its main colors.
    """

    known: Mapping[str, object] = field(default_factory=dict)
    predicted: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    colors: tuple[str, ...] = ()

    def values(self) -> dict[str, object]:
        """What is said of the query, known before predicted; predictions that are not sure are left out."""
        sure = {name: value for name, (value, probability) in self.predicted.items() if probability >= _SURE}
        return {**sure, **self.known}


def reasons_of(
    seen: QueryAttributes, known: Attributes, predicted: Mapping[str, tuple[str, float]], closeness: Vector
) -> tuple[str, ...]:
    """Why a hit is one.

    Args:
        seen: What is known of the query.
        known: What the catalog says of the hit.
        predicted: What the model says of it beside that.
        closeness: ``(3,)`` in style, color and category.
    """
    asked = seen.values()
    own = {name: value for name, (value, probability) in predicted.items() if probability >= _SURE} | dict(known)
    shared = [name for name in _ORDER if name in asked and asked[name] == own.get(name)]
    style, color, _category = (float(each) for each in closeness)
    reasons = [_same(name, asked[name]) for name in shared if name != "color" and _SPOKEN.get(name) != ""]
    if style >= _SAME_SHAPE and color <= _OTHER_COLOR:
        reasons.insert(0, "same shape, different color")
    elif color >= _SAME_COLOR:
        reasons.insert(1, "the same color")
    elif "color" in shared:
        reasons.insert(1, _same("color", asked["color"]))
    elif color >= _NEAR_COLOR:
        reasons.insert(1, "a color close to it")
    return tuple(reasons[:_MOST]) or (("a similar look",) if style > 0 else ())


def _same(name: str, value: object) -> str:
    return f"same {_SPOKEN.get(name, name)}: {value}"


_LEAST_HEAT = 1e-6  # photos that nothing makes close stay as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why two photos are close.

    Attributes:
        photos: Both, as the network's photos are cut, with their heat maps over them: warm where a place adds to
            the closeness, warmer the more.
        maps: What each place of either photo adds, ``(h, w)`` each; both sum to the cosine.
        cosine: Of their embeddings.
    """

    photos: tuple[Image.Image, Image.Image]
    maps: tuple[Map, Map]
    cosine: float


def explain(encoder: Encoder, regions: Regions, photos: tuple[Image.Image, Image.Image]) -> Explained:
    """Split the cosine of two decoded photos over the places of each."""
    prepared = [encoder.prepare(photo) for photo in photos]
    one, other = encoder.embed_pixels(prepared)
    features = encoder.feature_maps(prepared)
    maps = regions.of([each[0] for each in features], other), regions.of([each[1] for each in features], one)
    hottest = max(float(each.max()) for each in maps)
    shown = [
        heated(photo, each / hottest if hottest > 0 else each * 0)
        for photo, each in zip(photos, maps, strict=True)
    ]
    return Explained(photos=(shown[0], shown[1]), maps=maps, cosine=float(one @ other))
