from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sartor.catalog.files import FolderFiles, PhotoIndex
from sartor.catalog.source import Findings
from tests.catalog.samples import PHOTO, write_folder

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "shop/images/1.jpg",
    "shop/images/Ünder.JPG",
    "shop/images/4285fab0.jpg",
    "shop/images/front/2.jpg",
    "shop/images/back/2.jpg",
    "shop/copies/1.jpg",
    "3.jpg",
)


@pytest.fixture
def index(tmp_path: Path) -> PhotoIndex:
    return PhotoIndex(FolderFiles(write_folder(tmp_path, dict.fromkeys(NAMES, PHOTO)), Findings()))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("images/1.jpg", ["shop/images/1.jpg"]),
        ("./copies/../images/1.jpg", ["shop/images/1.jpg"]),
        ("../3.jpg", ["3.jpg"]),
        ("3.jpg", ["3.jpg"]),
        ("1.jpg", ["shop/images/1.jpg"]),
        ("1", ["shop/images/1.jpg"]),
        ("4285fab0", ["shop/images/4285fab0.jpg"]),
        ("u\u0308NDER.jpg", ["shop/images/Ünder.JPG"]),
        ("/home/her/shop/images/front/2.jpg", ["shop/images/front/2.jpg"]),
        ("C:/shop/images/back/2.jpg", ["shop/images/back/2.jpg"]),
        ("front/2.jpg", ["shop/images/front/2.jpg"]),
        ("2.jpg", ["shop/images/front/2.jpg", "shop/images/back/2.jpg"]),
    ],
)
def test_a_reference_finds_its_photo(index: PhotoIndex, reference: str, expected: list[str]) -> None:
    assert sorted(index.matches(reference, folder="shop")) == sorted(expected)


@pytest.mark.parametrize(
    "reference", ["", ".", "..", "side/2.jpg", "1.png", "11.jpg", "images", "images/", "x" * 5_000, "a\0b"]
)
def test_another_photo_is_worse_than_none(index: PhotoIndex, reference: str) -> None:
    assert list(index.matches(reference, folder="shop")) == []


def test_an_absolute_path_outside_the_folder_is_the_users_own_file(tmp_path: Path) -> None:
    write_folder(tmp_path, {"elsewhere/9.jpg": PHOTO, "shop/products.csv": ""})
    index = PhotoIndex(FolderFiles(tmp_path / "shop", Findings()))
    path = str(tmp_path / "elsewhere" / "9.jpg")

    assert index.matches(path, folder="") == (path,)
    assert index.photo(path).read() == PHOTO
    assert index.photo(index.matches("../elsewhere/9.jpg", folder="")[0]).read() == PHOTO


def test_a_photo_that_bears_the_id_is_found_beside_the_table_first(index: PhotoIndex) -> None:
    assert index.of_product("1", folder="shop") == ["shop/images/1.jpg"]
    assert index.of_product("1", folder="") == ["shop/copies/1.jpg"]
    assert index.of_product("2", folder="shop") == ["shop/images/back/2.jpg"]
    assert list(index.of_product("images/1", folder="shop")) == []
    assert list(index.of_product("", folder="shop")) == []


def test_ids_that_differ_in_case_are_different_products(tmp_path: Path) -> None:
    index = PhotoIndex(FolderFiles(write_folder(tmp_path, {"ab.jpg": PHOTO}), Findings()))

    assert index.of_product("ab", folder="") == ["ab.jpg"]
    assert list(index.of_product("AB", folder="")) == []
