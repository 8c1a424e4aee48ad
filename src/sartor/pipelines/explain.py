"""Which regions of two photos make them close: heat maps that add up to the cosine of their embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.imaging.heat import heated

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.encoder import Encoder
    from sartor.encoders.regions import Regions

    Map = npt.NDArray[np.float32]  # (h, w)

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
