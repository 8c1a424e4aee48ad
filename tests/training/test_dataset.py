from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sartor.errors import NothingToLearn, SourceNotFound
from sartor.evaluation.splits import is_held_out, split_key
from sartor.training.dataset import Dataset, Item, read_dataset, targets_of, unlearned, values_of
from sartor.training.photos import PhotoCache
from sartor.training.recipe import Label, LabelMap, Recipe, Split
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


MAPS = (LabelMap(column="label", label="type", classes={"Top": ("Shirt",), "Shoes": ("Boots", "Sandals")}),)


def items(*rows: dict[str, str]) -> list[Item]:
    return [Item(id=str(number), attributes=row, photos=("a",)) for number, row in enumerate(rows)]


ROWS = items(
    {"type": "Shirt"}, {"type": "Shirt"}, {"type": "Boots"}, {"type": "Sandals"},
    {"label": "Top"}, {"label": "Shoes"}, {"label": "Other"}, {},
)  # fmt: skip


def test_classes_come_most_frequent_first() -> None:
    (target,) = targets_of(ROWS, Recipe(labels=(Label(name="type"),)))

    assert target.classes == ("Shirt", "Boots", "Sandals")
    assert target.allowed[0].tolist() == [True, False, False]
    assert target.known.tolist() == [True] * 4 + [False] * 4


def test_a_map_gives_a_class_or_one_of_several() -> None:
    (target,) = targets_of(ROWS, Recipe(labels=(Label(name="type"),), maps=MAPS))

    assert target.allowed[4].tolist() == [True, False, False]
    assert target.allowed[5].tolist() == [False, True, True]


def test_where_nothing_is_known_every_class_is_allowed() -> None:
    (target,) = targets_of(ROWS, Recipe(labels=(Label(name="type"),), maps=MAPS))

    assert target.allowed[6:].all()
    assert not target.known[6:].any()


def test_values_are_the_certain_ones() -> None:
    values = values_of(ROWS, "type", MAPS)

    assert values.tolist() == ["Shirt", "Shirt", "Boots", "Sandals", "Shirt", "", "", ""]


def test_labels_are_chosen_where_none_are_named() -> None:
    rows = [{"color": "Red" if number % 2 else "Blue", "sku": str(number)} for number in range(20)]

    (target,) = targets_of(items(*rows), Recipe())

    assert target.name == "color"


@pytest.mark.parametrize("labels", [(), (Label(name="color"),), (Label(name="none"),)])
def test_a_catalog_with_one_class_has_nothing_to_learn(labels: tuple[Label, ...]) -> None:
    rows = items(*({"color": "Red"} for _ in range(20)))

    with pytest.raises(NothingToLearn, match="two values"):
        targets_of(rows, Recipe(labels=labels))


def test_only_what_has_two_classes_is_learned() -> None:
    rows = items(*({"color": "Red", "shape": "Disc" if number % 2 else "Bar"} for number in range(20)))

    (target,) = targets_of(rows, Recipe(labels=(Label(name="color"), Label(name="shape"))))

    assert target.name == "shape"
    assert np.all(target.known)


def test_labels_that_cannot_be_learned_are_named() -> None:
    recipe = Recipe(labels=(Label(name="type"), Label(name="typo")))
    assert unlearned(recipe, targets_of(ROWS, recipe)) == ("typo",)
