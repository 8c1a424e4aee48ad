from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.outfit.harmony import Relation
from sartor.recommend.outfit.looks import suitability
from sartor.recommend.outfit.rules import Occasion, Slot, Weather
from sartor.recommend.outfit.words import colors_together, common_season, purpose
from tests.recommend.outfit.test_looks import piece

ALL_YEAR = tuple(Weather)


def said(asked: str, own: str, *others: str) -> str:
    """The reason of a bag beside a top, in a look with shoes of other colors."""
    top, bag = piece("top", Slot.TOP, color=asked), piece("bag", Slot.BAG, color=own)
    look = [top, bag, *(piece(other, Slot.SHOES, color=other) for other in others)]
    return colors_together(top, bag, suitability(top, bag).harmony, look)


@pytest.mark.parametrize(
    ("asked", "own", "others", "reason"),
    [
        ("#1c2450", "tan", (), "tan goes with navy"),
        ("black", "black", (), "matches the black"),
        ("#c8c8c8", "#808080", (), "gray goes with silver"),
        ("black", "red", (), "a calm look with one red accent"),
        ("black", "red", ("gold",), "red brightens up black"),
        ("red", "black", (), "black lets the red stand out"),
        ("red", "red", (), "picks up the red"),
        ("crimson", "lightcoral", (), "salmon and red blend softly"),
        ("royalblue", "#9fb6ff", (), "two shades of blue"),
        ("orange", "dodgerblue", (), "blue and orange set each other off"),
        ("red", "limegreen", (), "green is a lively contrast to red"),
        ("gold", "turquoise", (), "turquoise and gold: a bold mix"),
    ],
)
def test_what_is_said_of_two_colors(asked: str, own: str, others: tuple[str, ...], reason: str) -> None:
    assert said(asked, own, *others) == reason


def test_a_second_accent_picks_up_the_first() -> None:
    top, bag = piece("top", Slot.TOP, color="black"), piece("bag", Slot.BAG, color="red")
    shoes = piece("shoes", Slot.SHOES, color="crimson")
    harmony = suitability(top, bag).harmony

    assert colors_together(top, bag, harmony, [top, shoes, bag]) == "picks up the red of the shoes"
    assert colors_together(top, shoes, harmony, [top, shoes, bag]) == "a calm look with one red accent"


def test_whom_and_what_a_piece_is_for() -> None:
    assert purpose("men", Occasion.OFFICE) == "for men, both for the office"
    assert purpose("unisex", Occasion.SPORTS, "summer") == "for everyone, both for sports in summer"
    assert purpose("", Occasion.TRADITIONAL) == "both for traditional wear"


@pytest.mark.parametrize(
    ("asked", "own", "occasion", "weather", "season"),
    [
        ("Fall", "Winter", Occasion.EVERYDAY, ALL_YEAR, "winter"),
        ("Summer", "Winter", Occasion.EVERYDAY, ALL_YEAR, ""),
        ("Winter", "Winter", Occasion.EVERYDAY, (Weather.WARM,), ""),
        ("Winter", "Winter", Occasion.BEACH, ALL_YEAR, ""),
        ("Summer", "Spring", Occasion.BEACH, (Weather.WARM,), "spring"),
        ("", "Summer", Occasion.EVERYDAY, ALL_YEAR, ""),
        ("Summer", "", Occasion.EVERYDAY, ALL_YEAR, ""),
        ("Monsoon", "Monsoon", Occasion.EVERYDAY, ALL_YEAR, ""),
    ],
)
def test_a_season_is_said_where_the_look_is_worn_then(
    asked: str, own: str, occasion: Occasion, weather: tuple[Weather, ...], season: str
) -> None:
    assert common_season(asked, own, occasion, weather) == season


named = st.sampled_from(["black", "white", "gray", "tan", "#141a3c", "red", "gold", "royalblue", "pink", "olive"])


@given(named, named, st.lists(named, max_size=3))
def test_what_is_said_are_words_of_shoppers(asked: str, own: str, others: list[str]) -> None:
    reason = said(asked, own, *others)

    assert re.fullmatch(r"[a-z :]+", reason)
    assert not {"neutral", "neutrals", "tone", "rule", "triad", *(each.value for each in Relation)} & set(
        reason.split()
    ) - {"same"}
