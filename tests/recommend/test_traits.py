from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.errors import BadDial
from sartor.recommend.features import Features, FeatureWeights, category_of, mixed

SIZES = (4, 3, 2)
shares = st.floats(0, 1, allow_subnormal=False)
seeds = st.integers(0, 2**32 - 1)


def traits(rng: np.random.Generator) -> Features:
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
    query, other = traits(rng), traits(rng)
    dials = FeatureWeights(style=style, color=color, category=category)
    (apart,) = query.closeness(other.joined()[None])

    assert query.weighted(dials) @ other.joined() == pytest.approx(float(np.dot(dials.shares, apart)), abs=1e-5)


@given(seeds)
def test_a_dial_at_0_takes_a_traits_influence_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    query, one, other = (traits(rng) for _ in range(3))
    without_color = FeatureWeights(style=0.7, color=0, category=0.4)
    recolored = Features(style=one.style, color=other.color, category=one.category)

    weighted = query.weighted(without_color)
    assert weighted @ one.joined() == pytest.approx(float(weighted @ recolored.joined()), abs=1e-6)


@given(seeds)
def test_a_trait_that_a_model_does_not_have_leaves_its_share_to_the_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    none = np.empty(0, np.float32)
    query, other = (
        Features(style=each.style, color=each.color, category=none) for each in (traits(rng), traits(rng))
    )

    weighted = query.weighted(FeatureWeights(style=1, color=0.5, category=0.5)) @ other.joined()
    assert weighted == pytest.approx(
        float(query.weighted(FeatureWeights(style=1, color=0.5, category=0)) @ other.joined()), abs=1e-6
    )


@pytest.mark.parametrize("dials", [{"style": -0.1}, {"color": 1.1}, {"style": float("nan")}, {"style": 0}])
def test_dials_that_make_no_sense_are_refused(dials: dict[str, float]) -> None:
    with pytest.raises(BadDial, match="from 0 to 1"):
        FeatureWeights(**dials)


def test_only_proportions_matter() -> None:
    assert FeatureWeights(style=0.5, color=0.25).shares == FeatureWeights(style=1, color=0.5).shares


@given(seeds, st.floats(0.1, 5))
def test_a_part_alone_is_itself_whatever_it_weighs(seed: int, weight: float) -> None:
    only = traits(np.random.default_rng(seed))

    assert mixed([(only, weight)]).joined() == pytest.approx(only.joined(), abs=1e-5)


@given(seeds, st.floats(0.01, 2))
def test_nothing_falls_further_than_what_is_disliked(seed: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    query, disliked, other = (traits(rng) for _ in range(3))
    dials = FeatureWeights(style=1, color=0.5, category=0.2)
    before, after = (mixed([(query, 1)], against).weighted(dials) for against in ((), [(disliked, weight)]))
    fall = before - after

    assert fall @ disliked.joined() >= fall @ other.joined() - 1e-5


def test_the_overlap_of_a_distribution_with_itself_is_1() -> None:
    probabilities = np.array([0.7, 0.2, 0.1], np.float32)
    category = category_of(probabilities)

    assert category @ category == pytest.approx(1)
    assert category @ category_of(np.array([0, 0, 1], np.float32)) == pytest.approx(0.1**0.5)
