from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.recommend.outfit.complements import Complements, Garment, count_kinds, count_products
from sartor.recommend.outfit.looks import Piece, complete, suitability, weights_of
from sartor.recommend.outfit.rules import Slot
from sartor.recommend.weights import MAX_BASKET_PIECES, MIN_BASKETS
from tests.recommend.outfit.test_looks import piece

SHIRTS = {f"{color} shirt {number}": Garment(Slot.TOP, "men", "shirts", color)
          for color in ("blue", "white") for number in range(3)}  # fmt: skip
SHOES = {f"{color} shoes {number}": Garment(Slot.SHOES, "men", "casual shoes", color)
         for color in ("brown", "black") for number in range(3)}  # fmt: skip
NEW = {"new blue shirt": SHIRTS["blue shirt 0"], "new brown shoes": SHOES["brown shoes 0"],
       "new black shoes": SHOES["black shoes 0"]}  # fmt: skip
GARMENTS = SHIRTS | SHOES | NEW


def planted(count: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Baskets of brown shoes with blue shirts and black shoes with white ones."""
    colors = (("blue", "brown"), ("white", "black"))
    numbers = np.random.default_rng(seed).integers(0, 3, (count, 2))
    return [
        (f"{colors[place % 2][0]} shirt {one}", f"{colors[place % 2][1]} shoes {other}")
        for place, (one, other) in enumerate(numbers)
    ]


def learned(baskets: list[tuple[str, ...]]) -> Complements:
    found = Complements.of(baskets, GARMENTS)
    assert found is not None
    return found


def hung(name: str, *, color: str = "black", style: tuple[float, float] = (1, 0)) -> Piece:
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
    turned = [tuple(map(str, rng.permutation(baskets[place]))) for place in rng.permutation(len(baskets))]
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
    partners = learned(baskets).partners(["blue shirt 0", "new blue shirt"], Slot.SHOES, most=2)

    assert len(partners) == 2
    assert partners[0] == "brown shoes 2"
    assert learned(baskets).partners(["blue shirt 0"], Slot.BAG, most=2) == []
    assert learned(baskets).partners(["new blue shirt"], Slot.SHOES, most=2) == []


@pytest.mark.parametrize(("count", "chosen"), [(20, "black shoes 1"), (300, "brown shoes 1")])
def test_what_people_buy_changes_the_look_once_there_is_enough_of_it(count: int, chosen: str) -> None:
    shirt = hung("blue shirt 1", color="blue")
    shoes = [hung("black shoes 1", style=(1, 0.5)), hung("brown shoes 1", color="chocolate", style=(1, 0.5))]
    complements = Complements.of(planted(count), GARMENTS)
    look = complete([shirt], {Slot.SHOES: shoes}, complements=complements)

    assert look.chosen[Slot.SHOES].product_id == chosen


def test_a_look_says_of_itself_what_its_pairs_are_worth() -> None:
    shirt, shoes = hung("blue shirt 1", color="blue"), hung("brown shoes 1", color="chocolate", style=(1, 2))
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
    pair = hung("blue shirt 1", color="blue"), hung("brown shoes 1", color="chocolate")
    weight = weights_of(pair, learned(baskets)).between("blue shirt 1", "brown shoes 1")

    assert weight.confidence > 0.5
    assert suitability(*pair, weight).score == pytest.approx(suitability(*pair).score, abs=1e-5)
