"""How a text tower is learned: texts of products, and their photos' embeddings, which stay as they are.

A text is a product's title or a phrase composed of its attributes; words are left out of both, and some are
misspelled. It should be closer to the photos that it describes than to others: the loss is the cross entropy of a
softmax over a bank of photos, and a phrase of a few attributes describes all photos that have them.

Source: A. van den Oord et al., "Representation learning with contrastive predictive coding" (2018), for the loss;
P. Khosla et al., "Supervised contrastive learning" (NeurIPS 2020), for several right answers; D. Kingma and J. Ba,
"Adam" (ICLR 2015).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from sartor.encoders.text.tower import TextWeights, rows_of
from sartor.errors import NothingToLearn
from sartor.evaluation.words import misspelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.encoders.text.words import Vocabulary
    from sartor.types import Matrix

    Rows = npt.NDArray[np.int64]

_MIN_SEEN = 2  # products whose texts have a word of the vocabulary
_MIN_PRODUCTS = 10
_SHARE_MISSPELLED = 1 / 3  # of the texts
_WARM_UP = 50  # steps
_START = 2.0  # of a word's row, as a multiple of what its photos have in common
_SHRINKAGE = 3.0  # photos that a word is thought to have beside its own, with nothing in common
_SMOOTHING = 0.02  # of the loss that is told


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecipe:
    """How a text tower is trained.

    Attributes:
        seed: Of all that is random.
        width: Numbers of a row of the table.
        hidden: Units of the hidden layer.
        buckets: Rows for character n-grams.
        epochs: Passes over the products.
        texts: Texts of a step.
        bank: Photos of a step, those of its texts included.
        learning_rate: At the start; it falls to 0 along a cosine.
        temperature: Divides the cosines.
        titles: Share of the texts that are titles; the others are composed phrases.
        without_word: Probability that a word of a title is left out.
        misspelled: Probability that a word of four letters or more is misspelled, in a third of the texts.
        unknown: Probability that a word counts only by its n-grams.
        dropout: Share of a bag's numbers that are left out.
        weight_decay: Of the layers above the table.
    """

    seed: int = 1
    width: int = 256
    hidden: int = 512
    buckets: int = 12_000
    epochs: float = 18.0
    texts: int = 512
    bank: int = 3072
    learning_rate: float = 2e-3
    temperature: float = 0.02
    titles: float = 0.75
    without_word: float = 0.1
    misspelled: float = 0.25
    unknown: float = 0.15
    dropout: float = 0.1
    weight_decay: float = 1e-4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TextLesson:
    """What is learned from.

    Attributes:
        titles: Of each product; empty where it has none.
        attributes: The attributes of each product that phrases are composed of, told or predicted.
        embeddings: Of photos, ``(n, d)`` of unit norm.
        product: The product that each photo shows, ``(n,)``.
    """

    titles: Sequence[str]
    attributes: Sequence[Mapping[str, str]]
    embeddings: Matrix
    product: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProgress:
    """How far a training is."""

    step: int
    steps: int
    loss: float


OnText: TypeAlias = "Callable[[TextProgress], object]"


def learn_text(
    lesson: TextLesson,
    vocabulary: Vocabulary,
    recipe: TextRecipe,
    *,
    on_progress: OnText = lambda _: None,
) -> TextWeights:
    """Learn a text tower.

    Raises:
        NothingToLearn: There are too few products with a text and a photo.
    """
    texts = _Texts(lesson, vocabulary, recipe)
    if len(texts.products) < _MIN_PRODUCTS:
        raise NothingToLearn(
            reason=f"{len(texts.products)} products with a photo and words are too few; it takes {_MIN_PRODUCTS}"
        )
    rng = np.random.default_rng(recipe.seed)
    network = _Network(texts, lesson.embeddings, recipe, rng)
    per_step = min(recipe.texts, len(texts.products))
    steps = max(1, round(recipe.epochs * len(texts.products) / per_step))
    order: Rows = np.empty(0, np.int64)
    loss = 0.0
    for step in range(steps):
        if len(order) < per_step:
            order = rng.permutation(len(texts.products))
        chosen, order = texts.products[order[:per_step]], order[per_step:]
        rate = recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1, (step + 1) / _WARM_UP)
        new = network.step(texts.drawn(chosen, rng), rate, rng)
        loss = new if step == 0 else loss + _SMOOTHING * (new - loss)
        on_progress(TextProgress(step=step + 1, steps=steps, loss=loss))
    return network.weights(texts.words)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Batch:
    bags: sparse.csr_matrix  # (t, v + g): rows of the table of each text
    photos: Rows  # (b,): the bank
    right: Matrix  # (t, b): the share of each photo in the right answer


class _Texts:
    """Texts of products, drawn anew each time."""

    def __init__(self, lesson: TextLesson, vocabulary: Vocabulary, recipe: TextRecipe) -> None:
        self._lesson, self._recipe = lesson, recipe
        self._titles = [[word.text for word in vocabulary.words(title)] for title in lesson.titles]
        said: dict[str, list[str]] = {}
        self._phrases: list[dict[str, list[str]]] = []
        for attributes in lesson.attributes:
            own = {}
            for name, value in attributes.items():
                if value not in said:
                    said[value] = [word.text for word in vocabulary.words(value)]
                if said[value]:
                    own[name] = said[value]
            self._phrases.append(own)
        counts = Counter(
            word
            for title, phrases in zip(self._titles, self._phrases, strict=True)
            for word in {*title, *(word for words in phrases.values() for word in words)}
        )
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        self.words = tuple(word for word, count in ranked if count >= _MIN_SEEN)
        self._row_of = {word: row for row, word in enumerate(self.words)}
        self._rows_of: dict[tuple[str, bool], tuple[Rows, Matrix]] = {}
        photos = np.argsort(lesson.product, kind="stable")
        self._photos_of = np.split(
            photos, np.cumsum(np.bincount(lesson.product, minlength=len(lesson.titles)))[:-1]
        )
        self.products = np.array(
            [
                product
                for product, own in enumerate(self._photos_of)
                if len(own) and (self._titles[product] or self._phrases[product])
            ],
            np.int64,
        )
        names = sorted({name for phrases in self._phrases for name in phrases})
        self._column = {name: column for column, name in enumerate(names)}
        codes: dict[tuple[str, ...], int] = {}
        self._codes = np.full((len(self._phrases), len(names)), -1, np.int64)
        for row, phrases in enumerate(self._phrases):
            for name, words in phrases.items():
                self._codes[row, self._column[name]] = codes.setdefault(tuple(words), len(codes))
        titles: dict[tuple[str, ...], int] = {}
        self._title_codes = np.array([titles.setdefault(tuple(title), len(titles)) for title in self._titles])

    @property
    def rows(self) -> int:
        """Of the table."""
        return len(self.words) + self._recipe.buckets

    def mean_photos(self, embeddings: Matrix) -> Matrix:
        """What the photos of each word's products have in common beyond those of all, ``(v, d)``."""
        told = [
            {*title, *(word for words in phrases.values() for word in words)}
            for title, phrases in zip(self._titles, self._phrases, strict=True)
        ]
        rows, columns = [], []
        for photo, product in enumerate(self._lesson.product):
            own = [self._row_of[word] for word in told[product] if word in self._row_of]
            rows += own
            columns += [photo] * len(own)
        shape = len(self.words), len(embeddings)
        has = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)
        counts = np.asarray(has.sum(axis=1)) + _SHRINKAGE
        return np.asarray(has @ (embeddings - embeddings.mean(axis=0)) / counts, np.float32)

    def drawn(self, products: Rows, rng: np.random.Generator) -> _Batch:
        """A text of each product, and photos among which theirs are."""
        own = np.array(
            [self._photos_of[product][rng.integers(len(self._photos_of[product]))] for product in products]
        )
        others = rng.integers(len(self._lesson.product), size=max(0, self._recipe.bank - len(own)))
        photos = np.concatenate([own, others])
        shown = self._lesson.product[photos]
        title_codes, codes = self._title_codes[shown], np.ascontiguousarray(self._codes[shown].T)
        right = np.zeros((len(products), len(photos)), np.float32)
        texts: list[list[str]] = []
        for row, product in enumerate(products):
            phrases, title = self._phrases[product], self._titles[product]
            if title and (not phrases or rng.random() < self._recipe.titles):
                texts.append(self._shortened(title, rng))
                right[row] = title_codes == self._title_codes[product]
            else:
                names = self._some(list(phrases), rng)
                texts.append([word for name in names for word in phrases[name]])
                has_all = np.ones(len(photos), np.bool_)
                for column in (self._column[name] for name in names):
                    has_all &= codes[column] == self._codes[product, column]
                right[row] = has_all
        right /= right.sum(axis=1, keepdims=True)
        return _Batch(bags=self._bags(texts, rng), photos=photos, right=right)

    def _some(self, names: list[str], rng: np.random.Generator) -> list[str]:
        count = 1 + int(rng.binomial(len(names) - 1, 0.5))
        return [names[at] for at in rng.permutation(len(names))[:count]]

    def _shortened(self, words: Sequence[str], rng: np.random.Generator) -> list[str]:
        kept = [word for word in words if rng.random() >= self._recipe.without_word]
        return kept or [words[int(rng.integers(len(words)))]]

    def _rows(self, word: str, *, is_known: bool) -> tuple[Rows, Matrix]:
        key = word, is_known
        if key not in self._rows_of:
            row = self._row_of.get(word) if is_known else None
            self._rows_of[key] = rows_of(word, row, len(self.words), self._recipe.buckets)
        return self._rows_of[key]

    def _bags(self, texts: Sequence[Sequence[str]], rng: np.random.Generator) -> sparse.csr_matrix:
        columns, values, ends = [], [], [0]
        for words in texts:
            share = self._recipe.misspelled if rng.random() < _SHARE_MISSPELLED else 0.0
            length = 0
            for each in words:
                word = misspelled(each, rng) if rng.random() < share else each
                rows, weights = self._rows(word, is_known=rng.random() >= self._recipe.unknown)
                columns.append(rows)
                values.append(weights / np.sqrt(len(words)))
                length += len(rows)
            ends.append(ends[-1] + length)
        shape = len(texts), self.rows
        return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape, np.float32)


class _Network:
    """The tower while it learns: its forward and backward pass, and Adam."""

    def __init__(self, texts: _Texts, embeddings: Matrix, recipe: TextRecipe, rng: np.random.Generator) -> None:
        dimension, width, hidden = embeddings.shape[1], recipe.width, recipe.hidden
        self._recipe, self._embeddings = recipe, embeddings
        self._table = _normal(rng, (texts.rows, width), 1 / np.sqrt(width))
        seen = texts.mean_photos(embeddings)
        self._table[: len(seen), : min(width, dimension)] += _START * seen[:, :width]
        self._layers = {
            "straight": np.eye(width, dimension, dtype=np.float32),
            "hidden": _normal(rng, (width, hidden), np.sqrt(2 / width)),
            "hidden_bias": np.zeros(hidden, np.float32),
            "out": _normal(rng, (hidden, dimension), 0.1 / np.sqrt(hidden)),
            "bias": np.zeros(dimension, np.float32),
        }
        self._adam = {name: _Adam(values) for name, values in self._layers.items()}
        self._table_adam = _Adam(self._table)
        self._steps = 0

    def weights(self, words: tuple[str, ...]) -> TextWeights:
        """What was learned."""
        return TextWeights(words=words, table=self._table, **self._layers)

    def step(self, batch: _Batch, rate: float, rng: np.random.Generator) -> float:
        """Learn from a batch; returns its loss."""
        layers, recipe = self._layers, self._recipe
        bags = np.asarray(batch.bags @ self._table)
        kept = (rng.random(bags.shape, np.float32) >= recipe.dropout) / np.float32(1 - recipe.dropout)
        bags *= kept
        raised = np.maximum(bags @ layers["hidden"] + layers["hidden_bias"], 0)
        embedded = bags @ layers["straight"] + raised @ layers["out"] + layers["bias"]
        norms = np.maximum(np.linalg.norm(embedded, axis=1, keepdims=True), 1e-6)
        unit = embedded / norms
        photos = self._embeddings[batch.photos]
        logits = unit @ photos.T / np.float32(recipe.temperature)
        logits -= logits.max(axis=1, keepdims=True)
        raised_logits = np.exp(logits)
        totals = raised_logits.sum(axis=1, keepdims=True)
        loss = -float((batch.right * (logits - np.log(totals))).sum(axis=1).mean())

        error = (raised_logits / totals - batch.right) / np.float32(len(unit) * recipe.temperature)
        to_unit = error @ photos
        to_embedded = (to_unit - (to_unit * unit).sum(axis=1, keepdims=True) * unit) / norms
        to_raised = (to_embedded @ layers["out"].T) * (raised > 0)
        to_bags = (to_embedded @ layers["straight"].T + to_raised @ layers["hidden"].T) * kept
        gradients = {
            "straight": bags.T @ to_embedded,
            "hidden": bags.T @ to_raised,
            "hidden_bias": to_raised.sum(axis=0),
            "out": raised.T @ to_embedded,
            "bias": to_embedded.sum(axis=0),
        }
        self._steps += 1
        for name, gradient in gradients.items():
            layers[name] *= np.float32(1 - rate * recipe.weight_decay)
            self._adam[name].update(slice(None), gradient, rate, self._steps)
        rows = np.unique(batch.bags.indices)
        self._table_adam.update(rows, np.asarray(batch.bags[:, rows].T @ to_bags), rate, self._steps)
        return loss


class _Adam:
    """Adam over an array; rows that a step does not touch stay as they are, their moments too."""

    def __init__(self, values: Matrix, *, first: float = 0.9, second: float = 0.98) -> None:
        self._values, self._first, self._second = values, first, second
        self._mean, self._square = np.zeros_like(values), np.zeros_like(values)

    def update(self, rows: Rows | slice, gradient: Matrix, rate: float, step: int) -> None:
        """Move some rows against their gradient."""
        mean = self._mean[rows] * np.float32(self._first) + gradient * np.float32(1 - self._first)
        square = self._square[rows] * np.float32(self._second) + gradient**2 * np.float32(1 - self._second)
        self._mean[rows], self._square[rows] = mean, square
        correction = np.sqrt(1 - self._second**step) / (1 - self._first**step)
        self._values[rows] -= np.float32(rate * correction) * mean / (np.sqrt(square) + np.float32(1e-8))


def _normal(rng: np.random.Generator, shape: tuple[int, int], deviation: float) -> Matrix:
    return rng.normal(size=shape).astype(np.float32) * np.float32(deviation)
