"""What Pillow leaves out of a PNG: its meaning of colors, and the exact color that stands for transparent.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, sections 11.3.1 and 11.3.2.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from sartor.imaging.profiles import SRGB, Cicp, Gamma

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL.ImageFile import ImageFile

    from sartor.imaging.profiles import Meaning

_SIGNATURE_BYTES, _DEPTH, _COLOR_TYPE = 8, 24, 25
_DEEP = 16
_OPAQUE = 255
_MAX_CHUNKS = 10_000
_RGB_MATRIX = 0


def meaning_of_png(image: ImageFile, data: bytes) -> Meaning:
    """What the numbers of a PNG mean, by the first that it has of ``cICP``, ``iCCP``, ``sRGB`` and ``gAMA``."""
    chunks = dict(_chunks(data))
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2] == _RGB_MATRIX:  # noqa: PLR2004
        return Cicp(cicp[0], cicp[1])
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes):
        return profile
    gamma = int.from_bytes(chunks.get(b"gAMA", b"")[:4])
    if b"sRGB" in chunks or not gamma:
        return None
    points = chunks.get(b"cHRM", b"")
    known = tuple(int.from_bytes(points[begin : begin + 4]) / 100_000 for begin in range(0, 32, 4))
    return Gamma(100_000 / gamma, known if len(points) == 32 else SRGB)  # noqa: PLR2004


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk before the pixels."""
    begin = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        name = data[begin + 4 : begin + 8]
        if len(name) < 4 or name == b"IDAT":  # noqa: PLR2004
            return
        length = int.from_bytes(data[begin : begin + 4])
        yield name, data[begin + 8 : begin + 8 + min(length, 64)]
        begin += 12 + length


def is_gray(data: bytes) -> bool:
    """Whether a PNG has no colors but gray; Pillow reads one with 16 bits and alpha as RGBA."""
    return data[_COLOR_TYPE] in {0, 4}


def opacity_by_key(image: ImageFile, data: bytes) -> Image.Image | None:
    """The opacity of each pixel of a loaded PNG, mode L, where one gray or color stands for transparent.

    Pillow compares the key with what it made of the pixels: of fewer bits stretched to 8, of 16 cut to 8.

    Args:
        image: The image, of mode 1, L, RGB or I;16.
        data: The file, which is decoded again where a color has 16 bits a channel.
    """
    key = image.info.get("transparency")
    depth = data[_DEPTH]
    if isinstance(key, int) and image.mode in {"1", "L"}:
        white = (1 << depth) - 1
        level = key if image.mode == "1" else (key & white) * (_OPAQUE // white)
        return image.convert("L").point([0 if here == level else _OPAQUE for here in range(256)])
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
