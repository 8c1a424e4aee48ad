"""Colors: the values that a browser shows (Chromium 156 and LittleCMS), for each way to say what numbers mean."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from sartor.imaging import decode
from sartor.imaging.profiles import SRGB, Cicp, Gamma, profile_of
from tests.imaging.samples import (
    avif_of_code_points,
    encoded,
    gray_ink_profile,
    gray_profile,
    heic,
    linear_profile_named_srgb,
    needs_avif,
    png,
    png_chunk,
)

P3, BT2020 = 12, 9
LINEAR, SRGB_CURVE, PQ, HLG = 8, 13, 16, 18
CHROMATICITIES = struct.pack(">8I", *(round(value * 100_000) for value in SRGB))
GAMMA_1 = (b"gAMA", struct.pack(">I", 100_000)), (b"cHRM", CHROMATICITIES)
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixel_of(data: bytes) -> tuple[int, ...]:
    image = decode(data, name="photo").image
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


def png_with(rgb: tuple[int, ...], *chunks: tuple[bytes, bytes]) -> bytes:
    extra = b"".join(png_chunk(kind, content) for kind, content in chunks)
    return png((1, 1), depth=8, color=2 if len(rgb) == 3 else 0, rows=bytes([0, *rgb]), extra=extra)


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("TIFF", "L"), ("TIFF", "LA")]
)
def test_a_profile_for_gray_counts_for_a_gray_photo(kind: str, mode: str) -> None:
    image = Image.new("L", (8, 8), 128).convert(mode)

    assert pixel_of(encoded(image, kind, icc_profile=gray_profile(1.0))) == (188, 188, 188)


def test_a_profile_for_gray_counts_for_16_bits() -> None:
    profile = png_chunk(b"iCCP", b"gray\0\0" + zlib.compress(gray_profile(1.0)))
    opaque = png((1, 1), depth=16, color=0, rows=b"\0\x80\x80", extra=profile)
    with_alpha = png((1, 1), depth=16, color=4, rows=b"\0\x80\x80\xff\xff", extra=profile)

    assert pixel_of(opaque) == pixel_of(with_alpha) == (188, 188, 188)


def test_a_profile_is_srgb_by_its_curves_and_never_by_its_name() -> None:
    profile = linear_profile_named_srgb()
    described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert "sRGB" in described

    image = Image.new("RGB", (8, 8), (128, 64, 20))

    assert pixel_of(encoded(image, "PNG", icc_profile=profile)) == (188, 137, 79)


def test_srgb_under_another_name_changes_no_pixel() -> None:
    profile = SRGB_PROFILE.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
    assert profile != SRGB_PROFILE
    image = Image.effect_noise((32, 32), 90).convert("RGB")

    photo = decode(encoded(image, "PNG", icc_profile=profile), name="photo")

    assert photo.image.tobytes() == image.tobytes()


def test_transparent_pixels_are_laid_on_white_after_their_colors_are_known() -> None:
    image = Image.new("RGBA", (8, 8), (128, 128, 128, 128))

    assert pixel_of(encoded(image, "PNG", icc_profile=linear_profile_named_srgb())) == (221, 221, 221)


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_a_profile_for_gray_does_not_count_for_colors(mode: str) -> None:
    image = Image.new("RGB", (8, 8), (128, 64, 20)).convert(mode, palette=Image.Palette.ADAPTIVE)

    assert pixel_of(encoded(image, "PNG", icc_profile=gray_profile(1.0))) == (128, 64, 20)


@pytest.mark.parametrize("profile", [gray_ink_profile(), gray_profile(1.0)[:60], b"", SRGB_PROFILE[:200]])
def test_a_profile_of_another_kind_or_in_pieces_does_not_count(profile: bytes) -> None:
    for mode in ("L", "RGB"):
        image = Image.new("L", (8, 8), 128).convert(mode)
        assert pixel_of(encoded(image, "JPEG", icc_profile=profile)) == (128, 128, 128)


def test_a_profile_in_a_lab_photo_does_not_count() -> None:
    image = Image.new("LAB", (1, 1), (128, 128, 128))

    plain = pixel_of(encoded(image, "TIFF"))

    assert pixel_of(encoded(image, "TIFF", icc_profile=linear_profile_named_srgb())) == plain


def test_the_code_points_of_a_png_count() -> None:
    assert pixel_of(png_with((200, 30, 30), (b"cICP", bytes([P3, SRGB_CURVE, 0, 1])))) == (218, 0, 6)
    assert pixel_of(png_with((128, 64, 20), (b"cICP", bytes([1, LINEAR, 0, 1])))) == (188, 137, 79)


def test_the_gamma_of_a_png_counts() -> None:
    assert pixel_of(png_with((128, 64, 20), *GAMMA_1)) == (188, 137, 79)
    assert pixel_of(png_with((128,), *GAMMA_1)) == (188, 188, 188)


def test_the_most_exact_of_what_a_png_says_of_its_colors_counts() -> None:
    p3 = (b"cICP", bytes([P3, SRGB_CURVE, 0, 1]))
    srgb = (b"sRGB", b"\0")

    assert pixel_of(png_with((200, 30, 30), p3, *GAMMA_1)) == (218, 0, 6)
    assert pixel_of(png_with((128, 64, 20), srgb, *GAMMA_1)) == (128, 64, 20)


@pytest.mark.parametrize("transfer", [1, 6, 14, 15])
def test_the_curve_of_video_is_a_screens_in_a_png(transfer: int) -> None:
    shown = pixel_of(png_with((128, 64, 20), (b"cICP", bytes([1, transfer, 0, 1]))))

    assert shown == pytest.approx((121, 54, 7), abs=1)


@pytest.mark.parametrize("gamma", [43_500, 45_455, 47_500])
def test_a_gamma_near_that_of_srgb_is_srgb_where_the_chromaticities_are_not_said(gamma: int) -> None:
    near = (b"gAMA", struct.pack(">I", gamma))

    assert pixel_of(png_with((20, 10, 5), near)) == (20, 10, 5)
    assert pixel_of(png_with((20, 10, 5), near, GAMMA_1[1])) != (20, 10, 5)


def test_a_gamma_far_from_that_of_srgb_counts_without_chromaticities() -> None:
    assert pixel_of(png_with((128, 64, 20), GAMMA_1[0])) == (188, 137, 79)


def test_the_profile_in_a_bmp_counts() -> None:
    profile, pixels = linear_profile_named_srgb(), bytes([20, 64, 128, 0])
    header = (
        struct.pack("<IiiHHIIiiII", 124, 1, 1, 1, 24, 0, 4, 2835, 2835, 0, 0) + bytes(16) + b"DEBM" + bytes(48)
    )
    header += struct.pack("<4I", 4, 124 + len(pixels), len(profile), 0)
    data = (
        b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels) + len(profile), 0, 0, 138) + header + pixels + profile
    )

    assert pixel_of(data) == (188, 137, 79)
    assert pixel_of(data.replace(b"DEBM", b"BGRs")) == (128, 64, 20)


@pytest.mark.parametrize(
    "points", [bytes([P3, SRGB_CURVE, 1, 1]), bytes([P3, SRGB_CURVE, 0, 0]), bytes([P3, SRGB_CURVE]), b""]
)
def test_code_points_that_a_png_cannot_have_do_not_count(points: bytes) -> None:
    assert pixel_of(png_with((200, 30, 30), (b"cICP", points))) == (200, 30, 30)


@pytest.mark.parametrize(
    "chunk", [(b"gAMA", bytes(4)), (b"gAMA", b"\xff" * 4), (b"cHRM", bytes(32)), (b"cHRM", b"\xff" * 32)]
)
def test_a_gamma_that_means_nothing_does_not_fail(chunk: tuple[bytes, bytes]) -> None:
    others = [part for part in GAMMA_1 if part[0] != chunk[0]]

    assert len(pixel_of(png_with((128, 64, 20), chunk, *others))) == 3


@needs_avif
def test_the_code_points_of_an_avif_count() -> None:
    red, gray = Image.new("RGB", (64, 64), (200, 30, 30)), Image.new("RGB", (64, 64), (128, 128, 128))

    assert pixel_of(avif_of_code_points(red, P3, SRGB_CURVE)) == pytest.approx((218, 0, 6), abs=3)
    assert pixel_of(avif_of_code_points(gray, 1, LINEAR)) == pytest.approx((188, 188, 188), abs=1)
    assert pixel_of(avif_of_code_points(red, 1, 1)) == pytest.approx((200, 30, 30), abs=1)
    assert pixel_of(avif_of_code_points(red, 2, 2)) == pytest.approx((200, 30, 30), abs=1)


def test_the_code_points_of_a_heic_photo_count() -> None:
    red = Image.new("RGB", (64, 64), (200, 30, 30))
    said = {"matrix_coefficients": 6, "full_range_flag": 1}
    data = heic(red, color_primaries=P3, transfer_characteristics=SRGB_CURVE, **said)

    assert pixel_of(data) == pytest.approx((218, 0, 6), abs=3)


def test_the_profile_of_a_heic_photo_counts_before_its_code_points() -> None:
    red = Image.new("RGB", (64, 64), (200, 30, 30))
    red.info["icc_profile"] = profile_of(Cicp(P3, SRGB_CURVE))

    assert pixel_of(heic(red)) == pytest.approx((218, 0, 6), abs=3)


@pytest.mark.parametrize(("curve", "peak"), [(PQ, 191), (HLG, 255)])  # of 1,000 nits
def test_light_beyond_white_is_compressed_and_not_cut_off(curve: int, peak: int) -> None:
    tried = [peak * step // 8 for step in range(9)]
    levels = [pixel_of(png_with((level,) * 3, (b"cICP", bytes([BT2020, curve, 0, 1]))))[0] for level in tried]

    assert levels == sorted(set(levels))
    assert levels[0] == 0
    assert levels[-1] == pytest.approx(255, abs=2)


@pytest.mark.parametrize(
    ("curve", "level", "shown"), [(PQ, 58, 24), (PQ, 128, 132), (PQ, 148, 187), (HLG, 100, 75), (HLG, 192, 189)]
)
def test_hdr_is_shown_as_a_browser_shows_it_without_hdr(curve: int, level: int, shown: int) -> None:
    pixel = pixel_of(png_with((level,) * 3, (b"cICP", bytes([BT2020, curve, 0, 1]))))

    assert pixel == pytest.approx((shown,) * 3, abs=3)


def test_a_hue_stays_when_its_light_is_compressed() -> None:
    red, green, blue = pixel_of(png_with((180, 60, 60), (b"cICP", bytes([BT2020, PQ, 0, 1]))))

    assert red > 200
    assert green == pytest.approx(blue, abs=12)
    assert green < 60


@pytest.mark.parametrize("primaries", [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22, 2, 200])
def test_white_stays_white_with_all_primaries(primaries: int) -> None:
    assert pixel_of(png_with((255, 255, 255), (b"cICP", bytes([primaries, 13, 0, 1])))) == (255, 255, 255)


@pytest.mark.parametrize("transfer", [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 2, 200])
def test_black_and_white_stay_with_all_curves(transfer: int) -> None:
    black = pixel_of(png_with((0, 0, 0), (b"cICP", bytes([1, transfer, 0, 1]))))
    white = pixel_of(png_with((255, 255, 255), (b"cICP", bytes([1, transfer, 0, 1]))))

    assert (black, white) == ((0, 0, 0), (255, 255, 255))


def test_a_profile_is_made_of_chromaticities_or_not_at_all() -> None:
    assert profile_of(Gamma(2.2, (0.3, 0.3) * 4)) is None
    assert profile_of(Gamma(2.2, (0.3, 0.0, *SRGB[2:]))) is None
    assert profile_of(Cicp(P3, SRGB_CURVE)) is not None
