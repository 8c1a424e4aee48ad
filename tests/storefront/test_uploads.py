from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from sartor.errors import PhotoRejected
from sartor.storefront.uploads import Uploads
from tests.fakes import BLUE, RED, photo


def test_a_photo_is_kept_reduced_and_without_its_metadata(tmp_path: Path) -> None:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (2000, 1000), RED).save(stream, "JPEG", exif=exif)
    uploads = Uploads(tmp_path / "uploads")
    kept = uploads.get(uploads.put(stream.getvalue()))

    assert kept is not None
    assert b"where I live" not in kept
    assert Image.open(io.BytesIO(kept)).size == (640, 320)


def test_a_small_photo_is_kept_too(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    kept = uploads.get(uploads.put(photo(RED, format_="JPEG")))

    assert kept is not None
    assert Image.open(io.BytesIO(kept)).size == (40, 40)


def test_what_is_no_photo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoRejected):
        Uploads(tmp_path / "uploads").put(b"no photo")


@pytest.mark.parametrize("name", ["0" * 64, "../catalog.sqlite3", "", "x" * 64])
def test_a_name_that_is_none_has_nothing(tmp_path: Path, name: str) -> None:
    assert Uploads(tmp_path / "uploads").get(name) is None


def test_the_oldest_make_room_and_the_old_are_forgotten(tmp_path: Path) -> None:
    now = [0.0]
    uploads = Uploads(tmp_path / "uploads", limit=2, clock=lambda: now[0])
    names = [uploads.put(photo(RED, side_px=side)) for side in (20, 21, 22)]
    assert sum(uploads.get(name) is not None for name in names) == 2

    now[0] = 4e9
    uploads.put(photo(BLUE))
    assert [uploads.get(name) for name in names] == [None] * 3
