"""Image files made for these tests, by Pillow or byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import product
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, features

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
QUARTERS = (RED, GREEN, BLUE, WHITE)  # top left, top right, bottom left, bottom right

D50 = (0xF6D6, 0x10000, 0xD32D)  # the white of all profiles

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
ALL_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", pytest.param("AVIF", marks=needs_avif)]


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def heic(image: Image.Image, **options: Any) -> bytes:
    """A HEIC photo; ``exif`` with an orientation makes libheif write a turn, as phones do."""
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, **{"quality": 90, "chroma": 444, **options})
    return file.getvalue()


def avif_of_code_points(image: Image.Image, primaries: int, transfer: int) -> bytes:
    """An AVIF photo whose ``nclx`` says these; Pillow's writer says that it is sRGB."""
    data = encoded(image, "AVIF", quality=100, subsampling="4:4:4")
    srgb = b"nclx" + struct.pack(">HH", 1, 13)
    assert srgb in data
    return data.replace(srgb, b"nclx" + struct.pack(">HH", primaries, transfer))


def quarters(width_px: int = 64, height_px: int = 48) -> Image.Image:
    """An image with another color in each quarter, so that every turn of it looks different."""
    image = Image.new("RGB", (width_px, height_px))
    half_width, half_height = width_px // 2, height_px // 2
    for position, color in enumerate(QUARTERS):
        left, top = position % 2 * half_width, position // 2 * half_height
        image.paste(color, (left, top, left + half_width, top + half_height))
    return image


def quarters_of(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    """The colors in the middle of an image's quarters, each channel as 0 or 255."""
    near, far = (1, 3)
    places = [(near, near), (far, near), (near, far), (far, far)]
    pixels = [image.getpixel((image.width * x // 4, image.height * y // 4)) for x, y in places]
    return tuple(tuple(255 if level > 127 else 0 for level in pixel) for pixel in pixels)


def exif(orientation: int = 1, *, gps: bool = False) -> bytes:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    if gps:
        tags[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    return tags.tobytes()


def png(size: tuple[int, int], *, depth: int, color: int, rows: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + pixels + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def gray_tiff(pixels: bytes, *, width_px: int, bits: int, sample_format: int) -> bytes:
    """A little-endian gray TIFF of one row and one strip."""
    tags = [(256, width_px), (257, 1), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1)]
    tags += [(279, len(pixels)), (339, sample_format)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def gray_profile(exponent: float) -> bytes:
    """A profile for gray by which light is a level's power; source: ICC.1:2001-04."""
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(exponent * 256))
    white = struct.pack(">4s4x3i", b"XYZ ", *D50)
    begin = 128 + 4 + 2 * 12
    tags = struct.pack(">I4sII", 2, b"kTRC", begin, 14) + struct.pack(">4sII", b"wtpt", begin + len(curve), 20)
    header = struct.pack(">I4xI", begin + len(curve + white), 0x02400000) + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    return (header + bytes(28) + struct.pack(">3i", *D50)).ljust(128, b"\0") + tags + curve + white


def linear_profile_named_srgb() -> bytes:
    """sRGB's primaries with light for numbers, under a name that has "sRGB" in it, as GIMP's built-in one."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    curve = profile.index(b"para")
    straight = struct.pack(">4s4xHxxi", b"para", 0, 1 << 16)
    return profile[:curve] + straight + profile[curve + len(straight) :]


def red_blue_swapped_profile() -> bytes:
    """An RGB profile whose red is blue: sRGB with the names of two tags exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
    end_of_tags = 128 + 4 + 12 * int.from_bytes(profile[128:132], "big")
    table = profile[:end_of_tags].replace(b"rXYZ", b"none").replace(b"bXYZ", b"rXYZ").replace(b"none", b"bXYZ")
    return table + profile[end_of_tags:]


def gray_ink_profile() -> bytes:
    """A CMYK profile by which cyan, magenta and yellow print as the same middle gray, L* = 50.

    Source: ICC.1:2001-04, lut8Type.
    """
    ramp = bytes(range(256))
    identity = b"".join(struct.pack(">i", 65536 if place % 4 == 0 else 0) for place in range(9))
    lightness = [0 if black else 128 if any(inks) else 255 for *inks, black in product((0, 1), repeat=4)]
    colors = b"".join(bytes([level, 128, 128]) for level in lightness)  # L*, a*, b*
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + colors + ramp * 3
    header = struct.pack(">I4xI", 144 + len(table), 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">3I", *D50)
    tags = struct.pack(">I", 1) + b"A2B0" + struct.pack(">II", 144, len(table))
    return header.ljust(128, b"\0") + tags + table
