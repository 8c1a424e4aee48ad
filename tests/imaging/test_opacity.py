"""What is transparent, as browsers show it: a key of a PNG at each number of bits, and what a GIF leaves out."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from sartor.imaging import decode
from tests.imaging.samples import WHITE, png, png_chunk


def row_of(data: bytes) -> list[tuple[int, ...]]:
    image = decode(data, name="photo").image
    return [image.getpixel((x, 0)) for x in range(image.width)]


def keyed(rows: bytes, *key: int, depth: int, color: int) -> bytes:
    """A PNG of two pixels, the first of which is the key."""
    return png(
        (2, 1),
        depth=depth,
        color=color,
        rows=b"\0" + rows,
        extra=png_chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)),
    )


def test_a_color_of_16_bits_is_compared_whole() -> None:
    key, opaque = (0x1280,) * 3, (0x80FF,) * 3
    data = keyed(struct.pack(">6H", *key, *opaque), *key, depth=16, color=2)

    assert row_of(data) == [WHITE, (128, 128, 128)]


@pytest.mark.parametrize("other", [(0x1281, 0x1280, 0x1280), (0x1280, 0x1380, 0x1280), (0x1280, 0x1280, 0x8012)])
def test_a_color_of_16_bits_that_differs_in_one_byte_is_opaque(other: tuple[int, ...]) -> None:
    key = (0x1280,) * 3
    shown = tuple(level >> 8 for level in other)

    assert row_of(keyed(struct.pack(">6H", *key, *other), *key, depth=16, color=2)) == [WHITE, shown]


def test_a_gray_of_16_bits_is_compared_whole() -> None:
    assert row_of(keyed(struct.pack(">2H", 0x1280, 0x80FF), 0x1280, depth=16, color=0)) == [WHITE, (128, 128, 128)]
    assert row_of(keyed(struct.pack(">2H", 0x1280, 0x1281), 0x1280, depth=16, color=0)) == [WHITE, (18, 18, 18)]


@pytest.mark.parametrize(
    ("depth", "row", "key", "shown"), [(1, 0b10_000000, 1, 0), (2, 0b10_01_0000, 2, 85), (4, 0b1001_0100, 9, 68)]
)
def test_a_gray_of_few_bits_is_compared_as_it_is_stored(depth: int, row: int, key: int, shown: int) -> None:
    assert row_of(keyed(bytes([row]), key, depth=depth, color=0)) == [WHITE, (shown,) * 3]


def test_only_the_bits_that_pixels_have_are_compared() -> None:
    assert row_of(keyed(bytes([7, 8]), 0x0107, depth=8, color=0)) == [WHITE, (8, 8, 8)]
    assert row_of(keyed(bytes([7, 8, 9, 8, 8, 9]), 0x0107, 8, 0x0209, depth=8, color=2)) == [WHITE, (8, 8, 9)]


def test_an_interlaced_photo_is_compared_whole_too() -> None:
    key, opaque = struct.pack(">3H", *(0x1280,) * 3), struct.pack(">3H", *(0x80FF,) * 3)
    data = keyed(
        key + b"\0" + opaque, *(0x1280,) * 3, depth=16, color=2
    )  # of two pixels: a row in each of two passes
    header = data.index(b"IHDR") + 4
    interlaced = png_chunk(b"IHDR", data[header : header + 12] + b"\1")
    data = data[: header - 8] + interlaced + data[header + 17 :]

    with Image.open(io.BytesIO(data)) as image:
        assert image.info["interlace"]
    assert row_of(data) == [WHITE, (128, 128, 128)]


def gif(extent: tuple[int, int, int, int], *, transparent: bool = False) -> bytes:
    """A GIF of 8 x 8 pixels on green, with a red picture in a part of it."""
    left, upper, right, lower = extent
    width_px, height_px = right - left, lower - upper
    bits = "".join(f"{code:03b}"[::-1] for code in [4, 0] * (width_px * height_px) + [5])  # each pixel on its own
    coded = bytes(int(bits[begin : begin + 8][::-1], 2) for begin in range(0, len(bits), 8))
    data = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x91, 1, 0) + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    if transparent:
        data += b"\x21\xf9\4\1\0\0\0\0"
    data += b"," + struct.pack("<4HB", left, upper, width_px, height_px, 0) + b"\2"
    return data + bytes([len(coded)]) + coded + b"\0;"


def test_what_the_picture_of_a_gif_leaves_out_is_transparent() -> None:
    image = decode(gif((2, 2, 6, 6)), name="photo").image

    assert [image.getpixel(place) for place in [(0, 0), (4, 4), (7, 7)]] == [WHITE, (255, 0, 0), WHITE]
    assert decode(gif((0, 0, 8, 8)), name="photo").image.getpixel((0, 0)) == (255, 0, 0)
    assert decode(gif((2, 2, 6, 6), transparent=True), name="photo").image.getpixel((4, 4)) == WHITE
