from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from sartor.recommend.explain import QueryAttributes, explain, reasons_of

QUERY = QueryAttributes(
    known={"gender": "Women", "masterCategory": "Apparel"},
    predicted={"articleType": ("Dresses", 0.9), "color": ("Red", 0.6), "season": ("Fall", 0.4)},
)


def reasons(known: dict[str, str], *, style: float = 0.5, color: float = 0.5) -> tuple[str, ...]:
    return reasons_of(QUERY, known, {}, np.array([style, color, 0], np.float32))


def test_values_are_the_catalogs_before_sure_predictions() -> None:
    query = QueryAttributes(known={"color": "Blue"}, predicted={"color": ("Red", 0.9), "usage": ("Party", 0.3)})

    assert query.values() == {"color": "Blue"}


def test_shared_attributes_are_reasons_in_a_fixed_order() -> None:
    assert reasons({"gender": "Women", "articleType": "Dresses"}) == ("same type: Dresses", "same gender: Women")


def test_attributes_without_a_name_for_shoppers_and_unsure_predictions_are_no_reasons() -> None:
    assert reasons({"masterCategory": "Apparel", "season": "Fall"}) == ("a similar look",)


@pytest.mark.parametrize(
    ("known", "closeness", "second"),
    [
        ({}, 0.95, "the same color"),
        ({"color": "Red"}, 0.5, "same color: Red"),
        ({"color": "Blue"}, 0.8, "a color close to it"),
    ],
)
def test_the_color_is_the_second_reason(known: dict[str, str], closeness: float, second: str) -> None:
    found = reasons({"articleType": "Dresses", "gender": "Women", **known}, color=closeness)

    assert found == ("same type: Dresses", second, "same gender: Women")


def test_the_same_shape_in_another_color_is_the_first_reason() -> None:
    found = reasons({"articleType": "Dresses"}, style=0.8, color=0.1)

    assert found == ("same shape, different color", "same type: Dresses")


def test_a_hit_by_color_alone_has_no_similar_look() -> None:
    assert reasons({}, style=0.0) == ()


class OnePixel:
    """An encoder whose embedding is the color of a photo of one pixel."""

    def prepare(self, image: Image.Image) -> np.ndarray:
        return np.asarray(image)

    def embed_pixels(self, pixels: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([photo[0, 0] / np.linalg.norm(photo[0, 0]) for photo in pixels]).astype(np.float32)

    def feature_maps(self, pixels: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [self.embed_pixels(pixels)[:, None, None]]


class Products:
    """Regions whose map is the dot product of each place with the other embedding."""

    def of(self, maps: Sequence[np.ndarray], other: np.ndarray) -> np.ndarray:
        return maps[0] @ other


def test_the_maps_of_two_photos_sum_to_their_cosine() -> None:
    red, orange = (Image.new("RGB", (1, 1), color) for color in ((100, 0, 0), (60, 80, 0)))
    explained = explain(OnePixel(), Products(), (red, orange))

    assert explained.cosine == pytest.approx(0.6)
    assert [float(region.sum()) for region in explained.maps] == pytest.approx([0.6, 0.6])
    assert [photo.size for photo in explained.photos] == [(1, 1), (1, 1)]
