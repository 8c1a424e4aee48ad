"""Training a text tower for a model: what a catalog says of its products, and the embeddings of their photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.card import TEXT_FILE, Measured, TextRecord
from sartor.encoders.registry import sha256_of
from sartor.encoders.text.tower import TextTower
from sartor.errors import NothingToLearn
from sartor.evaluation.intervals import intervals
from sartor.evaluation.splits import SEED, SHARE, is_held_out, split_key
from sartor.evaluation.words import Gallery, measure
from sartor.limits import MIN_SAID_PROBABILITY
from sartor.recommend.features import SAYS_NOTHING
from sartor.recommend.understood import kind_of
from sartor.training.text import TextLesson, learn_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sartor.encoders.card import ModelCard
    from sartor.encoders.text.words import Vocabulary
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.training.text import OnText, TextRecipe
    from sartor.types import Attributes, Vector

_STEP = 512
_RNG_SEED = 0  # of intervals, so that the same run gives the same figures


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DescribedProduct:
    """A product to learn words from.

    Attributes:
        title: Its title; may be empty.
        attributes: What the catalog says, and what the model surely predicts.
        embeddings: Of its photos, the main one first, ``(d,)`` each.
        held_out: Whether it is kept for measuring.
    """

    title: str
    attributes: Attributes
    embeddings: Sequence[Vector]
    held_out: bool


def described_products(
    store: CatalogStore, card: ModelCard, features: FeatureBuilder, *, seed: int = SEED, share: float = SHARE
) -> list[DescribedProduct]:
    """The products of a catalog that a model has embedded, split by a hash of their id or group."""
    products = []
    ids = store.product_ids()
    for start in range(0, len(ids), _STEP):
        block = ids[start : start + _STEP]
        photos = store.embedded_photos(card.id, block)
        of_product: dict[str, list[Vector]] = {}
        for photo in photos:
            of_product.setdefault(photo.product_id, []).append(photo.vector)
        guesses = features.predictions(photos)
        for product_id, stored in store.products(block).items():
            if product_id not in of_product:
                continue
            own = stored.product.attributes
            sure = {
                name: value
                for name, (value, probability) in guesses.get(product_id, {}).items()
                if probability >= MIN_SAID_PROBABILITY
            }
            key = split_key(product_id, own)
            products.append(
                DescribedProduct(
                    title=stored.product.title,
                    attributes={**sure, **own},
                    embeddings=of_product[product_id],
                    held_out=is_held_out(key, seed=seed, share=share),
                )
            )
    return products


def train_text(  # noqa: PLR0913 - each is a keyword of its own
    products: Sequence[DescribedProduct],
    card: ModelCard,
    vocabulary: Vocabulary,
    recipe: TextRecipe,
    *,
    output: Path,
    data: str = "",
    on_progress: OnText = lambda _: None,
) -> TextRecord:
    """Learn a text tower, write it into a directory, and measure it on what was held out.

    Args:
        products: What to learn from, and what to measure on.
        card: The model that embedded their photos.
        vocabulary: What words mean.
        recipe: How to learn.
        output: The directory.
        data: What the products are, in words.
        on_progress: Called with how far the learning is.

    Raises:
        NothingToLearn: There are too few products with words and photos.
    """
    training = [product for product in products if not product.held_out]
    if not training:
        raise NothingToLearn(reason="no product has both a photo that is embedded and words")
    lesson = TextLesson(
        titles=[product.title for product in training],
        attributes=[_said(product.attributes) for product in training],
        embeddings=np.array([vector for product in training for vector in product.embeddings], np.float32),
        product=np.repeat(np.arange(len(training)), [len(product.embeddings) for product in training]),
    )
    weights = learn_text(lesson, vocabulary, recipe, on_progress=on_progress)
    output.mkdir(parents=True, exist_ok=True)
    weights.write(output / TEXT_FILE)
    record = TextRecord(
        sha256=sha256_of(output / TEXT_FILE),
        network_sha256=card.sha256,
        words=len(weights.words),
        data=data,
        products=len(training),
        photos=len(lesson.embeddings),
    )
    tower = TextTower.read(output, record, card, vocabulary)
    return record.model_copy(update={"figures": figures_of(tower, products)})


def figures_of(tower: TextTower, products: Sequence[DescribedProduct]) -> dict[str, Measured]:
    """What a text tower reaches on the held-out products, with 95 % intervals; empty without any."""
    held_out = [product for product in products if product.held_out]
    if not held_out:
        return {}
    gallery = Gallery(
        titles=[product.title for product in held_out],
        attributes=[product.attributes for product in held_out],
        embeddings=np.array([product.embeddings[0] for product in held_out], np.float32),
    )
    rng = np.random.default_rng(_RNG_SEED)
    return {
        name: Measured(mean=found.mean, low=found.low, high=found.high, count=found.count)
        for name, values in measure(tower, gallery).items()
        for found in intervals({name: values}, rng=rng).values()
    }


def _said(attributes: Attributes) -> Mapping[str, str]:
    """The attributes that phrases are composed of: those that words of a query are understood as."""
    return {
        name: str(value)
        for name, value in attributes.items()
        if kind_of(name) is not None and isinstance(value, str) and value.casefold() not in SAYS_NOTHING
    }
