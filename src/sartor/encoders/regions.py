"""Which regions of a photo make it close to another: a cosine as an exact sum over the places of the photo.

The embedding is an average over places, then layers that are linear but for one ReLU. For a given photo the ReLU
lets through what it lets through, so for that photo all of it is linear, and what each place adds to the
embedding can be told without approximation. What no place adds, the biases, is shared out evenly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.encoders.card import WEIGHTS_FILE
from sartor.errors import NoRegions, UnusableModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard
    from sartor.types import Matrix, Vector

    Map = npt.NDArray[np.float32]  # (h, w, c)

_EPSILON = 1e-3  # of Keras' batch norm


class Regions:
    """Splits embeddings of one model into what each place of a photo adds."""

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
                wanted = [name for name in arrays.files if name.split("/")[0] in _LAYERS]
                return cls({name: arrays[name].astype(np.float32) for name in wanted})
        except Exception as error:
            raise UnusableModel(path, reason="its weights cannot be read; add the model again") from error

    def of(self, maps: Sequence[Map], other: Vector) -> Map:
        """What each place adds to the cosine with another embedding: ``(h, w)`` of the finest map.

        Args:
            maps: The photo's feature maps, the finest first, each side a whole multiple of the next one's.
            other: Embedding of the other photo, ``(d,)`` of norm 1.
        """
        pooled = np.concatenate([each.mean(axis=(0, 1)) for each in maps])
        linear, constant = self._linear(pooled * self._scale + self._shift)
        embedding = (pooled * self._scale) @ linear + constant
        toward = other / np.linalg.norm(embedding)
        height, width = maps[0].shape[:2]
        added = np.full((height, width), float(constant @ toward) / (height * width), np.float32)
        start = 0
        for each in maps:
            channels = each.shape[2]
            worth = self._scale[start : start + channels] * (linear[start : start + channels] @ toward)
            share = (each @ worth) / (height * width)  # each place of a coarse map is several of the finest
            added += np.kron(share, np.ones((height // each.shape[0], width // each.shape[1]), np.float32))
            start += channels
        return added

    def _linear(self, normed: Vector) -> tuple[Matrix, Vector]:
        """The layers for this photo: ``(f, d)`` of what is scaled and not shifted, and the rest, ``(d,)``."""
        linear, constant = self._straight, self._shift @ self._straight
        if self._hidden is not None and self._bias is not None and self._out is not None:
            open_ = (normed @ self._hidden + self._bias > 0).astype(np.float32)  # (u,)
            out = open_[:, None] * self._out
            linear = linear + self._hidden @ out
            constant = constant + (self._shift @ self._hidden + self._bias) @ out
        return linear, constant


_LAYERS = {"pooled_norm", "projection", "hidden", "hidden_projection"}
