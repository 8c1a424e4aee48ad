"""OKLab, names of colors, and palettes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from sartor.errors import UnknownColor
from sartor.imaging.color import COLORS, SHOWN_NAMES, color_name, named_color, oklab, palette_of
from sartor.types import Palette

CHANNEL = st.integers(0, 255)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((255, 255, 255), (1.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (0.62796, 0.22486, 0.12585)),  # of the published conversion, as CSS Color 4 tests it
        ((0, 0, 255), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_known_colors_have_known_coordinates(rgb: tuple[int, int, int], expected: tuple[float, ...]) -> None:
    assert oklab(np.array(rgb, np.uint8)) == pytest.approx(expected, abs=2e-4)


@given(CHANNEL)
def test_gray_has_no_hue(level: int) -> None:
    _, green_red, blue_yellow = oklab(np.array([level] * 3, np.uint8))
    assert abs(green_red) < 1e-3
    assert abs(blue_yellow) < 1e-3


@given(CHANNEL, CHANNEL)
def test_lighter_gray_is_lighter(one: int, other: int) -> None:
    lightness = oklab(np.array([[one] * 3, [other] * 3], np.uint8))[:, 0]
    assert (lightness[0] > lightness[1]) == (one > other)


@pytest.mark.parametrize("text", ["navy", "Navy", " NAVY ", "#000080"])
def test_a_color_has_a_name_or_a_number(text: str) -> None:
    assert named_color(text) == (0, 0, 128)


def test_spaces_in_a_name_do_not_count() -> None:
    assert named_color("Sky Blue") == named_color("skyblue")


@pytest.mark.parametrize("text", ["nvay", "", "#12", "12,13,14"])
def test_what_is_no_color_is_refused(text: str) -> None:
    with pytest.raises(UnknownColor, match="is no color"):
        named_color(text)


def test_a_slip_gets_the_closest_name() -> None:
    with pytest.raises(UnknownColor, match="did you mean 'maroon'"):
        named_color("marroon")


@pytest.mark.parametrize(("word", "name"), [(word, name) for word, names in SHOWN_NAMES.items() for name in names])
def test_a_color_of_the_table_has_its_word(word: str, name: str) -> None:
    assert color_name(oklab(np.array(named_color(name), np.uint8))) == word


def test_a_dark_blue_is_navy() -> None:
    assert color_name(oklab(np.array([20, 25, 90], np.uint8))) == "navy"


SEAM = 0.1


RED, BLUE, WHITE, SKIN = (190, 20, 30), (25, 45, 190), (255, 255, 255), (224, 172, 140)


def drawn(
    *boxes: tuple[tuple[int, int, int, int], tuple[int, int, int]], on: tuple[int, int, int] = WHITE
) -> Image.Image:
    image = Image.new("RGB", (90, 120), on)
    for box, color in boxes:
        ImageDraw.Draw(image).rectangle(box, fill=color)
    return image


def names(palette: Palette) -> list[str]:
    """Of the colors that are more than the seam where two meet."""
    return list(dict.fromkeys(color_name(color) for color in palette.colors[palette.shares > SEAM]))


def test_the_background_is_not_the_products_color() -> None:
    palette = palette_of(drawn(((30, 20, 60, 100), RED)))

    assert names(palette) == ["red"]
    assert palette.shares[0] > 0.9


def test_a_background_of_any_color_is_left_out() -> None:
    assert names(palette_of(drawn(((30, 20, 60, 100), RED), on=(40, 160, 90)))) == ["red"]


def test_a_product_of_two_colors_has_both_by_how_much_they_cover() -> None:
    palette = palette_of(drawn(((20, 20, 70, 80), RED), ((20, 80, 70, 100), BLUE)))

    assert names(palette) == ["red", "blue"]
    assert palette.shares == pytest.approx([0.75, 0.25], abs=0.05)


def test_skin_beside_a_product_is_not_its_color() -> None:
    assert names(palette_of(drawn(((25, 10, 65, 40), SKIN), ((20, 40, 70, 110), BLUE)))) == ["blue"]


def test_a_product_of_the_color_of_skin_keeps_it() -> None:
    palette = palette_of(drawn(((20, 20, 70, 100), SKIN)))

    assert names(palette) in (["tan"], ["salmon"], ["beige"])


def test_a_white_product_on_white_has_a_color() -> None:
    assert names(palette_of(drawn(((30, 20, 60, 100), (250, 250, 250)))))[0] == "white"


def test_before_a_busy_background_the_middle_counts_most() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (120, 90, 3), np.uint8)
    noise[30:90, 20:70] = BLUE

    assert names(palette_of(Image.fromarray(noise)))[0] == "blue"


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(1, 80))
@settings(deadline=None, max_examples=30)
def test_every_photo_has_a_palette(seed: int, width: int, height: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    palette = palette_of(Image.fromarray(pixels))

    assert 1 <= len(palette.colors) == len(palette.shares) <= COLORS
    assert palette.shares.sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(palette.shares) <= 1e-6).all()
