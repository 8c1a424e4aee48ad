"""The second stage: the upper layers alone, on stored activations of the lower ones.

When the whole network has learned, its lower layers change little. Their activations for a few views of each
photo are computed once; the upper layers, most of the weights but a fraction of the work, then see every view
many times in the time that the whole network would see it once.

Source: freezing layers from below while training goes on, Brock et al., "FreezeOut" (2017).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.encoders.keras.backend import keras
from sartor.errors import UnusableRecipe
from sartor.training.batches import Batch, plain_view
from sartor.training.network import FEATURES, Learner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.training.batches import Batches
    from sartor.training.dataset import Item
    from sartor.training.photos import PhotoCache
    from sartor.training.recipe import Recipe

logger = logging.getLogger(__name__)

_BATCH = 64
_TOLD_EVERY = 100 * _BATCH
_POOLS = "pool_"
_DONE = "activations.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """An encoder in two, with the same layers and weights.

    Attributes:
        lower: Takes uint8 photos; gives the activations that the upper half needs, a list.
        upper: Takes those; learns, and gives what the encoder gives.
    """

    lower: keras.Model
    upper: Learner


def halves_of(encoder: keras.Model, scaled: tuple[Any, Any], *, cut: str) -> Halves:
    """Cut an encoder after a layer.

    Args:
        encoder: The encoder.
        scaled: An input for uint8 photos, and the same scaled.
        cut: Name of the last layer of the lower half.

    Raises:
        UnusableRecipe: There is no such layer.
    """
    names = [layer.name for layer in encoder.layers]
    if cut not in names:
        raise UnusableRecipe(None, reason=f"upper.after: the network has no layer {cut!r}")
    place = names.index(cut)
    pools = [layer for layer in encoder.layers if layer.name.startswith(_POOLS)]
    crossing = [encoder.layers[place].output]
    crossing += [pool.output for pool in pools if _index(encoder, pool.input) < place]
    photo, floats = scaled
    lower = keras.Model(photo, keras.Model(encoder.inputs[0], crossing)(floats))
    learned = {name: output for name, output in encoder.output.items() if not name.startswith(FEATURES)}
    return Halves(lower=lower, upper=Learner(inputs=crossing, outputs=learned))


def _index(encoder: keras.Model, tensor: Any) -> int:
    return next(place for place, layer in enumerate(encoder.layers) if layer.output is tensor)


class Activations:
    """Activations of some views of each photo, float16, in files that are mapped into memory."""

    def __init__(self, arrays: Sequence[npt.NDArray[np.float16]], keys: Sequence[str], views: int) -> None:
        self._arrays = arrays
        self._rows = {key: row * views for row, key in enumerate(keys)}
        self._views = views

    def take(self, keys: Sequence[str], rng: np.random.Generator) -> list[npt.NDArray[np.float32]]:
        """One view of each photo, by chance."""
        rows = np.array([self._rows[key] for key in keys]) + rng.integers(self._views, size=len(keys))
        return [array[rows].astype(np.float32) for array in self._arrays]

    @classmethod
    def compute(
        cls,
        directory: Path,
        lower: keras.Model,
        keys: Sequence[str],
        view: Callable[[str, int], npt.NDArray[np.uint8]],
        *,
        views: int,
    ) -> Activations:
        """Compute them, or open what was computed before.

        Args:
            directory: Where the files lie.
            lower: The lower half.
            keys: Of the photos.
            view: Gives a view of a photo by key and number.
            views: Of each photo.
        """
        shapes = [tuple(tensor.shape[1:]) for tensor in lower.outputs]
        files = [directory / f"activations{place}.npy" for place in range(len(shapes))]
        count = len(keys) * views
        if not (directory / _DONE).exists():
            arrays = [
                np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=(count, *shape))
                for file, shape in zip(files, shapes, strict=True)
            ]
            for start in range(0, count, _BATCH):
                rows = range(start, min(start + _BATCH, count))
                photos = np.stack([view(keys[row // views], row % views) for row in rows])
                found = lower.predict_on_batch(photos)
                for array, activations in zip(arrays, found, strict=True):
                    array[rows.start : rows.stop] = activations
                if start % _TOLD_EVERY == 0:
                    logger.info("activations: %d of %d views", rows.stop, count)
            for array in arrays:
                array.flush()
            (directory / _DONE).touch()
        return cls([np.load(file, mmap_mode="r") for file in files], keys, views)


class UpperBatches:
    """Steps as ``Batches`` draws them, of activations instead of photos."""

    def __init__(self, batches: Batches, activations: Activations, *, seed: int) -> None:
        self._batches, self._activations, self._seed = batches, activations, seed

    def from_step(self, start: int, stop: int) -> Iterator[Batch]:
        """The steps from one number up to another, in order."""
        for step in range(start, stop):
            products, keys = self._batches.draw(step)
            rng = np.random.default_rng([self._seed, 3, step])
            yield Batch(photos=self._activations.take(keys, rng), products=products)


def stored_view(batches: Batches, cache: PhotoCache, recipe: Recipe) -> Callable[[str, int], Any]:
    """The views of a photo: the first is the photo as it is, the others are augmented."""

    def view(key: str, number: int) -> npt.NDArray[np.uint8]:
        if number == 0:
            return plain_view(cache.pixels(key), side_px=recipe.network.side_px)
        digest = int(key[:8], 16)  # keys are hexadecimal
        return batches.view(key, np.random.default_rng([recipe.seed, 2, digest, number]))

    return view


def photo_keys(items: Sequence[Item]) -> list[str]:
    """Keys of all photos of products."""
    return [key for item in items for key in item.photos]
