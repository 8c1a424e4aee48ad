from __future__ import annotations

import struct

import pytest
from PIL import Image, PngImagePlugin

from sartor.imaging import bare_photo, decode
from tests.imaging.samples import (
    ALL_FORMATS,
    BLUE,
    GREEN,
    QUARTERS,
    RED,
    WHITE,
    encoded,
    exif,
    gray_ink_profile,
    gray_tiff,
    needs_avif,
    png,
    png_chunk,
    quarters,
    quarters_of,
    red_blue_swapped_profile,
)

TURNED = {  # what a viewer shows of RED GREEN / BLUE WHITE, from the drawings in the Exif standard
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


def row_of(data: bytes) -> list[tuple[int, ...]]:
    image = decode(data, name="photo").image
    assert image.mode == "RGB"
    return [image.getpixel((x, 0)) for x in range(image.width)]


def gray(*levels: int) -> list[tuple[int, ...]]:
    return [(level, level, level) for level in levels]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(kind: str, orientation: int) -> None:
    photo = decode(encoded(quarters(64, 48), kind, exif=exif(orientation)), name="photo")

    assert quarters_of(photo.image) == TURNED[orientation]
    assert photo.image.size == (photo.width_px, photo.height_px) == ((64, 48) if orientation < 5 else (48, 64))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    photo = decode(encoded(quarters(), "JPEG", exif=exif(orientation)), name="photo")

    assert quarters_of(photo.image) == QUARTERS


XMP_6 = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def png_with_text(name: str, text: str) -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_itxt(name, text)
    return encoded(quarters(64, 48), "PNG", pnginfo=told)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)])
def test_an_orientation_that_only_xmp_has_does_not_count(kind: str) -> None:
    image = quarters(64, 48)
    match kind:
        case "PNG":
            data = png_with_text("XML:com.adobe.xmp", XMP_6.decode())
        case "TIFF":
            data = encoded(image, kind, tiffinfo={700: XMP_6})
        case _:
            data = encoded(image, kind, xmp=XMP_6)
    assert XMP_6 in data

    photo = decode(data, name="photo")

    assert quarters_of(photo.image) == QUARTERS
    assert (photo.width_px, photo.height_px) == (64, 48)
    if kind == "JPEG":
        assert quarters_of(decode(bare_photo(data, photo), name="bare").image) == QUARTERS


def test_exif_in_a_text_of_a_png_or_behind_its_pixels_does_not_turn_it() -> None:
    block = exif(6).removeprefix(b"Exif\0\0")
    text = f"\nexif\n{len(block):8}\n{block.hex()}\n"
    whole = encoded(quarters(64, 48), "PNG")
    end = whole.index(b"IEND") - 4

    for data in (
        png_with_text("Raw profile type exif", text),
        whole[:end] + png_chunk(b"eXIf", block) + whole[end:],
    ):
        assert quarters_of(decode(data, name="photo").image) == QUARTERS


def test_a_location_keeps_a_photo_from_being_shown_as_it_is_wherever_it_stands() -> None:
    located = XMP_6.replace(b"tiff:Orientation", b"exif:GPSLatitude")

    for data in (
        encoded(quarters(), "JPEG", xmp=located),
        encoded(quarters(), "WEBP", xmp=located),
        png_with_text("XML:com.adobe.xmp", located.decode()),
        png_with_text("Raw profile type exif", "\nexif\n       8\n4578696600004d4d\n"),
    ):
        assert not decode(data, name="photo").web_ready
    assert decode(encoded(quarters(), "JPEG", xmp=XMP_6), name="photo").web_ready


@pytest.mark.parametrize("kind", ALL_FORMATS)
def test_every_format_keeps_its_colors(kind: str) -> None:
    photo = decode(encoded(quarters(), kind), name="photo")

    assert photo.format == kind
    assert quarters_of(photo.image) == QUARTERS


def test_16_bit_gray_is_scaled_and_not_cut_off() -> None:
    rows = b"\0" + struct.pack(">5H", 0, 128, 129, 32768, 65535)  # 128 / 257 rounds to 0, 129 / 257 to 1

    assert row_of(png((5, 1), depth=16, color=0, rows=rows)) == gray(0, 0, 1, 128, 255)


def test_16_bit_color_keeps_its_high_byte() -> None:
    rows = b"\0" + struct.pack(">6H", 65535, 32768, 0, 0, 257, 65535)

    assert row_of(png((2, 1), depth=16, color=2, rows=rows)) == [(255, 128, 0), (0, 1, 255)]


def test_16_bit_and_12_bit_tiffs_reach_white() -> None:
    twelve_bits = bytes([0x00, 0x0F, 0xFF])  # 0 and 4095, packed

    assert row_of(gray_tiff(struct.pack("<2H", 0, 65535), width_px=2, bits=16, sample_format=1)) == gray(0, 255)
    assert row_of(gray_tiff(twelve_bits, width_px=2, bits=12, sample_format=1)) == gray(0, 255)


@pytest.mark.parametrize(
    ("layout", "sample_format", "levels", "expected"),
    [
        ("<3I", 1, (0, 2**31, 2**32 - 1), (0, 128, 255)),
        ("<3I", 1, (0, 128, 255), (0, 128, 255)),
        ("<3i", 2, (-5, 32768, 65535), (0, 128, 255)),
        ("<3f", 3, (-0.5, 0.5, 1.0), (0, 128, 255)),
        ("<3f", 3, (0.0, 128.0, 255.0), (0, 128, 255)),
    ],
)
def test_32_bit_tiffs_are_scaled_by_the_smallest_white_that_fits(
    layout: str, sample_format: int, levels: tuple[float, ...], expected: tuple[int, ...]
) -> None:
    data = gray_tiff(struct.pack(layout, *levels), width_px=3, bits=32, sample_format=sample_format)

    assert row_of(data) == gray(*expected)


def test_alpha_is_laid_over_white() -> None:
    image = Image.new("RGBA", (3, 1))
    for x, alpha in enumerate((255, 128, 0)):
        image.putpixel((x, 0), (255, 0, 0, alpha))

    assert row_of(encoded(image, "PNG")) == [(255, 0, 0), (255, 127, 127), WHITE]
    assert row_of(encoded(image, "WEBP", lossless=True, exact=True)) == [(255, 0, 0), (255, 127, 127), WHITE]


def test_gray_with_alpha_is_laid_over_white() -> None:
    assert row_of(encoded(Image.new("LA", (1, 1), (0, 128)), "PNG")) == gray(127)


def test_a_palette_is_resolved_with_its_transparency() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    for x in range(3):
        image.putpixel((x, 0), x)

    assert row_of(encoded(image, "PNG")) == [RED, GREEN, BLUE]
    assert row_of(encoded(image, "PNG", transparency=1)) == [RED, WHITE, BLUE]
    assert row_of(encoded(image, "PNG", transparency=bytes([0, 128]))) == [WHITE, (127, 255, 127), BLUE]
    assert row_of(encoded(image, "GIF", transparency=2)) == [RED, GREEN, WHITE]


def test_one_color_can_stand_for_transparent() -> None:
    assert row_of(encoded(Image.new("L", (1, 1), 7), "PNG", transparency=7)) == [WHITE]
    assert row_of(encoded(Image.new("RGB", (1, 1), (7, 8, 9)), "PNG", transparency=(7, 8, 9))) == [WHITE]


@pytest.mark.parametrize("mode", ["1", "L"])
def test_black_and_white_and_gray_become_rgb(mode: str) -> None:
    image = Image.new(mode, (2, 1), 0)
    image.putpixel((1, 0), 255)

    assert row_of(encoded(image, "PNG")) == gray(0, 255)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])  # Pillow writes a CMYK JPEG inverted, as Adobe's programs do
def test_cmyk_is_not_read_inverted(kind: str) -> None:
    red_ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))

    assert row_of(encoded(red_ink, kind))[0] == RED


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_an_embedded_profile_says_how_inks_look(kind: str) -> None:
    cyan_ink = Image.new("CMYK", (8, 8), (255, 0, 0, 0))

    pixel = row_of(encoded(cyan_ink, kind, icc_profile=gray_ink_profile()))[0]

    assert pixel == pytest.approx((119, 119, 119), abs=2)  # L* = 50 in sRGB


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_an_embedded_profile_says_what_red_is(mode: str) -> None:
    image = Image.new("RGB", (8, 8), RED).convert(mode)

    assert row_of(encoded(image, "PNG", icc_profile=red_blue_swapped_profile()))[0] == pytest.approx(BLUE, abs=2)


@pytest.mark.parametrize("profile", [b"nonsense", gray_ink_profile()])
def test_a_profile_that_does_not_fit_is_ignored(profile: bytes) -> None:
    data = encoded(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=profile)

    assert row_of(data)[0] == RED


def test_ycbcr_and_lab_tiffs_become_rgb() -> None:
    ycbcr = row_of(encoded(Image.new("YCbCr", (1, 1), (76, 85, 255)), "TIFF", compression="tiff_lzw"))
    lab = row_of(encoded(Image.new("LAB", (1, 1), (128, 128, 128)), "TIFF"))

    assert ycbcr[0] == pytest.approx(RED, abs=2)
    assert lab[0] == pytest.approx((119, 119, 119), abs=2)
