"""Catalog stores of every kind for tests that ask them the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sartor.ingest.indexer import Indexer
from sartor.store.sqlite.catalog import SqliteCatalogStore

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.store.base import CatalogStore
    from sartor.store.mongo.database import MongoDatabase

WORKSPACE = "w"
WAIT_S = 60.0  # for the indexer; on a busy machine a second is not enough

_SHARED = pytest.param("shared", marks=pytest.mark.engines)
CATALOG_STORES = ["sqlite", pytest.param("mongodb", marks=pytest.mark.engines), _SHARED]
BROWSED_STORES = ["sqlite", _SHARED]  # a replica of MongoDB is browsed by SQLite's code


@dataclass(frozen=True)
class Place:
    """Where a store is kept, so that another process can open it, too; a test closes what it opens by this."""

    open: Callable[[], CatalogStore]


@contextmanager
def opened(request: pytest.FixtureRequest, kind: str, directory: Path) -> Iterator[Place]:
    """A place for a store of a kind. An indexer follows one that is shared."""
    if kind == "sqlite":
        yield Place(lambda: SqliteCatalogStore(directory / "catalog.sqlite3"))
        return
    from sartor.store.mongo.database import MongoDatabase

    address = request.getfixturevalue("mongodb_address")
    if kind == "mongodb":
        yield Place(lambda: _replicated(MongoDatabase(address), directory / "replicas"))
        return
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.index.opensearch.listing import OpenSearchListing, OpenSearchListingWriter
    from sartor.store.mongo.shared import SharedMongoCatalogStore

    cluster = OpenSearch(request.getfixturevalue("opensearch_address"))

    def open_() -> CatalogStore:
        database = MongoDatabase(address)
        return SharedMongoCatalogStore(
            database,
            lambda _: OpenSearchListing(cluster, workspace=WORKSPACE),
            wait_s=WAIT_S,
            on_close=database.close,
        )

    with ExitStack() as stack:
        stack.callback(cluster.close)
        followed = open_()
        stack.callback(followed.close)
        indexer = Indexer(
            followed,
            models=dict,
            open_writer=lambda *_: pytest.fail("there is no model"),
            open_listing=lambda term: OpenSearchListingWriter(cluster, workspace=WORKSPACE, term=term),
        )
        indexer.start()
        stack.callback(indexer.close)
        yield Place(open_)


def _replicated(database: MongoDatabase, directory: Path) -> CatalogStore:
    from sartor.store.mongo.catalog import MongoCatalogStore

    return MongoCatalogStore(database, directory, on_close=database.close)
