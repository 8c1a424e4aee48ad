from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sartor.catalog import open_source
from sartor.errors import SourceNotFound, UnreadableTable, UnrecognizedSource
from tests.catalog.samples import (
    KAGGLE_HEADER,
    KAGGLE_ROW,
    PHOTO,
    SHARED_DATA,
    Contents,
    read,
    write_folder,
    write_zip,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<item><g:id>1</g:id><g:image_link>1.jpg</g:image_link></item></channel></rss>"""


@pytest.mark.parametrize(
    ("contents", "kind"),
    [
        ({"styles.csv": KAGGLE_HEADER + KAGGLE_ROW, "images/15970.jpg": PHOTO}, "kaggle"),
        ({"archive/fashion-dataset/styles.csv": KAGGLE_HEADER + KAGGLE_ROW}, "kaggle"),
        ({"products.csv": "sku,image\n1,1.jpg\n", "1.jpg": PHOTO}, "table"),
        ({"deep/down/products.jsonl": '{"id": 1, "image": "1.jpg"}\n'}, "table"),
        ({"feed.xml": FEED, "1.jpg": PHOTO}, "merchant feed"),
        ({"feed.txt": "id\ttitle\timage link\n1\tA\t1.jpg\n", "1.jpg": PHOTO}, "merchant feed"),
    ],
)
def test_a_source_is_recognized_by_what_it_holds(
    make_source: Callable[[Contents], Path], contents: Contents, kind: str
) -> None:
    assert read(make_source(contents)).kind == kind


def test_a_folder_and_a_zip_of_photos_are_told_apart(tmp_path: Path) -> None:
    assert read(write_folder(tmp_path / "a", {"1.jpg": PHOTO})).kind == "folder"
    assert read(write_zip(tmp_path / "a.zip", {"1.jpg": PHOTO})).kind == "zip"


@pytest.mark.parametrize("name", ["photo.jpg", "photo.PNG", "no-suffix"])
def test_a_photo_is_a_source_of_one_product(tmp_path: Path, name: str) -> None:
    photo = tmp_path / name
    photo.write_bytes(PHOTO)
    write_folder(tmp_path, {"another.jpg": PHOTO, "products.csv": "id,image\n1,another.jpg\n"})

    reading = read(photo)

    assert reading.kind == "photo"
    assert reading.ids == [photo.stem]
    assert reading.products[0].photos[0].read() == PHOTO


def test_a_zip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "download", {"1.jpg": PHOTO})

    assert read(archive).kind == "zip"


def test_a_source_bears_the_path_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "shop", {"1.jpg": PHOTO})
    monkeypatch.chdir(tmp_path)

    with open_source(Path("shop")) as source:
        assert source.name == "shop"


def test_a_missing_path_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"nowhere"), open_source(tmp_path / "nowhere"):
        pass


@pytest.mark.parametrize("contents", [{}, {"readme.txt": "Hello, world"}, {".hidden.jpg": PHOTO}])
def test_a_source_with_nothing_to_read_says_what_was_looked_for(
    make_source: Callable[[Contents], Path], contents: Contents
) -> None:
    with (
        pytest.raises(UnrecognizedSource, match=r"looked for: photos .*styles\.csv.*Merchant feed"),
        open_source(make_source(contents)),
    ):
        pass


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return os.mkdir, (str(tmp_path / "trapped"),)

    embeddings = tmp_path / "embeddings.pkl"
    embeddings.write_bytes(pickle.dumps(Trap()))

    with pytest.raises(UnrecognizedSource), open_source(embeddings):
        pass
    assert not (tmp_path / "trapped").exists()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")

    with pytest.raises(UnrecognizedSource), open_source(tmp_path / "pipe.jpg"):
        pass
    with pytest.raises(UnrecognizedSource), open_source(tmp_path):
        pass


def test_text_that_is_no_table_is_unreadable_by_a_table_suffix_and_unrecognized_else(tmp_path: Path) -> None:
    write_folder(tmp_path, {"notes.csv": "nothing to see\n", "notes.md": "nothing to see\n"})

    with pytest.raises(UnreadableTable, match="no column of images"), open_source(tmp_path / "notes.csv"):
        pass
    with pytest.raises(UnrecognizedSource), open_source(tmp_path / "notes.md"):
        pass


def test_iterating_twice_gives_the_same_and_counts_once(make_source: Callable[[Contents], Path]) -> None:
    path = make_source({"products.csv": "id,image\n1,1.jpg\n2,\n1,1.jpg\n", "more.csv": "a\n", "x.jpg": PHOTO})

    with open_source(path) as source:
        first, findings = list(source), source.findings.snapshot()
        assert list(source) == first
        assert source.findings.snapshot() == findings


@pytest.mark.parametrize(
    ("archive", "kind", "count"),
    [
        ("fashion-product-images-small.zip", "kaggle", 37_344),
        ("fashion-product-images-224.zip", "kaggle", 10_697),
        ("clothing-dataset-photos.zip", "table", 2_413),
    ],
)
def test_every_product_of_the_real_sets_has_its_photo(archive: str, kind: str, count: int) -> None:
    path = SHARED_DATA / archive
    if not path.exists():
        pytest.skip(f"needs {path}, which is not here")

    with open_source(path) as source:
        assert source.kind == kind
        assert source.product_count == count
        assert sum(len(product.photos) == 1 for product in source) == count
        assert len(next(iter(source)).photos[0].read()) > 500
