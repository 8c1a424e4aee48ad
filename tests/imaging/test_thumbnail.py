"""Thumbnails, and photos under a heat map."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sartor.imaging import Thumbnail, decode, make_thumbnail
from sartor.imaging.thumbnail import heated
from tests.imaging.samples import BLUE, encoded, exif, quarters, quarters_of


def thumbnail_of(data: bytes, *, max_px: int = 320, fit_px: int | None = None) -> Thumbnail:
    return make_thumbnail(data, decode(data, name="photo", fit_px=fit_px), max_px=max_px)


def opened(thumbnail: Thumbnail) -> Image.Image:
    return Image.open(io.BytesIO(thumbnail.data))


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
def test_a_small_photo_that_browsers_show_is_kept_byte_for_byte(kind: str, suffix: str) -> None:
    data = encoded(quarters(320, 200), kind)

    assert thumbnail_of(data) == Thumbnail(data=data, suffix=suffix)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_a_format_that_browsers_may_not_show_becomes_a_jpeg(kind: str) -> None:
    thumbnail = thumbnail_of(encoded(quarters(), kind))

    assert thumbnail.suffix == "jpg"
    assert quarters_of(opened(thumbnail)) == quarters_of(quarters())


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_becomes_a_still(kind: str) -> None:
    data = encoded(quarters(), kind, save_all=True, append_images=[Image.new("RGB", (64, 48), BLUE)])

    thumbnail = thumbnail_of(data)

    assert thumbnail.suffix == "jpg"
    assert quarters_of(opened(thumbnail)) == quarters_of(quarters())


def test_a_cmyk_photo_becomes_rgb() -> None:
    thumbnail = thumbnail_of(encoded(quarters().convert("CMYK"), "JPEG"))

    assert opened(thumbnail).mode == "RGB"


def test_a_turned_photo_is_stored_upright() -> None:
    thumbnail = thumbnail_of(encoded(quarters(64, 48), "JPEG", exif=exif(6)))

    assert opened(thumbnail).size == (48, 64)
    assert not opened(thumbnail).getexif()


def test_an_upright_photo_with_exif_is_kept() -> None:
    data = encoded(quarters(), "JPEG", exif=exif(1))

    assert thumbnail_of(data).data == data


@pytest.mark.parametrize("size", [(64, 48), (640, 480)])
def test_where_a_photo_was_taken_is_not_shown(size: tuple[int, int]) -> None:
    data = encoded(quarters(*size), "JPEG", exif=exif(gps=True), comment=b"at home")

    thumbnail = thumbnail_of(data)

    assert not opened(thumbnail).getexif()
    assert b"at home" not in thumbnail.data


def test_metadata_that_cannot_be_read_is_not_shown() -> None:
    data = encoded(quarters(), "JPEG", exif=b"Exif\0\0where I live")

    assert b"where I live" not in thumbnail_of(data).data


def test_a_small_picture_in_a_large_file_is_encoded_again() -> None:
    data = encoded(quarters(), "PNG") + bytes(600_000)

    assert len(thumbnail_of(data).data) < 5_000


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (320, 240)), ((300, 600), (160, 320)), ((321, 10), (320, 10)), ((5000, 3), (320, 1))],
)
def test_a_large_photo_fits_into_the_square(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert opened(thumbnail_of(encoded(quarters(*size), "PNG"))).size == expected


def test_a_small_photo_is_not_enlarged() -> None:
    assert opened(thumbnail_of(encoded(quarters(20, 10), "BMP"))).size == (20, 10)


def test_a_photo_that_was_decoded_reduced_has_a_full_thumbnail() -> None:
    data = encoded(quarters(1600, 1200), "JPEG")

    thumbnail = thumbnail_of(data, fit_px=320)

    assert opened(thumbnail).size == (320, 240)
    assert quarters_of(opened(thumbnail)) == quarters_of(quarters())


def test_the_same_photo_gives_the_same_bytes() -> None:
    data = encoded(quarters(640, 480), "PNG")

    assert thumbnail_of(data) == thumbnail_of(data)


def test_a_hot_place_is_warm_and_a_cold_one_pale() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    shown = np.asarray(heated(Image.new("RGB", (40, 60), (30, 60, 160)), heat), np.int16)

    assert shown.shape == (60, 40, 3)
    hot, cold = shown[2, 2], shown[-3, -3]
    assert hot[0] > hot[2] + 50
    assert abs(cold[0] - cold[2]) < 60
