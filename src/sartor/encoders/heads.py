"""What a model says of a photo beside its embedding: attributes, with probabilities.

A head's logits are scaled cosines of the embedding with one vector for each class. The vectors lie in the
model's weights, so whatever is embedded can be described at any time, without its photo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.encoders.card import WEIGHTS_FILE
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sartor.encoders.card import ModelCard
    from sartor.encoders.card_parts import AttributeHead
    from sartor.types import Matrix, Vector


class Heads:
    """Predicts the attributes of embedded photos; a model without heads predicts none."""

    def __init__(self, heads: tuple[AttributeHead, ...], vectors: Mapping[str, Matrix], *, scale: float) -> None:
        """``vectors`` has unit class vectors ``(d, c)`` by the head's name; ``scale`` multiplies the cosines."""
        self.heads = heads
        self._vectors, self._scale = vectors, scale

    @classmethod
    def read(cls, folder: Path | None, card: ModelCard) -> Self:
        """The heads of a model, from the folder with its weights.

        Raises:
            UnusableModel: Its weights are missing, or are not those of its card.
        """
        described = tuple(head for head in card.attributes if head.describes)
        if folder is None or card.training is None or not described:
            return cls((), {}, scale=1.0)
        path = folder / WEIGHTS_FILE
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                vectors = {head.name: _unit(arrays[f"{head.output}/vectors"]) for head in described}
        except Exception as error:
            raise UnusableModel(path, reason="its weights cannot be read; add the model again") from error
        wanted = {head.name: (card.dimension, len(head.classes)) for head in described}
        if wanted != {name: matrix.shape for name, matrix in vectors.items()}:
            raise UnusableModel(path, reason="its weights are not those of its card; add the model again")
        return cls(described, vectors, scale=card.training.scale)

    def probabilities(self, embeddings: Matrix) -> dict[str, Matrix]:
        """Calibrated probabilities by attribute, ``(n, c)`` each, for embeddings ``(n, d)`` of unit norm."""
        return {
            head.name: _softmax(self._scale / head.temperature * (embeddings @ self._vectors[head.name]))
            for head in self.heads
        }

    def class_vector(self, value: str) -> Vector | None:
        """The unit vector ``(d,)`` of the first class with a name; None without one."""
        for head in self.heads:
            if value in head.classes:
                return np.asarray(self._vectors[head.name][:, head.classes.index(value)])
        return None

    def likeliest(self, probabilities: Mapping[str, Matrix]) -> list[dict[str, str]]:
        """The likeliest value of each attribute, for each row of what ``probabilities`` gave."""
        best = {head.name: (head.classes, probabilities[head.name].argmax(axis=1)) for head in self.heads}
        count = len(next(iter(probabilities.values()))) if probabilities else 0
        return [{name: classes[places[row]] for name, (classes, places) in best.items()} for row in range(count)]


def _unit(vectors: Matrix) -> Matrix:
    floats = vectors.astype(np.float32)  # they are kept in float16
    return np.asarray(floats / np.linalg.norm(floats, axis=0, keepdims=True), np.float32)


def _softmax(logits: Matrix) -> Matrix:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)
