from __future__ import annotations

from pathlib import Path

import pytest

from sartor.errors import WorkspaceUnusable
from sartor.store.base import ApiKey
from sartor.store.sqlite.catalog import SqliteCatalogStore

OLD = ApiKey(id="k1", name="The shop", scope="read", created_s=1.5)
NEW = ApiKey(id="k0", name="The feed", scope="admin", created_s=2.0)


@pytest.fixture
def store(tmp_path: Path) -> SqliteCatalogStore:
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield store
    store.close()


def test_keys_are_found_by_their_digest(store: SqliteCatalogStore) -> None:
    store.add_key(NEW, b"new")
    store.add_key(OLD, b"old")
    assert store.keys() == (OLD, NEW)
    assert store.keys_with_digests() == ((b"old", OLD), (b"new", NEW))
    assert dict(store.keys_with_digests()).get(b"other") is None


def test_a_deleted_key_is_gone(store: SqliteCatalogStore) -> None:
    store.add_key(OLD, b"old")
    assert store.delete_key("k1")
    assert not store.delete_key("k1")
    assert store.keys() == ()
    assert dict(store.keys_with_digests()).get(b"old") is None


def test_neither_an_id_nor_a_digest_is_given_twice(store: SqliteCatalogStore) -> None:
    store.add_key(OLD, b"old")
    for key, digest in ((OLD, b"x"), (NEW, b"old")):
        with pytest.raises(WorkspaceUnusable, match="UNIQUE"):
            store.add_key(key, digest)
    assert store.keys() == (OLD,)
