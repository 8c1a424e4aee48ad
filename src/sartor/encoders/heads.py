"""What a model tells of a photo beside its embedding: attributes with probabilities, and the regions that matter.

A head's logits are scaled cosines of the embedding with one vector for each class. The vectors are in the model's
weights, so attributes can be predicted from an embedding at any time, without its photo.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.encoders.card import WEIGHTS_FILE
from sartor.errors import NoRegions, UnusableModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import AttributeHead, ModelCard
    from sartor.types import Matrix, Vector

    Map = npt.NDArray[np.float32]  # (h, w, c)
    Rows = npt.NDArray[np.intp]

_EPSILON = 1e-3  # of Keras' batch norm
_DEPENDENT = 1e-3  # share of the greatest singular value below which a direction is none
_LAYERS = {"pooled_norm", "projection", "hidden", "hidden_projection"}


class Heads:
    """Predicts the attributes of embedded photos; a model without heads predicts none."""

    def __init__(self, heads: tuple[AttributeHead, ...], vectors: Mapping[str, Matrix], *, scale: float) -> None:
        """``vectors`` has unit class vectors ``(d, c)`` by the head's name; ``scale`` multiplies the cosines."""
        self.heads = heads
        self._vectors, self._scale = vectors, scale
        self._spans: dict[str, Matrix] = {}

    @cached_property
    def digest(self) -> str:
        """Differs for heads that predict otherwise; empty without any."""
        if not self.heads:
            return ""
        digest = hashlib.blake2b(repr((self._scale, *self.heads)).encode(), digest_size=16)
        for head in self.heads:
            digest.update(np.ascontiguousarray(self._vectors[head.name]).tobytes())
        return digest.hexdigest()

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
        expected = {head.name: (card.dimension, len(head.classes)) for head in described}
        if expected != {name: matrix.shape for name, matrix in vectors.items()}:
            raise UnusableModel(path, reason="its weights are not those of its card; add the model again")
        return cls(described, vectors, scale=card.training.scale)

    def probabilities(self, embeddings: Matrix) -> dict[str, Matrix]:
        """Calibrated probabilities by attribute, ``(n, c)`` each, for embeddings ``(n, d)`` of unit norm."""
        if not self.heads:
            return {}
        vectors, factors, starts, widths = self._joined
        logits = (embeddings @ vectors) * factors
        raised = np.exp(logits - np.maximum.reduceat(logits, starts, axis=1).repeat(widths, axis=1))
        shares = raised / np.add.reduceat(raised, starts, axis=1).repeat(widths, axis=1)
        found = np.asarray(shares, np.float32)
        ends = starts + widths
        return {
            head.name: found[:, start:end]
            for head, start, end in zip(self.heads, starts.tolist(), ends.tolist(), strict=True)
        }

    @cached_property
    def _joined(self) -> tuple[Matrix, Vector, Rows, Rows]:
        """Class vectors of all heads side by side, the factor of each column, and start and width of each head."""
        widths = np.array([len(head.classes) for head in self.heads])
        vectors = np.concatenate([self._vectors[head.name] for head in self.heads], axis=1)
        factors = np.array([self._scale / head.temperature for head in self.heads], np.float32)
        return vectors, factors.repeat(widths), np.cumsum(widths) - widths, widths

    @cached_property
    def columns(self) -> dict[str, dict[str, int]]:
        """The column of each class, by attribute."""
        return {
            head.name: {name: column for column, name in reversed(list(enumerate(head.classes)))}
            for head in self.heads
        }

    def of_head(self, head: AttributeHead, embeddings: Matrix) -> Matrix:
        """The same of one head, ``(n, c)``."""
        return _softmax(self._scale / head.temperature * (embeddings @ self._vectors[head.name]))

    def familiarity(self, embeddings: Matrix) -> Vector:
        """Cosine of embeddings ``(n, d)`` with their nearest class of the first attribute, ``(n,)``, else 1."""
        if not self.heads:
            return np.ones(len(embeddings), np.float32)
        return np.asarray((embeddings @ self._vectors[self.heads[0].name]).max(axis=1), np.float32)

    def class_vector(self, value: str) -> Vector | None:
        """The unit vector ``(d,)`` of the first class with a name; None without one."""
        for head in self.heads:
            if value in head.classes:
                return np.asarray(self._vectors[head.name][:, head.classes.index(value)])
        return None

    def span(self, name: str) -> Matrix | None:
        """An orthonormal basis ``(d, r)`` of the class vectors of an attribute; None if no head predicts it."""
        if name not in self._vectors:
            return None
        if name not in self._spans:
            basis, strengths, _ = np.linalg.svd(self._vectors[name], full_matrices=False)
            self._spans[name] = np.asarray(basis[:, strengths > _DEPENDENT * strengths[0]], np.float32)
        return self._spans[name]

    def likeliest(self, probabilities: Mapping[str, Matrix]) -> list[dict[str, str]]:
        """The likeliest value of each attribute for each row of ``probabilities``."""
        best = {head.name: (head.classes, probabilities[head.name].argmax(axis=1)) for head in self.heads}
        count = len(next(iter(probabilities.values()))) if probabilities else 0
        return [{name: classes[columns[row]] for name, (classes, columns) in best.items()} for row in range(count)]


def _unit(vectors: Matrix) -> Matrix:
    floats = vectors.astype(np.float32)  # they are kept in float16
    return np.asarray(floats / np.linalg.norm(floats, axis=0, keepdims=True), np.float32)


def _softmax(logits: Matrix) -> Matrix:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


class Regions:
    """Splits embeddings of one model into the contributions of the regions of a photo."""

    def __init__(self, weights: Mapping[str, Matrix]) -> None:
        """``weights`` are those of the layers above the pooled feature maps, by their path."""
        spread = np.sqrt(weights["pooled_norm/moving_variance"] + _EPSILON)
        self._scale = weights["pooled_norm/gamma"] / spread  # (f,)
        self._shift = weights["pooled_norm/beta"] - weights["pooled_norm/moving_mean"] * self._scale
        self._straight = weights["projection/kernel"]  # (f, d)
        self._hidden = weights.get("hidden/kernel")  # (f, u)
        self._bias = weights.get("hidden/bias")
        self._out = weights.get("hidden_projection/kernel")  # (u, d)

    @classmethod
    def read(cls, folder: Path | None, card: ModelCard) -> Self:
        """The layers of a model, from the folder with its weights.

        Raises:
            NoRegions: The model gives no feature maps.
            UnusableModel: Its weights cannot be read.
        """
        if folder is None or not card.feature_maps:
            raise NoRegions(card.id)
        path = folder / WEIGHTS_FILE
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                names = [name for name in arrays.files if name.split("/")[0] in _LAYERS]
                return cls({name: arrays[name].astype(np.float32) for name in names})
        except Exception as error:
            raise UnusableModel(path, reason="its weights cannot be read; add the model again") from error

    def of(self, maps: Sequence[Map], other: Vector) -> Map:
        """The contribution of each region to the cosine with another embedding: ``(h, w)`` of the finest map.

        Args:
            maps: The photo's feature maps, the finest first, each side a whole multiple of the next one's.
            other: Embedding of the other photo, ``(d,)`` of norm 1.
        """
        pooled = np.concatenate([map_.mean(axis=(0, 1)) for map_ in maps])
        linear, constant = self._linear(pooled * self._scale + self._shift)
        embedding = (pooled * self._scale) @ linear + constant
        toward = other / np.linalg.norm(embedding)
        height, width = maps[0].shape[:2]
        added = np.full((height, width), float(constant @ toward) / (height * width), np.float32)
        start = 0
        for map_ in maps:
            channels = map_.shape[2]
            worth = self._scale[start : start + channels] * (linear[start : start + channels] @ toward)
            share = (map_ @ worth) / (height * width)  # a region of a coarse map is several of the finest
            added += np.kron(share, np.ones((height // map_.shape[0], width // map_.shape[1]), np.float32))
            start += channels
        return added

    def _linear(self, normed: Vector) -> tuple[Matrix, Vector]:
        """The layers as a linear map for this photo: ``(f, d)`` for scaled features, and a constant ``(d,)``."""
        linear, constant = self._straight, self._shift @ self._straight
        if self._hidden is not None and self._bias is not None and self._out is not None:
            open_ = (normed @ self._hidden + self._bias > 0).astype(np.float32)  # (u,)
            out = open_[:, None] * self._out
            linear = linear + self._hidden @ out
            constant = constant + (self._shift @ self._hidden + self._bias) @ out
        return linear, constant
