from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.harmony import Relation, counts_of
from sartor.recommend.outfit.looks import Pairs, Piece, complete, shades_of, suitability
from sartor.recommend.outfit.rules import Occasion, Slot, Weather

WANTED = (Slot.TOP, Slot.BOTTOM, Slot.SHOES, Slot.BAG)


def piece(  # noqa: PLR0913 - a test names only what it is about
    product_id: str,
    slot: Slot,
    *,
    style: tuple[float, float] = (1, 0),
    color: str = "black",
    price: float | None = None,
    currency: str = "",
    occasions: tuple[Occasion, ...] = tuple(Occasion),
    weather: tuple[Weather, ...] = tuple(Weather),
) -> Piece:
    vector = np.array(style, np.float32)
    lab = oklab(np.array(named_color(color), np.uint8))
    return Piece(
        product_id=product_id,
        slot=slot,
        style=vector / np.linalg.norm(vector),
        color=lab,
        price=price,
        currency=currency,
        occasions=occasions,
        weather=weather,
    )


def test_amounts_of_two_currencies_do_not_add_up() -> None:
    shirt = piece("shirt", Slot.TOP)
    euros = piece("euros", Slot.BOTTOM, price=10, currency="EUR")
    dollars = piece("dollars", Slot.SHOES, price=10, currency="USD")
    candidates = {Slot.BOTTOM: [euros], Slot.SHOES: [dollars]}
    assert complete([shirt], candidates).price is None
    look = complete([shirt], candidates, max_price=50)
    assert (list(look.chosen), look.price) == ([Slot.BOTTOM], 10)


def test_what_is_close_in_style_and_goes_in_color_is_chosen() -> None:
    shirt = piece("shirt", Slot.TOP, color="orange")
    trousers = [
        piece("far", Slot.BOTTOM, style=(-1, 0), color="black"),
        piece("quarrels", Slot.BOTTOM, color="mediumorchid"),
        piece("suits", Slot.BOTTOM, color="dodgerblue"),
    ]
    look = complete([shirt], {Slot.BOTTOM: trousers})

    assert look.chosen[Slot.BOTTOM].product_id == "suits"
    assert look.alternatives[Slot.BOTTOM][0].product_id == "quarrels"
    assert suitability(shirt, look.chosen[Slot.BOTTOM]).harmony.relation is Relation.COMPLEMENTS


def test_the_pieces_suit_each_other_not_only_what_is_given() -> None:
    given_ = piece("watch", Slot.WATCH)
    tops = [piece("red top", Slot.TOP, color="red")]
    bottoms = [
        piece("lime skirt", Slot.BOTTOM, color="limegreen"),
        piece("red skirt", Slot.BOTTOM, color="firebrick"),
    ]

    assert complete([given_], {Slot.TOP: tops, Slot.BOTTOM: bottoms}).chosen[Slot.BOTTOM].product_id == "red skirt"


def test_a_budget_is_kept_and_unknown_prices_are_left_out() -> None:
    candidates = {
        Slot.SHOES: [piece("dear", Slot.SHOES, price=90), piece("cheap", Slot.SHOES, price=30, style=(0, 1))],
        Slot.BAG: [piece("unknown", Slot.BAG), piece("bag", Slot.BAG, price=40, style=(0, 1))],
        Slot.WATCH: [piece("watch", Slot.WATCH, price=500)],
    }
    look = complete([piece("dress", Slot.ONE_PIECE)], candidates, max_price=100)

    assert look.price is not None
    assert look.price <= 100
    assert Slot.WATCH not in look.chosen
    assert all(each.product_id != "unknown" for each in look.chosen.values())


def test_a_dress_gets_no_trousers() -> None:
    look = complete([piece("dress", Slot.ONE_PIECE)], {Slot.BOTTOM: [piece("trousers", Slot.BOTTOM)]})

    assert look.chosen == {}
    assert look.score == 1


def test_a_third_piece_fits_the_first_two() -> None:
    red, black = piece("top", Slot.TOP, color="red"), piece("jeans", Slot.BOTTOM)
    bags = [piece("lime", Slot.BAG, color="limegreen"), piece("white", Slot.BAG, color="white")]

    assert complete([red, black], {Slot.BAG: bags}).chosen[Slot.BAG].product_id == "white"


def test_a_red_look_gets_something_else_than_more_red() -> None:
    red = [piece("top", Slot.TOP, color="red"), piece("skirt", Slot.BOTTOM, color="red")]
    shoes = [piece("red", Slot.SHOES, color="red"), piece("black", Slot.SHOES, style=(1, 0.2))]

    assert complete(red, {Slot.SHOES: shoes}).chosen[Slot.SHOES].product_id == "black"


def test_neutrals_get_an_accent() -> None:
    neutral = [piece("top", Slot.TOP, color="white"), piece("skirt", Slot.BOTTOM, color="black")]
    bags = [piece(color, Slot.BAG, color=color) for color in ("gray", "red", "black")]

    assert complete(neutral, {Slot.BAG: bags}).chosen[Slot.BAG].product_id == "red"


OFFICE, BEACH, SPORTS = (Occasion.OFFICE,), (Occasion.BEACH,), (Occasion.SPORTS,)


def test_all_pieces_are_for_one_occasion() -> None:
    """The nicer slippers would go with the watch, but nothing else of the look is for the beach."""
    watch = piece("watch", Slot.WATCH, occasions=OFFICE + BEACH)
    candidates = {
        Slot.TOP: [piece("shirt", Slot.TOP, style=(1, 3), occasions=OFFICE)],
        Slot.SHOES: [
            piece("slippers", Slot.SHOES, occasions=BEACH),
            piece("oxfords", Slot.SHOES, style=(1, 3), occasions=OFFICE),
        ],
    }
    look = complete([watch], candidates)

    assert {each.product_id for each in look.chosen.values()} == {"shirt", "oxfords"}
    assert look.occasion is Occasion.OFFICE


def test_of_two_occasions_the_one_that_fills_more_important_slots_counts() -> None:
    shirt = piece("shirt", Slot.TOP, occasions=SPORTS + OFFICE)
    candidates = {
        Slot.SHOES: [piece("oxfords", Slot.SHOES, occasions=OFFICE)],
        Slot.BAG: [piece("gym bag", Slot.BAG, occasions=SPORTS)],
    }
    look = complete([shirt], candidates)

    assert {slot: each.product_id for slot, each in look.chosen.items()} == {Slot.SHOES: "oxfords"}


def test_nothing_for_another_occasion_or_weather_is_taken_even_if_the_slot_stays_empty() -> None:
    coat = piece("coat", Slot.OUTERWEAR, occasions=OFFICE, weather=(Weather.COLD,))
    candidates = {
        Slot.SHOES: [
            piece("sandals", Slot.SHOES, weather=(Weather.WARM,)),
            piece("trainers", Slot.SHOES, occasions=SPORTS),
        ]
    }

    assert complete([coat], candidates).chosen == {}


def test_a_piece_of_a_kind_that_is_never_worn_with_another_is_not_taken() -> None:
    dress = replace(piece("dress", Slot.ONE_PIECE), kind="Dresses")
    bags = [
        replace(piece("rucksack", Slot.BAG, color="red"), kind="Backpacks"),
        replace(piece("bag", Slot.BAG, style=(0, 1)), kind="Handbags"),
    ]
    look = complete([dress], {Slot.BAG: bags})

    assert look.chosen[Slot.BAG].product_id == "bag"
    assert look.alternatives[Slot.BAG] == ()
    assert complete([dress], {Slot.BAG: bags[:1]}).chosen == {}


def test_given_pieces_that_have_nothing_in_common_get_what_suits_the_first() -> None:
    given_ = [piece("shirt", Slot.TOP, occasions=OFFICE), piece("slippers", Slot.SHOES, occasions=BEACH)]
    bottoms = [piece("shorts", Slot.BOTTOM, occasions=BEACH), piece("suit", Slot.BOTTOM, occasions=OFFICE)]

    assert complete(given_, {Slot.BOTTOM: bottoms}).chosen[Slot.BOTTOM].product_id == "suit"


def test_alternatives_look_different_from_each_other() -> None:
    shoes = [piece(f"black {number}", Slot.SHOES, style=(1, number / 50)) for number in range(4)]
    shoes += [piece("white", Slot.SHOES, color="white", style=(1, 0.3)), piece("red", Slot.SHOES, color="red")]
    look = complete([piece("shirt", Slot.TOP, color="gray")], {Slot.SHOES: shoes}, alternatives=2)
    shown = [look.chosen[Slot.SHOES], *look.alternatives[Slot.SHOES]]

    assert len({each.product_id.split()[0] for each in shown}) == 3


pieces = st.builds(
    lambda slot, number, angle, price, color, occasions, weather: piece(
        f"{slot}{number}",
        slot,
        style=(float(np.cos(angle)), float(np.sin(angle))),
        price=price,
        color=color,
        occasions=tuple(occasions),
        weather=tuple(weather),
    ),
    st.sampled_from(WANTED), st.integers(0, 5), st.floats(0, 6), st.one_of(st.none(), st.floats(1, 100)),
    st.sampled_from(["black", "white", "tan", "red", "royalblue", "limegreen", "gold"]),
    st.lists(st.sampled_from(Occasion), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(Weather), min_size=1, unique=True),
)  # fmt: skip


@given(st.lists(pieces, max_size=12), pieces)
def test_no_look_has_pieces_that_clash(offered: list[Piece], first: Piece) -> None:
    candidates = {slot: [each for each in offered if each.slot == slot] for slot in WANTED}
    look = complete([first], candidates)
    worn = [first, *look.chosen.values()]

    assert all(look.occasion in each.occasions for each in worn)
    assert any(all(weather in each.weather for each in worn) for weather in Weather)
    assert len({each.slot for each in worn}) == len(worn)
    for slot, others in look.alternatives.items():
        assert all(look.occasion in other.occasions for other in others)
        assert {other.slot for other in others} <= {slot}
        assert look.chosen[slot] not in others


@given(st.lists(pieces, max_size=12), pieces)
def test_a_slot_is_filled_as_long_as_one_piece_fits_the_given_one(offered: list[Piece], first: Piece) -> None:
    candidates = {Slot.SHOES: [each for each in offered if each.slot is Slot.SHOES]}
    fits = [
        each
        for each in candidates[Slot.SHOES]
        if set(each.occasions) & set(first.occasions) and set(each.weather) & set(first.weather)
    ]

    assert (Slot.SHOES in complete([first], candidates).chosen) is (bool(fits) and first.slot is not Slot.SHOES)


@given(st.lists(pieces, min_size=2, max_size=6, unique_by=lambda each: each.product_id))
def test_pairs_at_once_are_worth_what_each_is_alone(some: list[Piece]) -> None:
    pairs = Pairs(some)

    for row, one in enumerate(some):
        for column, other in enumerate(some):
            alone, together = suitability(one, other), pairs.between(row, column)
            assert together.score == pytest.approx(alone.score, abs=1e-5)
            assert together.harmony.relation is alone.harmony.relation
    assert counts_of(shades_of(some))[1] <= len(some) + 1e-3


@given(st.lists(pieces, max_size=12), st.one_of(st.none(), st.floats(0, 200)))
def test_no_look_repeats_a_slot_or_breaks_its_budget(offered: list[Piece], max_price: float | None) -> None:
    candidates = {slot: [each for each in offered if each.slot == slot] for slot in WANTED}
    look = complete([piece("given", Slot.WATCH)], candidates, max_price=max_price)

    assert all(slot == each.slot for slot, each in look.chosen.items())
    assert 0 <= look.score <= 1
    if max_price is not None:
        assert look.price is not None
        assert look.price <= max_price
    for slot, others in look.alternatives.items():
        assert look.chosen[slot] not in others


@given(pieces, pieces)
def test_the_order_of_a_pair_does_not_matter(one: Piece, other: Piece) -> None:
    assert suitability(one, other).score == pytest.approx(suitability(other, one).score)
