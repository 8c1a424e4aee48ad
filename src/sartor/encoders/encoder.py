"""The encoder: photos in, embeddings of unit norm out, whichever runtime runs the network."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from sartor.encoders.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from PIL import Image

    from sartor.encoders.card import ModelCard
    from sartor.encoders.runtime import Pixels, Runtime
    from sartor.types import Matrix


class Encoder:
    """Embeds photos with the network of one model card.

    An embedding does not depend on the batch that it is computed in. ``prepare`` may be called from any
    thread, so that decoding and resizing go on while the network runs.
    """

    def __init__(self, card: ModelCard, load: Callable[[], Runtime]) -> None:
        """``load`` is called when the first photo comes: an ingest without new photos needs no network."""
        self.card = card
        self._load = load

    @cached_property
    def runtime(self) -> Runtime:
        """The network, loaded."""
        return self._load()

    @property
    def batch_size(self) -> int:
        """How many photos at once use the device best."""
        return self.runtime.batch_size

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize a decoded RGB photo to what the network takes; returns ``(h, w, 3)`` uint8."""
        return prepare(image, self.card)

    def submit(self, pixels: Sequence[Pixels]) -> Future[Matrix]:
        """Start to embed prepared photos; the future gives what ``embed_pixels`` returns."""
        return self._pool.submit(self.embed_pixels, pixels)

    def embed_pixels(self, pixels: Sequence[Pixels]) -> Matrix:
        """Embed prepared photos.

        Returns:
            ``(n, d)`` float32 of unit norm, in the order given; a row of NaN where the network gave no
            usable numbers.
        """
        if not pixels:
            return np.empty((0, self.card.dimension), np.float32)
        return unit_norm(self.runtime.infer(np.stack(pixels)))

    def feature_maps(self, pixels: Sequence[Pixels]) -> list[npt.NDArray[np.float32]]:
        """The maps that the embedding is pooled from, the finest first, ``(n, h, w, c)`` each."""
        if not self.card.feature_maps:
            return []
        found = self.runtime.infer_outputs(np.stack(pixels), self.card.feature_maps)
        return [found[name] for name in self.card.feature_maps]

    def embed(self, images: Sequence[Image.Image]) -> Matrix:
        """Embed decoded RGB photos; returns what ``embed_pixels`` returns."""
        return self.embed_pixels([self.prepare(image) for image in images])

    def unload(self) -> None:
        """Wait for running inferences and give the network's memory back; the next photo loads it again."""
        if pool := vars(self).pop("_pool", None):
            pool.shutdown()
        vars(self).pop("runtime", None)

    def close(self) -> None:
        """Give everything back."""
        self.unload()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.runtime.streams, thread_name_prefix="sartor-infer")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unit_norm(vectors: Matrix) -> Matrix:
    """Scale each row of ``(n, d)`` to euclidean norm 1; rows that are zero or not finite become NaN."""
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # (n, 1)
    usable = np.isfinite(norms) & (norms > 0)
    return (vectors / np.where(usable, norms, np.nan)).astype(np.float32)
