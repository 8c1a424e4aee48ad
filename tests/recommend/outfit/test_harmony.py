from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.rules import harmony, is_neutral


def lab(name: str) -> np.ndarray:
    return oklab(np.array(named_color(name), np.uint8))


@pytest.mark.parametrize("name", ["black", "white", "gray", "beige", "#141a3c"])
def test_neutrals(name: str) -> None:
    assert is_neutral(lab(name))


@pytest.mark.parametrize("name", ["red", "royalblue", "green", "gold", "hotpink"])
def test_colors_are_no_neutrals(name: str) -> None:
    assert not is_neutral(lab(name))


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("black", "red", "a neutral goes with every color"),
        ("black", "white", "two neutrals"),
        ("royalblue", "cornflowerblue", "tone on tone"),
        ("red", "orange", "neighboring colors"),
        ("orange", "dodgerblue", "complementary colors"),
    ],
)
def test_rules(one: str, other: str, rule: str) -> None:
    assert harmony(lab(one), lab(other)).rule == rule


def test_colors_that_no_rule_joins_come_last() -> None:
    assert harmony(lab("red"), lab("limegreen")).score < harmony(lab("red"), lab("orange")).score


colors = st.tuples(st.floats(0, 1), st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)).map(np.array)


@given(colors, colors)
def test_the_order_does_not_matter(one: np.ndarray, other: np.ndarray) -> None:
    assert harmony(one, other) == harmony(other, one)
    assert 0 <= harmony(one, other).score <= 1
