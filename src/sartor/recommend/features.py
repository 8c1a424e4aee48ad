"""From what was computed of a product's photo to what an index holds: its traits, and all it is filtered by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import BadDial
from sartor.imaging.color import color_name
from sartor.types import IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.encoders.heads import Heads
    from sartor.types import Attributes, EmbeddedPhoto, Matrix, Palette, Vector


_WORDS = {
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
_FAMILY = {word: family for family, words in _WORDS.items() for word in words.split(", ")}


def color_family(name: str) -> str:
    """The family of a color's name, by its last word that has one: ``Navy Blue`` is blue, ``Grey Melange`` gray.

    A name without such a word is a family of its own.
    """
    words = re.findall(r"[a-z]+", name.lower())
    return next((_FAMILY[word] for word in reversed(words) if word in _FAMILY), name.strip().lower())


COLOR_DIMENSION = 96


_WIDTHS = 0.04, 0.15  # OKLab distances at which colors are less alike: standard deviations of two kernels
_SEED = 7
_NAMED_FROM = 0.15  # share of the product that a color covers to be named


def color_vector(palette: Palette | None) -> Vector:
    """A palette as ``(96,)`` float32 with norm 1, or 0 where there is none.

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


def color_words(palette: Palette) -> tuple[str, ...]:
    """Names of the colors that cover most of a product, each once, such as ``("navy", "white")``."""
    shown = palette.shares >= min(_NAMED_FROM, float(palette.shares.max()))
    return tuple(dict.fromkeys(color_name(color) for color in palette.colors[shown]))


@cache
def _frequencies() -> Matrix:
    """``(3, m)``: directions in blocks of three at right angles, with the lengths of Gaussian vectors."""
    rng = np.random.default_rng(_SEED)
    count = COLOR_DIMENSION // 2
    blocks = []
    for _, width in zip(range(-(-count // 3)), cycle(_WIDTHS), strict=False):
        directions, _upper = np.linalg.qr(rng.normal(size=(3, 3)))
        blocks.append(directions * np.linalg.norm(rng.normal(size=(3, 3)), axis=1)[:, None] / width)
    return np.asarray(np.concatenate(blocks)[:count].T, np.float32)


TRAITS = ("style", "color", "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureWeights:
    """How much each trait counts, from 0 to 1; only their proportions matter, among the traits that there are.

    Raises:
        BadDial: One is out of its range, or all are 0.
    """

    style: float = 1.0
    color: float = 0.0
    category: float = 0.0

    def __post_init__(self) -> None:
        for name in TRAITS:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise BadDial(reason=f"{name} is {value:g}")
        if not any(self.shares):
            raise BadDial(reason="all are 0")

    @property
    def shares(self) -> tuple[float, float, float]:
        """The dials of style, color and category, scaled to sum 1; all 0 if all dials are."""
        total = self.style + self.color + self.category
        scale = 1 / total if total else 0.0
        return self.style * scale, self.color * scale, self.category * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What one photo, product or query is compared by.

    Attributes:
        style: ``(d,)``.
        color: ``(m,)``.
        category: ``(c,)``; empty where the model has no heads.
    """

    style: Vector
    color: Vector
    category: Vector

    def joined(self) -> Vector:
        """The three end to end, ``(d + m + c,)``."""
        return np.concatenate([self.style, self.color, self.category])

    def weighted(self, dials: FeatureWeights) -> Vector:
        """The same as a query: its dot product with a joined vector is the weighted mean of the closenesses.

        A trait that the model does not have leaves its share to the others.
        """
        parts = (self.style, self.color, self.category)
        shares = [share if len(part) else 0.0 for share, part in zip(dials.shares, parts, strict=True)]
        total = sum(shares) or 1.0
        return np.concatenate(
            [np.float32(share / total) * part for share, part in zip(shares, parts, strict=True)]
        )

    def closeness(self, others: Matrix) -> Matrix:
        """Closeness in style, color and category to joined vectors ``(n, d + m + c)``: ``(n, 3)`` in [-1, 1]."""
        own = (self.style, self.color, self.category)
        return np.stack([part @ mine for part, mine in zip(self.split(others), own, strict=True)], axis=1)

    def split(self, others: Matrix) -> list[Matrix]:
        """The style, color and category of joined vectors ``(n, d + m + c)``."""
        return np.split(others, np.cumsum([len(self.style), len(self.color)]), axis=1)


def category_of(probabilities: Vector) -> Vector:
    """A category trait: square roots, so that the dot product is how much two distributions overlap.

    Source: A. Bhattacharyya, "On a measure of divergence between two statistical populations" (1943).
    """
    return np.sqrt(probabilities)


def recolored(parts: Sequence[tuple[Features, float]], color: Vector) -> list[tuple[Features, float]]:
    """The same parts in another color."""
    return [(Features(style=each.style, color=color, category=each.category), weight) for each, weight in parts]


def mixed(parts: Sequence[tuple[Features, float]], against: Sequence[tuple[Features, float]] = ()) -> Features:
    """One query of several parts: in each trait ``unit(sum w_i v_i) - sum u_j v_j``.

    Args:
        parts: What the products shall be like, with weights ``w_i`` above 0.
        against: What they shall not be like, with weights ``u_j`` above 0. Another one lowers each product's
            score by its own closeness to it, times its weight; nothing falls further than what is disliked.
    """
    mixed = {}
    for name in TRAITS:
        toward = sum((weight * getattr(traits, name) for traits, weight in parts), np.float32(0))
        norm = float(np.linalg.norm(toward))
        toward = toward / norm if norm else getattr(parts[0][0], name)
        away = sum((weight * getattr(traits, name) for traits, weight in against), np.float32(0))
        mixed[name] = np.asarray(toward - away, np.float32)
    return Features(**mixed)


_TINY = 1e-9


class FeatureBuilder:
    """Knows what one model says of photos, beside their embeddings."""

    def __init__(self, model: str, heads: Heads) -> None:
        self.model = model
        self.heads = heads

    def dimension(self, embedding: int) -> int:
        """Length of what is compared, for embeddings of a length."""
        return embedding + COLOR_DIMENSION + self._classes

    def entries(self, photos: Sequence[EmbeddedPhoto]) -> list[IndexEntry]:
        """What an index holds of photos.

        An attribute that the catalog does not tell of a product is the one that the model predicts.
        """
        if not photos:
            return []
        probabilities = self.heads.probabilities(np.stack([photo.vector for photo in photos]))
        return [
            IndexEntry(
                product_id=photo.product_id,
                sha256=photo.sha256,
                vector=self._traits(photo.vector, photo.palette, own, photo.attributes).joined(),
                attributes=told,
                is_main=photo.is_main,
            )
            for photo, own, told in zip(
                photos,
                self._categories(probabilities, len(photos)),
                self._told(photos, probabilities),
                strict=True,
            )
        ]

    def attributes_of(self, photos: Sequence[EmbeddedPhoto]) -> list[Attributes]:
        """What the catalog tells of each photo's product, and what the model predicts where it tells nothing."""
        if not photos:
            return []
        return self._told(photos, self.heads.probabilities(np.stack([photo.vector for photo in photos])))

    def beside_kind(self, embedding: Vector, kind: str) -> Vector:
        """An embedding without what is common to its kind, ``(d,)`` of norm 1; unchanged if that is unknown."""
        common = self.heads.class_vector(kind)
        if common is None:
            return embedding
        rest = embedding - (embedding @ common) * common
        return np.asarray(rest / max(float(np.linalg.norm(rest)), _TINY), np.float32)

    def traits(
        self, embeddings: Matrix, palettes: Sequence[Palette | None], attributes: Attributes
    ) -> list[Features]:
        """Traits of photos ``(n, d)`` of one product or query, of which the catalog may tell attributes."""
        categories = self._categories(self.heads.probabilities(embeddings), len(embeddings))
        return [
            self._traits(vector, palette, own, attributes)
            for vector, palette, own in zip(embeddings, palettes, categories, strict=True)
        ]

    def of_color(self, embedding: int, color: Vector) -> Features:
        """The traits of a color alone, for embeddings of a length."""
        style = np.zeros(embedding, np.float32)
        return Features(style=style, color=color, category=np.zeros(self._classes, np.float32))

    def of_style(self, style: Vector) -> Features:
        """The traits of a style alone, ``(d,)``."""
        nothing = np.zeros(COLOR_DIMENSION, np.float32), np.zeros(self._classes, np.float32)
        return Features(style=style, color=nothing[0], category=nothing[1])

    def describe(self, embeddings: Matrix) -> list[dict[str, tuple[str, float]]]:
        """The likeliest value of each attribute with its probability, for embeddings ``(n, d)``."""
        probabilities = self.heads.probabilities(embeddings)
        likeliest = self.heads.likeliest(probabilities) or [{}] * len(embeddings)
        return [
            {name: (value, float(probabilities[name][row].max())) for name, value in own.items()}
            for row, own in enumerate(likeliest)
        ]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that the model predicts."""
        return tuple(head.name for head in self.heads.heads)

    @property
    def _classes(self) -> int:
        return len(self.heads.heads[0].classes) if self.heads.heads else 0

    def _told(self, photos: Sequence[EmbeddedPhoto], probabilities: dict[str, Matrix]) -> list[Attributes]:
        predicted = self.heads.likeliest(probabilities) or [{}] * len(photos)
        return [{**likeliest, **photo.attributes} for photo, likeliest in zip(photos, predicted, strict=True)]

    def _categories(self, probabilities: dict[str, Matrix], count: int) -> Matrix:
        if not self.heads.heads:
            return np.empty((count, 0), np.float32)
        return probabilities[self.heads.heads[0].name]

    def _traits(
        self, style: Matrix, palette: Palette | None, category: Matrix, attributes: Attributes
    ) -> Features:
        if self.heads.heads:
            head = self.heads.heads[0]
            told = attributes.get(head.name)
            if told in head.classes:
                category = np.zeros(len(head.classes), np.float32)
                category[head.classes.index(told)] = 1
        return Features(style=style, color=color_vector(palette), category=category_of(category))
