from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sartor.errors import NothingToLearn, SourceNotFound
from sartor.evaluation.splits import is_held_out, split_key
from sartor.training.dataset import Dataset, read_dataset
from sartor.training.photos import PhotoCache
from sartor.training.recipe import Split
from tests.fakes import RED, folder_of
from tests.training.conftest import catalog_of

APART = Split(near_duplicates=False)


def read(source: Path, work: Path, split: Split = APART) -> Dataset:
    return read_dataset([source], work, split, side_px=40)


def test_products_come_with_attributes_and_small_photos(catalog: Path, tmp_path: Path) -> None:
    dataset = read(catalog, tmp_path / "work")

    assert len(dataset.items) == 60
    assert dataset.items[0].attributes["color"] == "Red"
    pixels = dataset.photos.pixels(dataset.items[0].photos[0])
    assert pixels.shape == (40, 40, 4)  # larger photos become a square of the side
    assert set(np.unique(pixels[..., 3])) == {0, 255}


def test_a_broken_photo_is_noted_and_its_product_left_out(tmp_path: Path) -> None:
    dataset = read(catalog_of(tmp_path / "catalog", products=20, broken=2), tmp_path / "work")

    assert len(dataset.items) == 20
    assert len(dataset.photos.rejected) == 2


def test_a_product_in_two_sources_is_one_with_both_photos(tmp_path: Path) -> None:
    one, two = catalog_of(tmp_path / "one", products=20), catalog_of(tmp_path / "two", products=10)

    dataset = read_dataset([one, two], tmp_path / "work", APART, side_px=40)

    assert len(dataset.items) == 20
    assert [len(item.photos) for item in dataset.items] == [2] * 10 + [1] * 10


def test_the_split_is_the_one_that_a_promotion_uses(catalog: Path, tmp_path: Path) -> None:
    dataset = read(catalog, tmp_path / "work")

    for item in dataset.items:
        key = split_key(item.id, item.attributes)
        assert item.held_out == is_held_out(key, seed=APART.seed, share=APART.share)


def test_products_of_a_group_are_on_one_side(catalog: Path, tmp_path: Path) -> None:
    dataset = read(catalog, tmp_path / "work", Split(group_by=("color",), share=0.5, near_duplicates=False))

    sides = {(item.attributes["color"], item.held_out) for item in dataset.items}
    assert len(sides) == 2


def test_products_that_look_the_same_are_on_one_side(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "photos", {f"red{number}": RED for number in range(30)})

    dataset = read(source, tmp_path / "work", Split(share=0.2))

    assert len({item.held_out for item in dataset.items}) == 1


def test_photos_are_decoded_once(catalog: Path, tmp_path: Path) -> None:
    read(catalog, tmp_path / "work")
    written = (tmp_path / "work" / "photos.bin").stat().st_mtime_ns

    read(catalog, tmp_path / "work")

    assert PhotoCache.is_complete(tmp_path / "work")
    assert (tmp_path / "work" / "photos.bin").stat().st_mtime_ns == written


def test_a_source_without_a_usable_photo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"nothing")

    with pytest.raises(NothingToLearn, match="no product has a photo"):
        read(tmp_path / "photos", tmp_path / "work")


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        read(tmp_path / "none", tmp_path / "work")
