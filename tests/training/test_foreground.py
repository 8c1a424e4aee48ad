"""A foreground head that is learned from photos on white, and computes at run time what it learned."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sartor.encoders.foreground import FINER, Foreground
from sartor.training import foreground
from sartor.training.augment import composed_view
from sartor.training.foreground import ForegroundLesson, LearnedForeground, learn_foreground
from sartor.training.photos import Pixels, product_mask

SIDE_PX = 32


def product(seed: int) -> Pixels:
    """A saturated block on white."""
    rng = np.random.default_rng(seed)
    rgb = np.full((40, 40, 3), 255, np.uint8)
    color = np.array([220, 20, 20])[rng.permutation(3)]
    rgb[6:34, 8:32] = color
    return np.dstack([rgb, product_mask(rgb)])


def room(seed: int) -> Pixels:
    """A gray room with a saturated block in it."""
    gray = np.full((40, 40, 3), 90 + 5 * seed, np.uint8)
    gray[12:30, 12:30] = (20, 220, 20)
    return np.dstack([gray, np.full((40, 40), 255, np.uint8)])


def maps_of(photos: np.ndarray) -> list[np.ndarray]:
    """Mean colors of cells, and how saturated they are: 8 x 8, and 4 x 4."""

    def level(cells: int) -> np.ndarray:
        side = SIDE_PX // cells
        mean = photos.reshape(len(photos), cells, side, cells, side, 3).mean(axis=(2, 4)) / 255
        return np.concatenate([mean, np.ptp(mean, axis=-1, keepdims=True)], axis=-1).astype(np.float32)

    return [level(8), level(4)]


@pytest.fixture(scope="module")
def taught() -> LearnedForeground:
    lesson = ForegroundLesson(
        maps_of=maps_of,
        side_px=SIDE_PX,
        products=[product(seed) for seed in range(12)],
        rooms=[room(seed) for seed in range(6)],
        views=192,
    )
    return learn_foreground(lesson)


@pytest.fixture(scope="module")
def learned(taught: LearnedForeground) -> dict[str, np.ndarray]:
    return dict(taught.weights)


def test_a_product_is_found_in_a_room_that_was_never_seen(learned: dict[str, np.ndarray]) -> None:
    head = Foreground({name: weight.astype(np.float32) for name, weight in learned.items()})
    overlaps, of_all = [], []
    for seed in range(40):
        view, mask = composed_view(
            [product(seed), product(0)], None, side_px=SIDE_PX, rng=np.random.default_rng(seed)
        )
        found = head.of([map_[0] for map_ in maps_of(view[None])]) > 0.5
        true = mask > 127
        overlaps.append((found & true).sum() / max((found | true).sum(), 1))
        of_all.append(true.mean())

    assert found.shape == (8 * FINER, 8 * FINER)
    assert np.mean(overlaps) > max(0.4, 1.3 * np.mean(of_all))  # more than if all were the product


def test_the_run_time_computes_what_the_training_learned() -> None:
    head = foreground._head([(8, 8, 4), (4, 4, 6)])
    rng = np.random.default_rng(1)
    head.set_weights([rng.normal(0, 0.5, weight.shape) for weight in head.get_weights()])
    maps = [rng.uniform(0, 1, (1, 8, 8, 4)).astype(np.float32), rng.uniform(0, 1, (1, 4, 4, 6)).astype(np.float32)]
    logits = np.asarray(head.predict_on_batch(maps))[0]
    found = Foreground(foreground._weights(head)).of([map_[0] for map_ in maps])

    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_weights_are_named_and_take_two_bytes_each(learned: dict[str, np.ndarray]) -> None:
    assert all(weight.dtype == np.float16 for weight in learned.values())
    assert set(learned) == {"level_0", "level_1", "place", "around", "around_bias", "out", "out_bias"}


def test_a_photo_on_white_needs_no_mask_and_one_in_a_room_gets_it(taught: LearnedForeground) -> None:
    inside, outside = [], []
    for seed in range(12):
        view, mask = composed_view([product(seed)], None, side_px=SIDE_PX, rng=np.random.default_rng(seed))
        found = taught.mask_of(view)
        assert found is not None
        true = np.asarray(Image.fromarray(mask).resize(found.shape[::-1])) > 127
        inside.append(found[true].mean())
        outside.append(found[~true].mean())
    assert np.mean(inside) > np.mean(outside) + 0.2
    on_white = np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)
    on_white[8:24, 8:24] = 40
    assert taught.mask_of(on_white) is None
