from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import UnknownColor
from sartor.imaging.color import SHOWN_NAMES, color_name, named_color, oklab

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
