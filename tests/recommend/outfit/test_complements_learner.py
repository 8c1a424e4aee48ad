"""Looks of a shop whose shoppers buy brown shoes with blue shirts, which the rules would not choose."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor.recommend.outfit import complements as module
from sartor.recommend.outfit.complements import ComplementsLearner
from sartor.recommend.outfit.outfit import Outfit
from sartor.recommend.outfit.rules import Slot
from sartor.shop import Shop
from sartor.shop.recommender import Recommender
from tests.fakes import add, photo

BLUE, WHITE, BROWN, PURPLE = (40, 70, 200), (245, 245, 245), (150, 75, 20), (120, 60, 220)
NAVIES = {f"navy shoes {number:02}": (20, 30, 70 + number) for number in range(40)}

SHOES = {name: ("Casual Shoes", "Men", "Casual", color) for name, color in NAVIES.items()}
CLOTHES = {  # id: kind, gender, usage, color
    **{f"blue shirt {number}": ("Shirts", "Men", "Casual", (40, 70, 200 + number)) for number in range(4)},
    **{f"white shirt {number}": ("Shirts", "Men", "Casual", WHITE) for number in range(4)},
    **SHOES,
    **{f"brown shoes {number}": ("Casual Shoes", "Men", "Casual", (150 + number, 75, 20)) for number in range(4)},
    "brown heels": ("Heels", "Women", "Casual", BROWN),
    "brown spikes": ("Sports Shoes", "Men", "Sports", BROWN),
    "brown brogues": ("Formal Shoes", "Men", "Formal", BROWN),
    "perfume": ("Perfume and Body Mist", "Men", "Casual", PURPLE),
}
Baskets = list[tuple[str, ...]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, color_file: Path) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("complements")
    (folder / "photos").mkdir()
    lines = ["id,image,title,articleType,gender,usage"]
    for name, (*fields, color) in CLOTHES.items():
        (folder / "photos" / f"{name}.png").write_bytes(photo(color))
        lines.append(f"{name},{name}.png,{name},{','.join(fields)}")
    (folder / "photos" / "products.csv").write_text("\n".join(lines))
    add(folder / "home", color_file, "color")
    with sartor.open(folder / "home") as shop:
        shop.index(folder / "photos")
        yield shop


def planted(count: int) -> Baskets:
    """Baskets of brown shoes with blue shirts, and navy ones with white shirts; of each, one shirt in none."""
    return [
        (f"blue shirt {place % 3}", f"brown shoes {place // 2 % 3}", "perfume", "gone from the catalog")
        if place % 2
        else (f"white shirt {place % 3}", f"navy shoes {place % 40:02}")
        for place in range(count)
    ]


def learner_of(shop: Shop) -> ComplementsLearner:
    return ComplementsLearner(shop._backends.store, shop._model().wardrobe)


def outfit(shop: Shop, product: str, baskets: Baskets) -> Outfit:
    found = learner_of(shop).now(baskets, lambda: baskets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recommender, "_complements", lambda *_: found)
        return shop.outfit(product)


def shoes(look: Outfit) -> str:
    return next(piece.product_id for piece in look.pieces if piece.slot is Slot.SHOES)


def test_the_look_follows_baskets_once_there_are_enough(shop: Shop) -> None:
    rules = shop.outfit("blue shirt 1")
    many = outfit(shop, "blue shirt 1", planted(300))

    assert shoes(rules).startswith("navy")
    assert outfit(shop, "blue shirt 1", planted(20)) == rules
    assert shoes(many).startswith("brown shoes")  # which are not among the 32 that are closest in style
    assert "often bought together" in many.pieces[0].reasons
    assert shoes(outfit(shop, "white shirt 1", planted(300))).startswith("navy")


def test_what_is_in_no_basket_goes_by_its_kind_and_color(shop: Shop) -> None:
    look = outfit(shop, "white shirt 3", planted(300))

    assert shoes(look).startswith("navy")
    assert "often bought together in such colors" in look.pieces[0].reasons


def test_without_baskets_the_rules_make_the_same_look(shop: Shop) -> None:
    assert outfit(shop, "white shirt 1", []) == shop.outfit("white shirt 1")
    assert all("often" not in reason for piece in shop.outfit("blue shirt 1").pieces for reason in piece.reasons)


@given(
    st.sampled_from(["brown heels", "brown spikes", "perfume"]), st.sampled_from(["blue shirt 0", "blue shirt 1"])
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_does_not_fit_is_not_worn_however_often_it_is_bought(shop: Shop, wrong: str, shirt: str) -> None:
    look = outfit(shop, shirt, [*planted(300), *[(shirt, wrong)] * 300])
    shown = [*look.pieces, *(each for others in look.alternatives.values() for each in others)]

    assert all(CLOTHES[piece.product_id][1:3] == ("Men", "Casual") for piece in shown)


def test_other_baskets_are_learned_anew_and_the_same_ones_not(shop: Shop) -> None:
    learner = learner_of(shop)
    few, many = planted(20), planted(300)
    found = learner.now(many, lambda: many)

    assert learner_of(shop).now(few, lambda: few) is None
    assert found is not None
    assert learner.now(many, lambda: pytest.fail("asked again")) is found
    assert learner.now(few, lambda: few) is None


def test_of_a_changed_catalog_only_what_changed_is_read_again(shop: Shop) -> None:
    learner = learner_of(shop)
    read: list[str] = []
    main_photos = learner._wardrobe.main_photos
    learner._wardrobe.main_photos = lambda ids: read.extend(ids) or main_photos(ids)  # type: ignore[method-assign]
    for number in (300, 301):
        baskets = planted(number)
        assert learner.now(baskets, lambda baskets=baskets: baskets) is not None

    known = {name for name in CLOTHES if name in {each for basket in planted(300) for each in basket}}
    assert len([name for name in read if name in known]) == len(known)


def test_very_many_baskets_are_learned_beside_the_requests(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 250)
    now_s = 0.0
    learner = ComplementsLearner(shop._backends.store, shop._model().wardrobe, clock=lambda: now_s)
    many = planted(300)
    first = learner.now(many, lambda: many)
    until = time.monotonic() + 60
    while (found := learner.now(many, lambda: many)) is None and time.monotonic() < until:
        time.sleep(0.01)
    more = planted(299)
    kept = learner.now(more, lambda: more)
    learner.close()
    now_s = 601.0

    assert first is None or first is found
    assert found is not None
    assert kept is found
    assert learner.now(planted(10), lambda: planted(10)) is None
