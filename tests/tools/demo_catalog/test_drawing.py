"""What is drawn: each type once, at half size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from sartor.imaging.color import oklab
from tools.demo_catalog import DemoProduct, draw
from tools.demo_catalog.canvas import Canvas
from tools.demo_catalog.catalog import plan
from tools.demo_catalog.drawing import cut_out
from tools.demo_catalog.garments import DRAWERS

SMALL_PX = 180
NEAR = 0.1  # OKLab distance between a shade and its cloth in light and shadow


@lru_cache(maxsize=1)
def products() -> tuple[DemoProduct, ...]:
    return plan(count=600, rng=np.random.default_rng(0))


@lru_cache(maxsize=64)
def drawn(product: DemoProduct) -> Canvas:
    return cut_out(product, width_px=SMALL_PX)


def one_of(article_type: str, *, plain: bool = False) -> DemoProduct:
    return next(
        product
        for product in products()
        if product.article_type == article_type
        and not (plain and (product.design.motif or product.design.style == "raglan"))
    )


@pytest.mark.parametrize("article_type", sorted(DRAWERS))
def test_a_product_stands_in_the_middle_of_clean_white(article_type: str) -> None:
    pixels = np.asarray(draw(one_of(article_type), width_px=SMALL_PX))
    assert pixels.shape == (240, 180, 3)
    edge = np.concatenate([pixels[0], pixels[-1]])
    assert (edge == 255).all()
    assert (pixels[0, 0] == 255).all()
    alpha = drawn(one_of(article_type)).alpha
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    assert abs(rows[0] + rows[-1] - 239) <= 1
    assert abs(columns[0] + columns[-1] - 179) <= 1
    assert 0.06 < (alpha > 0.5).mean() < 0.6


@pytest.mark.parametrize("article_type", sorted(set(DRAWERS) - {"Sunglasses", "Watches"}))
def test_a_plain_product_has_the_color_that_it_is_called_by(article_type: str) -> None:
    product = one_of(article_type, plain=True)
    canvas = drawn(product)
    cloth = canvas.rgb[canvas.alpha > 0.99]
    shade = oklab(np.array([product.shade.rgb], np.uint8))
    away = np.sqrt(((oklab((cloth * 255).astype(np.uint8)) - shade) ** 2).sum(axis=-1))
    assert np.mean(away < NEAR) > 0.4


def test_a_product_is_drawn_the_same_again() -> None:
    product = one_of("Shirts")
    assert draw(product, width_px=SMALL_PX).tobytes() == draw(product, width_px=SMALL_PX).tobytes()


def test_products_look_different() -> None:
    some = products()[:24]
    assert len({drawn(product).rgb.tobytes() for product in some}) == len(some)


def test_a_group_differs_in_color_and_not_in_form() -> None:
    groups: dict[str, list[DemoProduct]] = {}
    for product in products():
        groups.setdefault(product.item_group_id, []).append(product)
    for one, other, *_ in [group for group in groups.values() if len(group) > 1][:4]:
        np.testing.assert_array_equal(drawn(one).alpha, drawn(other).alpha)
        assert not np.array_equal(drawn(one).rgb, drawn(other).rgb)


def test_the_photo_has_the_size_of_a_shop_photo() -> None:
    assert draw(one_of("Watches")).size == (480, 640)
