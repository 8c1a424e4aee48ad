from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
import typer

from benchmarks.data import data_file, unpack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "photos.zip"
    with ZipFile(path, "w") as files:
        files.writestr("styles.csv", "id,productDisplayName\n7,A, b\n3,C\n5,D\n")
        for number in (3, 5, 7):
            files.writestr(f"images/{number}.jpg", f"photo {number}")
    return path


def test_some_products_become_a_folder_in_the_order_of_the_table(archive: Path, tmp_path: Path) -> None:
    photos = unpack(archive, tmp_path / "some", start=1, count=2)
    assert [photo.read_text() for photo in photos] == ["photo 3", "photo 5"]
    assert (tmp_path / "some" / "styles.csv").read_text() == "id,productDisplayName\n3,C\n5,D\n"
    assert not (tmp_path / "some" / "images" / "7.jpg").exists()


def test_more_products_than_there_are_is_wrong_usage(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="has 3 products, too few for 4"):
        unpack(archive, tmp_path / "some", start=2, count=2)


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"there is no photos\.zip in .*--data DIR"):
        data_file(tmp_path, "photos.zip")
