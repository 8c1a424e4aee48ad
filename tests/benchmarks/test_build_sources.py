from __future__ import annotations

import csv
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from benchmarks.build_sources import Sources, make_sources

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTS = 100 + 24 + 150


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive whose second product has the photo of the first."""
    path = tmp_path / "photos.zip"
    with ZipFile(path, "w") as files:
        lines = (f"{number},Shirt, number {number}\n" for number in range(PRODUCTS))
        files.writestr("styles.csv", "id,productDisplayName\n" + "".join(lines))
        for number in range(PRODUCTS):
            files.writestr(f"images/{number}.jpg", f"photo {number if number != 1 else 0}")
    return path


def made(archive: Path, folder: Path) -> Sources:
    folder.mkdir()
    return make_sources(archive, folder, limit=100, seed=0)


def test_each_product_is_in_one_source_and_those_of_the_catalog_have_photos_of_their_own(
    archive: Path, tmp_path: Path
) -> None:
    sources = made(archive, tmp_path / "made")
    with ZipFile(sources.catalog) as files:
        ids = [line.partition(",")[0] for line in files.read("styles.csv").decode().splitlines()[1:]]
        assert ids == ["0", *map(str, range(2, 100))]
        assert files.read("images/99.jpg") == b"photo 99"
    with (sources.priced / "products.csv").open(encoding="utf-8", newline="") as file:
        priced = list(csv.DictReader(file))
    assert [row["id"] for row in priced] == [str(number) for number in range(100, 250)]
    assert [photo.name for photo in sources.unseen] == [f"{number}.jpg" for number in range(250, PRODUCTS)]


def test_further_products_have_prices_and_groups_and_two_show_the_photo_of_another(
    archive: Path, tmp_path: Path
) -> None:
    sources = made(archive, tmp_path / "made")
    with (sources.priced / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["productDisplayName"] == "Shirt, number 100"
    assert all(5 <= float(row["price"].removesuffix(" USD")) <= 120 for row in rows)
    assert [row["item_group_id"] for row in rows[:4]] == ["group-0", "group-0", "group-0", "group-1"]
    assert [row["image_path"] for row in rows[-3:]] == ["images/247.jpg", "images/100.jpg", "images/100.jpg"]
    assert all((sources.priced / row["image_path"]).is_file() for row in rows)


def test_a_seed_makes_the_same_prices(archive: Path, tmp_path: Path) -> None:
    first, again = (made(archive, tmp_path / name).priced / "products.csv" for name in ("first", "again"))
    assert first.read_text(encoding="utf-8") == again.read_text(encoding="utf-8")
