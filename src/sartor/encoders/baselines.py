"""Models that know nothing of fashion, as a floor for others: the histogram of a photo's colors, and chance."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.card import ModelCard, PixelScaling
from sartor.encoders.choices import Layout, Scaling
from sartor.encoders.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.encoders.runtime import Pixels
    from sartor.types import Matrix

COLOR_HISTOGRAM, RANDOM = "color-histogram", "random"
BASELINES = (COLOR_HISTOGRAM, RANDOM)

_BINS = 8  # of each channel
_SIDE_PX = 64
_RANDOM_DIMENSION = 64


def baseline(name: str) -> Encoder:
    """One of ``BASELINES`` as an encoder.

    Raises:
        KeyError: There is none of this name.
    """
    runtime, dimension = {
        COLOR_HISTOGRAM: (_ColorHistogram(), _BINS**3),
        RANDOM: (_Chance(), _RANDOM_DIMENSION),
    }[name]
    return Encoder(_card(name, dimension), lambda: runtime)


class _Baseline(ABC):
    """A runtime without a network."""

    description = "NumPy"
    streams = 1
    batch_size = 64

    def infer(self, pixels: Pixels) -> Matrix:
        """``(n, h, w, 3)`` to ``(n, d)``."""
        return np.stack([self._vector(each) for each in pixels])

    def infer_outputs(self, pixels: Pixels, names: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        return dict.fromkeys(names, self.infer(pixels))

    @abstractmethod
    def _vector(self, pixels: Pixels) -> npt.NDArray[np.float32]: ...


class _ColorHistogram(_Baseline):
    """How many pixels have each of 512 colors; square roots, so that the cosine is the overlap of two photos.

    Source: M. Swain and D. Ballard, "Color indexing" (1991); A. Bhattacharyya (1943) for the roots.
    """

    def _vector(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        red, green, blue = (pixels.reshape(-1, 3) // (256 // _BINS)).astype(np.int64).T
        counts = np.bincount((red * _BINS + green) * _BINS + blue, minlength=_BINS**3)
        return np.sqrt(counts).astype(np.float32)


class _Chance(_Baseline):
    """A direction drawn at random, the same one for the same pixels."""

    def _vector(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        seed = int.from_bytes(hashlib.blake2b(pixels.tobytes(), digest_size=8).digest(), "big")
        return np.random.default_rng(seed).normal(size=_RANDOM_DIMENSION).astype(np.float32)


def _card(name: str, dimension: int) -> ModelCard:
    return ModelCard(
        id=name,
        sha256="0" * 64,  # there is no file
        size_px=(_SIDE_PX, _SIDE_PX),
        layout=Layout.NHWC,
        scaling=PixelScaling.named(Scaling.RAW),
        output="vector",
        dimension=dimension,
        origin="computed by Sartor, nothing is learned",
    )
