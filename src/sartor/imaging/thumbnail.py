"""Small pictures of photos for pages and reports: thumbnails, and photos under a heat map.

A source that is small and can be shown on a web page is kept byte for byte.
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
_KEPT_BYTES = 512 * 1024  # a small picture in a larger file has something else in it, such as layers or a video

_WARM = (222, 45, 38)
_MAX_WARMTH = 0.75  # share of the warm color where the heat is 1
_FADED = 0.35  # share of its own color that a photo keeps where the heat is 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """An encoded small picture."""

    data: bytes
    suffix: str  # jpg, png or webp

    @property
    def media_type(self) -> str:
        """The media type for HTTP."""
        return _MEDIA_TYPES[self.suffix]


def make_thumbnail(data: bytes, decoded: DecodedPhoto, *, max_px: int = THUMBNAIL_PX) -> Thumbnail:
    """A picture of at most ``max_px`` on a side, never enlarged, from a photo's bytes and pixels."""
    fits = max(decoded.width_px, decoded.height_px) <= max_px
    if fits and decoded.web_ready and len(data) <= _KEPT_BYTES:
        return Thumbnail(data=data, suffix=_SUFFIXES[decoded.format])
    return Thumbnail(data=_encode(_fit(decoded.image, max_px)), suffix="jpg")


def without_metadata(decoded: DecodedPhoto, *, max_px: int = THUMBNAIL_PX) -> Thumbnail:
    """A picture of at most ``max_px`` on a side, encoded again without any metadata."""
    return Thumbnail(data=_encode(_fit(decoded.image, max_px)), suffix="jpg")


def reduced(data: bytes, name: str, *, max_px: int) -> Thumbnail:
    """A kept picture with at most ``max_px`` on a side; unchanged if it is not larger."""
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
    # The gap lets Pillow halve a large photo cheaply first; at 3.0 the result looks the same.
    return image.resize(size_px, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encode(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def heated(photo: Image.Image, heat: Floats) -> Image.Image:
    """An RGB photo under a heat map, ``(h, w)`` in 0..1 of any size; it is stretched to the photo's."""
    import numpy as np  # a page that shows thumbnails does not need it

    raised = Image.fromarray((heat.clip(0, 1) * 255).astype(np.uint8)).resize(photo.size, Image.Resampling.BICUBIC)
    share = np.asarray(raised, np.float32)[..., None] / 255  # (h, w, 1)
    rgb = np.asarray(photo, np.float32)
    gray = rgb.mean(axis=2, keepdims=True)
    faded = gray + (rgb - gray) * (_FADED + (1 - _FADED) * share)
    mixed = faded + (np.array(_WARM, np.float32) - faded) * _MAX_WARMTH * share
    return Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))
