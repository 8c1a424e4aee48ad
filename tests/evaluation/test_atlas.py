from __future__ import annotations

from pathlib import Path

import pytest

from sartor.errors import EmptyCatalog
from sartor.shop import Shop
from tests.fakes import folder_of, various_colors


def test_every_product_has_a_place(shop: Shop, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", various_colors(12)))
    atlas = shop.map()
    assert [each.product_id for each in atlas.products] == shop.product_ids()
    assert atlas.of == 12
    assert atlas.method == "principal components"
    assert len({(each.x, each.y) for each in atlas.products}) == 12
    assert shop.map() == atlas


def test_a_sample_is_laid_out_where_there_are_more(shop: Shop, tmp_path: Path) -> None:
    shop.index(folder_of(tmp_path / "photos", various_colors(12)))
    atlas = shop.map(limit=5, seed=3)
    assert len(atlas.products) == 5
    assert atlas.of == 12


def test_an_empty_catalog_has_no_map(shop: Shop) -> None:
    with pytest.raises(EmptyCatalog):
        shop.map()
