"""Perceptual hashes: bits that are alike for photos of the same picture in any size and compression."""

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
    """The steps to brighter or darker of an RGB photo, from left to right and top to bottom: 128 bytes.

    Source: the difference hash of N. Krawetz, "Kind of Like That" (2013), at 16 x 16, both ways, with both signs,
    so that a flat background has no bits.
    """
    gray = image.convert("L")
    across = np.diff(_shrunk(gray, _SIDE + 1, _SIDE), axis=1)
    down = np.diff(_shrunk(gray, _SIDE, _SIDE + 1), axis=0)
    steps = np.stack([across > _STEP, across < -_STEP, down > _STEP, down < -_STEP])
    return np.packbits(steps).tobytes()


def apart(ones: Sequence[bytes], others: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """Jaccard distances of the bits of n pairs of fingerprints, ``(n,)`` from 0 to 1.

    An empty fingerprint, or one without a bit, has distance 1 from all.
    """
    one, other = _words(ones), _words(others)
    both = np.bitwise_count(one & other).sum(axis=1, dtype=np.int32)
    either = np.bitwise_count(one | other).sum(axis=1, dtype=np.int32)
    return np.asarray(1 - both / np.maximum(either, 1), np.float32)


def _words(fingerprints: Sequence[bytes]) -> npt.NDArray[np.uint64]:
    size = _BITS // 8
    joined = b"".join(bits.ljust(size, b"\0") for bits in fingerprints)
    return np.frombuffer(joined, np.uint64).reshape(-1, size // 8)


def _shrunk(gray: Image.Image, width_px: int, height_px: int) -> npt.NDArray[np.int16]:
    return np.asarray(gray.resize((width_px, height_px), Image.Resampling.BOX), np.int16)
