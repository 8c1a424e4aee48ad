"""Looks from a real shop of a few clothes, whose colors are all there is to see of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor.errors import NotInALook, PiecesClash, ProductNotFound, UnknownAttribute, UnknownSlot
from sartor.recommend.outfit.outfit import Outfit
from sartor.recommend.outfit.rules import Slot, genders_agree
from sartor.shop import Shop
from tests.fakes import add, photo

NAVY, ORANGE, WHITE, LIME, PURPLE = (20, 25, 70), (240, 130, 20), (245, 245, 245), (60, 220, 20), (170, 30, 180)

CLOTHES = {  # id: kind, gender, usage, season, price, color
    "shirt": ("Shirts", "Men", "Casual", "Summer", 40, ORANGE),
    "kurta": ("Kurtas", "Women", "Ethnic", "Summer", 30, ORANGE),
    "dress": ("Dresses", "Women", "Casual", "Summer", 80, WHITE),
    "jeans": ("Jeans", "Men", "Casual", "Summer", 60, NAVY),
    "purple jeans": ("Jeans", "Men", "Casual", "Summer", 20, PURPLE),
    "suit trousers": ("Trousers", "Men", "Formal", "Winter", 70, NAVY),
    "skirt": ("Skirts", "Women", "Casual", "Summer", 35, WHITE),
    "sandals": ("Sandals", "Men", "Casual", "Summer", 25, ORANGE),
    "boots": ("Casual Shoes", "Men", "Casual", "Winter", 90, NAVY),
    "heels": ("Heels", "Women", "Casual", "Summer", 55, WHITE),
    "backpack": ("Backpacks", "Unisex", "Casual", "Winter", 45, NAVY),
    "watch": ("Watches", "Men", "Formal", "Winter", 150, WHITE),
    "cap": ("Caps", "Unisex", "Casual", "Summer", 10, LIME),
    "perfume": ("Perfume and Body Mist", "Men", "Casual", "Summer", 15, LIME),
}


OFFICE_AND_MORE = {
    "office shirt": ("Shirts", "Men", "Formal", "Summer", 40, WHITE),
    "slippers": ("Flip Flops", "Men", "Casual", "Summer", 10, WHITE),
    "trainers": ("Sports Shoes", "Men", "Sports", "Summer", 60, WHITE),
    "oxfords": ("Formal Shoes", "Men", "Formal", "Winter", 90, NAVY),
    "suit trousers": ("Trousers", "Men", "Formal", "Winter", 70, NAVY),
    "track pants": ("Track Pants", "Men", "Casual", "Summer", 30, NAVY),
    "gym shirt": ("Tshirts", "Men", "Sports", "Summer", 20, ORANGE),
    "coat": ("Coats", "Women", "Casual", "Winter", 120, NAVY),
    "summer sandals": ("Sandals", "Women", "Casual", "Summer", 25, NAVY),
    "kids shorts": ("Shorts", "Men", "Sports", "Summer", 15, WHITE),
    "shorts": ("Shorts", "Men", "Sports", "Winter", 15, LIME),
}


def shop_of(clothes: Mapping[str, tuple[object, ...]], folder: Path, color_file: Path) -> Shop:
    (folder / "photos").mkdir()
    lines = ["id,image,title,articleType,gender,usage,season,price"]
    for name, (*fields, price, color) in clothes.items():
        (folder / "photos" / f"{name}.png").write_bytes(photo(color))  # type: ignore[arg-type]
        lines.append(f"{name},{name}.png,{name},{','.join(map(str, fields))},{price}")
    (folder / "photos" / "products.csv").write_text("\n".join(lines))
    add(folder / "home", color_file, "color")
    shop = sartor.open(folder / "home")
    shop.index(folder / "photos")
    return shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, color_file: Path) -> Iterator[Shop]:
    with shop_of(CLOTHES, tmp_path_factory.mktemp("outfits"), color_file) as shop:
        yield shop


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, color_file: Path) -> Iterator[Shop]:
    with shop_of(OFFICE_AND_MORE, tmp_path_factory.mktemp("office"), color_file) as shop:
        yield shop


def test_a_shirt_for_the_office_gets_no_slippers_and_no_trainers(office: Shop) -> None:
    look = office.outfit("office shirt")

    assert chosen(look) == {Slot.BOTTOM: "suit trousers", Slot.SHOES: "oxfords"}
    assert look.alternatives[Slot.SHOES] == ()
    assert look.pieces[1].reasons[0] == "for men, both for the office"


def test_track_pants_get_trainers_and_no_formal_shoes(office: Shop) -> None:
    assert chosen(office.outfit("track pants")) == {Slot.TOP: "gym shirt", Slot.SHOES: "trainers"}


def test_a_winter_coat_gets_no_sandals(office: Shop) -> None:
    assert Slot.SHOES in office.outfit("coat").empty


def test_what_is_for_children_by_its_title_is_no_part_of_a_mans_look(office: Shop) -> None:
    assert chosen(office.outfit("trainers"))[Slot.BOTTOM] in {"shorts", "track pants"}
    assert "kids shorts" not in str(office.outfit("trainers").alternatives)
    assert chosen(office.outfit("kids shorts")) == {}


@given(st.sampled_from(sorted(OFFICE_AND_MORE)))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_reason_has_an_internal_word(office: Shop, product: str) -> None:
    said = " ".join(reason for piece in office.outfit(product).pieces for reason in piece.reasons)

    assert not {"neutral", "neutrals", "tone", "rule", "triad", "complementary", "usage"} & set(said.split())


def chosen(look: Outfit) -> dict[Slot, str]:
    return {piece.slot: piece.product_id for piece in look.pieces}


def test_a_shirt_gets_what_a_man_wears_with_it_in_its_season(shop: Shop) -> None:
    look = shop.outfit("shirt")

    assert chosen(look)[Slot.BOTTOM] == "jeans"
    assert chosen(look)[Slot.SHOES] in {"sandals", "boots"}
    assert chosen(look)[Slot.BAG] == "backpack"
    assert [piece.product_id for piece in look.given] == ["shirt"]
    assert Slot.TOP not in chosen(look)


def test_a_dress_needs_neither_top_nor_bottom(shop: Shop) -> None:
    look = shop.outfit("dress")

    assert not {Slot.TOP, Slot.BOTTOM} & {*chosen(look), *look.empty}
    assert chosen(look)[Slot.SHOES] == "heels"


def test_what_nothing_fits_is_said_to_be_empty(shop: Shop) -> None:
    look = shop.outfit("kurta")

    assert Slot.BOTTOM in look.empty
    assert Slot.BAG in look.empty


def test_a_kurta_gets_the_right_shoes(shop: Shop) -> None:
    assert chosen(shop.outfit("kurta"))[Slot.SHOES] == "heels"


def test_every_piece_says_why(shop: Shop) -> None:
    (jeans,) = (piece for piece in shop.outfit("shirt").pieces if piece.slot is Slot.BOTTOM)

    assert jeans.reasons[0] == "for men, both for every day in summer"
    assert jeans.reasons[1] == "navy lets the orange stand out"
    assert 0 < jeans.score <= 1


def test_alternatives_are_of_the_same_slot_and_not_what_was_chosen(shop: Shop) -> None:
    look = shop.outfit("shirt")

    assert [each.product_id for each in look.alternatives[Slot.BOTTOM]] == ["purple jeans"]


def test_a_budget_holds_for_what_is_added(shop: Shop) -> None:
    look = shop.outfit("shirt", max_price=70)

    assert look.price is not None
    assert look.price <= 70
    assert chosen(look)[Slot.BOTTOM] == "purple jeans"
    assert look.price == sum(CLOTHES[name][4] for name in chosen(look).values())


def test_fixed_pieces_stay(shop: Shop) -> None:
    look = shop.outfit("shirt", "purple jeans", slots=["shoes", "headwear"])

    assert {piece.product_id for piece in look.given} == {"shirt", "purple jeans"}
    assert set(chosen(look)) <= {Slot.SHOES, Slot.HEADWEAR}
    assert chosen(look)[Slot.HEADWEAR] == "cap"


def test_a_unisex_piece_gets_a_look_for_one_person(shop: Shop) -> None:
    look = shop.outfit("backpack", slots=["bottom", "shoes", "top"])
    genders = {CLOTHES[name][1] for name in chosen(look).values()} - {"Unisex"}

    assert len(genders) == 1


def test_a_filter_holds_for_every_piece(shop: Shop) -> None:
    look = chosen(shop.outfit("shirt", where={"season": "Winter"}))

    assert set(look.values()) == {"boots", "suit trousers", "watch"}


@given(st.sampled_from(sorted(set(CLOTHES) - {"perfume"})), st.one_of(st.none(), st.floats(0, 300)))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_look_repeats_a_slot_or_mixes_genders(shop: Shop, product: str, max_price: float | None) -> None:
    look = shop.outfit(product, max_price=max_price)
    pieces = [*look.given, *look.pieces]
    genders = [str(piece.attributes["gender"]) for piece in pieces]

    assert len({piece.slot for piece in pieces}) == len(pieces)
    assert all(genders_agree(one, other) for one in genders for other in genders)
    assert 0 <= look.score <= 1


def test_what_is_not_worn_is_refused_with_what_is(shop: Shop) -> None:
    with pytest.raises(NotInALook, match=r"'perfume' is 'Perfume and Body Mist'.*shoes"):
        shop.outfit("perfume")


def test_two_of_a_slot_are_refused(shop: Shop) -> None:
    with pytest.raises(PiecesClash, match="a look has one shoes"):
        shop.outfit("boots", "sandals")
    with pytest.raises(PiecesClash, match="a look has one bottom or one piece"):
        shop.outfit("dress", "skirt")


def test_pieces_for_two_people_are_refused(shop: Shop) -> None:
    with pytest.raises(PiecesClash, match="one is for Men, the other for Women"):
        shop.outfit("shirt", "heels")


def test_what_is_not_there_is_refused(shop: Shop) -> None:
    with pytest.raises(ProductNotFound):
        shop.outfit("shirt", "spats")
    with pytest.raises(UnknownSlot, match="did you mean 'shoes'"):
        shop.outfit("shirt", slots=["shoe"])
    with pytest.raises(UnknownAttribute):
        shop.outfit("shirt", where={"gendre": "Men"})
