"""Whether a model is better than another one on a workspace's own catalog.

Both find the nearest products of held-out ones, each by its own embeddings; what counts is how often these have
the same categories. A query must not be something that a model was trained on, so the split is that of the
training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import NothingToCompare
from sartor.evaluation.intervals import bootstrap_interval, paired_test
from sartor.evaluation.metrics import mean_agreement
from sartor.evaluation.ranking import nearest
from sartor.evaluation.relevance import choose_labels, labels_of
from sartor.evaluation.splits import SEED, SHARE, is_held_out, split_key
from sartor.ingest.photos import STEP, batched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.encoders.card import ModelCard
    from sartor.evaluation.intervals import Interval, PairedTest, Values
    from sartor.evaluation.ranking import Indices
    from sartor.ingest.photos import Rejection
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes

NEIGHBORS = 5
MIN_QUERIES = 20
MAX_P_VALUE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models on the same held-out products; a score is the share of near products with the same labels.

    Attributes:
        labels: The attributes that judged.
        new: Mean score of the model to promote.
        old: Mean score of the default.
        test: New against old.
    """

    labels: tuple[str, ...]
    new: Interval
    old: Interval
    test: PairedTest

    @property
    def is_better(self) -> bool:
        """Whether the new model scores higher, and not by chance."""
        return self.test.difference > 0 and self.test.p_value < MAX_P_VALUE

    @property
    def figures(self) -> str:
        """The result in one line."""
        test = self.test
        return (
            f"{self.new.mean:.3f} against {self.old.mean:.3f} of the {NEIGHBORS} nearest agree in "
            f"{', '.join(self.labels)} ({test.count:,} held-out products), difference {test.difference:+.3f} "
            f"(95 % interval {test.low:+.3f} to {test.high:+.3f}), p = {test.p_value:.4f}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionReport:
    """What a promotion, or its rollback, did.

    Attributes:
        model: The default from now on.
        previous: The default until then, if there was one.
        embedded: Photos of the catalog that the model had not embedded before.
        reduced: Those of them that were embedded from their thumbnail, as their source no longer has them.
        rejected: Photos that the model cannot use.
        comparison: New against old; None if they were not compared.
    """

    model: str
    previous: str | None
    embedded: int
    reduced: int
    rejected: tuple[Rejection, ...]
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutSplit:
    """The products that models are compared on.

    Attributes:
        photos: SHA-256 of each product's photo, n of them: the first one that every model has embedded.
        attributes: Attributes of each product, n.
        labels: The attributes that judge.
        queries: ``(q,)`` rows of the held-out products.
    """

    photos: Sequence[str]
    attributes: Sequence[Attributes]
    labels: tuple[str, ...]
    queries: Indices


def held_out_split(store: CatalogStore, card: ModelCard, *, embedded_by: Sequence[str]) -> HeldOutSplit:
    """What the card's model can be judged on, among the products that all the models have embedded.

    Raises:
        NothingToCompare: Too few products are held out, or no attribute can judge.
    """
    training = getattr(card, "training", None)  # an imported model's card has none
    seed, share = (SEED, SHARE) if training is None else (training.split_seed, training.split_share)
    embedded = set.intersection(*(store.embedded_keys(model) for model in embedded_by))
    photos: list[str] = []
    attributes: list[Attributes] = []
    held_out: list[bool] = []
    for page in batched(store.product_ids(), STEP):
        for product_id, stored in sorted(store.products(page).items()):
            usable = [photo.sha256 for photo in stored.photos if (product_id, photo.sha256) in embedded]
            if usable:
                photos.append(usable[0])
                attributes.append(stored.product.attributes)
                held_out.append(is_held_out(split_key(product_id, attributes[-1]), seed=seed, share=share))
    labels = choose_labels(attributes)
    if not labels and sum(held_out) >= MIN_QUERIES:
        raise NothingToCompare(card.id, reason="no attribute of its products is a category that most of them have")
    labelled = np.zeros(len(photos), np.bool_)
    for name in labels:
        labelled |= labels_of(attributes, name) != ""
    queries = np.flatnonzero(np.array(held_out, np.bool_) & labelled)
    if len(queries) < MIN_QUERIES:
        count = len(queries) if labels else sum(held_out)
        reason = f"it takes {MIN_QUERIES} held-out products with categories, and it has {count}"
        raise NothingToCompare(card.id, reason=reason)
    return HeldOutSplit(photos=photos, attributes=attributes, labels=labels, queries=queries)


def compare(
    store: CatalogStore, split: HeldOutSplit, *, new: str, old: str, rng: np.random.Generator
) -> Comparison:
    """Compare two models that have embedded the products of the split."""
    new_scores = _scores(store, split, model=new)
    old_scores = _scores(store, split, model=old)
    return Comparison(
        labels=split.labels,
        new=bootstrap_interval(new_scores, rng=rng),
        old=bootstrap_interval(old_scores, rng=rng),
        test=paired_test(new_scores, old_scores, rng=rng),
    )


def _scores(store: CatalogStore, split: HeldOutSplit, *, model: str) -> Values:
    """``(q,)`` in [0, 1]."""
    rows = []
    for page in batched(split.photos, STEP):
        vectors = store.embeddings(model, page)
        rows += [vectors[sha256] for sha256 in page]
    gallery = np.stack(rows)  # (n, d)
    neighbors = nearest(gallery[split.queries], gallery, k=NEIGHBORS, own=split.queries)
    labels = [labels_of(split.attributes, name) for name in split.labels]
    return mean_agreement(neighbors, [label[split.queries] for label in labels], labels)
