"""What products and queries are compared by: style, color and category.

Style is the photo's embedding, color a vector made from its palette, category the model's probabilities. The index
holds the three end to end, so that one dot product is a weighted mean of three closenesses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import cycle
from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.errors import BadDial
from sartor.imaging.color import color_name
from sartor.limits import MIN_SAID_PROBABILITY
from sartor.types import IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.encoders.heads import Heads
    from sartor.types import Attributes, EmbeddedPhoto, Guesses, Matrix, Palette, Vector

FEATURES = ("style", "color", "category")
COLOR_DIMENSION = 96

_TINY = 1e-9
_COLOR_SCALES = 0.04, 0.15  # OKLab distances at which colors are less alike: standard deviations of two kernels
_SEED = 7
_MIN_NAMED_SHARE = 0.15  # of the product that a color covers to be named
_COLOR_WORDS = {
    "black": "black, charcoal, jet, ebony",
    "gray": "gray, grey, silver, steel, melange, gunmetal, metallic, slate",
    "white": "white, ivory, snow, pearl",
    "beige": "beige, cream, khaki, tan, sand, nude, skin, taupe, camel, ecru",
    "brown": "brown, coffee, chocolate, copper, bronze, cognac, walnut",
    "red": "red, maroon, burgundy, rust, wine, crimson, scarlet",
    "orange": "orange, peach, coral, salmon, apricot",
    "yellow": "yellow, gold, golden, mustard, lemon",
    "green": "green, olive, lime, mint, emerald, teal",
    "blue": "blue, navy, turquoise, cyan, indigo, aqua, denim, skyblue",
    "purple": "purple, lavender, violet, mauve, plum, lilac",
    "pink": "pink, rose, magenta, fuchsia, blush",
}
SAYS_NOTHING = frozenset({"", "na", "n/a", "none", "not sure", "other", "skip", "unknown"})  # classes of tables
_FAMILY = {word: family for family, words in _COLOR_WORDS.items() for word in words.split(", ")}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureWeights:
    """How much style, color and category count, each from 0 to 1; only their proportions matter.

    Raises:
        BadDial: One is out of its range, or all are 0.

    Example:
        >>> FeatureWeights(style=1, color=0.5, category=0.5).shares
        (0.5, 0.25, 0.25)
    """

    style: float = 1.0
    color: float = 0.0
    category: float = 0.0

    def __post_init__(self) -> None:
        for name in FEATURES:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise BadDial(reason=f"{name} is {value:g}")
        if not any(self.shares):
            raise BadDial(reason="all are 0")

    @property
    def shares(self) -> tuple[float, float, float]:
        """The weights of style, color and category, scaled to sum 1; all 0 if all weights are."""
        total = self.style + self.color + self.category
        scale = 1 / total if total else 0.0
        return self.style * scale, self.color * scale, self.category * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The features of one photo, product or query."""

    style: Vector  # (d,)
    color: Vector  # (m,)
    category: Vector  # (c,); empty if the model has no heads

    @classmethod
    def of_joined(cls, vector: Vector, sizes: tuple[int, int]) -> Self:
        """The features in a joined vector; ``sizes`` are the lengths of style and color."""
        style, color = sizes[0], sum(sizes)
        return cls(style=vector[:style], color=vector[style:color], category=vector[color:])

    def joined(self) -> Vector:
        """The three end to end, ``(d + m + c,)``."""
        return np.concatenate([self.style, self.color, self.category])

    def weighted(self, weights: FeatureWeights) -> Vector:
        """A query vector: its dot product with a joined vector is the weighted mean of the closenesses.

        A feature that the model does not have leaves its share to the others.
        """
        parts = (self.style, self.color, self.category)
        shares = [share if len(part) else 0.0 for share, part in zip(weights.shares, parts, strict=True)]
        total = sum(shares) or 1.0
        return np.concatenate(
            [np.float32(share / total) * part for share, part in zip(shares, parts, strict=True)]
        )

    def closeness(self, vectors: Matrix) -> Matrix:
        """Closeness in style, color and category to joined vectors ``(n, d + m + c)``: ``(n, 3)`` in [-1, 1]."""
        own = (self.style, self.color, self.category)
        parts = np.split(vectors, np.cumsum([len(self.style), len(self.color)]), axis=1)
        return np.stack([part @ feature for part, feature in zip(parts, own, strict=True)], axis=1)


def mixed(parts: Sequence[tuple[Features, float]], negatives: Sequence[tuple[Features, float]] = ()) -> Features:
    """Several parts as one query: ``unit(sum w_i v_i) - sum u_j v_j`` in each feature.

    Args:
        parts: What the products should be like, with weights ``w_i`` above 0.
        negatives: What they should not be like, with weights ``u_j`` above 0. Each lowers a product's score by the
            product's closeness to it, times its weight; nothing falls further than the negative itself.
    """
    features = {}
    for name in FEATURES:
        toward = sum((weight * getattr(part, name) for part, weight in parts), np.float32(0))
        norm = float(np.linalg.norm(toward))
        toward = toward / norm if norm else getattr(parts[0][0], name)
        away = sum((weight * getattr(part, name) for part, weight in negatives), np.float32(0))
        features[name] = np.asarray(toward - away, np.float32)
    return Features(**features)


def recolored(parts: Sequence[tuple[Features, float]], color: Vector) -> list[tuple[Features, float]]:
    """The same parts in another color."""
    return [(Features(style=part.style, color=color, category=part.category), weight) for part, weight in parts]


def category_of(probabilities: Vector) -> Vector:
    """The category feature: square roots, so that a dot product is the overlap of two distributions.

    Source: A. Bhattacharyya, "On a measure of divergence between two statistical populations" (1943).
    """
    return np.sqrt(probabilities)


def color_vector(palette: Palette | None) -> Vector:
    """The color feature of a palette, ``(96,)`` float32 of norm 1; 0 without a palette.

    The dot product of two approximates the cosine of two distributions of colors under the mean of two
    Gaussian kernels of OKLab distance: 1 for equal palettes, about 0 for colors that have nothing in common.

    Source: random Fourier features of Rahimi and Recht (NeurIPS 2007), orthogonal as Yu et al. (NeurIPS 2016),
    summed to a kernel mean embedding, as Muandet et al. (2017) review them.
    """
    if palette is None:
        return np.zeros(COLOR_DIMENSION, np.float32)
    angles = palette.colors @ _frequencies()  # (c, m)
    mean = palette.shares @ np.hstack([np.cos(angles), np.sin(angles)])
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


@cache
def _frequencies() -> Matrix:
    """``(3, m)``: directions in blocks of three at right angles, with the lengths of Gaussian vectors."""
    rng = np.random.default_rng(_SEED)
    count = COLOR_DIMENSION // 2
    blocks = []
    for _, scale in zip(range(-(-count // 3)), cycle(_COLOR_SCALES), strict=False):
        directions, _upper = np.linalg.qr(rng.normal(size=(3, 3)))
        blocks.append(directions * np.linalg.norm(rng.normal(size=(3, 3)), axis=1)[:, None] / scale)
    return np.asarray(np.concatenate(blocks)[:count].T, np.float32)


def color_words(palette: Palette) -> tuple[str, ...]:
    """Names of the colors that cover most of a product, each once, such as ``("navy", "white")``."""
    named = palette.shares >= min(_MIN_NAMED_SHARE, float(palette.shares.max()))
    return tuple(dict.fromkeys(color_name(color) for color in palette.colors[named]))


@lru_cache(maxsize=4096)
def color_family(name: str) -> str:
    """The family of a color's name, by its last word that has one: ``Navy Blue`` is blue, ``Grey Melange`` gray.

    A name without such a word is a family of its own.
    """
    words = re.findall(r"[a-z]+", name.lower())
    return next((_FAMILY[word] for word in reversed(words) if word in _FAMILY), name.strip().lower())


class FeatureBuilder:
    """Builds features from embeddings, palettes and attributes, by one model; its first head is the category."""

    def __init__(self, model: str, heads: Heads) -> None:
        self.model = model
        self.heads = heads

    def dimension(self, embedding: int) -> int:
        """Length of joined vectors, for embeddings of a length."""
        return embedding + COLOR_DIMENSION + self._classes

    @cached_property
    def key(self) -> str:
        """Differs for models that predict otherwise; empty for one that predicts nothing."""
        return self.heads.digest

    def entries(self, photos: Sequence[EmbeddedPhoto]) -> list[IndexEntry]:
        """Index entries of photos; what the catalog leaves open is predicted by the main photo, where it is sure.

        Args:
            photos: All photos of some products, those of a product together.
        """
        if not photos:
            return []
        probabilities = self.heads.probabilities(np.stack([photo.vector for photo in photos]))
        return [
            IndexEntry(
                product_id=photo.product_id,
                sha256=photo.sha256,
                vector=self._features(photo.vector, photo.palette, category, photo.attributes).joined(),
                attributes=attributes,
                is_main=photo.is_main,
            )
            for photo, category, attributes in zip(
                photos,
                self._categories(probabilities, len(photos)),
                self._attributes(photos, probabilities, from_probability=MIN_SAID_PROBABILITY),
                strict=True,
            )
        ]

    def attributes_of(self, photos: Sequence[EmbeddedPhoto]) -> list[Attributes]:
        """The attributes of each photo's product; those that the catalog leaves open are predicted."""
        if not photos:
            return []
        return self._attributes(photos, self.heads.probabilities(np.stack([photo.vector for photo in photos])))

    def features(
        self,
        embeddings: Matrix,
        palettes: Sequence[Palette | None],
        attributes: Attributes,
        *,
        probabilities: dict[str, Matrix] | None = None,
    ) -> list[Features]:
        """Features of photos of one product or query.

        Args:
            embeddings: Of the photos, ``(n, d)``.
            palettes: Their colors.
            attributes: What the catalog says of the product.
            probabilities: Of the photos' attributes, if they are known already.
        """
        if probabilities is None:
            probabilities = self.heads.probabilities(embeddings)
        categories = self._categories(probabilities, len(embeddings))
        return [
            self._features(vector, palette, category, attributes)
            for vector, palette, category in zip(embeddings, palettes, categories, strict=True)
        ]

    def of_color(self, embedding: int, color: Vector) -> Features:
        """Features of a color alone, for embeddings of a length."""
        style = np.zeros(embedding, np.float32)
        return Features(style=style, color=color, category=np.zeros(self._classes, np.float32))

    def of_style(self, style: Vector) -> Features:
        """Features of a style alone, ``(d,)``."""
        color, category = np.zeros(COLOR_DIMENSION, np.float32), np.zeros(self._classes, np.float32)
        return Features(style=style, color=color, category=category)

    def residual_styles(self, embeddings: Matrix, kinds: Sequence[str], *, without: str = "") -> Matrix:
        """Embeddings without what their kinds have in common, ``(n, d)`` of norm 1; unchanged for unknown kinds.

        Args:
            embeddings: The embeddings of photos, ``(n, d)``.
            kinds: The class of each, among those of all heads.
            without: An attribute of which the rest should tell nothing either, such as ``color``.
        """
        common = {kind: self.heads.class_vector(kind) for kind in set(kinds)}
        span = self.heads.span(without)
        if span is None and all(vector is None for vector in common.values()):
            return embeddings
        nothing = np.zeros(embeddings.shape[1], np.float32)
        own = np.stack([nothing if (vector := common[kind]) is None else vector for kind in kinds])
        rest = embeddings - (embeddings * own).sum(axis=1, keepdims=True) * own
        if span is not None:
            rest = rest - (rest @ span) @ span.T
        norms = np.linalg.norm(rest, axis=1, keepdims=True)
        return np.asarray(rest / np.maximum(norms, _TINY), np.float32)

    def kinds_seen(self, embeddings: Matrix) -> list[tuple[str, float]]:
        """The likeliest class of the first head for embeddings ``(n, d)``, with its probability."""
        if not self.heads.heads:
            return [("", 0.0)] * len(embeddings)
        head = self.heads.heads[0]
        probabilities = self.heads.of_head(head, embeddings)
        return [(head.classes[int(row.argmax())], float(row.max())) for row in probabilities]

    def describe(
        self, embeddings: Matrix, *, probabilities: dict[str, Matrix] | None = None
    ) -> list[dict[str, tuple[str, float]]]:
        """The likeliest value of each attribute with its probability, for embeddings ``(n, d)``.

        ``probabilities`` are those of the embeddings, if they are known already.
        """
        if probabilities is None:
            probabilities = self.heads.probabilities(embeddings)
        return self._guesses(probabilities, len(embeddings))

    def predictions(self, photos: Sequence[EmbeddedPhoto]) -> dict[str, Guesses]:
        """What the catalog leaves open of products, predicted by their main photos, by product id."""
        main = [photo for photo in photos if photo.is_main]
        if not main or not self.heads.heads:
            return {}
        described = self.describe(np.stack([photo.vector for photo in main]))
        return {
            photo.product_id: {name: guess for name, guess in guesses.items() if name not in photo.attributes}
            for photo, guesses in zip(main, described, strict=True)
        }

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that the model predicts."""
        return tuple(head.name for head in self.heads.heads)

    @property
    def _classes(self) -> int:
        return len(self.heads.heads[0].classes) if self.heads.heads else 0

    def _attributes(
        self, photos: Sequence[EmbeddedPhoto], probabilities: dict[str, Matrix], *, from_probability: float = 0.0
    ) -> list[Attributes]:
        predicted = [
            {name: value for name, (value, probability) in guesses.items() if probability >= from_probability}
            for guesses in self._guesses(probabilities, len(photos))
        ]
        main = {photo.product_id: own for photo, own in zip(photos, predicted, strict=True) if photo.is_main}
        return [
            {**main.get(photo.product_id, own), **photo.attributes}
            for photo, own in zip(photos, predicted, strict=True)
        ]

    def _guesses(self, probabilities: dict[str, Matrix], count: int) -> list[dict[str, tuple[str, float]]]:
        """The likeliest values of photos with their probabilities, without those that say nothing."""
        likeliest = self.heads.likeliest(probabilities) or [{}] * count
        return [
            {
                name: (value, float(probabilities[name][row].max()))
                for name, value in values.items()
                if value.casefold() not in SAYS_NOTHING
            }
            for row, values in enumerate(likeliest)
        ]

    def _categories(self, probabilities: dict[str, Matrix], count: int) -> Matrix:
        if not self.heads.heads:
            return np.empty((count, 0), np.float32)
        return probabilities[self.heads.heads[0].name]

    def _features(
        self, style: Vector, palette: Palette | None, category: Vector, attributes: Attributes
    ) -> Features:
        if self.heads.heads:
            head = self.heads.heads[0]
            value = attributes.get(head.name)
            column = self.heads.columns[head.name].get(value) if isinstance(value, str) else None
            if column is not None:
                category = np.zeros(len(head.classes), np.float32)
                category[column] = 1
        return Features(style=style, color=color_vector(palette), category=category_of(category))
