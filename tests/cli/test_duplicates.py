from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.cli.conftest import Sartor


@pytest.fixture
def indexed(sartor: Sartor, tmp_path: Path) -> Sartor:
    (tmp_path / "clothes").mkdir()
    for name, color, left in (("shirt", "red", 20), ("skirt", "blue", 50), ("hat", "red", 50)):
        image = Image.new("RGB", (120, 120), "white")
        ImageDraw.Draw(image).rectangle((left, 20, left + 40, 100), fill=color)
        image.save(tmp_path / "clothes" / f"{name}.png")
        if name == "shirt":
            image.resize((60, 60)).save(tmp_path / "clothes" / "again.png")
    assert sartor("index", tmp_path / "clothes").code == 0
    return sartor


def test_photos_of_the_same_are_one_group(indexed: Sartor) -> None:
    (group,) = indexed("duplicates", "--json").json()["groups"]

    assert [photo["product_id"] for photo in group] == ["again", "shirt"]
    assert set(group[0]) == {"product_id", "title", "photo", "sha256"}


def test_people_get_a_table_and_a_sheet(indexed: Sartor, tmp_path: Path) -> None:
    outcome = indexed("duplicates", "--sheet", tmp_path / "duplicates.html")

    assert "1 group of 2 photos" in outcome.out
    assert "again, shirt" in outcome.out
    assert (tmp_path / "duplicates.html").read_text().count("<figure") == 2


def test_a_copy_stands_behind_the_hit(indexed: Sartor) -> None:
    hits = indexed("similar", "--product", "hat", "--json").json()["hits"]

    assert {(hit["product_id"], *hit["variants"]) for hit in hits} in (
        {("skirt",), ("again", "shirt")},
        {("skirt",), ("shirt", "again")},
    )
