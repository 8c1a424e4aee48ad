"""Floors: the histogram of colors, and chance."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sartor.encoders.registry import BASELINES, COLOR_HISTOGRAM, RANDOM, baseline


def one_color(color: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (30, 40), color)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_gives_unit_vectors_and_the_same_ones_again(name: str) -> None:
    images = [one_color((200, 10, 10)), one_color((10, 10, 200))]
    with baseline(name) as encoder:
        vectors = encoder.embed(images)
        assert vectors.shape == (2, encoder.card.dimension)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
        assert np.array_equal(vectors, encoder.embed(images))


def test_photos_of_one_color_have_the_same_histogram_and_others_share_nothing() -> None:
    half = one_color((200, 10, 10))
    half.paste((10, 10, 200), (0, 0, 30, 20))
    with baseline(COLOR_HISTOGRAM) as encoder:
        red, darker, blue, both = encoder.embed(
            [one_color((200, 10, 10)), one_color((195, 5, 5)), one_color((10, 10, 200)), half]
        )
    assert red @ darker == pytest.approx(1)
    assert red @ blue == 0
    assert red @ both == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_chance_knows_nothing_of_colors() -> None:
    with baseline(RANDOM) as encoder:
        vectors = encoder.embed([one_color((number, 10, 10)) for number in range(40)])
    others = (vectors @ vectors.T)[np.triu_indices(40, 1)]
    assert abs(others.mean()) < 0.05


def test_another_name_is_none() -> None:
    with pytest.raises(KeyError):
        baseline("magic")
