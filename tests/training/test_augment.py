from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.training.augment import augmented_view, plain_view
from sartor.training.photos import Pixels, product_mask
from sartor.training.recipe import Augmentation

OFF = Augmentation(
    flip=0, rotation_deg=0, min_crop=1, perspective=0, lighting=0, white_balance=0, blur=0, jpeg=0,
    low_resolution=0, background=0, erase=0,
)  # fmt: skip


def photo(color: tuple[int, int, int] = (200, 30, 30)) -> Pixels:
    """A block of one color on white."""
    rgb = np.full((40, 30, 3), 255, np.uint8)
    rgb[10:30, 8:22] = color
    return np.dstack([rgb, product_mask(rgb)])


def view(how: Augmentation, *, seed: int = 0, background: Pixels | None = None) -> np.ndarray:
    return augmented_view(photo(), how, side_px=32, background=lambda: background, rng=np.random.default_rng(seed))


def test_with_every_part_off_a_photo_only_changes_its_size() -> None:
    difference = np.abs(view(OFF).astype(int) - plain_view(photo(), side_px=32).astype(int))

    assert np.median(difference) == 0
    assert (difference > 60).mean() < 0.05  # along edges, where resampling differs


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_view_has_its_size_whatever_chance_says(seed: int) -> None:
    found = view(Augmentation(), seed=seed, background=photo((10, 200, 10)))

    assert found.shape == (32, 32, 3)
    assert found.dtype == np.uint8


def test_the_same_chance_gives_the_same_view() -> None:
    assert np.array_equal(view(Augmentation(), seed=4), view(Augmentation(), seed=4))
    assert not np.array_equal(view(Augmentation(), seed=4), view(Augmentation(), seed=5))


def test_a_flip_mirrors() -> None:
    pixels = photo()
    pixels[10:30, 8:12, :3] = (30, 30, 200)  # a blue seam on the left

    flipped = augmented_view(
        pixels, OFF.model_copy(update={"flip": 1.0}), side_px=32, background=lambda: None,
        rng=np.random.default_rng(0),
    )  # fmt: skip

    assert flipped[16, 21:24, 2].mean() > flipped[16, 9:12, 2].mean()


def test_a_background_replaces_white_and_leaves_the_product() -> None:
    blue = np.dstack([np.full((40, 40, 3), (20, 40, 220), np.uint8), np.full((40, 40), 255, np.uint8)])
    views = [view(OFF.model_copy(update={"background": 1.0}), seed=seed, background=blue) for seed in range(12)]

    assert all(abs(int(found[16, 16, 0]) - 200) < 30 for found in views)  # the product
    assert any(int(found[1, 1, 2]) > int(found[1, 1, 0]) + 100 for found in views)  # where white was


def test_lighting_keeps_the_name_of_a_color() -> None:
    how = OFF.model_copy(update={"lighting": 0.2, "white_balance": 0.05})
    centers = [view(how, seed=seed)[16, 16].astype(int) for seed in range(30)]

    assert all(red > 2 * max(green, blue) for red, green, blue in centers)
    assert len({tuple(center) for center in centers}) > 20


def test_the_mask_covers_the_product_and_not_the_white_around_it() -> None:
    mask = photo()[..., 3]

    assert mask[20, 15] == 255
    assert mask[0, 0] == 0


def test_white_inside_a_product_belongs_to_it() -> None:
    rgb = photo()[..., :3].copy()
    rgb[18:22, 13:17] = 255

    assert product_mask(rgb)[20, 15] == 255


@pytest.mark.parametrize("color", [(255, 255, 255), (90, 90, 90)])
def test_a_photo_of_one_color_is_all_product(color: tuple[int, int, int]) -> None:
    assert (product_mask(np.full((20, 20, 3), color, np.uint8)) == 255).all()
