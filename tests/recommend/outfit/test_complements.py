"""Looks of a shop whose shoppers buy brown shoes with blue shirts, which the rules would not choose."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor.recommend.outfit import complements as module
from sartor.recommend.outfit.complements import (
    Complements,
    ComplementsLearner,
    Garment,
    count_kinds,
    count_products,
)
from sartor.recommend.outfit.looks import Piece, complete, suitability, weights_of
from sartor.recommend.outfit.outfit import LookQuery, Outfit
from sartor.recommend.outfit.outfit import outfit as complete_the_look
from sartor.recommend.outfit.rules import Slot
from sartor.recommend.weights import MAX_BASKET_PIECES, MIN_BASKETS
from sartor.shop import Shop
from tests.fakes import add, photo
from tests.recommend.outfit.test_looks import piece

SHIRTS = {f"{color} shirt {number}": Garment(Slot.TOP, "men", "shirts", color)
          for color in ("blue", "white") for number in range(3)}  # fmt: skip
SHOES = {f"{color} shoes {number}": Garment(Slot.SHOES, "men", "casual shoes", color)
         for color in ("brown", "black") for number in range(3)}  # fmt: skip
NEW = {"new blue shirt": SHIRTS["blue shirt 0"], "new brown shoes": SHOES["brown shoes 0"],
       "new black shoes": SHOES["black shoes 0"]}  # fmt: skip
GARMENTS = SHIRTS | SHOES | NEW


def planted(count: int) -> list[tuple[str, str]]:
    """Baskets of brown shoes with blue shirts and black shoes with white ones."""
    colors = (("blue", "brown"), ("white", "black"))
    numbers = np.random.default_rng(0).integers(0, 3, (count, 2))
    return [
        (f"{colors[number % 2][0]} shirt {one}", f"{colors[number % 2][1]} shoes {other}")
        for number, (one, other) in enumerate(numbers)
    ]


def learned(baskets: list[tuple[str, ...]]) -> Complements:
    found = Complements.of(baskets, GARMENTS)
    assert found is not None
    return found


def worn(name: str, *, color: str = "black", style: tuple[float, float] = (1, 0)) -> Piece:
    bare = piece(name, GARMENTS[name].slot, color=color, style=style)
    return Piece(product_id=name, slot=bare.slot, style=bare.style, color=bare.color, garment=GARMENTS[name])


def test_pairs_are_counted_and_expected_by_hand() -> None:
    baskets = [["a", "x"], ["a", "x"], ["a", "y"], ["b", "y"]]
    garments = {
        "a": Garment(Slot.TOP, "men", "shirts", "blue"),
        "b": Garment(Slot.TOP, "men", "shirts", "blue"),
        "x": Garment(Slot.SHOES, "men", "casual shoes", "brown"),
        "y": Garment(Slot.SHOES, "men", "casual shoes", "black"),
    }
    products = count_products(baskets, garments)
    counted, expected = products.among(["a", "x", "unknown", "b"])

    assert counted.tolist() == [[0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert expected[0, 1] == expected[1, 0] == pytest.approx(3 * 2 / 4)  # of 4 pairs, a is in 3 and x in 2
    assert expected[3, 1] == pytest.approx(1 * 2 / 4)
    assert expected[2].tolist() == [0, 0, 0, 0]

    counted, expected = count_kinds(products, garments).among([garments["a"], garments["y"], None])
    assert counted[0, 1] == 2
    assert expected[0, 1] == pytest.approx(4 * 2 / 4)


def test_chance_is_of_the_same_slots_and_genders() -> None:
    """Men's shirts are bought with men's shoes only; none of these pairs is more than chance."""
    garments = {
        f"{gender} {kind} {number}": Garment(slot, gender, kind, "blue")
        for gender in ("men", "women")
        for kind, slot in (("shirts", Slot.TOP), ("shoes", Slot.SHOES))
        for number in range(2)
    }
    baskets = [
        (f"{gender} shirts {one}", f"{gender} shoes {other}")
        for gender in ("men", "women")
        for one in range(2)
        for other in range(2)
    ] * 40
    found = Complements.of(baskets, garments)

    assert found is not None
    weight = found.weights(list(garments), list(garments.values())).between("men shirts 0", "men shoes 1")
    assert weight.together == 40
    assert weight.score == pytest.approx(0.5)


def test_too_few_baskets_teach_nothing() -> None:
    assert Complements.of([], GARMENTS) is None
    assert Complements.of(planted(MIN_BASKETS - 1), GARMENTS) is None
    assert Complements.of(planted(MIN_BASKETS), GARMENTS) is not None


def test_baskets_without_two_slots_and_those_of_resellers_do_not_count() -> None:
    alone = [("blue shirt 0",), ("blue shirt 0", "white shirt 1"), ("blue shirt 0", "perfume")] * MIN_BASKETS
    everything = {f"shoes {number}": SHOES["brown shoes 0"] for number in range(MAX_BASKET_PIECES)}

    assert Complements.of(alone, GARMENTS) is None
    assert Complements.of([(*everything, "blue shirt 0")] * MIN_BASKETS, GARMENTS | everything) is None


@given(st.integers(0, 1000))
def test_the_order_of_baskets_and_within_them_does_not_matter(seed: int) -> None:
    baskets = planted(MIN_BASKETS + 20)
    rng = np.random.default_rng(seed)
    turned = [tuple(map(str, rng.permutation(baskets[row]))) for row in rng.permutation(len(baskets))]
    turned = [basket * int(rng.integers(1, 3)) for basket in turned]
    names = list(GARMENTS)
    one, other = (learned(each).weights(names, list(GARMENTS.values())) for each in (baskets, turned))

    assert np.array_equal(one.score, other.score)
    assert np.array_equal(one.confidence, other.confidence)
    assert np.array_equal(one.score, one.score.T)


@given(st.sampled_from(sorted(SHIRTS)), st.sampled_from(sorted(SHOES)), st.integers(0, 30), st.integers(0, 30))
def test_confidence_grows_with_support(shirt: str, shoes: str, times: int, more: int) -> None:
    def weight(count: int) -> float:
        found = learned([*planted(MIN_BASKETS), *[(shirt, shoes)] * count])
        return found.weights([shirt, shoes], [GARMENTS[shirt], GARMENTS[shoes]]).between(shirt, shoes).confidence

    assert 0 <= weight(times) <= weight(times + more) < 1
    assert more == 0 or weight(times) < weight(times + more)


def test_a_new_product_goes_by_its_kind_and_color() -> None:
    weights = learned(planted(300)).weights(list(NEW), list(NEW.values()))
    brown, black = (weights.between("new blue shirt", f"new {color} shoes") for color in ("brown", "black"))

    assert brown.score > 0.6
    assert black.score < 0.4
    assert brown.together == 0
    assert brown.alike == 150
    assert 0 < brown.confidence < 0.5


def test_what_was_bought_most_often_comes_first() -> None:
    baskets = [*planted(MIN_BASKETS), *[("blue shirt 0", "brown shoes 2")] * 50]
    partners = learned(baskets).partners(["blue shirt 0", "new blue shirt"], Slot.SHOES, limit=2)

    assert len(partners) == 2
    assert partners[0] == "brown shoes 2"
    assert learned(baskets).partners(["blue shirt 0"], Slot.BAG, limit=2) == []
    assert learned(baskets).partners(["new blue shirt"], Slot.SHOES, limit=2) == []


@pytest.mark.parametrize(("count", "chosen"), [(20, "black shoes 1"), (300, "brown shoes 1")])
def test_what_people_buy_changes_the_look_once_there_is_enough_of_it(count: int, chosen: str) -> None:
    shirt = worn("blue shirt 1", color="blue")
    shoes = [worn("black shoes 1", style=(1, 0.5)), worn("brown shoes 1", color="chocolate", style=(1, 0.5))]
    complements = Complements.of(planted(count), GARMENTS)
    look = complete([shirt], {Slot.SHOES: shoes}, complements=complements)

    assert look.chosen[Slot.SHOES].product_id == chosen


def test_a_look_says_of_itself_what_its_pairs_are_worth() -> None:
    shirt, shoes = worn("blue shirt 1", color="blue"), worn("brown shoes 1", color="chocolate", style=(1, 2))
    complements = learned(planted(300))
    weight = weights_of([shirt, shoes], complements).between(shirt.product_id, shoes.product_id)

    assert suitability(shirt, shoes, weight).score == pytest.approx(
        complete([shirt], {Slot.SHOES: [shoes]}, complements=complements).score, abs=1e-5
    )
    assert suitability(shirt, shoes).score < suitability(shirt, shoes, weight).score < 1


@given(st.floats(0, 6), st.floats(0, 6), st.sampled_from(["black", "red", "limegreen", "navy"]))
def test_of_what_baskets_do_not_know_the_rules_hold(angle: float, other: float, color: str) -> None:
    shirt = piece("shirt", Slot.TOP, color="blue")
    shoes = [
        piece("one", Slot.SHOES, style=(float(np.cos(angle)), float(np.sin(angle)))),
        piece("other", Slot.SHOES, style=(float(np.cos(other)), float(np.sin(other))), color=color),
    ]
    by_rules = complete([shirt], {Slot.SHOES: shoes})
    by_baskets = complete([shirt], {Slot.SHOES: shoes}, complements=learned(planted(300)))

    assert by_baskets == by_rules


def test_a_pair_bought_as_often_as_by_chance_is_worth_what_the_rules_say() -> None:
    baskets = [(shirt, shoes) for shirt in SHIRTS for shoes in SHOES] * 10
    pair = worn("blue shirt 1", color="blue"), worn("brown shoes 1", color="chocolate")
    weight = weights_of(pair, learned(baskets)).between("blue shirt 1", "brown shoes 1")

    assert weight.confidence > 0.5
    assert suitability(*pair, weight).score == pytest.approx(suitability(*pair).score, abs=1e-5)


BLUE, WHITE, BROWN, PURPLE = (40, 70, 200), (245, 245, 245), (150, 75, 20), (120, 60, 220)
NAVIES = {f"navy shoes {number:02}": (20, 30, 70 + number) for number in range(40)}

NAVY_SHOES = {name: ("Casual Shoes", "Men", "Casual", color) for name, color in NAVIES.items()}
CLOTHES = {  # id: kind, gender, usage, color
    **{f"blue shirt {number}": ("Shirts", "Men", "Casual", (40, 70, 200 + number)) for number in range(4)},
    **{f"white shirt {number}": ("Shirts", "Men", "Casual", WHITE) for number in range(4)},
    **NAVY_SHOES,
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


def shop_baskets(count: int) -> Baskets:
    """Baskets of brown shoes with blue shirts, and navy ones with white shirts; of each, one shirt in none."""
    return [
        (f"blue shirt {number % 3}", f"brown shoes {number // 2 % 3}", "perfume", "gone from the catalog")
        if number % 2
        else (f"white shirt {number % 3}", f"navy shoes {number % 40:02}")
        for number in range(count)
    ]


def learner_of(shop: Shop) -> ComplementsLearner:
    return ComplementsLearner(shop._backends.store, shop._model().garments)


def outfit(shop: Shop, product: str, baskets: Baskets) -> Outfit:
    """A look by these baskets in place of the shop's own."""
    model = shop._model()
    return complete_the_look(
        LookQuery(products=(product,)),
        index=model.index,
        catalog=shop._backends.store,
        garments=model.garments,
        attributes=shop.attribute_names(),
        complements=learner_of(shop).now(baskets, lambda: baskets),
    )


def shoes(look: Outfit) -> str:
    return next(piece.product_id for piece in look.pieces if piece.slot is Slot.SHOES)


def test_the_look_follows_baskets_once_there_are_enough(shop: Shop) -> None:
    rules = shop.outfit("blue shirt 1")
    many = outfit(shop, "blue shirt 1", shop_baskets(300))

    assert shoes(rules).startswith("navy")
    assert outfit(shop, "blue shirt 1", shop_baskets(20)) == rules
    assert shoes(many).startswith("brown shoes")  # which are not among the 32 that are closest in style
    assert "often bought together" in many.pieces[0].reasons
    assert shoes(outfit(shop, "white shirt 1", shop_baskets(300))).startswith("navy")


def test_what_is_in_no_basket_goes_by_its_kind_and_color(shop: Shop) -> None:
    look = outfit(shop, "white shirt 3", shop_baskets(300))

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
    look = outfit(shop, shirt, [*shop_baskets(300), *[(shirt, wrong)] * 300])
    shown = [*look.pieces, *(each for others in look.alternatives.values() for each in others)]

    assert all(CLOTHES[piece.product_id][1:3] == ("Men", "Casual") for piece in shown)


def test_other_baskets_are_learned_anew_and_the_same_ones_not(shop: Shop) -> None:
    learner = learner_of(shop)
    few, many = shop_baskets(20), shop_baskets(300)
    found = learner.now(many, lambda: many)

    assert learner_of(shop).now(few, lambda: few) is None
    assert found is not None
    assert learner.now(many, lambda: pytest.fail("asked again")) is found
    assert learner.now(few, lambda: few) is None


def test_of_a_changed_catalog_only_what_changed_is_read_again(shop: Shop) -> None:
    learner = learner_of(shop)
    read: list[str] = []
    main_photos = learner._reader.main_photos
    learner._reader.main_photos = lambda ids: read.extend(ids) or main_photos(ids)  # type: ignore[method-assign]
    for number in (300, 301):
        baskets = shop_baskets(number)
        assert learner.now(baskets, lambda baskets=baskets: baskets) is not None

    known = {name for name in CLOTHES if name in {each for basket in shop_baskets(300) for each in basket}}
    assert len([name for name in read if name in known]) == len(known)


def test_very_many_baskets_are_learned_beside_the_requests(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 250)
    now_s = 0.0
    learner = ComplementsLearner(shop._backends.store, shop._model().garments, clock=lambda: now_s)
    many = shop_baskets(300)
    first = learner.now(many, lambda: many)
    until = time.monotonic() + 60
    while (found := learner.now(many, lambda: many)) is None and time.monotonic() < until:
        time.sleep(0.01)
    more = shop_baskets(299)
    kept = learner.now(more, lambda: more)
    learner.close()
    now_s = 601.0

    assert first is None or first is found
    assert found is not None
    assert kept is found
    assert learner.now(shop_baskets(10), lambda: shop_baskets(10)) is None
