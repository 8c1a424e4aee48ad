"""What each step of a training sees. It depends only on the step's number, so that a resumed run sees the same."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sartor.training.augment import augmented_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    import numpy.typing as npt

    from sartor.training.dataset import Item, Target
    from sartor.training.photos import PhotoCache, Pixels
    from sartor.training.recipe import Recipe, Sampling

_AHEAD = 3  # steps that are prepared while the network learns from one


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step.

    Attributes:
        photos: ``(v, side_px, side_px, 3)`` uint8, or their activations, a list of ``(v, …)`` float32.
        products: ``(v,)`` number of the product that each view shows.
    """

    photos: npt.NDArray[np.uint8] | list[npt.NDArray[np.float32]]
    products: npt.NDArray[np.int32]


class Batches:
    """Draws and prepares steps, a few of them ahead, in threads."""

    def __init__(
        self,
        items: Sequence[Item],
        cache: PhotoCache,
        targets: Sequence[Target],
        recipe: Recipe,
    ) -> None:
        sampling = recipe.sampling
        self._items, self._cache, self._recipe = items, cache, recipe
        self._weights = product_weights(items, targets, sampling)
        several = np.array([len(item.photos) > 1 for item in items])
        self._pair_weights = self._weights * several if several.any() else self._weights
        self._pairs = int(sampling.views * sampling.pair_share / 2)
        self._scenes = [key for item in items for key in item.photos if not cache.photos[key].masked]

    def from_step(self, start: int, stop: int) -> Iterator[Batch]:
        """The steps from ``start`` to before ``stop``, in order."""
        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sartor-augment") as pool:
            waiting: deque[list[Future[npt.NDArray[np.uint8]]]] = deque()
            products: deque[npt.NDArray[np.int32]] = deque()
            for step in range(start, stop + _AHEAD):
                if step < stop:
                    drawn, photos = self.draw(step)
                    rngs = np.random.default_rng([self._recipe.seed, 1, step]).spawn(len(photos))
                    views = zip(photos, rngs, strict=True)
                    waiting.append([pool.submit(self.view, photo, rng) for photo, rng in views])
                    products.append(drawn)
                if step >= start + _AHEAD and waiting:
                    ready = np.stack([future.result() for future in waiting.popleft()])
                    yield Batch(photos=ready, products=products.popleft())

    def draw(self, step: int) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Which product each view of a step shows, and in which photo: two views of each pair come first."""
        rng = np.random.default_rng([self._recipe.seed, 0, step])
        choose = partial(_choose, rng)
        paired = choose(self._pair_weights, self._pairs)
        single = choose(self._weights, self._recipe.sampling.views - 2 * len(paired))
        photos: list[str] = []
        for number in paired:
            own = self._items[number].photos
            photos += [own[photo] for photo in rng.permutation(len(own))[:2]] if len(own) > 1 else [own[0]] * 2
        photos += [str(rng.choice(self._items[number].photos)) for number in single]
        return np.concatenate([np.repeat(paired, 2), single]).astype(np.int32), photos

    def view(self, key: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """A randomly changed view of a photo, ``(side_px, side_px, 3)``."""
        return augmented_view(
            self._cache.pixels(key),
            self._recipe.augmentation,
            side_px=self._recipe.network.side_px,
            background=lambda: self._scene(rng),
            rng=rng,
        )

    def _scene(self, rng: np.random.Generator) -> Pixels | None:
        if not self._scenes:
            return None
        return self._cache.pixels(self._scenes[int(rng.integers(len(self._scenes)))])


def product_weights(
    items: Sequence[Item], targets: Sequence[Target], sampling: Sampling
) -> npt.NDArray[np.float64]:
    """Probability that a product is drawn, ``(n,)`` with sum 1; higher for rare classes."""
    weights = np.zeros(len(items))
    for target in targets:
        single = target.known & (target.allowed.sum(axis=1) == 1)
        counts = target.allowed[single].sum(axis=0)  # (c,)
        rarity = np.where(counts > 0, (counts.max() / np.maximum(counts, 1.0)) ** sampling.balance, 1.0)
        weights += np.where(single, rarity[target.allowed.argmax(axis=1)], 1.0) * target.weight
    for emphasis in sampling.emphasis:
        has = np.array([item.attributes.get(emphasis.attribute) not in {None, ""} for item in items])
        weights *= np.where(has, emphasis.factor, 1.0)
    return np.asarray(weights / weights.sum())


def _choose(rng: np.random.Generator, weights: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]:
    """Products drawn by weight, different ones if there are enough.

    Source: P. Efraimidis and P. Spirakis, "Weighted random sampling with a reservoir" (2006).
    """
    possible = np.flatnonzero(weights)
    if len(possible) < count:
        return rng.choice(possible, count, p=weights[possible] / weights[possible].sum())
    keys = rng.exponential(size=len(possible)) / weights[possible]
    return possible[np.argpartition(keys, count - 1)[:count]] if count else possible[:0]
