from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sartor.evaluation.backgrounds import border_color, on_background, plain, studio_background


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shirt(color: str = "navy", background: str = "white") -> Image.Image:
    image = Image.new("RGB", (120, 160), background)
    ImageDraw.Draw(image).rectangle((30, 40, 90, 120), fill=color)
    return image


def test_the_border_of_several_colors_is_white() -> None:
    stripes = Image.fromarray(np.repeat(rng().integers(0, 256, (1, 64, 3), np.uint8), 64, axis=0))

    assert border_color(stripes) == (255, 255, 255)
    assert border_color(shirt("navy", "khaki")) == (240, 230, 140)


def test_a_white_shirt_with_an_outline_is_not_background() -> None:
    photo = shirt("white")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((30, 40, 90, 120), outline="gray", width=2)
    draw.line((58, 40, 59, 40), fill="white", width=3)  # a gap in it

    background = studio_background(np.asarray(photo))

    assert background is not None
    assert background[10, 10]
    assert not background[60:100, 45:75].any()


def test_what_the_edge_cannot_reach_is_product_and_what_it_can_between_legs_is_not() -> None:
    photo = Image.new("RGB", (100, 100), "white")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((25, 20, 75, 99), fill="navy")
    draw.rectangle((40, 60, 60, 99), fill="white")  # between the legs, down to the edge
    draw.rectangle((40, 30, 60, 45), fill="white")  # a print

    background = studio_background(np.asarray(photo))

    assert background is not None
    assert background[80, 50]
    assert not background[38, 50]


@pytest.mark.parametrize("photo", [shirt("navy", "olive"), Image.new("RGB", (50, 50), "white")])
def test_a_photo_without_a_studios_background_is_framed(photo: Image.Image) -> None:
    framed = on_background(photo, plain, rng())

    assert studio_background(np.asarray(photo)) is None
    assert framed.size == photo.size
    assert framed.getpixel((0, 0)) == plain((1, 1), rng()).getpixel((0, 0))
    middle = (photo.width // 2, photo.height // 2)
    assert framed.getpixel(middle) == photo.getpixel(middle)
