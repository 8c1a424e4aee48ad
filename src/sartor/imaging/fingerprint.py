"""Bits of a photo by which one that shows the same is found, however large it is and however compressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_SIDE = 16
_STEP = 2  # levels of gray; smaller steps are noise of the compression
_BITS = 4 * _SIDE * _SIDE


def fingerprint(image: Image.Image) -> bytes:
    """Where an RGB photo becomes brighter or darker from left to right and from top to bottom: 128 bytes.

    Source: the difference hash of N. Krawetz, "Kind of Like That" (2013), at 16 x 16, both ways, with both signs,
    so that a flat background has no bits.
    """
    gray = image.convert("L")
    across = np.diff(_shrunk(gray, _SIDE + 1, _SIDE), axis=1)
    down = np.diff(_shrunk(gray, _SIDE, _SIDE + 1), axis=0)
    steps = np.stack([across > _STEP, across < -_STEP, down > _STEP, down < -_STEP])
    return np.packbits(steps).tobytes()


def unpacked(fingerprints: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """Fingerprints as rows of 0 and 1, ``(n, 1024)``; an empty one has none."""
    rows = [np.frombuffer(each.ljust(_BITS // 8, b"\0"), np.uint8) for each in fingerprints]
    return np.unpackbits(np.stack(rows), axis=1).astype(np.float32)


def _shrunk(gray: Image.Image, width_px: int, height_px: int) -> npt.NDArray[np.int16]:
    return np.asarray(gray.resize((width_px, height_px), Image.Resampling.BOX), np.int16)
