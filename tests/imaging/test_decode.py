"""Decoding: formats, limits, broken files, and Pillow's warnings."""

from __future__ import annotations

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, features

from sartor.errors import PhotoRejected
from sartor.imaging import DecodeLimits, decode
from sartor.imaging.decode import recognize
from tests.imaging.samples import (
    ALL_FORMATS,
    BLUE,
    RED,
    encoded,
    exif,
    png,
    png_chunk,
    quarters,
    quarters_of,
)

TOO_MANY_PIXELS = png((15_200, 5_000), depth=1, color=0, rows=bytes(1901 * 5_000))


BROKEN_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01"


VALID = {kind: encoded(quarters(), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")}


VALID["progressive"] = encoded(quarters(), "JPEG", progressive=True, exif=exif(6, gps=True))


def reason_for(data: bytes, **options: object) -> str:
    with pytest.raises(PhotoRejected) as rejected:
        decode(data, name="photo", **options)
    return rejected.value.reason


def screen(width_px: int, height_px: int) -> bytes:
    return png((width_px, height_px), depth=8, color=2, rows=b"")


@pytest.fixture
def no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test in which pixels are decoded."""

    def load(_image: ImageFile.ImageFile) -> None:
        pytest.fail("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)


def test_zero_bytes_are_empty() -> None:
    assert reason_for(b"") == "is empty"


def test_a_rejection_names_the_photo() -> None:
    with pytest.raises(PhotoRejected, match=r"^images/7\.jpg cannot be used: is not an image \(looks like PDF\)$"):
        decode(b"%PDF-1.7", name="images/7.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_wrong_extension_does_not_matter(kind: str) -> None:
    assert decode(VALID[kind], name="photo.txt").format == kind


@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_rejected_with_a_reason(progressive: bool) -> None:
    data = encoded(Image.effect_noise((120, 90), 60), "JPEG", progressive=progressive)

    for length in range(3, len(data) - 2, 97):
        assert reason_for(data[:length]) == "is cut off"


@pytest.mark.parametrize("kind", ALL_FORMATS)
def test_a_file_that_ends_early_is_cut_off(kind: str) -> None:
    data = encoded(Image.effect_noise((60, 40), 60).convert("RGB"), kind)

    assert reason_for(data[: len(data) // 2]) == "is cut off"


@pytest.mark.parametrize("kind", ALL_FORMATS)
def test_a_header_alone_is_rejected(kind: str) -> None:
    assert reason_for(encoded(quarters(), kind)[:40]).startswith(("is cut off", "is damaged"))


def test_a_png_with_a_wrong_checksum_is_damaged() -> None:
    data = bytearray(VALID["PNG"])
    data[30] ^= 1

    assert reason_for(bytes(data)) == "is damaged"


@pytest.mark.usefixtures("no_pixels")
def test_a_header_of_3600_megapixels_is_rejected() -> None:
    assert reason_for(screen(60_000, 60_000)) == "measures 60000 x 60000 pixels, more than 30,000 on a side"


@pytest.mark.usefixtures("no_pixels")
def test_a_header_far_beyond_what_pillow_opens_is_rejected() -> None:
    assert reason_for(screen(29_000, 29_000)) == "has 841.0 megapixels (29000 x 29000), more than 75"


@pytest.mark.usefixtures("no_pixels")
def test_76_megapixels_are_rejected_before_they_are_decoded() -> None:
    assert len(TOO_MANY_PIXELS) < 10_000
    assert reason_for(TOO_MANY_PIXELS) == "has 76.0 megapixels (15200 x 5000), more than 75"


@pytest.mark.usefixtures("no_pixels")
def test_a_gif_frame_larger_than_its_screen_is_rejected() -> None:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\2\2\x4c\1\0;"

    reason = reason_for(b"GIF89a" + struct.pack("<HH", 1, 1) + bytes(3) + frame)

    assert reason == "has far more than 75 megapixels"


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP", "TIFF", "JPEG"])
def test_every_format_is_measured_before_it_is_decoded(kind: str) -> None:
    assert reason_for(VALID[kind], limits=DecodeLimits(max_pixels=3_071)).endswith("(64 x 48), more than 0.003071")


def test_a_webp_canvas_of_268_megapixels_is_rejected() -> None:
    canvas = (16_382).to_bytes(3, "little") * 2
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + canvas
    chunks += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    picture = encoded(quarters(), "WEBP")[12:]
    frame = bytes(6) + (63).to_bytes(3, "little") + (47).to_bytes(3, "little") + bytes(4) + picture
    chunks += b"ANMF" + struct.pack("<I", len(frame)) + frame

    reason = reason_for(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks)

    assert reason.endswith("more than 75 megapixels") or "268.4 megapixels (16383 x 16383)" in reason


def test_a_file_that_is_too_large_is_rejected() -> None:
    reason = reason_for(VALID["BMP"] + bytes(2_500_000), limits=DecodeLimits(max_bytes=2_000_000))

    assert reason == "has 2.5 MB, more than 2"


def test_a_jpeg_of_endless_scans_is_rejected() -> None:
    data = VALID["progressive"]
    last_scan = data[data.rindex(b"\xff\xda") : -2]

    assert reason_for(data[:-2] + last_scan * 500 + data[-2:]) == "is coded in 510 scans, more than 100"


@pytest.mark.parametrize("error", [MemoryError, OverflowError, ZeroDivisionError, KeyError, AssertionError])
def test_whatever_a_plugin_raises_becomes_a_rejection(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(_image: ImageFile.ImageFile) -> None:
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)

    expected = "needs more memory than there is" if error is MemoryError else "is damaged"
    assert reason_for(VALID["JPEG"]) == expected


def test_the_size_is_that_of_the_source_and_not_of_the_reduced_image() -> None:
    data = encoded(quarters(1600, 1000), "JPEG", exif=exif(6))

    photo = decode(data, name="photo", fit_px=320)

    assert (photo.width_px, photo.height_px, photo.reduced) == (1000, 1600, True)
    assert photo.image.size == (500, 800)


@pytest.mark.parametrize("size", [(640, 640), (641, 1283), (2559, 700), (4000, 333)])
def test_a_reduced_image_keeps_both_sides(size: tuple[int, int]) -> None:
    photo = decode(encoded(quarters(*size), "JPEG"), name="photo", fit_px=320)

    assert min(photo.image.size) >= 320
    assert photo.reduced == (photo.image.size != size)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_small_photo_is_not_reduced(kind: str) -> None:
    photo = decode(VALID[kind], name="photo", fit_px=320)

    assert (photo.image.size, photo.reduced) == ((64, 48), False)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_only_the_first_frame_is_decoded(kind: str) -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)

    photo = decode(encoded(first, kind, save_all=True, append_images=[second]), name="photo")

    assert photo.image.getpixel((4, 4)) == pytest.approx(RED, abs=2)


def test_an_animated_png_is_its_first_frame_and_not_what_stands_in_for_it() -> None:
    instead, first = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)

    data = encoded(instead, "PNG", save_all=True, append_images=[first, instead], default_image=True)

    assert decode(data, name="photo").image.getpixel((4, 4)) == BLUE


def test_a_multi_picture_jpeg_is_its_first_picture() -> None:
    data = encoded(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])

    photo = decode(data, name="photo")

    assert photo.format == "JPEG"
    assert quarters_of(photo.image) == quarters_of(quarters())


def test_an_image_carries_no_metadata() -> None:
    data = encoded(quarters(), "JPEG", exif=exif(3, gps=True), comment=b"home of the photographer")

    image = decode(data, name="photo").image

    assert image.info == {}
    assert not image.getexif()


def test_a_photo_with_broken_exif_is_decoded_without_a_warning() -> None:
    data = encoded(quarters(), "JPEG", exif=BROKEN_EXIF)
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        Image.open(io.BytesIO(data)).getexif()

    assert quarters_of(decode(data, name="photo").image) == quarters_of(quarters())


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0no TIFF at all", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_a_photo_with_exif_that_cannot_be_read_is_decoded(block: bytes) -> None:
    photo = decode(encoded(quarters(), "JPEG", exif=block), name="photo")

    assert quarters_of(photo.image) == quarters_of(quarters())


def test_a_png_with_a_broken_animation_is_decoded_without_a_warning() -> None:
    data = png((1, 1), depth=8, color=0, rows=b"\0\7", extra=png_chunk(b"acTL", bytes(8)))
    with pytest.warns(UserWarning, match="Invalid APNG"):
        Image.open(io.BytesIO(data))

    assert decode(data, name="photo").image.getpixel((0, 0)) == (7, 7, 7)


def test_settings_of_pillow_do_not_matter_and_are_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    assert decode(VALID["JPEG"], name="photo").width_px == 64
    assert Image.MAX_IMAGE_PIXELS == 100
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_many_threads_decode_at_once() -> None:
    photos = [*VALID.values(), encoded(quarters(), "JPEG", exif=BROKEN_EXIF)] * 20

    with ThreadPoolExecutor(8) as pool:
        decoded = list(pool.map(lambda data: decode(data, name="photo"), photos))

    assert {max(photo.image.size) for photo in decoded} == {64}


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(VALID)),
    length=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
)
def test_a_mutilated_file_is_decoded_or_rejected_and_nothing_else(
    kind: str, length: float, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(VALID[kind][: round(len(VALID[kind]) * max(length, 0.02))])
    for position, value in changes:
        data[int(position * len(data))] = value

    try:
        photo = decode(bytes(data), name="photo", limits=DecodeLimits(max_pixels=1_000_000))
    except PhotoRejected:
        return
    assert photo.image.mode == "RGB"


def reason_of_kind(data: bytes) -> str:
    with pytest.raises(PhotoRejected) as rejected:
        recognize(data, name="photo.jpg")
    return rejected.value.reason


@pytest.mark.parametrize("kind", ALL_FORMATS)
def test_a_photo_is_recognized_by_its_content(kind: str) -> None:
    assert recognize(encoded(quarters(), kind), name="photo.of.no.format") == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\1\0\1\0" + bytes(16), "ICO"),
        (b'<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg width="4"></svg>', "SVG"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"P6\n2 2\n255\n" + bytes(12), "Netpbm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_image_of_another_kind_is_refused_by_its_name(data: bytes, kind: str) -> None:
    assert reason_of_kind(data) == f"is a kind of image that is not read: {kind}"


@pytest.mark.parametrize(
    ("data", "looks_like"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\3\4\x14\0", "a ZIP archive"),
        (b"\x1f\x8b\x08\0", "a compressed archive"),
        (b"\n<!DOCTYPE html><title>404</title>", "a web page"),
        (b"<HTML><body>", "a web page"),
        (b"<?xml version='1.0'?><rss/>", "XML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound"),
        (b"\x7fELF\2\1\1", "a program"),
        (b"id,gender,articleType\n1163,Men,Tshirts\n", "text"),
        ("größer".encode() * 90, "text"),
        (b"BM stands for bitmap, but this is a sentence.", "text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_is_named_for_what_it_is(data: bytes, looks_like: str) -> None:
    assert reason_of_kind(data) == f"is not an image (looks like {looks_like})"


def test_bytes_that_mean_nothing_are_not_an_image() -> None:
    assert reason_of_kind(bytes([0, 255, 1, 254]) * 200) == "is not an image"


def test_a_format_that_pillow_was_built_without_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif")

    reason = reason_of_kind(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1")

    assert reason == "is a kind of image that this Pillow was built without: AVIF"
