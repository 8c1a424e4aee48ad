"""What a training brought: figures on held-out products, of the encoder before and after, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.agreement import agreement, bootstrap_interval, joint_agreement, nearest, paired_test
from sartor.training.labels import values_of
from sartor.training.network import EMBEDDING
from sartor.training.validation import NEIGHBORS, embed_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.keras_backend import keras
    from sartor.evaluation.agreement import Interval, PairedTest
    from sartor.training.dataset import Item
    from sartor.training.photo_cache import PhotoCache
    from sartor.training.recipe import LabelMap

    Values = npt.NDArray[np.str_]
    Scores = npt.NDArray[np.float64]

ALL = "all at once"
_GALLERY = 10_000  # products of the whole gallery that are embedded; more would only take longer
_QUERIES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """What encoders are examined with: held-out products as queries, two galleries, and their labels.

    Attributes:
        items: The gallery's products, the held-out ones first.
        photos: Key of each product's photo, ``(n,)``.
        queries: Number of held-out products.
        others: Place of a held-out product, and key of its second photo.
        labels: Value of each product by attribute, ``(n,)``; empty where it has none.
    """

    items: tuple[Item, ...]
    photos: tuple[str, ...]
    queries: int
    others: tuple[tuple[int, str], ...]
    labels: Mapping[str, Values]

    @classmethod
    def of(
        cls,
        held_out: Sequence[Item],
        training: Sequence[Item],
        names: Sequence[str],
        maps: Sequence[LabelMap],
    ) -> Exam:
        """Products with several photos first, of those that have a value for the first attribute."""
        asked = _best_known(held_out, names, maps)[:_QUERIES]
        known = _best_known(training, names, maps)[: _GALLERY - len(asked)]
        items = (*asked, *known)
        return cls(
            items=items,
            photos=tuple(item.photos[0] for item in items),
            queries=len(asked),
            others=tuple((place, item.photos[-1]) for place, item in enumerate(asked) if len(item.photos) > 1),
            labels={name: values_of(items, name, maps) for name in names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What an encoder reached.

    Attributes:
        embeddings: Of the gallery, ``(n, d)``.
        scores: By figure, one number from 0 to 1 for each query, NaN where it cannot be asked.
        near: Places of the nearest of the whole gallery, ``(q, k)``.
    """

    embeddings: npt.NDArray[np.float32]
    scores: Mapping[str, Scores]
    near: npt.NDArray[np.int64]

    def intervals(self, rng: np.random.Generator) -> dict[str, Interval]:
        """Mean and 95 % interval of each figure."""
        return {name: bootstrap_interval(values, rng=rng) for name, values in self.scores.items()}


def examine(model: keras.Model, exam: Exam, cache: PhotoCache) -> Marks:
    """Embed the exam's photos with a model, and score what it finds; heads are scored where it has them."""
    side_px = model.input_shape[1]
    heads = [name for name in exam.labels if name in model.output]
    found = embed_keys(model, exam.photos, cache, side_px=side_px, outputs=(EMBEDDING, *heads))
    embeddings = found[EMBEDDING]
    queries = embeddings[: exam.queries]
    own = np.arange(exam.queries)
    near = nearest(queries, embeddings, k=NEIGHBORS, own=own)
    scores = _agreements("", near, exam)
    if exam.queries > 1:
        scores |= _agreements(", held-out gallery", nearest(queries, queries, k=NEIGHBORS, own=own), exam)
    if exam.others:
        keys = [key for _, key in exam.others]
        second = embed_keys(model, keys, cache, side_px=side_px, outputs=(EMBEDDING,))[EMBEDDING]
        first = nearest(second, embeddings, k=1, own=np.full(len(second), -1))[:, 0]
        scores["same product first"] = (first == [place for place, _ in exam.others]).astype(np.float64)
    return Marks(embeddings=embeddings, scores=scores, near=near)


def verdict(new: Marks, old: Marks, *, rng: np.random.Generator) -> tuple[PairedTest, str]:
    """Whether the new encoder finds better neighbors than the old one, as a test and in a sentence."""
    test = paired_test(new.scores[ALL], old.scores[ALL], rng=rng)
    change = f"{test.difference:+.3f} (95 % {test.low:+.3f} to {test.high:+.3f}, p = {test.p_value:.3f})"
    if test.low > 0:
        word = "It helped"
    elif test.high < 0:
        word = "It made it worse"
    else:
        word = "It is not shown to help"
    return (
        test,
        f"{word}: of the {NEIGHBORS} nearest, the share that agrees in all attributes changed by {change}.",
    )


def _agreements(suffix: str, near: npt.NDArray[np.int64], exam: Exam) -> dict[str, Scores]:
    asked = {name: values[: exam.queries] for name, values in exam.labels.items()}
    scores = {name + suffix: agreement(near, asked[name], values) for name, values in exam.labels.items()}
    both = joint_agreement(near, list(asked.values()), list(exam.labels.values()))
    return scores | {ALL + suffix: both}


def _best_known(items: Sequence[Item], names: Sequence[str], maps: Sequence[LabelMap]) -> list[Item]:
    """Products with most attributes known first, then those with several photos."""
    known = sum((values_of(items, name, maps) != "").astype(int) for name in names)
    order = sorted(range(len(items)), key=lambda row: (-int(known[row]), -len(items[row].photos)))
    return [items[row] for row in order if known[row]]
