"""What a file says its numbers mean as colors, where Pillow does not tell it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sartor.imaging.boxes import items_of
from sartor.imaging.profiles import BT709_CURVES, SRGB, SRGB_CURVE, Cicp, Gamma

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.ImageFile import ImageFile

    from sartor.imaging.profiles import Meaning

_SIGNATURE_BYTES, _COLOR_TYPE, _GRAY_TYPES = 8, 25, (0, 4)  # of PNG
_MAX_CHUNKS, _MAX_CHUNK_BYTES = 10_000, 64
_RGB_MATRIX, _FULL_RANGE = 0, 1
_CHROMATICITIES_BYTES = 32
_GAMMA_OF_SRGB, _NEAR = 45_455, 0.05
_BMP_HEADER, _BMP_5_BYTES, _BMP_EMBEDDED = 14, 124, b"DEBM"


def meaning_of(image: ImageFile, data: bytes, kind: str) -> tuple[Meaning, bool]:
    """What the numbers of a photo mean, and whether it is gray although Pillow reads it as RGB or RGBA."""
    profile = image.info.get("icc_profile")
    meaning: Meaning = profile if isinstance(profile, bytes) else None
    match kind:
        case "PNG":
            return _of_png(data, meaning), data[_COLOR_TYPE] in _GRAY_TYPES
        case "BMP":
            return _of_bmp(data), False
        case "AVIF" | "HEIF" if items := items_of(data):
            return meaning or _of_code_points(items.colors().get(b"nclx", b"")), items.is_gray()
    return meaning, False


def _of_png(data: bytes, profile: Meaning) -> Meaning:
    """By the first that a PNG has of ``cICP``, ``iCCP``, ``sRGB`` and ``gAMA``.

    A gamma near that of sRGB without chromaticities is sRGB, as for browsers.

    Source: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.3.2.
    """
    chunks = dict(_chunks(data))
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2:] == bytes([_RGB_MATRIX, _FULL_RANGE]):  # noqa: PLR2004
        return Cicp(cicp[0], cicp[1])
    if profile is not None:
        return profile
    gamma, points = int.from_bytes(chunks.get(b"gAMA", b"")[:4]), chunks.get(b"cHRM", b"")
    if b"sRGB" in chunks or not gamma:
        return None
    if len(points) == _CHROMATICITIES_BYTES:
        return Gamma(100_000 / gamma, tuple(value / 100_000 for value in struct.unpack(">8I", points)))
    return None if abs(gamma / _GAMMA_OF_SRGB - 1) <= _NEAR else Gamma(100_000 / gamma, SRGB)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk before the pixels; of a long one, its beginning."""
    begin = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        name = data[begin + 4 : begin + 8]
        if len(name) < 4 or name == b"IDAT":  # noqa: PLR2004
            return
        length = int.from_bytes(data[begin : begin + 4])
        yield name, data[begin + 8 : begin + 8 + min(length, _MAX_CHUNK_BYTES)]
        begin += 12 + length


def _of_bmp(data: bytes) -> Meaning:
    """The profile that is embedded in a BMP.

    Source: Microsoft, BITMAPV5HEADER structure (wingdi.h).
    """
    header = data[_BMP_HEADER : _BMP_HEADER + _BMP_5_BYTES]
    if int.from_bytes(header[:4], "little") != _BMP_5_BYTES or header[56:60] != _BMP_EMBEDDED:
        return None
    begin, length = (int.from_bytes(header[at : at + 4], "little") for at in (112, 116))
    return data[_BMP_HEADER + begin : _BMP_HEADER + begin + length] or None


def _of_code_points(nclx: bytes) -> Meaning:
    """By the ``nclx`` of AVIF or HEIC; there, as for browsers, the curve of video is sRGB's."""
    if len(nclx) < 4:  # noqa: PLR2004
        return None
    primaries, transfer = struct.unpack(">HH", nclx[:4])
    return Cicp(primaries, SRGB_CURVE if transfer in BT709_CURVES else transfer)
