"""A shop whose index is in OpenSearch, as a program uses it; nobody else writes the index."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import sartor
from sartor import Product, ProductInput
from tests.copies import copied
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


def test_a_revision_is_one_that_both_the_catalog_and_the_shared_index_have(
    home: Path, empty_home: Path, tmp_path: Path, opensearch_address: str, mongodb_address: str
) -> None:
    settings = {"store": mongodb_address, "index": opensearch_address}
    with (
        sartor.open(home, **settings) as writes,
        sartor.open(copied(empty_home, tmp_path / "b"), **settings) as reads,
    ):
        writes.index(folder_of(tmp_path / "photos", COLORS))
        reads._backends.store.follow()
        reads._models.follow()
        reads.similar(product="red", k=1)
        reads._backends.store._watcher.stop()  # its catalog hears of nothing any more
        time.sleep(1)
        known = reads._backends.store.revision
        writes.put(ProductInput(product=Product(id="new"), photos=[photo((200, 0, 0))]))
        assert writes._models.indexer.step()
        reads._models.follow()
        assert reads._models.in_use().index.revision > known
        assert reads.revision == known
