from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.rules import (
    Slot,
    clash,
    genders_agree,
    genders_beside,
    harmony,
    is_neutral,
    seasons_beside,
    slot_of,
    slots_beside,
    usages_beside,
)


@pytest.mark.parametrize(
    ("kind", "slot"),
    [
        ("Tshirts", Slot.TOP), ("T-Shirt", Slot.TOP), ("Kurtas", Slot.TOP), ("Sweatshirts", Slot.TOP),
        ("Jeans", Slot.BOTTOM), ("Track Pants", Slot.BOTTOM), ("Capris", Slot.BOTTOM), ("Shorts", Slot.BOTTOM),
        ("Dresses", Slot.ONE_PIECE), ("Sarees", Slot.ONE_PIECE), ("Jumpsuit", Slot.ONE_PIECE),
        ("Rain Jacket", Slot.OUTERWEAR), ("Blazers", Slot.OUTERWEAR), ("Waistcoat", Slot.OUTERWEAR),
        ("Casual Shoes", Slot.SHOES), ("Flip Flops", Slot.SHOES), ("Heels", Slot.SHOES), ("Flats", Slot.SHOES),
        ("Handbags", Slot.BAG), ("Clutches", Slot.BAG), ("Backpacks", Slot.BAG), ("Duffel Bag", Slot.BAG),
        ("Watches", Slot.WATCH), ("Sunglasses", Slot.EYEWEAR), ("Belts", Slot.BELT), ("Caps", Slot.HEADWEAR),
        ("Earrings", Slot.JEWELRY), ("Necklace and Chains", Slot.JEWELRY), ("Jewellery Set", Slot.JEWELRY),
        ("Apparel & Accessories > Clothing > Dresses", Slot.ONE_PIECE), ("men/shoes/sneakers", Slot.SHOES),
        ("Perfume and Body Mist", None), ("Lipstick", None), ("Briefs", None), ("Nightdress", None),
        ("Night suits", None), ("Lounge Pants", None), ("Innerwear Vests", None), ("Shoe Accessories", None),
        ("Wallets", None), ("", None), ("123", None),
    ],
)  # fmt: skip
def test_kinds_of_real_catalogs_have_their_slot(kind: str, slot: Slot | None) -> None:
    assert slot_of(kind) == slot


def test_a_dress_leaves_no_room_for_top_and_bottom() -> None:
    beside = slots_beside(frozenset({Slot.ONE_PIECE}))

    assert Slot.TOP not in beside
    assert Slot.BOTTOM not in beside
    assert beside[0] == Slot.SHOES
    assert clash(Slot.ONE_PIECE, Slot.BOTTOM)
    assert not clash(Slot.TOP, Slot.BOTTOM)


@given(st.frozensets(st.sampled_from(Slot)))
def test_no_slot_is_filled_twice(taken: frozenset[Slot]) -> None:
    beside = slots_beside(taken)

    assert len(set(beside)) == len(beside)
    assert not taken & set(beside)


@given(st.text())
def test_any_text_is_read(kind: str) -> None:
    assert slot_of(kind) in {*Slot, None}


GENDERS = ("Men", "Women", "Boys", "Girls", "Unisex")
USAGES = ("Casual", "Smart Casual", "Formal", "Sports", "Ethnic", "Party", "Home")


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ("Men", {"Men", "Unisex"}),
        ("male", {"Men", "Unisex"}),
        ("Girls", {"Girls"}),
        ("Unisex", {"Unisex"}),
        ("Martians", set()),
    ],
)
def test_genders(given: str, fits: set[str]) -> None:
    assert set(genders_beside(given, GENDERS)) == fits


def test_words_of_two_catalogs_mean_the_same() -> None:
    assert genders_beside("Women", ("female", "male", "unisex")) == ("female", "unisex")


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [("Men", "Women", False), ("Men", "Unisex", True), ("Unisex", "Women", True), ("Boys", "Men", False)],
)
def test_agreement_knows_no_order(one: str, other: str, agree: bool) -> None:
    assert genders_agree(one, other) == genders_agree(other, one) == agree


def test_a_usage_is_kept_until_there_is_too_little() -> None:
    assert usages_beside("Formal", USAGES, slot=Slot.SHOES, widened=0) == ("Formal",)
    assert usages_beside("Formal", USAGES, slot=Slot.SHOES, widened=1) == ("Smart Casual", "Formal")


def test_a_casual_bag_does_beside_everything_but_sports() -> None:
    assert "Casual" in usages_beside("Ethnic", USAGES, slot=Slot.BAG, widened=1)
    assert usages_beside("Sports", USAGES, slot=Slot.BAG, widened=1) == ("Sports",)


def test_seasons_are_halves_of_the_year() -> None:
    there = ("Summer", "Winter", "Fall", "Spring")

    assert seasons_beside("fall", there) == ("Winter", "Fall")
    assert seasons_beside("Summer", there) == ("Summer", "Spring")
    assert seasons_beside("Monsoon", there) == ()


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
