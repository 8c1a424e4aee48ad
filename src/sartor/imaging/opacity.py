"""Which pixels are transparent, where Pillow does not tell it as browsers do.

Sources: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.3.1; and GIF89a, section 20.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.ImageFile import ImageFile

_PNG_DEPTH = 24
_DEEP = 16
_OPAQUE = 255


def opacity_of(image: ImageFile, data: bytes, kind: str, extent: tuple[int, int, int, int]) -> Image.Image | None:
    """The opacity of each pixel, mode L; None if Pillow tells it right.

    Args:
        image: The loaded image.
        data: The file.
        kind: The format.
        extent: The part of the image that the file has pixels of: left, upper, right, lower.
    """
    if kind == "PNG":
        return _by_key(image, data)
    if kind == "GIF" and extent != (0, 0, *image.size):
        return _inside(image, extent)
    return None


def _inside(image: ImageFile, extent: tuple[int, int, int, int]) -> Image.Image:
    """What a GIF's first picture does not cover is transparent, whatever its background color."""
    opacity = Image.new("L", image.size, 0)
    part = image.crop(extent)
    opacity.paste(part.convert("RGBA").getchannel("A") if part.has_transparency_data else _OPAQUE, extent)
    return opacity


def _by_key(image: ImageFile, data: bytes) -> Image.Image | None:
    """The opacity where one gray or color of a PNG stands for transparent.

    Pillow compares the key with what it made of the pixels: of fewer bits stretched to 8, of 16 cut to 8.
    """
    key = image.info.get("transparency")
    depth = data[_PNG_DEPTH]
    if isinstance(key, int) and image.mode in {"1", "L"}:
        white = (1 << depth) - 1
        level = key if image.mode == "1" else (key & white) * (_OPAQUE // white)
        return _where_apart([image.convert("L")], [level])
    if isinstance(key, int) and image.mode == "I;16":
        return _where_apart([image], [key])
    if isinstance(key, tuple) and image.mode == "RGB":
        if depth == _DEEP:
            high, low = image.split(), _low_bytes(data).split()
            return _where_apart([*high, *low], [*(level >> 8 for level in key), *(level & 255 for level in key)])
        return _where_apart(image.split(), [level & 255 for level in key])
    return None


def _low_bytes(data: bytes) -> Image.Image:
    """The low byte of each channel of 16 bits: as if they were stored the other way around."""
    from PIL.PngImagePlugin import PngImageFile

    with PngImageFile(io.BytesIO(data)) as image:
        image.tile = [part._replace(args="RGB;16L") for part in image.tile]
        image.load()
        return image.copy()


def _where_apart(channels: Sequence[Image.Image], key: Sequence[int]) -> Image.Image:
    """255 where any channel differs from its part of the key, else 0."""
    apart = Image.new("L", channels[0].size, 0)
    for channel, level in zip(channels, key, strict=True):
        if channel.mode == "I;16":
            here = channel.convert("I").point([0 if each == level else _OPAQUE for each in range(65536)], "L")
        else:
            here = channel.point([0 if each == level else _OPAQUE for each in range(256)])
        apart = ImageChops.lighter(apart, here)
    return apart
