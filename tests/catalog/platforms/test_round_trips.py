"""Whatever a shop has is found again in what its platform exports."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from sartor.money import money_of
from tests.catalog.platforms.shops import EXPORTS, Garment, garments, write
from tests.catalog.samples import Reading, read


def texts(value: object) -> set[str]:
    return set(value) if isinstance(value, tuple) else set() if value is None else {str(value)}


def amount(value: object) -> float:
    money = money_of(str(value))
    assert money is not None
    return money.amount


@pytest.mark.parametrize("export", EXPORTS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(shop=garments())
def test_all_that_a_shop_has_is_found_again(export: str, shop: Sequence[Garment]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        reading = read(write(Path(directory), EXPORTS[export](shop), shop))
    assert len(reading.ids) == len(set(reading.ids)) == sum(len(garment.colors) for garment in shop)
    assert not {case for case in reading.counts if "duplicate" in case or "left out" in case or "skipped" in case}
    for garment in shop:
        groups = Counter(check_color(reading, garment, color) for color in garment.colors)
        assert len(groups) == 1


def check_color(reading: Reading, garment: Garment, color: str) -> object:
    """Check the product of one color, and return its group."""
    photos, skus = garment.colors[color]
    codes = {sku.code for sku in skus}
    (item,) = [each for each in reading.products if texts(each.product.attributes.get("sku")) & codes]
    told = item.product.attributes
    assert texts(told["sku"]) == codes
    assert item.product.title.startswith(garment.title)
    assert told["color"] == color
    assert texts(told["size"]) == {sku.size for sku in skus}
    assert [photo.name for photo in item.photos] == list(photos)
    assert told["brand"] == garment.brand
    assert any(garment.season in texts(value) for value in told.values())
    paid = {float(sku.sale or sku.price) for sku in skus}
    assert amount(told.get("sale_price") or told["price"]) == min(paid)
    assert told["availability"] == ("in_stock" if any(sku.stock for sku in skus) else "out_of_stock")
    assert texts(told.get("sizes_out_of_stock")) == {sku.size for sku in skus if not sku.stock}
    if len(paid) > 1:
        assert amount(told["max_price"]) == max(paid)
    return told["item_group_id"]
