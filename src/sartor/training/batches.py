"""What each step of a training sees: drawn by the step's number alone, so that a resumed run sees the same."""

from __future__ import annotations

import io
import math
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    import numpy.typing as npt

    from sartor.training.dataset import Item, Target
    from sartor.training.photos import PhotoCache, Pixels
    from sartor.training.recipe import Augmentation, Recipe, Sampling


_LEVELS = np.arange(256, dtype=np.float32) / 255
_OUTSIDE = {"RGB": (255, 255, 255), "RGBA": (0, 0, 0, 0)}


def plain_view(pixels: Pixels, *, side_px: int) -> npt.NDArray[np.uint8]:
    """A photo unchanged but for its size, as it is embedded later: ``(side_px, side_px, 3)``."""
    image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    return np.asarray(image.resize((side_px, side_px), Image.Resampling.BILINEAR))


def augmented_view(
    pixels: Pixels,
    how: Augmentation,
    *,
    side_px: int,
    background: Callable[[], Pixels | None],
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """A photo changed at random: ``(side_px, side_px, 3)``.

    Args:
        pixels: The photo, with the mask of its product.
        how: What may happen, and how strongly.
        side_px: Side of the result.
        background: Gives another photo to take a background from, or none.
        rng: Where chance comes from; the same one gives the same view.
    """
    cut_out = rng.random() < how.background
    warped = _warped(pixels if cut_out else pixels[..., :3], how, side_px=side_px, rng=rng)
    if cut_out:
        behind = _background(background(), side_px=side_px, rng=rng)
        mask = warped.getchannel("A").filter(ImageFilter.MinFilter(3))  # off with the white seam
        image = Image.composite(warped.convert("RGB"), behind, mask)
    else:
        image = warped
    image = _lit(image, how, rng=rng)
    return np.asarray(_photographed(image, how, rng=rng))


def _warped(pixels: Pixels, how: Augmentation, *, side_px: int, rng: np.random.Generator) -> Image.Image:
    """Crop, rotation, perspective and flip in one resampling."""
    height, width, _ = pixels.shape
    sides = rng.uniform(how.min_crop, 1.05, 2) if how.min_crop < 1 else np.ones(2)
    center = 0.5 + (rng.uniform(-0.5, 0.5, 2) * np.abs(1 - sides))
    angle = math.radians(rng.uniform(-how.rotation_deg, how.rotation_deg))
    corners = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]) * sides
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    corners = corners @ turn + center + rng.uniform(-how.perspective, how.perspective, (4, 2))
    if rng.random() < how.flip:
        corners = corners[[3, 2, 1, 0]]
    quad = (corners * (width, height)).ravel().tolist()
    source = Image.fromarray(np.ascontiguousarray(pixels))
    if min(width, height) > 2 * side_px:
        source = source.resize((side_px, side_px), Image.Resampling.BOX)
    return source.transform(
        (side_px, side_px), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR, fillcolor=_OUTSIDE[source.mode]
    )


def _background(photo: Pixels | None, *, side_px: int, rng: np.random.Generator) -> Image.Image:
    if photo is None or rng.random() < 0.3:  # noqa: PLR2004
        return _texture(side_px=side_px, rng=rng)
    height, width, _ = photo.shape
    side = rng.uniform(0.25, 0.8)
    left, top = rng.uniform(0, 1 - side, 2)
    box = (left * width, top * height, (left + side) * width, (top + side) * height)
    patch = Image.fromarray(np.ascontiguousarray(photo[..., :3]))
    return patch.resize((side_px, side_px), Image.Resampling.BILINEAR, box=box)


def _texture(*, side_px: int, rng: np.random.Generator) -> Image.Image:
    """A color with soft or fine irregularities, like a wall, a floor or a bed."""
    cells = int(rng.integers(1, 24))
    color = rng.uniform(30, 255, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(60, 255))  # noqa: PLR2004
    noise = rng.normal(0, rng.uniform(2, 30), (cells, cells, 1)) + rng.normal(0, 4, (cells, cells, 3))
    small = Image.fromarray(np.clip(color + noise, 0, 255).astype(np.uint8))
    return small.resize((side_px, side_px), Image.Resampling.BICUBIC)


def _lit(image: Image.Image, how: Augmentation, *, rng: np.random.Generator) -> Image.Image:
    """Brightness, contrast and gamma for all channels, white balance for each, and a little saturation."""
    if how.lighting == 0 and how.white_balance == 0:
        return image
    brightness, contrast = 1 + rng.uniform(-how.lighting, how.lighting, 2)
    gamma = math.exp(rng.uniform(-how.lighting, how.lighting))
    gains = 1 + rng.uniform(-how.white_balance, how.white_balance, 3)
    base = (_LEVELS**gamma * brightness - 0.5) * contrast + 0.5
    table = np.clip(gains[:, None] * base, 0, 1) * 255
    image = image.point(table.astype(np.uint8).ravel().tolist())
    return ImageEnhance.Color(image).enhance(1 + rng.uniform(-how.lighting, how.lighting))


def _photographed(image: Image.Image, how: Augmentation, *, rng: np.random.Generator) -> Image.Image:
    side_px = image.width
    if rng.random() < how.low_resolution:
        small = int(side_px * rng.uniform(0.3, 0.7))
        image = image.resize((small, small), Image.Resampling.BOX).resize(
            (side_px, side_px), Image.Resampling.BILINEAR
        )
    if rng.random() < how.blur:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    if rng.random() < how.jpeg:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(30, 90)))
        image = Image.open(stream).convert("RGB")
    if rng.random() < how.erase:
        size = (rng.uniform(0.1, 0.35, 2) * side_px).astype(int)
        place = (rng.uniform(0, 1, 2) * (side_px - size)).astype(int)
        image = image.copy()
        image.paste(tuple(rng.integers(0, 256, 3).tolist()), (*place, *(place + size)))
    return image


_AHEAD = 3  # steps that are prepared while the network learns from one


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step.

    Attributes:
        photos: ``(v, side_px, side_px, 3)`` uint8, or activations of them, a list of ``(v, …)`` float32.
        products: ``(v,)`` number of the product that each view shows.
    """

    photos: npt.NDArray[np.uint8] | list[npt.NDArray[np.float32]]
    products: npt.NDArray[np.int32]


class Batches:
    """Draws and prepares steps, some of them ahead, in threads."""

    def __init__(
        self,
        items: Sequence[Item],
        cache: PhotoCache,
        targets: Sequence[Target],
        recipe: Recipe,
    ) -> None:
        sampling = recipe.sampling
        self._items, self._cache, self._recipe = items, cache, recipe
        self._chances = chances(items, targets, sampling)
        several = np.array([len(item.photos) > 1 for item in items])
        self._pair_chances = self._chances * several if several.any() else self._chances
        self._pairs = int(sampling.views * sampling.pair_share / 2)
        scenes = [key for item in items for key in item.photos if not cache.photos[key].masked]
        self._scenes = scenes

    def from_step(self, start: int, stop: int) -> Iterator[Batch]:
        """The steps from one number up to another, in order."""
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
        """Which product each view of a step shows, and by which photo: two views of each pair come first."""
        rng = np.random.default_rng([self._recipe.seed, 0, step])
        choose = partial(_choose, rng)
        paired = choose(self._pair_chances, self._pairs)
        single = choose(self._chances, self._recipe.sampling.views - 2 * len(paired))
        photos: list[str] = []
        for number in paired:
            own = self._items[number].photos
            photos += [own[place] for place in rng.permutation(len(own))[:2]] if len(own) > 1 else [own[0]] * 2
        photos += [str(rng.choice(self._items[number].photos)) for number in single]
        return np.concatenate([np.repeat(paired, 2), single]).astype(np.int32), photos

    def view(self, key: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """A view of a photo, as chance changes it: ``(side_px, side_px, 3)``."""
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


def chances(items: Sequence[Item], targets: Sequence[Target], sampling: Sampling) -> npt.NDArray[np.float64]:
    """How often each product is drawn, ``(n,)`` with sum 1: rare classes more often than they come."""
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
    """Different products where there are enough of them, chosen by weight.

    Source: P. Efraimidis and P. Spirakis, "Weighted random sampling with a reservoir" (2006).
    """
    possible = np.flatnonzero(weights)
    if len(possible) < count:
        return rng.choice(possible, count, p=weights[possible] / weights[possible].sum())
    keys = rng.exponential(size=len(possible)) / weights[possible]
    return possible[np.argpartition(keys, count - 1)[:count]] if count else possible[:0]
