from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np
import pytest

from benchmarks.numpy_agreement import agreement, nearest, read
from tests.fakes import BLUE, RED, photo, unit

if TYPE_CHECKING:
    from pathlib import Path

CELLS = {
    "kind": np.array(["shirt", "shirt", "shoe", "shoe"]),
    "color": np.array(["red", "blue", "red", "NA"]),
}
ALL = np.arange(4)


def test_agreement_is_the_mean_share_of_neighbors_like_their_query() -> None:
    shares = agreement(np.array([[1, 2], [0, 2], [3, 0]]), np.array([0, 1, 2]), CELLS)
    assert shares["kind"] == pytest.approx((1 + 1 + 1) / 6)
    assert shares["color"] == pytest.approx((1 + 0 + 1) / 6)
    assert shares["kind + color"] == 0


def test_a_query_without_a_value_does_not_count() -> None:
    shares = agreement(np.array([[2, 1], [2, 0]]), np.array([0, 3]), CELLS)
    assert shares["color"] == 1 / 2  # of the first query alone
    assert shares["kind"] == (1 + 1) / 4


def test_a_missing_neighbor_does_not_agree() -> None:
    assert agreement(np.array([[2, -1]]), np.array([3]), {"kind": CELLS["kind"]})["kind"] == 1 / 2


def test_a_query_is_no_neighbor_of_its_own_and_the_nearest_comes_first() -> None:
    vectors = np.stack([unit(1, 0), unit(0, 1), unit(1, 0.1), unit(1, 1)])
    assert nearest(vectors, ALL, apart=ALL, k=2).tolist() == [[2, 3], [3, 2], [0, 3], [2, 0]]


def test_rows_of_one_label_are_no_neighbors_of_each_other() -> None:
    vectors = np.stack([unit(1, 0), unit(1, 0), unit(1, 0.1), unit(1, 1)])
    found = nearest(vectors, np.array([0, 2]), apart=np.array([0, 0, 1, 2]), k=2)
    assert found.tolist() == [[2, 3], [0, 1]]


def test_a_catalog_is_read_with_commas_in_titles_and_identical_photos_labeled_alike(tmp_path: Path) -> None:
    header = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
    rows = [f"{number},Men,,,Shirts,,Fall,2011,Casual,A, very, long title" for number in (5, 3, 9)]
    with ZipFile(tmp_path / "photos.zip", "w") as files:
        files.writestr("styles.csv", "\n".join([header, *rows]))
        for number, color in ((5, RED), (3, BLUE), (9, RED)):
            files.writestr(f"images/{number}.jpg", photo(color, format_="JPEG"))
    catalog = read(tmp_path / "photos.zip")
    assert catalog.ids == ("5", "3", "9")
    assert catalog.cells["articleType"].tolist() == ["Shirts"] * 3
    labels = catalog.same_photo
    assert labels[0] == labels[2] != labels[1]
    assert read(tmp_path / "photos.zip", limit=2).ids == ("5", "3")
