from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sartor.catalog import archive as archive_module
from sartor.catalog import open_source
from sartor.errors import PhotoRejected, UnreadableTable
from tests.catalog.samples import PHOTO, read, write_zip

if TYPE_CHECKING:
    from pathlib import Path


def test_a_damaged_photo_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "shop.zip", {"a.jpg": b"first photo", "b.jpg": b"second photo"})
    archive.write_bytes(archive.read_bytes().replace(b"first", b"worst"))

    with open_source(archive) as source:
        damaged, whole = (product.photos[0] for product in source)
        with pytest.raises(PhotoRejected, match=r"a\.jpg cannot be used: is damaged in the archive"):
            damaged.read()
        assert whole.read() == b"second photo"


@pytest.mark.parametrize("name", ["styles.csv", "products.csv"])
def test_a_damaged_table_is_unreadable(tmp_path: Path, name: str) -> None:
    table = "id,articleType,image\n1,Shirts,1.jpg\n"
    archive = write_zip(tmp_path / "shop.zip", {name: table, "1.jpg": PHOTO})
    archive.write_bytes(archive.read_bytes().replace(b"Shirts", b"Skirts"))

    with (
        pytest.raises(UnreadableTable, match=rf"shop\.zip/{name} cannot be read .* damaged"),
        open_source(archive),
    ):
        pass


def test_a_header_that_lies_about_the_size_does_not_get_past(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "liar.zip", {"liar.jpg": bytes(10 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, 22, 100)  # local header
    struct.pack_into("<L", content, central + 24, 100)
    archive.write_bytes(content)

    with (
        open_source(archive) as source,
        pytest.raises(PhotoRejected, match="is damaged in the archive"),
    ):
        next(iter(source)).photos[0].read()


def test_even_with_a_matching_checksum_no_more_than_the_declared_size_is_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "liar.zip", {"liar.jpg": bytes(10 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 16, zlib.crc32(bytes(100)))
    struct.pack_into("<L", content, central + 24, 100)
    archive.write_bytes(content)

    with open_source(archive) as source:
        assert len(next(iter(source)).photos[0].read()) == 100


def test_a_photo_over_the_limit_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_PHOTO_BYTES", 1_000)
    archive = write_zip(tmp_path / "shop.zip", {"large.jpg": bytes(1_001)})

    with open_source(archive) as source, pytest.raises(PhotoRejected, match="is larger than 64 MiB"):
        next(iter(source)).photos[0].read()


def test_of_entries_with_the_same_name_the_last_one_counts(tmp_path: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr("a.jpg", b"old")
        archive.writestr("a.jpg", b"new")

    reading = read(tmp_path / "twice.zip")

    assert reading.counts == {"archive entries with the same name": 1}
    with open_source(tmp_path / "twice.zip") as source:
        assert [product.photos[0].read() for product in source] == [b"new"]


def test_names_that_are_not_flagged_as_utf8_are_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "old.zip", {"cafe.jpg": PHOTO})
    archive.write_bytes(archive.read_bytes().replace(b"cafe.jpg", b"caf\x82.jpg"))

    assert read(archive).ids == ["café"]


def test_folders_in_the_archive_are_no_products(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.mkdir("photos.jpg")
        archive.writestr("photos.jpg/a.jpg", PHOTO)

    assert read(tmp_path / "shop.zip").ids == ["photos.jpg/a"]


def test_threads_read_one_archive_at_the_same_time(tmp_path: Path) -> None:
    contents = {f"{number}.jpg": f"photo {number} ".encode() * 500 for number in range(300)}
    archive = write_zip(tmp_path / "shop.zip", contents, compression=zipfile.ZIP_DEFLATED)

    with open_source(archive) as source, ThreadPoolExecutor(8) as pool:
        photos = [product.photos[0] for product in source]
        for _ in range(3):
            assert list(pool.map(lambda photo: photo.read(), photos)) == list(contents.values())
