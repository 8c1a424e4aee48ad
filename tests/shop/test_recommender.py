"""What holds for every recommendation of a shop, whatever it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor import FeatureWeights, Part, Recommendation, Shop, errors
from tests.fakes import add, photo

NAMES = {
    "red": (230, 10, 10), "scarlet": (250, 30, 20), "wine": (120, 10, 30), "pink": (250, 150, 170),
    "green": (20, 200, 40), "lime": (120, 250, 60), "blue": (20, 30, 220), "navy": (10, 10, 90),
    "sky": (120, 180, 250), "gray": (128, 128, 128), "white": (245, 245, 245), "tan": (210, 180, 140),
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, color_file: Path) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("recommendations")
    (folder / "photos").mkdir()
    lines = ["id,image,title,warm,price"]
    for number, (name, color) in enumerate(NAMES.items()):
        (folder / "photos" / f"{name}.png").write_bytes(photo(color))
        lines.append(f"{name},{name}.png,{name},{'yes' if color[0] > color[2] else 'no'},{number}")
    (folder / "photos" / "products.csv").write_text("\n".join(lines))
    add(folder / "home", color_file, "color")
    with sartor.open(folder / "home") as shop:
        shop.index(folder / "photos")
        yield shop


ids = st.sampled_from(sorted(NAMES))
shares = st.floats(0, 1)
weights = st.builds(
    lambda style, color, category: FeatureWeights(style=style, color=color, category=category),
    st.floats(0.05, 1), shares, shares,
)  # fmt: skip
anything = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


some = st.lists(ids, max_size=2, unique=True)


@given(st.lists(ids, min_size=1, max_size=3, unique=True), st.tuples(some, some), weights, shares)
@anything
def test_hits_are_distinct_and_never_what_was_given(
    shop: Shop,
    products: list[str],
    opinions: tuple[list[str], list[str]],
    weights: FeatureWeights,
    diversity: float,
) -> None:
    like, dislike = opinions
    found = shop.similar(products=products, like=like, dislike=dislike, weights=weights, diversity=diversity)
    hits = [hit.product_id for hit in found]

    assert len(set(hits)) == len(hits)
    assert not everything(found) & {*products, *like, *dislike}


@given(ids, st.booleans(), st.tuples(st.integers(0, 11), st.integers(0, 11)), weights)
@anything
def test_no_hit_breaks_a_filter(
    shop: Shop, product: str, warm: bool, prices: tuple[int, int], weights: FeatureWeights
) -> None:
    low, high = sorted(prices)
    where = {"warm" if warm else "warm!": "yes", "price": (low, high)}

    for hit in shop.similar(product=product, where=where, weights=weights, k=20):
        assert (hit.attributes["warm"] == "yes") == warm
        assert low <= int(hit.attributes["price"]) <= high


def everything(found: Recommendation) -> set[str]:
    """Ids of hits and of the variants behind them."""
    return {product_id for hit in found for product_id in (hit.product_id, *hit.variants)}


@given(ids, ids, weights)
@anything
def test_a_dislike_takes_one_product_away_and_no_other(
    shop: Shop, product: str, disliked: str, weights: FeatureWeights
) -> None:
    if product == disliked:
        return
    before = everything(shop.similar(product=product, weights=weights, k=20))
    after = everything(shop.similar(product=product, dislike=[disliked], weights=weights, k=20))

    assert before - after == {disliked}


@given(ids, st.floats(0.1, 1))
@anything
def test_without_color_the_dial_of_color_says_nothing(shop: Shop, product: str, style: float) -> None:
    plain = shop.similar(product=product, weights=FeatureWeights(style=1), k=20)
    scaled = shop.similar(product=product, weights=FeatureWeights(style=style), k=20)

    assert [hit.product_id for hit in plain] == [hit.product_id for hit in scaled]


def test_more_hits_than_products_are_all_there_are(shop: Shop) -> None:
    assert everything(shop.similar(product="red", k=1000)) == set(NAMES) - {"red"}


def test_a_contradiction_has_no_hits_and_is_no_error(shop: Shop) -> None:
    found = shop.similar(product="red", where={"warm": "yes", "warm!": "yes"})

    assert list(found) == []


def test_a_color_is_a_query_of_its_own(shop: Shop) -> None:
    assert next(iter(shop.similar(color="navy"))).product_id == "navy"
    assert next(iter(shop.similar(color="#14c828"))).product_id == "green"


def test_a_color_beside_a_product_asks_for_it_in_that_color(shop: Shop) -> None:
    (first, *_) = shop.similar(product="gray", color="red", weights=FeatureWeights(style=0, color=1))

    assert first.product_id in {"red", "scarlet"}


def test_a_region_of_a_photo_is_the_query(shop: Shop, tmp_path: Path) -> None:
    from PIL import Image

    both = Image.new("RGB", (80, 40), NAMES["blue"])
    both.paste(NAMES["red"], (40, 0, 80, 40))
    both.save(tmp_path / "both.png")

    left = shop.similar(Part(photo=tmp_path / "both.png", box=(0, 0, 0.5, 1)), k=1)
    right = shop.similar(Part(photo=tmp_path / "both.png", box=(0.5, 0, 0.5, 1)), k=1)
    assert (left[0].product_id, right[0].product_id) == ("blue", "red")


def test_the_heavier_part_decides(shop: Shop) -> None:
    red, blue = photo((235, 12, 12)), photo((10, 20, 210))
    found = shop.similar(Part(photo=red, weight=9), Part(photo=blue), k=1)
    turned = shop.similar(Part(photo=red), Part(photo=blue, weight=9), k=1)

    assert found[0].product_id in {"red", "scarlet", "wine"}
    assert turned[0].product_id in {"blue", "navy"}


def test_facets_count_all_that_pass(shop: Shop) -> None:
    found = shop.similar(product="red", facets=["warm"], where={"price": (0, 5)}, k=1)

    assert {each.value: each.count for each in found.facets["warm"]} == {"yes": 5, "no": 1}


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({}, errors.EmptyQuery),
        ({"color": "reddd"}, errors.UnknownColor),
    ],
)
def test_queries_that_say_nothing_are_refused(shop: Shop, call: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        shop.similar(**call)


@pytest.mark.parametrize("box", [(0, 0, 1.2, 1), (-0.1, 0, 0.5, 0.5), (0.5, 0.5, 0, 0.2), (0, 0, float("nan"), 1)])
def test_a_region_outside_of_the_photo_is_refused_with_its_numbers(box: tuple[float, ...]) -> None:
    with pytest.raises(errors.BadBox, match=f"{box[2]:g}"):
        Part(photo=b"x", box=box)


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan")])
def test_a_weight_is_above_0(weight: float) -> None:
    with pytest.raises(errors.BadWeight):
        Part(product="x", weight=weight)


def test_the_front_door_has_all_of_it() -> None:
    assert sartor.Part is Part
    assert sartor.FeatureWeights is FeatureWeights
