"""HEIC photos: upright once, their colors, their limits, and what is refused."""

from __future__ import annotations

import io
import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sartor.errors import PhotoRejected
from sartor.imaging import DecodeLimits, bare_photo, decode, make_thumbnail
from sartor.imaging.decode import recognize
from tests.imaging.samples import QUARTERS, exif, heic, quarters, quarters_of
from tests.imaging.test_pixels import TURNED

pytest.importorskip("pillow_heif")
ORIENTATION_1 = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01"  # as EXIF's entry, big-endian

SIMPLE = heic(quarters())


def reason_for(data: bytes, **options: object) -> str:
    with pytest.raises(PhotoRejected) as rejected:
        decode(data, name="photo", **options)
    return rejected.value.reason


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_a_heic_photo_is_recognized_by_its_content(brand: bytes) -> None:
    assert recognize(b"\0\0\0\x24ftyp" + brand + b"\0\0\0\0mif1heic", name="photo") == "HEIF"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_photo_is_turned_upright_once(orientation: int) -> None:
    data = heic(quarters(64, 48), exif=exif(orientation))
    assert ORIENTATION_1[:-1] + bytes([orientation]) in data  # the same again, as phones write it
    assert (b"irot" in data or b"imir" in data) == (orientation > 1)

    photo = decode(data, name="photo")

    assert quarters_of(photo.image) == TURNED[orientation]
    assert photo.image.size == (photo.width_px, photo.height_px) == ((64, 48) if orientation < 5 else (48, 64))
    assert (photo.format, photo.web_ready, photo.image.info) == ("HEIF", False, {})


def test_an_orientation_that_only_exif_has_does_not_count() -> None:
    data = heic(quarters(64, 48), exif=exif(1)).replace(ORIENTATION_1, ORIENTATION_1[:-1] + b"\6")

    assert quarters_of(decode(data, name="photo").image) == QUARTERS


def test_a_photo_of_tiles_is_read_as_phones_make_it() -> None:
    data = heic(quarters(640, 480), tile_size=256, exif=exif(6))
    assert b"grid" in data

    photo = decode(data, name="photo", fit_px=100)

    assert quarters_of(photo.image) == TURNED[6]
    assert (photo.image.size, photo.reduced) == ((480, 640), False)


def test_a_thumbnail_in_the_file_is_not_taken_for_the_picture() -> None:
    photo = decode(heic(quarters(640, 480), thumbnails=[128]), name="photo", fit_px=100)

    assert photo.image.size == (640, 480)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_gray_and_transparent_photos_are_read(mode: str) -> None:
    image = Image.new("RGBA", (64, 48), (128, 128, 128, 0)).convert(mode)

    expected = (255, 255, 255) if mode == "RGBA" else (128, 128, 128)
    assert decode(heic(image), name="photo").image.getpixel((9, 9)) == pytest.approx(expected, abs=1)


def test_the_first_of_several_pictures_is_the_one_that_the_file_names() -> None:
    import pillow_heif

    file = io.BytesIO()
    several = pillow_heif.from_pillow(Image.new("RGB", (64, 48)))
    several.add_from_pillow(quarters())
    several.save(file, quality=90, primary_index=1)

    assert quarters_of(decode(file.getvalue(), name="photo").image) == QUARTERS


def test_a_thumbnail_and_a_copy_without_metadata_can_be_made() -> None:
    data = heic(quarters(64, 48), exif=exif(6, gps=True))
    photo = decode(data, name="photo")

    assert make_thumbnail(data, photo).suffix == "jpg"
    assert quarters_of(decode(bare_photo(data, photo), name="bare").image) == TURNED[6]


def test_a_header_of_too_many_pixels_is_rejected() -> None:
    wide = SIMPLE.replace(
        b"ispe" + struct.pack(">III", 0, 64, 64), b"ispe" + struct.pack(">III", 0, 29_000, 29_000)
    )
    wide = wide.replace(b"clap", b"free")

    assert reason_for(wide).startswith(("has 841.0 megapixels", "is damaged"))
    assert reason_for(SIMPLE, limits=DecodeLimits(max_pixels=3_071)).endswith("(64 x 48), more than 0.003071")


def test_a_picture_larger_than_its_header_says_is_rejected() -> None:
    small, large = (struct.pack(">III", 0, side, side) for side in (64, 1024))
    data = heic(quarters(1024, 1024))
    assert large in data

    assert reason_for(data.replace(large, small)).startswith("is damaged")


@pytest.mark.parametrize("kind", [b"iovl", b"av01", b"jpeg", b"unci"])
def test_a_picture_that_cameras_do_not_write_is_refused(kind: bytes) -> None:
    described = SIMPLE.index(b"infe")

    data = SIMPLE[:described] + SIMPLE[described:].replace(b"hvc1", kind, 1)

    assert reason_for(data) == "is damaged, or a kind of HEIF that is not read"


def test_tiles_that_are_many_times_the_picture_are_refused() -> None:
    data = heic(quarters(640, 480), tile_size=256)
    tile, huge = (struct.pack(">III", 0, side, side) for side in (256, 29_000))

    assert reason_for(data.replace(tile, huge)).startswith("is damaged")


def test_a_photo_that_is_cut_off_is_rejected() -> None:
    data = heic(Image.effect_noise((120, 90), 60).convert("RGB"))

    assert reason_for(data[: len(data) // 2]) == "is cut off"
    for length in range(40, len(data) - 1, 997):
        assert reason_for(data[:length]).startswith("is ")


@settings(max_examples=100, deadline=None)
@given(
    length=st.floats(0.05, 1),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
)
def test_a_mutilated_photo_is_decoded_or_rejected_and_nothing_else(
    length: float, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(SIMPLE[: round(len(SIMPLE) * length)])
    for position, value in changes:
        data[int(position * len(data))] = value

    try:
        photo = decode(bytes(data), name="photo", limits=DecodeLimits(max_pixels=1_000_000))
    except PhotoRejected:
        return
    assert photo.image.mode == "RGB"


def test_settings_of_the_package_do_not_matter_and_are_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    from pillow_heif import options

    monkeypatch.setattr(options, "DECODE_THREADS", 7)
    monkeypatch.setattr(options, "DISABLE_SECURITY_LIMITS", True)

    decode(SIMPLE, name="photo")

    assert (options.DECODE_THREADS, options.DISABLE_SECURITY_LIMITS) == (7, True)


def test_without_the_package_a_photo_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[decode.__module__], "find_spec", lambda _name: None)

    assert reason_for(SIMPLE) == (
        "is HEIC, which needs the package pillow-heif; "
        "in a checkout of Sartor, install it with: pip install '.[heic]'"
    )
