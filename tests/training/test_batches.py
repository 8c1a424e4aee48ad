from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sartor.training.batches import Batches, product_weights
from sartor.training.dataset import Dataset, Item, Target, read_dataset, targets_of
from sartor.training.recipe import Emphasis, Recipe, Sampling, Split

RECIPE = Recipe(sampling=Sampling(views=12, pair_share=0.5)).model_copy(
    update={"network": Recipe().network.model_copy(update={"side_px": 32})}
)


@pytest.fixture
def dataset(catalog: Path, tmp_path: Path) -> Dataset:
    return read_dataset([catalog], tmp_path / "work", Split(), side_px=40)


def target(*values: str) -> Target:
    classes = tuple(sorted(set(values)))
    allowed = np.array([[value == name for name in classes] for value in values])
    return Target(name="kind", weight=1.0, classes=classes, allowed=allowed, known=np.ones(len(values), np.bool_))


def items(count: int, **attributes: str) -> list[Item]:
    return [Item(id=str(number), attributes=attributes, photos=("a",)) for number in range(count)]


def batches(dataset: Dataset) -> Batches:
    return Batches(dataset.training, dataset.photos, targets_of(dataset.training, RECIPE), RECIPE)


def test_a_step_has_its_views_and_its_pairs(dataset: Dataset) -> None:
    (batch,) = batches(dataset).from_step(0, 1)

    assert batch.photos.shape == (12, 32, 32, 3)
    counts = Counter(batch.products.tolist())
    assert sum(count >= 2 for count in counts.values()) >= 3  # pair_share of 12 views
    assert list(batch.products[0:6:2]) == list(batch.products[1:6:2])


def test_a_step_depends_on_its_number_alone(dataset: Dataset) -> None:
    whole = list(batches(dataset).from_step(0, 6))
    later = list(batches(dataset).from_step(4, 6))

    assert len(whole) == 6
    for one, other in zip(whole[4:], later, strict=True):
        assert np.array_equal(one.photos, other.photos)
        assert np.array_equal(one.products, other.products)
    assert not np.array_equal(whole[0].photos, whole[1].photos)


def test_a_rare_class_is_drawn_more_often_than_it_comes() -> None:
    kinds = target(*["common"] * 9, "rare")

    even = product_weights(items(10), [kinds], Sampling(balance=0))
    balanced = product_weights(items(10), [kinds], Sampling(balance=1))

    assert even[9] == pytest.approx(0.1)
    assert balanced[9] == pytest.approx(0.5)
    assert balanced.sum() == pytest.approx(1)


def test_what_has_an_attribute_can_be_drawn_more_often() -> None:
    both = [*items(5), *items(5, sender="s")]
    sampling = Sampling(balance=0, emphasis=(Emphasis(attribute="sender", factor=3.0),))

    found = product_weights(both, [target(*"ab" * 5)], sampling)

    assert found[9] == pytest.approx(3 * found[0])
