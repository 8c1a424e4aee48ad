from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sartor.choices import ResizePolicy
from sartor.encoders.encoder import prepare
from tests.fakes import COLOR_CARD

LEFT, RIGHT = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def wide() -> Image.Image:
    """A photo of 120 x 40: a red third, a green third, a blue third."""
    image = Image.new("RGB", (120, 40), (0, 200, 0))
    image.paste(LEFT, (0, 0, 40, 40))
    image.paste(RIGHT, (80, 0, 120, 40))
    return image


def prepared(image: Image.Image, resize: ResizePolicy, size_px: tuple[int, int] = (30, 30)) -> np.ndarray:
    return prepare(image, COLOR_CARD.model_copy(update={"resize": resize, "size_px": size_px}))


@pytest.mark.parametrize("resize", list(ResizePolicy))
def test_every_policy_gives_the_height_and_width_of_the_card(wide: Image.Image, resize: ResizePolicy) -> None:
    pixels = prepared(wide, resize, size_px=(20, 50))
    assert pixels.shape == (20, 50, 3)
    assert pixels.dtype == np.uint8


def test_stretching_keeps_everything(wide: Image.Image) -> None:
    pixels = prepared(wide, ResizePolicy.STRETCH)
    assert tuple(pixels[15, 2]) == LEFT
    assert tuple(pixels[15, 27]) == RIGHT


def test_cropping_keeps_the_center(wide: Image.Image) -> None:
    pixels = prepared(wide, ResizePolicy.CROP)
    assert (pixels[:, 2:-2] == (0, 200, 0)).all()


def test_padding_adds_white_bars(wide: Image.Image) -> None:
    pixels = prepared(wide, ResizePolicy.PAD)
    assert (pixels[:8] == 255).all()
    assert (pixels[-8:] == 255).all()
    assert tuple(pixels[15, 2]) == LEFT


def test_a_photo_of_the_right_size_is_taken_as_it_is() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(prepare(Image.fromarray(noise), COLOR_CARD), noise)
