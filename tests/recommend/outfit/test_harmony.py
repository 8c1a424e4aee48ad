from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.harmony import (
    LookColors,
    Relation,
    Shades,
    counts_of,
    harmonies,
    harmony,
    is_neutral,
    print_shares,
    vividness,
)
from sartor.types import Palette


def lab(name: str) -> np.ndarray:
    return oklab(np.array(named_color(name), np.uint8))


def shades(*names: str) -> Shades:
    return Shades.of(np.stack([lab(name) for name in names]))


def score(one: str, other: str) -> float:
    return harmony(shades(one, other)).score


def worth(*names: str) -> float:
    """What the colors of a look of at least three pieces are worth, beyond their pairs."""
    rows = np.arange(len(names))
    return float(LookColors(shades(*names)).with_each(rows[None, :-1], rows[-1:])[0, 0])


@pytest.mark.parametrize("name", ["black", "white", "gray", "beige", "tan", "#141a3c", "#5a4632"])
def test_neutrals(name: str) -> None:
    assert is_neutral(lab(name))


@pytest.mark.parametrize("name", ["red", "royalblue", "green", "gold", "hotpink", "skyblue", "maroon"])
def test_colors_are_no_neutrals(name: str) -> None:
    assert not is_neutral(lab(name))


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("black", "red", Relation.NEUTRAL_AND_COLOR),
        ("black", "white", Relation.TWO_NEUTRALS),
        ("#141a3c", "tan", Relation.TWO_NEUTRALS),
        ("black", "#050505", Relation.SAME_NEUTRAL),
        ("red", "crimson", Relation.SAME_COLOR),
        ("firebrick", "lightcoral", Relation.TWO_SHADES),
        ("red", "orange", Relation.NEIGHBORS),
        ("orange", "dodgerblue", Relation.COMPLEMENTS),
        ("red", "limegreen", Relation.TRIAD),
        ("gold", "turquoise", Relation.APART),
    ],
)
def test_how_two_colors_go_together(one: str, other: str, relation: Relation) -> None:
    assert harmony(shades(one, other)).relation is relation


def test_two_shades_of_a_color_need_contrast() -> None:
    assert score("firebrick", "firebrick") < score("firebrick", "lightcoral")
    assert score("black", "black") < score("black", "white")
    assert score("#141a3c", "#141a3c") < score("#141a3c", "tan")


def test_a_neutral_with_a_color_is_better_than_that_color_again() -> None:
    assert score("red", "red") < score("red", "black")
    assert score("red", "red") < score("red", "tan")


def test_colors_that_no_rule_joins_come_last() -> None:
    apart = score("gold", "turquoise")

    assert apart < score("red", "orange")
    assert apart < score("orange", "dodgerblue")
    assert apart < score("red", "limegreen")


def test_two_prints_are_worth_less_than_one() -> None:
    plain = shades("black", "red")
    ones = np.ones(2, np.float32)
    printed = Shades(lab=plain.lab, vivid=plain.vivid, prints=ones, sizes=ones)
    one_printed = Shades(lab=plain.lab, vivid=plain.vivid, prints=np.array([1, 0], np.float32), sizes=ones)

    assert harmony(printed).score < harmony(one_printed).score == harmony(plain).score


def test_one_accent_among_neutrals_is_worth_most() -> None:
    assert worth("black", "white", "red") == pytest.approx(1)
    assert worth("black", "white", "gray") < worth("black", "white", "red")
    assert worth("limegreen", "gold", "red") < worth("black", "gold", "red") < worth("black", "white", "red")


def test_all_of_one_shade_is_worth_less() -> None:
    assert worth("red", "red", "red") < worth("red", "black", "red")
    assert worth("#141a3c", "#141a3c", "#141a3c") < worth("#141a3c", "tan", "#141a3c")
    assert worth("black", "black", "black", "black") < worth("black", "black", "white", "black")


def test_two_pieces_say_everything_by_their_pair() -> None:
    assert worth("red", "red") == worth("black", "red") == 1


def test_accents_and_colors_are_counted_by_hand() -> None:
    assert counts_of(shades("black", "black", "black")) == pytest.approx((0, 1), abs=1e-4)
    accents, distinct = counts_of(shades("white", "white", "red", "red"))
    assert accents == pytest.approx(1, abs=0.01)  # the same red twice is one accent
    assert distinct == pytest.approx(2, abs=0.01)
    assert counts_of(shades("red", "blue", "yellow"))[0] == pytest.approx(3, abs=0.05)
    assert counts_of(shades("red")) == pytest.approx((1, 1), abs=0.01)


def test_a_plain_palette_is_no_print_and_a_motley_one_is() -> None:
    plain = Palette(np.stack([lab("red")]), np.ones(1, np.float32))
    shaded = Palette(np.stack([lab("red"), lab("#e00000")]), np.array([0.6, 0.4], np.float32))
    motley = Palette(
        np.stack([lab(name) for name in ("red", "white", "green", "blue")]), np.full(4, 0.25, np.float32)
    )

    assert print_shares([plain, shaded, motley]) == pytest.approx([0, 0, 1], abs=0.01)


colors = st.tuples(st.floats(0, 1), st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)).map(np.float32)
looks = st.lists(st.tuples(colors, st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1)), min_size=2, max_size=7)


def made(pieces: list[tuple[np.ndarray, float, float, float]]) -> Shades:
    lab_ = np.stack([color for color, *_ in pieces])
    vivid, prints, sizes = (np.array(each, np.float32) for each in list(zip(*pieces, strict=True))[1:])
    return Shades(lab=lab_, vivid=vivid, prints=prints, sizes=sizes)


@given(looks)
def test_harmonies_are_from_0_to_1_in_any_order(pieces: list[tuple[np.ndarray, float, float, float]]) -> None:
    pairs = harmonies(made(pieces))

    assert np.allclose(pairs, pairs.T, atol=1e-5)
    assert pairs.min() >= 0
    assert pairs.max() <= 1 + 1e-6
    assert 0 <= vividness(pieces[0][0]) <= 1


@given(looks, st.integers(0, 99))
def test_what_colors_are_worth_does_not_depend_on_their_order(
    pieces: list[tuple[np.ndarray, float, float, float]], seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(pieces))
    accents, distinct = counts_of(made(pieces))

    assert counts_of(made([pieces[row] for row in order])) == pytest.approx(
        (accents, distinct), rel=1e-3, abs=1e-3
    )
    assert 0 <= accents <= len(pieces) + 1e-3
    assert 1 - 1e-3 <= distinct <= len(pieces) + 1e-3


@given(looks)
def test_a_look_is_worth_from_0_to_1(pieces: list[tuple[np.ndarray, float, float, float]]) -> None:
    rows = np.arange(len(pieces))
    factor = float(LookColors(made(pieces)).with_each(rows[None, :-1], rows[-1:])[0, 0])

    assert 0 <= factor <= 1 + 1e-6
