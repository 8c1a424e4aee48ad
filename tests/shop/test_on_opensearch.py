"""A shop whose index is in OpenSearch, as a program uses it; nobody else writes the index."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor import Product, ProductInput
from tests.fakes import folder_of, photo

pytestmark = pytest.mark.engines

COLORS = {"red": (255, 0, 0), "pink": (255, 120, 150), "blue": (0, 0, 255)}


def test_what_is_indexed_is_found_by_this_and_another_process(
    home: Path, tmp_path: Path, opensearch_address: str
) -> None:
    with sartor.open(home, index=opensearch_address) as shop:
        shop.index(folder_of(tmp_path / "photos", COLORS))
        assert [hit.product_id for hit in shop.similar(product="red", k=2)] == ["pink", "blue"]
    with sartor.open(home, index=opensearch_address) as other:
        assert [hit.product_id for hit in other.similar(product="red", k=1)] == ["pink"]
        assert [problem.what for problem in other.check() if not problem.harmless] == []
    with sartor.open(home) as embedded:
        assert [hit.product_id for hit in embedded.similar(product="red", k=2)] == ["pink", "blue"]


def test_a_catalog_without_photos_and_an_emptied_one_are_followed_too(
    home: Path, tmp_path: Path, opensearch_address: str
) -> None:
    with sartor.open(home, index=opensearch_address) as shop:
        shop.put(ProductInput(product=Product(id="without"), photos=None))
        shop.optimize()
        shop.index(folder_of(tmp_path / "photos", COLORS))  # would wait for ever for an index that nobody makes
        indexer, model = shop._models.indexer, shop._models.in_use()
        for product_id in shop.product_ids():
            shop.delete(product_id)
        assert indexer.settle(
            shop._backends.store.revision, wait_s=5, reached=lambda: shop._models.follow() or shop.revision
        )
        assert len(model.index) == 0


def test_a_program_that_writes_one_product_is_followed_by_an_indexer(home: Path, opensearch_address: str) -> None:
    with (
        sartor.open(home, index=opensearch_address) as writes,
        sartor.open(home, index=opensearch_address) as indexes,
    ):
        for name, color in COLORS.items():
            writes.put(ProductInput(product=Product(id=name), photos=[photo(color)]))
        assert indexes._models.indexer.step()
        writes._models.follow()
        assert [hit.product_id for hit in writes.similar(product="red", k=2)] == ["pink", "blue"]
