"""The foreground head of an encoder: learns to tell the product from what is behind it.

Nobody draws masks for it. Products on white are cut out and put onto rooms: walls, floors, and the edges of photos
that people took. What the head says of these people's photos, where it is sure and the colors agree, teaches it in
a second round.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from sartor.encoders.foreground import FINER, Foreground, places
from sartor.encoders.keras.backend import keras
from sartor.encoders.registry import sha256_of
from sartor.imaging.color import is_on_white
from sartor.imaging.foreground import product_mask, refined
from sartor.training.augment import composed_view, plain_view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from sartor.training.dataset import Dataset
    from sartor.training.photos import Pixels

    Floats = npt.NDArray[np.float32]

MapsOf: TypeAlias = "Callable[[npt.NDArray[np.uint8]], Sequence[Floats]]"  # of photos (n, h, w, 3)

_UNITS = 24
_BATCH = 32
_EPOCHS = 10
_LEARNING_RATE = 2e-3
_MIN_PRODUCTS = 20  # photos on white from which a head is learned
_MAX_PRODUCTS, _MAX_ROOMS = 4_000, 2_500
_VIEWS, _MAX_VIEWS = 4, 3_000  # composed photos for each product, and in all
_SURE = 0.8  # probability from which the first round's answer teaches the second
_MIN_SHARE, _MAX_SHARE = 0.05, 0.8  # share of a photo that a believable mask has

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForegroundLesson:
    """What a foreground head is learned from.

    Attributes:
        maps_of: The encoder's feature maps of photos, the finest first, ``(n, h, w, c)`` each.
        side_px: Side of a photo as the encoder takes it.
        products: Photos on white with the mask of their product.
        rooms: Photos without a mask, as people take them; may be empty.
        views: Composed photos to learn from.
        seed: Of everything that is drawn by chance.
    """

    maps_of: MapsOf
    side_px: int
    products: Sequence[Pixels]
    rooms: Sequence[Pixels]
    views: int
    seed: int = 0


def lesson_of(dataset: Dataset, maps_of: MapsOf, *, side_px: int, seed: int) -> ForegroundLesson | None:
    """What a foreground head is learned from; None for a catalog with too few photos on white.

    Args:
        dataset: Of its products those that are not held out teach.
        maps_of: The encoder's feature maps.
        side_px: Side of a photo as the encoder takes it.
        seed: Of everything that is drawn by chance.
    """
    cache, rng = dataset.photos, np.random.default_rng(seed)
    keys = [item.photos[0] for item in dataset.training]
    masked = [key for key in keys if cache.photos[key].masked and _is_believable(cache.pixels(key))]
    bare = [key for key in keys if not cache.photos[key].masked]
    if len(masked) < _MIN_PRODUCTS:
        logger.info("no foreground: %d photos on white are too few", len(masked))
        return None
    products = [masked[row] for row in rng.permutation(len(masked))[:_MAX_PRODUCTS]]
    rooms = [bare[row] for row in rng.permutation(len(bare))[:_MAX_ROOMS]]
    return ForegroundLesson(
        maps_of=maps_of,
        side_px=side_px,
        products=[cache.pixels(key) for key in products],
        rooms=[cache.pixels(key) for key in rooms],
        views=min(_MAX_VIEWS, _VIEWS * len(products)),
        seed=seed,
    )


def _is_believable(pixels: Pixels) -> bool:
    return _MIN_SHARE <= float((pixels[..., 3] > 0).mean()) <= _MAX_SHARE


@dataclass(frozen=True, slots=True)
class _Examples:
    maps: list[npt.NDArray[np.float16]]  # (n, h, w, c) each
    targets: npt.NDArray[np.uint8]  # (n, FINER h, FINER w): 0 background, 255 product
    weights: npt.NDArray[np.uint8]  # the same shape: 0 where nobody knows

    def __add__(self, other: _Examples) -> _Examples:
        return _Examples(
            [np.concatenate(pair) for pair in zip(self.maps, other.maps, strict=True)],
            np.concatenate([self.targets, other.targets]),
            np.concatenate([self.weights, other.weights]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedForeground:
    """A foreground head beside the encoder that it was learned on.

    Attributes:
        weights: Of a ``Foreground``.
        maps_of: The encoder's feature maps.
    """

    weights: Mapping[str, npt.NDArray[np.float16]]
    maps_of: MapsOf

    def mask_of(self, view: npt.NDArray[np.uint8]) -> Floats | None:
        """The mask of the product on a photo ``(side_px, side_px, 3)``, as queries have it: None on white."""
        image = Image.fromarray(view)
        if is_on_white(image):
            return None
        head = Foreground({name: weight.astype(np.float32) for name, weight in self.weights.items()})
        return product_mask(image, head.of([map_[0] for map_ in self.maps_of(view[None])]))


def learn_foreground(lesson: ForegroundLesson) -> LearnedForeground:
    """Learn a head."""
    keras.utils.set_random_seed(lesson.seed)
    rng = np.random.default_rng(lesson.seed)
    composed = _composed(lesson, rng)
    head = _head([map_.shape[1:] for map_ in composed.maps])
    _fit(head, composed)
    if lesson.rooms:
        people = _photographed(lesson, Foreground(_weights(head)))
        logger.info("%d of %d photos teach by the first round's masks", len(people.targets), len(lesson.rooms))
        _fit(head, composed + people)
    weights = {name: weight.astype(np.float16) for name, weight in _weights(head).items()}
    return LearnedForeground(weights=weights, maps_of=lesson.maps_of)


def write_foreground(path: Path, weights: Mapping[str, npt.NDArray[np.float16]]) -> str:
    """Write the weights of a head, and return the SHA-256 of the file."""
    arrays: dict[str, Any] = dict(weights)
    np.savez_compressed(path, **arrays)
    return sha256_of(path)


def _composed(lesson: ForegroundLesson, rng: np.random.Generator) -> _Examples:
    """Products cut out and put into rooms."""
    photos, masks = [], []
    for _ in range(lesson.views):
        picks = [lesson.products[int(rng.integers(len(lesson.products)))] for _ in range(2)]
        room = lesson.rooms[int(rng.integers(len(lesson.rooms)))] if lesson.rooms else None
        photo, mask = composed_view(picks, room, side_px=lesson.side_px, rng=rng)
        photos.append(photo)
        masks.append(mask)
    return _examples(lesson, photos, masks)


def _photographed(lesson: ForegroundLesson, head: Foreground) -> _Examples:
    """Photos of people, with the masks that a head and the colors agree on."""
    photos, masks, weights = [], [], []
    for start in range(0, len(lesson.rooms), _BATCH):
        views = [plain_view(room, side_px=lesson.side_px) for room in lesson.rooms[start : start + _BATCH]]
        maps = lesson.maps_of(np.stack(views))
        for row, view in enumerate(views):
            probability = head.of([map_[row] for map_ in maps])
            side = probability.shape[0]
            small = Image.fromarray(view).resize((side, side), Image.Resampling.BOX)
            sure = refined(np.asarray(small), probability)
            if _MIN_SHARE <= (sure > 0.5).mean() <= _MAX_SHARE:  # noqa: PLR2004 - more likely than not
                photos.append(view)
                masks.append(np.where(sure > 0.5, 255, 0).astype(np.uint8))  # noqa: PLR2004
                weights.append(((sure >= _SURE) | (sure <= 1 - _SURE)).astype(np.uint8))
    return _examples(lesson, photos, masks, weights)


def _examples(
    lesson: ForegroundLesson,
    photos: Sequence[npt.NDArray[np.uint8]],
    masks: Sequence[npt.NDArray[np.uint8]],
    weights: Sequence[npt.NDArray[np.uint8]] = (),
) -> _Examples:
    parts = [lesson.maps_of(np.stack(photos[at : at + _BATCH])) for at in range(0, len(photos), _BATCH)]
    maps = [np.concatenate([part[level].astype(np.float16) for part in parts]) for level in range(len(parts[0]))]
    height, width = (FINER * side for side in maps[0].shape[1:3])
    targets = np.stack([_resized(mask, (width, height)) for mask in masks])
    return _Examples(maps, targets, np.stack(weights) if weights else np.ones_like(targets))


def _resized(mask: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BOX))


def _head(shapes: Sequence[tuple[int, ...]]) -> keras.Model:
    """The layers of ``Foreground``, from maps to logits ``(n, FINER h, FINER w)``."""
    layers = keras.layers
    height, width = shapes[0][:2]
    inputs = [keras.Input(shape) for shape in shapes]
    projected = [
        layers.UpSampling2D((height // shape[0], width // shape[1]))(
            layers.Conv2D(_UNITS, 1, use_bias=False, name=f"level_{level}")(tensor)
        )
        for level, (tensor, shape) in enumerate(zip(inputs, shapes, strict=True))
    ]
    cells = layers.Add()([*projected, _Place(_UNITS, name="place")(projected[0])])
    cells = layers.Dropout(0.1)(layers.ReLU()(cells))
    cells = layers.Conv2D(_UNITS, 3, padding="same", activation="relu", name="around")(cells)
    logits = layers.Conv2D(FINER**2, 1, name="out")(cells)
    logits = layers.Reshape((height, width, FINER, FINER))(logits)
    logits = layers.Reshape((height * FINER, width * FINER))(layers.Permute((1, 3, 2, 4))(logits))
    return keras.Model(inputs, logits)


class _Place(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A value for each cell by where it is: ``(n, h, w, u)`` of any content to ``(1, h, w, u)``."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self._units = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(5, self._units), initializer="zeros")
        self._where = places(input_shape[1], input_shape[2])[None]

    def call(self, inputs: Any) -> Any:
        return inputs * 0 + keras.ops.matmul(keras.ops.convert_to_tensor(self._where), self.kernel)


def _fit(head: keras.Model, examples: _Examples) -> None:
    count = len(examples.targets)
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, -(-count // _BATCH) * _EPOCHS)
    head.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), loss=_known_cross_entropy)
    rng = np.random.default_rng(count)
    for epoch in range(_EPOCHS):
        order, losses = rng.permutation(count), []
        for at in range(0, count, _BATCH):
            rows = np.sort(order[at : at + _BATCH])
            answers = np.stack([examples.targets[rows] / np.float32(255), examples.weights[rows]], axis=-1)
            losses.append(head.train_on_batch([map_[rows].astype(np.float32) for map_ in examples.maps], answers))
        logger.info("epoch %d of the foreground: loss %.4f", epoch + 1, float(np.mean(losses)))


def _known_cross_entropy(answers: Any, logits: Any) -> Any:
    """Binary cross-entropy where the answer, ``(n, h, w, 2)`` of target and weight, is known."""
    target, weight = answers[..., 0], answers[..., 1]
    losses = keras.ops.softplus(logits) - target * logits
    return keras.ops.sum(losses * weight) / keras.ops.maximum(keras.ops.sum(weight), 1.0)


def _weights(head: keras.Model) -> dict[str, Floats]:
    """The weights as ``Foreground`` takes them."""
    levels = [layer for layer in head.layers if layer.name.startswith("level_")]
    weights = {layer.name: np.asarray(layer.kernel)[0, 0] for layer in levels}
    around, out = head.get_layer("around"), head.get_layer("out")
    return weights | {
        "place": np.asarray(head.get_layer("place").kernel),
        "around": np.asarray(around.kernel),
        "around_bias": np.asarray(around.bias),
        "out": np.asarray(out.kernel)[0, 0],
        "out_bias": np.asarray(out.bias),
    }
