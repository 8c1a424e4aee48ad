from __future__ import annotations

import pytest
from PIL import features

from sartor.errors import PhotoRejected
from sartor.imaging.decode import recognize
from tests.imaging.samples import ALL_FORMATS, encoded, quarters


def reason_for(data: bytes) -> str:
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
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x24ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b'<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg width="4"></svg>', "SVG"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"P6\n2 2\n255\n" + bytes(12), "Netpbm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_image_of_another_kind_is_refused_by_its_name(data: bytes, kind: str) -> None:
    assert reason_for(data) == f"is a kind of image that is not read: {kind}"


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
    assert reason_for(data) == f"is not an image (looks like {looks_like})"


def test_bytes_that_mean_nothing_are_not_an_image() -> None:
    assert reason_for(bytes([0, 255, 1, 254]) * 200) == "is not an image"


def test_a_format_that_pillow_was_built_without_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif")

    reason = reason_for(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1")

    assert reason == "is a kind of image that this Pillow was built without: AVIF"
