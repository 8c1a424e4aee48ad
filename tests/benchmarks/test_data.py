from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
import typer

from benchmarks.data import data_file, peoples_photos, unpack

if TYPE_CHECKING:
    from pathlib import Path

FAMILIES = (
    "black",
    "gray",
    "white",
    "beige",
    "brown",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
)


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


def test_labels_of_peoples_photos_are_color_families_and_outlines_within_the_photo() -> None:
    photos = peoples_photos()
    assert len({photo.id for photo in photos}) == len(photos)
    assert {color for photo in photos for color in (photo.color, photo.second)} <= {*FAMILIES, "multicolor", None}
    assert all(photo.second is None or photo.color not in {photo.second, None} for photo in photos)
    outlines = [outline for photo in photos for outline in photo.outlines]
    assert all(0 <= share <= 1 for outline in outlines for point in outline for share in point)
    assert all(len(outline) >= 8 for outline in outlines)


def test_eighty_five_photos_have_a_color_and_sixty_one_an_outline() -> None:
    photos = peoples_photos()
    assert sum(photo.color is not None for photo in photos) == 85
    assert sum(bool(photo.outlines) for photo in photos) == 61
