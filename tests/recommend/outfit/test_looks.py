from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.imaging.color import named_color, oklab
from sartor.recommend.outfit.looks import Piece, complete, suitability
from sartor.recommend.outfit.rules import Slot

WANTED = (Slot.TOP, Slot.BOTTOM, Slot.SHOES, Slot.BAG)


def piece(  # noqa: PLR0913 - a test gives few of them
    product_id: str,
    slot: Slot,
    *,
    style: tuple[float, float] = (1, 0),
    color: str = "black",
    price: float | None = None,
    currency: str = "",
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
    assert suitability(shirt, look.chosen[Slot.BOTTOM]).harmony.rule == "complementary colors"


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


pieces = st.builds(
    lambda slot, number, angle, price: piece(
        f"{slot}{number}", slot, style=(float(np.cos(angle)), float(np.sin(angle))), price=price
    ),
    st.sampled_from(WANTED), st.integers(0, 5), st.floats(0, 6), st.one_of(st.none(), st.floats(1, 100)),
)  # fmt: skip


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
