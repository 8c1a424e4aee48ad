"""Names of copied photos: whatever the id, a file that a reader finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging import Thumbnail
from sartor.ingest.export.tables import CopiedImages, file_stem
from sartor.media.folder import FolderMediaStore
from sartor.types import Product, StoredProduct
from tests.ingest.export.warehouse import IDS, photo


@given(IDS)
def test_a_file_is_named_without_ways_out_of_its_folder(product_id: str) -> None:
    name = file_stem(product_id)
    assert name
    assert name.isascii()
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) <= 120


@given(st.lists(IDS, unique=True, max_size=20))
def test_different_ids_have_different_stems(ids: list[str]) -> None:
    assert len({file_stem(each) for each in ids}) == len(ids)


def test_ids_that_differ_by_case_or_by_a_number_get_files_of_their_own(tmp_path: Path) -> None:
    media, kept = FolderMediaStore(tmp_path / "media"), photo("1")
    media.put(kept.sha256, Thumbnail(data=b"jpeg", suffix="jpg"))
    (tmp_path / "out").mkdir()
    images = CopiedImages(media, tmp_path / "out")
    names = [
        name
        for product_id, photos in {"A": 1, "a": 1, "x": 2, "x_2": 1}.items()
        for name in images.of(StoredProduct(product=Product(id=product_id), photos=(kept,) * photos))
    ]
    assert len({name.casefold() for name in names}) == len(names) == images.copied == 5
    assert names[0] == "images/A.jpg"
    assert names[3] == "images/x_2.jpg"
    assert all((tmp_path / "out" / name).read_bytes() == b"jpeg" for name in names)


def test_a_thumbnail_that_is_gone_is_counted(tmp_path: Path) -> None:
    images = CopiedImages(FolderMediaStore(tmp_path / "media"), tmp_path)
    assert images.of(StoredProduct(product=Product(id="a"), photos=(photo("1"),))) == []
    assert images.missing == 1


def test_a_photo_of_which_only_the_vector_was_imported_is_counted_as_one_without_a_thumbnail(
    tmp_path: Path,
) -> None:
    images = CopiedImages(FolderMediaStore(tmp_path / "media"), tmp_path)
    assert images.of(StoredProduct(product=Product(id="a"), photos=(replace(photo("1"), thumbnail=""),))) == []
    assert (images.copied, images.missing) == (0, 1)
