"""From what was computed of a product's photo to what an index holds: its traits, and all it is filtered by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.colors import COLOR_DIMENSION, color_vector
from sartor.recommend.traits import Traits, category_of
from sartor.types import IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.encoders.heads import Heads
    from sartor.types import Attributes, EmbeddedPhoto, Matrix, Palette, Vector

_TINY = 1e-9


class Composer:
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
    ) -> list[Traits]:
        """Traits of photos ``(n, d)`` of one product or query, of which the catalog may tell attributes."""
        categories = self._categories(self.heads.probabilities(embeddings), len(embeddings))
        return [
            self._traits(vector, palette, own, attributes)
            for vector, palette, own in zip(embeddings, palettes, categories, strict=True)
        ]

    def of_color(self, embedding: int, color: Vector) -> Traits:
        """The traits of a color alone, for embeddings of a length."""
        style = np.zeros(embedding, np.float32)
        return Traits(style=style, color=color, category=np.zeros(self._classes, np.float32))

    def of_style(self, style: Vector) -> Traits:
        """The traits of a style alone, ``(d,)``."""
        nothing = np.zeros(COLOR_DIMENSION, np.float32), np.zeros(self._classes, np.float32)
        return Traits(style=style, color=nothing[0], category=nothing[1])

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

    def _traits(self, style: Matrix, palette: Palette | None, category: Matrix, attributes: Attributes) -> Traits:
        if self.heads.heads:
            head = self.heads.heads[0]
            told = attributes.get(head.name)
            if told in head.classes:
                category = np.zeros(len(head.classes), np.float32)
                category[head.classes.index(told)] = 1
        return Traits(style=style, color=color_vector(palette), category=category_of(category))
