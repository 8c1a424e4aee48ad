"""Small pictures for pages and reports, made once when a photo enters the catalog.

A source that is small and fit for a web page is kept byte for byte: it costs nothing and loses nothing.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from sartor.limits import THUMBNAIL_PX

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sartor.imaging.decode import DecodedPhoto

    Floats = npt.NDArray[np.float32]


_SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_JPEG_QUALITY = 85
_KEPT_BYTES = 512 * 1024  # a small picture in a larger file carries something else, such as layers or a video

_WARM = (222, 45, 38)
_MOST = 0.75  # how much of the warm color the hottest place has
_FADED = 0.35  # how much of its color a photo keeps where nothing counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """An encoded small picture.

    Attributes:
        data: The file's bytes.
        suffix: ``jpg``, ``png`` or ``webp``, without a dot.
    """

    data: bytes
    suffix: str

    @property
    def media_type(self) -> str:
        """Its type on the web."""
        return _MEDIA_TYPES[self.suffix]


def make_thumbnail(data: bytes, decoded: DecodedPhoto, *, max_px: int = THUMBNAIL_PX) -> Thumbnail:
    """A picture of at most ``max_px`` on a side, never enlarged.

    Args:
        data: The encoded photo.
        decoded: What ``decode`` made of the same bytes.
        max_px: Most pixels of width, and of height.
    """
    fits = max(decoded.width_px, decoded.height_px) <= max_px
    if fits and decoded.web_ready and len(data) <= _KEPT_BYTES:
        return Thumbnail(data=data, suffix=_SUFFIXES[decoded.format])
    return Thumbnail(data=_encode(_fit(decoded.image, max_px)), suffix="jpg")


def without_metadata(decoded: DecodedPhoto, *, max_px: int = THUMBNAIL_PX) -> Thumbnail:
    """A picture of at most ``max_px`` on a side with nothing of the file that it came from but what it shows."""
    return Thumbnail(data=_encode(_fit(decoded.image, max_px)), suffix="jpg")


def reduced(data: bytes, name: str, *, max_px: int) -> Thumbnail:
    """A kept picture again, at most so large; as it is where it is no larger."""
    suffix = name.rpartition(".")[2]
    with Image.open(io.BytesIO(data)) as image:
        if max(image.size) <= max_px:
            return Thumbnail(data=data, suffix=suffix)
        return Thumbnail(data=_encode(_fit(image.convert("RGB"), max_px)), suffix="jpg")


def _fit(image: Image.Image, max_px: int) -> Image.Image:
    scale = max_px / max(image.size)
    if scale >= 1:
        return image
    size_px = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # The gap lets Pillow halve a large photo cheaply first; at 3.0 the result cannot be told from the full way.
    return image.resize(size_px, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encode(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def heated(photo: Image.Image, heat: Floats) -> Image.Image:
    """An RGB photo under a heat map.

    Args:
        photo: The photo.
        heat: ``(h, w)`` in 0..1 of any size; it is stretched to the photo's.
    """
    import numpy as np  # importing the package must not load it: thumbnails need none

    raised = Image.fromarray((heat.clip(0, 1) * 255).astype(np.uint8)).resize(photo.size, Image.Resampling.BICUBIC)
    share = np.asarray(raised, np.float32)[..., None] / 255  # (h, w, 1)
    rgb = np.asarray(photo, np.float32)
    gray = rgb.mean(axis=2, keepdims=True)
    faded = gray + (rgb - gray) * (_FADED + (1 - _FADED) * share)
    mixed = faded + (np.array(_WARM, np.float32) - faded) * _MOST * share
    return Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))
