from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.outfit.rules import Slot, clash, slot_of, slots_beside


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
