from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.encoders.card import AttributeHead
from sartor.encoders.heads import Heads
from sartor.errors import BadDial
from sartor.imaging.color import named_color, palette_of_color
from sartor.recommend.features import (
    COLOR_DIMENSION,
    FeatureBuilder,
    Features,
    FeatureWeights,
    category_of,
    color_family,
    color_vector,
    color_words,
    mixed,
)
from sartor.types import EmbeddedPhoto, Palette, Vector
from tests.fakes import NO_HEADS

SIZES = (4, 3, 2)
shares = st.floats(0, 1, allow_subnormal=False)
seeds = st.integers(0, 2**32 - 1)


def features(rng: np.random.Generator) -> Features:
    style, color, category = (rng.normal(size=size) for size in SIZES)
    return Features(
        style=(style / np.linalg.norm(style)).astype(np.float32),
        color=(color / np.linalg.norm(color)).astype(np.float32),
        category=(category / np.linalg.norm(category)).astype(np.float32),
    )


@given(seeds, shares, shares, shares)
def test_one_dot_product_is_the_weighted_mean_of_the_closenesses(
    seed: int, style: float, color: float, category: float
) -> None:
    if not style + color + category > 1e-6:
        return
    rng = np.random.default_rng(seed)
    query, other = features(rng), features(rng)
    weights = FeatureWeights(style=style, color=color, category=category)
    (apart,) = query.closeness(other.joined()[None])

    assert query.weighted(weights) @ other.joined() == pytest.approx(
        float(np.dot(weights.shares, apart)), abs=1e-5
    )


@given(seeds)
def test_a_weight_of_0_takes_a_features_influence_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    query, one, other = (features(rng) for _ in range(3))
    without_color = FeatureWeights(style=0.7, color=0, category=0.4)
    recolored = Features(style=one.style, color=other.color, category=one.category)

    weighted = query.weighted(without_color)
    assert weighted @ one.joined() == pytest.approx(float(weighted @ recolored.joined()), abs=1e-6)


@given(seeds)
def test_a_feature_that_a_model_does_not_have_leaves_its_share_to_the_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    none = np.empty(0, np.float32)
    query, other = (
        Features(style=each.style, color=each.color, category=none) for each in (features(rng), features(rng))
    )

    weighted = query.weighted(FeatureWeights(style=1, color=0.5, category=0.5)) @ other.joined()
    assert weighted == pytest.approx(
        float(query.weighted(FeatureWeights(style=1, color=0.5, category=0)) @ other.joined()), abs=1e-6
    )


@pytest.mark.parametrize("weights", [{"style": -0.1}, {"color": 1.1}, {"style": float("nan")}, {"style": 0}])
def test_weights_that_make_no_sense_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(BadDial, match="from 0 to 1"):
        FeatureWeights(**weights)


def test_only_proportions_matter() -> None:
    assert FeatureWeights(style=0.5, color=0.25).shares == FeatureWeights(style=1, color=0.5).shares


@given(seeds, st.floats(0.1, 5))
def test_a_part_alone_is_itself_whatever_it_weighs(seed: int, weight: float) -> None:
    only = features(np.random.default_rng(seed))

    assert mixed([(only, weight)]).joined() == pytest.approx(only.joined(), abs=1e-5)


@given(seeds, st.floats(0.01, 2))
def test_nothing_falls_further_than_what_is_disliked(seed: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    query, disliked, other = (features(rng) for _ in range(3))
    weights = FeatureWeights(style=1, color=0.5, category=0.2)
    before, after = (mixed([(query, 1)], negatives).weighted(weights) for negatives in ((), [(disliked, weight)]))
    fall = before - after

    assert fall @ disliked.joined() >= fall @ other.joined() - 1e-5


def test_the_overlap_of_a_distribution_with_itself_is_1() -> None:
    probabilities = np.array([0.7, 0.2, 0.1], np.float32)
    category = category_of(probabilities)

    assert category @ category == pytest.approx(1)
    assert category @ category_of(np.array([0, 0, 1], np.float32)) == pytest.approx(0.1**0.5)


channels = st.integers(0, 255)


def vector(name: str) -> Vector:
    return color_vector(palette_of_color(named_color(name)))


def both(one: str, other: str, *, share: float) -> Palette:
    colors = [palette_of_color(named_color(name)).colors[0] for name in (one, other)]
    return Palette(np.stack(colors), np.array([share, 1 - share], np.float32))


@given(st.tuples(channels, channels, channels))
def test_a_vector_has_norm_1_and_its_own_closeness_is_1(color: tuple[int, int, int]) -> None:
    own = color_vector(palette_of_color(color))

    assert own.shape == (COLOR_DIMENSION,)
    assert own @ own == pytest.approx(1, abs=1e-5)


def test_nearer_colors_are_closer() -> None:
    red = vector("firebrick")
    brown, orange, blue = (float(red @ vector(name)) for name in ("brown", "orange", "royalblue"))

    assert brown > orange > blue
    assert brown > 0.6
    assert orange < 0.4


def test_a_color_is_closer_to_what_has_more_of_it() -> None:
    much, little = (color_vector(both("navy", "white", share=share)) for share in (0.8, 0.3))

    assert vector("navy") @ much > vector("navy") @ little > vector("navy") @ vector("white")


def test_no_palette_is_close_to_nothing() -> None:
    assert not color_vector(None).any()


def test_what_covers_little_is_not_named() -> None:
    assert color_words(both("navy", "white", share=0.7)) == ("navy", "white")
    assert color_words(both("navy", "white", share=0.95)) == ("navy",)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Navy Blue", "blue"),
        ("Turquoise Blue", "blue"),
        ("Grey Melange", "gray"),
        ("Mushroom Brown", "brown"),
        ("Off White", "white"),
        ("charcoal", "black"),
        ("Multi", "multi"),
        ("", ""),
    ],
)
def test_the_last_word_that_is_a_color_tells_the_family(name: str, family: str) -> None:
    assert color_family(name) == family


def test_without_a_known_kind_a_style_stays_whole() -> None:
    style = np.array([1, 0, 0], np.float32)
    builder = FeatureBuilder("m", NO_HEADS)

    assert builder.residual_styles(style[None], ["Shirts"]).tolist() == [[1, 0, 0]]
    assert builder.of_style(style).joined()[:4].tolist() == [1, 0, 0, 0]


def typed(*, scale: float) -> FeatureBuilder:
    """Of a model whose classes are the first two directions of a style of three numbers."""
    head = AttributeHead(name="type", classes=("Shirts", "Shoes"), output="type")
    return FeatureBuilder("m", Heads((head,), {"type": np.eye(3, 2, dtype=np.float32)}, scale=scale))


def test_what_a_kind_has_in_common_is_taken_from_a_style() -> None:
    builder = typed(scale=1)

    assert builder.residual_styles(np.array([[0.6, 0, 0.8]], np.float32), ["Shirts"]).tolist() == [[0, 0, 1]]


def test_what_another_attribute_tells_is_taken_from_a_style_too() -> None:
    kind = AttributeHead(name="type", classes=("Shirts",), output="type")
    color = AttributeHead(name="color", classes=("Red", "Crimson"), output="color")
    axes = np.eye(3, dtype=np.float32)
    heads = Heads((kind, color), {"type": axes[:, :1], "color": axes[:, [1, 1]]}, scale=1)
    builder = FeatureBuilder("m", heads)
    styles = np.array([[0.48, 0.6, 0.64]] * 2, np.float32)

    apart = builder.residual_styles(styles, ["Shirts", "Things"], without="color")
    assert apart == pytest.approx(np.array([[0, 0, 1], [0.6, 0, 0.8]]), abs=1e-6)
    assert builder.residual_styles(styles, ["Shirts"] * 2) == pytest.approx(
        np.array([[0, 0.684, 0.729]] * 2), abs=1e-3
    )
    assert heads.span("gender") is None


def test_the_likeliest_kind_of_a_photo_is_told_with_its_probability() -> None:
    (kind, probability), (other, _) = typed(scale=10).kinds_seen(np.eye(2, 3, dtype=np.float32))

    assert (kind, other) == ("Shirts", "Shoes")
    assert probability > 0.99
    assert FeatureBuilder("m", NO_HEADS).kinds_seen(np.eye(1, 3, dtype=np.float32)) == [("", 0.0)]


def test_what_the_catalog_says_of_the_category_is_its_feature() -> None:
    builder = typed(scale=0)
    style = np.array([[0, 0, 1]], np.float32)

    (known,), (guessed,) = (builder.features(style, [None], own) for own in ({"type": "Shoes"}, {}))
    assert known.category.tolist() == [0, 1]
    assert guessed.category == pytest.approx([0.5**0.5, 0.5**0.5])
    assert builder.describe(style) == [{"type": ("Shirts", 0.5)}]


def test_an_index_entry_has_the_catalogs_attributes_before_the_predicted() -> None:
    builder = typed(scale=1)
    photo = EmbeddedPhoto(product_id="a", sha256="s", vector=np.array([0, 1, 0], np.float32))

    open_, known = builder.entries([photo, replace(photo, attributes={"type": "Shirts", "color": "Red"})])
    assert (open_.attributes, known.attributes) == ({"type": "Shoes"}, {"type": "Shirts", "color": "Red"})
    assert len(known.vector) == builder.dimension(3)
    assert builder.entries([]) == builder.attributes_of([]) == []
