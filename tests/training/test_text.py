"""Learning a text tower: it finds photos by titles and attributes, and the same seed gives the same one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sartor.encoders.card import ModelCard
from sartor.encoders.text.tower import TextTower
from sartor.encoders.text.words import Vocabulary
from sartor.errors import NothingToLearn
from sartor.training.text import TextLesson, TextProgress, TextRecipe, learn_text
from sartor.training.train_text import DescribedProduct, train_text
from tests.fakes import COLOR_CARD

COLORS, KINDS = ("Red", "Blue", "Green"), ("Dresses", "Shirts")
RECIPE = TextRecipe(width=16, hidden=16, buckets=128, epochs=60, texts=24, bank=48, learning_rate=5e-3)
CARD: ModelCard = COLOR_CARD.model_copy(update={"dimension": 8})


def products(*, each: int = 8, held_out: int = 2) -> list[DescribedProduct]:
    """Products whose photos show their color and kind, and a little of themselves."""
    rng = np.random.default_rng(3)
    made = []
    for color_at, color in enumerate(COLORS):
        for kind_at, kind in enumerate(KINDS):
            for number in range(each):
                vector = rng.normal(size=CARD.dimension) * 0.1
                vector[[color_at, 3 + kind_at]] += 1
                made.append(
                    DescribedProduct(
                        title=f"Acme {color} {kind}",
                        attributes={"color": color, "articleType": kind, "gender": "Women"},
                        embeddings=[(vector / np.linalg.norm(vector)).astype(np.float32)],
                        held_out=number < held_out,
                    )
                )
    return made


def lesson(given: list[DescribedProduct]) -> TextLesson:
    return TextLesson(
        titles=[product.title for product in given],
        attributes=[{name: str(value) for name, value in product.attributes.items()} for product in given],
        embeddings=np.array([product.embeddings[0] for product in given]),
        product=np.arange(len(given)),
    )


def test_words_find_what_they_describe(tmp_path: Path) -> None:
    given = products()
    record = train_text(given, CARD, Vocabulary.read(), RECIPE, output=tmp_path)
    tower = TextTower.read(tmp_path, record, CARD, Vocabulary.read())
    photos = np.array([product.embeddings[0] for product in given])

    for text, color, kind in (("blue shirt", "Blue", "Shirts"), ("dress in red", "Red", "Dresses")):
        first = given[int((photos @ tower.embed([text])[0]).argmax())]
        assert (first.attributes["color"], first.attributes["articleType"]) == (color, kind)


def test_it_is_measured_on_what_it_did_not_learn_from(tmp_path: Path) -> None:
    record = train_text(products(each=20, held_out=10), CARD, Vocabulary.read(), RECIPE, output=tmp_path)

    assert record.products == 60
    assert record.network_sha256 == CARD.sha256
    assert record.figures["attributes P@10, all"].mean > 0.9
    assert record.figures["title R@1"].count == 60


def test_the_same_seed_gives_the_same_tower() -> None:
    short = replace(RECIPE, epochs=2)
    one, same, other = (
        learn_text(lesson(products()), Vocabulary.read(), recipe)
        for recipe in (short, short, replace(short, seed=9))
    )

    np.testing.assert_array_equal(one.table, same.table)
    assert not np.array_equal(one.table, other.table)


def test_progress_is_told_to_the_last_step() -> None:
    told: list[TextProgress] = []
    learn_text(lesson(products()), Vocabulary.read(), replace(RECIPE, epochs=2), on_progress=told.append)

    assert [progress.step for progress in told] == list(range(1, told[-1].steps + 1))


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_products_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(NothingToLearn):
        train_text(products(held_out=0)[:count], CARD, Vocabulary.read(), RECIPE, output=tmp_path)


def test_products_without_words_teach_nothing(tmp_path: Path) -> None:
    silent = [replace(product, title="", attributes={}) for product in products()]

    with pytest.raises(NothingToLearn, match="words"):
        train_text(silent, CARD, Vocabulary.read(), RECIPE, output=tmp_path)
