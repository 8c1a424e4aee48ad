from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.outfit.rules import (
    Occasion,
    Slot,
    Weather,
    clash,
    common_worn,
    genders_agree,
    genders_beside,
    is_child,
    is_kind,
    kinds_clash,
    occasions_of,
    person_of,
    seasons_beside,
    slot_of,
    slots_beside,
    usages_beside,
    weather_of,
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


KIND_WORDS = (
    "Shirts", "Tshirts", "Kurtas", "Sweatshirts", "Trousers", "Jeans", "Shorts", "Track Pants", "Churidar",
    "Dresses", "Sarees", "Blazers", "Rain Jacket", "Formal Shoes", "Casual Shoes", "Sports Shoes", "Flip Flops",
    "Sandals", "Heels", "Handbags", "Backpacks", "Clutches", "Watches", "Sunglasses", "Belts", "Caps",
    "Earrings", "Things",
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Shirts", "Formal"), ("Flip Flops", "Casual")),
        (("Shirts", "Formal"), ("Slippers", "")),
        (("Shirts", "Formal"), ("Sports Shoes", "Sports")),
        (("Trousers", "Formal"), ("Sneakers", "")),
        (("Track Pants", "Sports"), ("Formal Shoes", "Formal")),
        (("Track Pants", "Casual"), ("Formal Shoes", "")),
        (("Shorts", "Casual"), ("Formal Shoes", "Formal")),
        (("Kurtas", "Ethnic"), ("Sports Shoes", "Sports")),
        (("Kurtas", "Ethnic"), ("Formal Shoes", "Formal")),
        (("Kurtas", "Ethnic"), ("Caps", "Casual")),
        (("Sarees", "Ethnic"), ("Flip Flops", "Casual")),
        (("Blazers", "Formal"), ("Duffel Bag", "Sports")),
        (("Formal Shoes", "Formal"), ("Flip Flops", "Casual")),
    ],
)
def test_what_is_worn_for_different_occasions_clashes(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not set(occasions_of(*one)) & set(occasions_of(*other))


@pytest.mark.parametrize(
    ("one", "other", "occasion"),
    [
        (("Shirts", "Formal"), ("Formal Shoes", "Formal"), Occasion.OFFICE),
        (("Shirts", "Casual"), ("Casual Shoes", "Casual"), Occasion.EVERYDAY),
        (("Shirts", "Formal"), ("Watches", "Casual"), Occasion.OFFICE),
        (("Tshirts", "Sports"), ("Sports Shoes", "Sports"), Occasion.SPORTS),
        (("Track Pants", "Sports"), ("Watches", "Sports"), Occasion.SPORTS),
        (("Shorts", "Casual"), ("Flip Flops", "Casual"), Occasion.BEACH),
        (("Kurtas", "Ethnic"), ("Flats", "Casual", "Women"), Occasion.TRADITIONAL),
        (("Kurtas", "Ethnic"), ("Sandals", "Casual", "Men"), Occasion.TRADITIONAL),
        (("Dresses", "Party"), ("Clutches", "Casual"), Occasion.PARTY),
    ],
)
def test_what_is_worn_together_has_an_occasion(
    one: tuple[str, ...], other: tuple[str, ...], occasion: Occasion
) -> None:
    assert occasion in set(occasions_of(*one)) & set(occasions_of(*other))


def test_men_wear_sandals_for_the_beach_and_women_every_day() -> None:
    assert Occasion.EVERYDAY not in occasions_of("Sandals", "Casual", "Men")
    assert occasions_of("Sandals", "Casual", "Women")[0] is Occasion.EVERYDAY


@given(st.one_of(st.sampled_from(KIND_WORDS), st.text()), st.one_of(st.sampled_from(USAGES), st.text()))
def test_everything_is_worn_for_something_in_some_weather(kind: str, usage: str) -> None:
    worn = occasions_of(kind, usage)

    assert worn
    assert len(set(worn)) == len(worn)
    assert weather_of(kind)


def test_the_usual_occasion_of_a_usage_comes_first() -> None:
    assert occasions_of("Shirts", "Formal")[0] is Occasion.OFFICE
    assert occasions_of("Tops", "Party")[0] is Occasion.PARTY
    assert occasions_of("Tshirts", "Sports") == (Occasion.SPORTS,)


@pytest.mark.parametrize("kind", ["Coats", "Sweatshirts", "Boots", "Beanies"])
def test_no_sandals_with_what_is_for_cold_days(kind: str) -> None:
    assert weather_of(kind) == (Weather.COLD,)
    assert weather_of("Sandals") == weather_of("Flip Flops") == weather_of("Shorts") == (Weather.WARM,)
    assert weather_of("Jeans") == tuple(Weather)


@pytest.mark.parametrize("kind", ["Hoodie", "Hoodies", "Booties", "Beanie", "Bootie"])
def test_kinds_in_ie_are_known_in_the_singular_and_the_plural(kind: str) -> None:
    assert slot_of(kind) is not None


@pytest.mark.parametrize(
    ("gender", "title", "age", "person"),
    [
        ("Men", "Blue Shirt", "", "men"),
        ("Men", "Palm Tree Kids Boys Washed Blue Shorts", "", "boys"),
        ("Women", "Gini and Jony Kids Black Capris", "", "girls"),
        ("Unisex", "Levis Kids Blue Jean", "", "kids"),
        ("", "Girl's White Frock", "", "girls"),
        ("male", "Blue Shirt", "kids", "boys"),
        ("male", "Blue Shirt", "adult", "men"),
        ("Girls", "Red Skirt for Boys and Girls", "", "girls"),
        ("Women", "Boyfriend Jeans", "", "women"),
        ("", "Shirt", "", ""),
    ],
)
def test_a_child_is_told_by_title_and_age_too(gender: str, title: str, age: str, person: str) -> None:
    assert person_of(gender, title, age) == person
    assert is_child(person) is (person in {"boys", "girls", "kids"})


def test_what_is_in_all_lists_is_common_the_most_usual_first() -> None:
    assert common_worn([("a", "b", "c"), ("c", "b"), ("b", "c", "d")]) == ("b", "c")
    assert common_worn([("a",), ("b",)]) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Backpacks", "Dresses"),
        ("Sweatshirts", "Skirts"),
        ("Hoodie", "Formal Shoes"),
        ("Caps", "Heels"),
        ("Flip Flops", "Blazers"),
        ("Shorts", "Heels"),
    ],
)
def test_some_kinds_are_never_worn_together_in_any_order(one: str, other: str) -> None:
    assert kinds_clash(one, other)
    assert kinds_clash(other, one)


@given(st.sampled_from(KIND_WORDS), st.sampled_from(KIND_WORDS))
def test_a_clash_of_kinds_knows_no_order(one: str, other: str) -> None:
    assert kinds_clash(one, other) is kinds_clash(other, one)
    assert not kinds_clash(one, one)
    assert not kinds_clash("Shirts", other)


def test_kinds_of_no_look_are_known_and_words_that_name_none_are_not() -> None:
    assert is_kind("Stockings")
    assert slot_of("Stockings") is None
    assert is_kind("Jeans")
    assert not is_kind("Bargains")


def test_the_weather_of_the_season_comes_first() -> None:
    assert weather_of("Jeans", "Fall") == (Weather.COLD, Weather.WARM)
    assert weather_of("Jeans", "Summer") == (Weather.WARM, Weather.COLD)
    assert weather_of("Shorts", "Winter") == (Weather.WARM,)
