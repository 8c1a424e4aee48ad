from __future__ import annotations

import pytest

from sartor.recommend.weights import default_feature_weights


@pytest.mark.parametrize("has_parts", [True, False])
def test_without_a_color_style_counts_most(has_parts: bool) -> None:
    weights = default_feature_weights(has_parts=has_parts)

    assert (weights.style, weights.color, weights.category) == (1.0, 0.2, 0.2)


def test_a_color_beside_photos_or_products_counts_more_than_their_style() -> None:
    weights = default_feature_weights(has_color=True)

    assert (weights.style, weights.color, weights.category) == (0.6, 1.0, 0.4)


def test_of_a_color_alone_only_the_color_counts() -> None:
    weights = default_feature_weights(has_color=True, has_parts=False)

    assert weights.shares == (0, 1, 0)
