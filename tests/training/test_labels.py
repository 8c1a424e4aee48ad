from __future__ import annotations

import numpy as np
import pytest

from sartor.errors import NothingToLearn
from sartor.training.dataset import Item, targets_of, values_of
from sartor.training.recipe import Label, LabelMap, Recipe

MAPS = (LabelMap(column="label", label="type", classes={"Top": ("Shirt",), "Shoes": ("Boots", "Sandals")}),)


def items(*rows: dict[str, str]) -> list[Item]:
    return [Item(id=str(number), attributes=row, photos=("a",)) for number, row in enumerate(rows)]


CATALOG = items(
    {"type": "Shirt"}, {"type": "Shirt"}, {"type": "Boots"}, {"type": "Sandals"},
    {"label": "Top"}, {"label": "Shoes"}, {"label": "Other"}, {},
)  # fmt: skip


def test_classes_come_most_frequent_first() -> None:
    (target,) = targets_of(CATALOG, Recipe(labels=(Label(name="type"),)))

    assert target.classes == ("Shirt", "Boots", "Sandals")
    assert target.allowed[0].tolist() == [True, False, False]
    assert target.known.tolist() == [True] * 4 + [False] * 4


def test_a_map_gives_a_class_or_one_of_several() -> None:
    (target,) = targets_of(CATALOG, Recipe(labels=(Label(name="type"),), maps=MAPS))

    assert target.allowed[4].tolist() == [True, False, False]
    assert target.allowed[5].tolist() == [False, True, True]


def test_where_nothing_is_known_every_class_is_allowed() -> None:
    (target,) = targets_of(CATALOG, Recipe(labels=(Label(name="type"),), maps=MAPS))

    assert target.allowed[6:].all()
    assert not target.known[6:].any()


def test_values_are_the_certain_ones() -> None:
    values = values_of(CATALOG, "type", MAPS)

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
