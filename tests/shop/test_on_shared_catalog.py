"""A shop whose processes keep nothing of the catalog: MongoDB has it, OpenSearch lists it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor import Product, ProductInput, Shop
from sartor.errors import IndexAway
from tests.engines import with_prefix
from tests.fakes import folder_of, photo

pytestmark = pytest.mark.engines

COLORS = {"red": (255, 0, 0), "pink": (255, 120, 150), "blue": (0, 0, 255)}


@pytest.fixture
def servers(mongodb_address: str, opensearch_address: str) -> dict[str, Any]:
    return {"store": mongodb_address, "index": opensearch_address, "catalog": "shared"}


def titled(product_id: str, title: str) -> ProductInput:
    return ProductInput(product=Product(id=product_id, title=title), photos=None)


def listed(shop: Shop, words: str = "") -> list[str]:
    return [stored.product.id for stored in shop.listing(words=words, sort="title").products]


def test_what_is_indexed_is_listed_and_found_by_every_process_and_kept_by_none(
    home: Path, tmp_path: Path, servers: dict[str, Any]
) -> None:
    with sartor.open(home, **servers) as shop:
        assert listed(shop) == []
        shop.index(folder_of(tmp_path / "photos", COLORS))
        shop.put(titled("belt", "Leather belt"))
        with sartor.open(tmp_path / "other", **servers) as other:
            assert [hit.product_id for hit in shop.similar(product="red", k=2)] == ["pink", "blue"]
            assert other.counts() == shop.counts()
            assert shop._models.indexer.step()
            assert listed(other, "leath") == ["belt"]
            assert {*listed(shop)} == {*listed(other)} == {*COLORS, "belt"}
            assert not [problem for problem in shop.check() if not problem.harmless]
    assert not list(home.rglob("catalog.sqlite3"))
    assert not list((tmp_path / "other").rglob("catalog.sqlite3"))


def test_an_indexer_with_replicas_writes_the_listing_that_others_read(
    home: Path, tmp_path: Path, servers: dict[str, Any]
) -> None:
    with sartor.open(home, **servers) as shop:
        shop.put(titled("belt", "Leather belt"))
        with sartor.open(tmp_path / "other", **{**servers, "catalog": "local"}) as other:
            assert other._models.indexer.step()
            assert listed(shop) == listed(other) == ["belt"]


def test_a_listing_waits_a_second_for_what_its_process_wrote_and_then_answers(
    home: Path, servers: dict[str, Any]
) -> None:
    with sartor.open(home, **servers) as shop:
        shop.put(titled("belt", "Leather belt"))
        assert shop._models.indexer.step()
        shop.catalog.store._wait_s = 60.0  # on a busy machine a second is not enough for an indexer
        shop._models.indexer.start()
        shop.put(ProductInput(product=Product(id="hat", title="Hat"), photos=[photo(COLORS["red"])]))
        assert listed(shop) == ["hat", "belt"]  # by title
        shop._models.indexer.close()
        shop.catalog.store._wait_s = 1.0
        shop.delete("hat")
        assert sorted(listed(shop)) == ["belt", "hat"]  # nobody writes the index
        assert shop.product_ids() == ["belt"]


def test_while_the_index_is_away_a_listing_says_so_in_one_line(
    home: Path, tmp_path: Path, mongodb_address: str
) -> None:
    opensearch = pytest.importorskip("tools.engines.opensearch")
    if reason := opensearch.missing():
        pytest.skip(f"OpenSearch cannot be started: {reason}")
    with opensearch.OpenSearchNode(tmp_path / "node") as node:
        index = with_prefix(node.address, "shop")
        with sartor.open(home, store=mongodb_address, index=index, catalog="shared") as shop:
            shop.put(titled("belt", "Leather belt"))
            assert shop._models.indexer.step()
            assert listed(shop) == ["belt"]
            node.kill()
            for call in (shop.listing, shop.facets):
                with pytest.raises(IndexAway) as away:
                    call()
                assert "\n" not in str(away.value)
            assert shop.product("belt").product.title == "Leather belt"
