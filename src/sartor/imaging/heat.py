"""Heat maps over photos: warm where a place counts for something, the photo as it is where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_WARM = (222, 45, 38)
_MOST = 0.75  # how much of the warm color the hottest place has
_FADED = 0.35  # how much of its color a photo keeps where nothing counts


def heated(photo: Image.Image, heat: Floats) -> Image.Image:
    """An RGB photo under a heat map.

    Args:
        photo: The photo.
        heat: ``(h, w)`` in 0..1 of any size; it is stretched to the photo's.
    """
    raised = Image.fromarray((heat.clip(0, 1) * 255).astype(np.uint8)).resize(photo.size, Image.Resampling.BICUBIC)
    share = np.asarray(raised, np.float32)[..., None] / 255  # (h, w, 1)
    rgb = np.asarray(photo, np.float32)
    gray = rgb.mean(axis=2, keepdims=True)
    faded = gray + (rgb - gray) * (_FADED + (1 - _FADED) * share)
    mixed = faded + (np.array(_WARM, np.float32) - faded) * _MOST * share
    return Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))
