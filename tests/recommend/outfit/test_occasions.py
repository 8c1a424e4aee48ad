from __future__ import annotations

import pytest

from sartor.recommend.outfit.rules import Slot, genders_agree, genders_beside, seasons_beside, usages_beside

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
