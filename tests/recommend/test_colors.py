from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging.color import named_color, palette_of_color
from sartor.recommend.features import COLOR_DIMENSION, color_vector, color_words
from sartor.types import Palette, Vector

channels = st.integers(0, 255)


def vector(name: str) -> Vector:
    return color_vector(palette_of_color(named_color(name)))


def both(one: str, other: str, *, share: float) -> Palette:
    colors = [palette_of_color(named_color(name)).colors[0] for name in (one, other)]
    return Palette(np.stack(colors), np.array([share, 1 - share], np.float32))


@given(st.tuples(channels, channels, channels))
def test_a_vector_has_norm_1_and_its_own_closeness_is_1(color: tuple[int, int, int]) -> None:
    own = color_vector(palette_of_color(color))

    assert own.shape == (COLOR_DIMENSION,)
    assert own @ own == pytest.approx(1, abs=1e-5)


def test_nearer_colors_are_closer() -> None:
    red = vector("firebrick")
    brown, orange, blue = (float(red @ vector(name)) for name in ("brown", "orange", "royalblue"))

    assert brown > orange > blue
    assert brown > 0.6
    assert orange < 0.4


def test_a_color_is_closer_to_what_has_more_of_it() -> None:
    much, little = (color_vector(both("navy", "white", share=share)) for share in (0.8, 0.3))

    assert vector("navy") @ much > vector("navy") @ little > vector("navy") @ vector("white")


def test_no_palette_is_close_to_nothing() -> None:
    assert not color_vector(None).any()


def test_what_covers_little_is_not_named() -> None:
    assert color_words(both("navy", "white", share=0.7)) == ("navy", "white")
    assert color_words(both("navy", "white", share=0.95)) == ("navy",)
