"""Where the product is on a photo: a small head on the feature maps that the embedding is pooled from.

It takes the maps of the same run of the network that gives the embedding, so a mask costs no second inference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.encoders.card import FOREGROUND_FILE
from sartor.encoders.registry import sha256_of
from sartor.errors import UnusableModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.encoders.card import ModelCard

    Floats = npt.NDArray[np.float32]

FINER = 4  # each cell of the finest map gets so many rows and columns of the mask


class Foreground:
    """Tells for each part of a photo how probably it shows the product.

    Each map is projected to a few channels, all are added at the finest resolution, a convolution looks at the
    neighbors, and each cell then gives ``FINER`` by ``FINER`` values of the mask.
    """

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        """Take the weights.

        Args:
            weights: ``level_0``, ``level_1``, … ``(c, u)``, ``place`` ``(5, u)``, ``around`` ``(3, 3, u, u)`` with
                ``around_bias`` ``(u,)``, and ``out`` ``(u, FINER ** 2)`` with ``out_bias`` ``(FINER ** 2,)``.
        """
        self._levels = [weights[f"level_{level}"] for level in range(len(weights) - 5)]
        self._place = weights["place"]
        around = weights["around"]
        self._around, self._around_bias = around.reshape(-1, around.shape[-1]), weights["around_bias"]
        self._out, self._out_bias = weights["out"], weights["out_bias"]

    @classmethod
    def read(cls, folder: Path | None, card: ModelCard) -> Self | None:
        """The head of a model, from its folder; None for a model without one.

        Raises:
            UnusableModel: Its file is missing, or is not the one of its card.
        """
        if folder is None or card.foreground_sha256 is None:
            return None
        path = folder / FOREGROUND_FILE
        if sha256_of(path) != card.foreground_sha256:
            raise UnusableModel(path, reason="it is not the file that its card describes; add the model again")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls({name: arrays[name].astype(np.float32) for name in arrays.files})
        except (KeyError, OSError, ValueError) as error:
            raise UnusableModel(path, reason="it cannot be read; add the model again") from error

    def of(self, maps: Sequence[Floats]) -> Floats:
        """The probability of each part of a photo to show the product, ``(FINER h, FINER w)``.

        Args:
            maps: The photo's feature maps, the finest first, ``(h, w, c)``, each side a whole multiple of the next
                one's.
        """
        height, width = maps[0].shape[:2]
        cells = places(height, width) @ self._place
        for map_, kernel in zip(maps, self._levels, strict=True):
            part = (map_.reshape(-1, map_.shape[2]) @ kernel).reshape(*map_.shape[:2], -1)
            cells += part.repeat(height // part.shape[0], axis=0).repeat(width // part.shape[1], axis=1)
        cells = np.maximum(cells, 0)
        padded = np.pad(cells, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))  # (h, w, u, 3, 3)
        near = windows.transpose(0, 1, 3, 4, 2).reshape(height * width, -1) @ self._around + self._around_bias
        logits = np.maximum(near, 0) @ self._out + self._out_bias  # (h w, FINER²)
        fine = logits.reshape(height, width, FINER, FINER).transpose(0, 2, 1, 3).reshape(height * FINER, -1)
        return np.asarray(1 / (1 + np.exp(-fine)), np.float32)


def places(height: int, width: int) -> Floats:
    """Where cells are on a photo, ``(h, w, 5)``: a constant, both coordinates in [-1, 1], and their squares."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    down, across = np.meshgrid(y, x, indexing="ij")
    return np.stack([np.ones_like(down), down, across, down**2, across**2], axis=-1)
