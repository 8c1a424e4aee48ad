"""Photos without what tells of people: the same pixels, and no place, time, device or words.

A JPEG loses its metadata and keeps its stream, so that it decodes to the same pixels, bit by bit; another format
is encoded again without loss.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from sartor.imaging.pixels import UPRIGHT, exif_of, orientation_of
from sartor.limits import MAX_KEPT_SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.imaging.decode import DecodedPhoto

_START, _END, _SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
_LENGTH_BYTES = 2
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_APPLICATIONS = range(0xE0, 0xF0)
_COMMENT = 0xFE
# What the pixels depend on: JFIF, the color profile, and Adobe's mark of the color space.
_KEPT = {0xE0: b"JFIF", 0xE2: b"ICC_PROFILE", 0xEE: b"Adobe"}


def bare_photo(data: bytes, decoded: DecodedPhoto) -> bytes:
    """A photo with the same pixels and without metadata.

    Args:
        data: The encoded photo, of any format that is read.
        decoded: The same, decoded. What is no JPEG is reduced to ``MAX_KEPT_SIDE_PX``.
    """
    if decoded.format == "JPEG":
        return _bare_jpeg(data)
    image = decoded.image
    if max(image.size) > MAX_KEPT_SIDE_PX:
        image = image.copy()
        image.thumbnail((MAX_KEPT_SIDE_PX, MAX_KEPT_SIDE_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _bare_jpeg(data: bytes) -> bytes:
    with JpegImageFile(io.BytesIO(data)) as image:  # not Image.open: decode has its own limits, and passed it
        orientation = orientation_of(exif_of(image))
    parts = [_START]
    end = len(_START)
    for marker, begin, end in _segments(data):
        is_told = marker in _APPLICATIONS or marker == _COMMENT
        if not is_told or data[begin + 2 + _LENGTH_BYTES :].startswith(_KEPT.get(marker, b"\xff")):
            parts.append(data[begin:end])
    if orientation != UPRIGHT:
        parts.insert(1, _orientation(orientation))
    stop = data.find(_END, end)  # what follows, such as the video of a moving photo, is no part of it
    return b"".join([*parts, data[end:] + _END if stop < 0 else data[end : stop + len(_END)]])


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of each segment up to the first scan's header, which is the last."""
    begin = len(_START)
    while begin + 2 + _LENGTH_BYTES <= len(data) and data[begin] == 0xFF:  # noqa: PLR2004
        marker = data[begin + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a byte that fills up
            begin += 1
            continue
        length = 0 if marker in _ALONE else int.from_bytes(data[begin + 2 : begin + 2 + _LENGTH_BYTES])
        end = begin + 2 + length
        yield marker, begin, end
        if marker == _SCAN:
            return
        begin = end


def _orientation(value: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    content = exif.tobytes()
    content = content if content.startswith(b"Exif") else b"Exif\0\0" + content
    return b"\xff\xe1" + (len(content) + _LENGTH_BYTES).to_bytes(_LENGTH_BYTES) + content
