"""From a decoded photo to the pixels that a network takes: size and shape; scaling is the runtime's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from sartor.encoders.choices import ResizePolicy

if TYPE_CHECKING:
    from sartor.encoders.card import ModelCard
    from sartor.encoders.runtime import Pixels

# Bilinear in Pillow averages over the source pixels when it shrinks, so nothing aliases; a gap of 2 lets it
# shrink large photos by whole factors first, at no visible difference.
_RESAMPLING = Image.Resampling.BILINEAR
_REDUCING_GAP = 2.0
_WHITE = (255, 255, 255)


def prepare(image: Image.Image, card: ModelCard) -> Pixels:
    """Resize an RGB photo as the card says; returns ``(h, w, 3)`` uint8."""
    height_px, width_px = card.size_px
    size = (width_px, height_px)
    if image.size == size:
        return np.asarray(image)
    match card.resize:
        case ResizePolicy.STRETCH:
            resized = image.resize(size, _RESAMPLING, reducing_gap=_REDUCING_GAP)
        case ResizePolicy.CROP:
            resized = ImageOps.fit(image, size, _RESAMPLING)
        case ResizePolicy.PAD:
            resized = ImageOps.pad(image, size, _RESAMPLING, color=_WHITE)
    return np.asarray(resized)
