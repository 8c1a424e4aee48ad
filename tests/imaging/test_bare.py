from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sartor.imaging import bare_photo, decode

SECRET = b"where I live"


def street(width: int = 96, height: int = 64) -> Image.Image:
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)).resize((width, height))


def encoded(format_: str, **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x0112] = 6
    stream = io.BytesIO()
    street().save(stream, format_, exif=exif, **options)
    return stream.getvalue()


JPEGS = {
    "plain": encoded("JPEG"),
    "progressive": encoded("JPEG", progressive=True, quality=95),
    "with a comment": encoded("JPEG", comment=SECRET),
    "with more behind it": encoded("JPEG") + SECRET,
}


@pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS)
@pytest.mark.parametrize("fit_px", [None, 16])
def test_a_jpeg_keeps_its_pixels_and_loses_what_it_tells(data: bytes, fit_px: int | None) -> None:
    bare = bare_photo(data, decode(data, name="it"))
    assert SECRET in data
    assert SECRET not in bare
    one, other = (decode(each, name="it", fit_px=fit_px).image for each in (data, bare))
    assert one.size == (64, 96) if fit_px is None else one.size
    assert np.array_equal(np.asarray(one), np.asarray(other))
    assert len(bare) <= len(data)


def test_a_gray_and_a_printers_jpeg_keep_their_pixels() -> None:
    for mode in ("L", "CMYK"):
        stream = io.BytesIO()
        street().convert(mode).save(stream, "JPEG")
        data = stream.getvalue()
        bare = bare_photo(data, decode(data, name="it"))
        assert np.array_equal(*(np.asarray(decode(each, name="it").image) for each in (data, bare)))


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "TIFF"])
def test_another_format_is_encoded_again_without_loss(format_: str) -> None:
    data = encoded(format_)
    decoded = decode(data, name="it")
    bare = bare_photo(data, decoded)
    assert SECRET not in bare
    assert np.array_equal(np.asarray(decode(bare, name="it").image), np.asarray(decoded.image))


def test_a_very_large_one_is_reduced() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (4000, 100)).save(stream, "PNG")
    data = stream.getvalue()
    assert decode(bare_photo(data, decode(data, name="it")), name="it").image.size == (2048, 51)
