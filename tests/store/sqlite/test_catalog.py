"""The SQLite catalog store: products, photos, settings, keys, migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sartor.errors import WorkspaceTooNew, WorkspaceUnusable
from sartor.store.base import ApiKey, Write
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.database import Migration, migrate
from sartor.store.sqlite.schema import MIGRATIONS
from sartor.types import Palette, Photo, Product, StoredProduct
from tests.fakes import unit


@pytest.fixture
def store(tmp_path: Path) -> SqliteCatalogStore:
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    yield store
    store.close()


PALETTE = Palette(np.array([[0.5, 0.1, -0.1], [0.9, 0, 0]], np.float32), np.array([0.75, 0.25], np.float32))


def a_photo(number: int, *, name: str = "photo.jpg", fingerprint: bytes = b"bits") -> Photo:
    sha256 = f"{number:064x}"
    return Photo(
        sha256=sha256, name=name, width_px=60, height_px=80, thumbnail=f"{sha256}.jpg", fingerprint=fingerprint
    )


def stored(product_id: str, *photos: Photo, source: str = "s", **attributes: object) -> StoredProduct:
    product = Product(id=product_id, title=product_id.title(), attributes=attributes)
    return StoredProduct(product=product, photos=photos, source=source)


def write(store: SqliteCatalogStore, *products: StoredProduct, model: str = "m") -> None:
    photos = {photo.sha256 for product in products for photo in product.photos}
    store.write(
        Write(
            products=products,
            model=model,
            embeddings={sha256: unit(1, 2) for sha256 in photos},
            palettes=dict.fromkeys(photos, PALETTE),
        )
    )


def test_what_was_written_is_read(store: SqliteCatalogStore) -> None:
    shirt = stored("shirt", a_photo(2), a_photo(1), color="Red", sizes=("S", "M"), price=9.5, year=2011, sale=True)
    write(store, shirt)
    assert store.products(["shirt", "none"]) == {"shirt": shirt}


def test_a_product_without_photos_is_kept(store: SqliteCatalogStore) -> None:
    write(store, stored("ghost", color="White"))
    assert store.products(["ghost"])["ghost"].photos == ()
    assert store.embedded_photos("m", ["ghost"]) == []


def test_embeddings_come_back_exactly(store: SqliteCatalogStore) -> None:
    vector = np.random.default_rng(0).normal(size=512).astype(np.float32)
    shirt = stored("shirt", a_photo(1))
    store.write(Write(products=(shirt,), model="m", embeddings={shirt.photos[0].sha256: vector}))
    (found,) = store.embeddings("m", [shirt.photos[0].sha256]).values()
    assert np.array_equal(found, vector)
    assert store.embeddings("other", [shirt.photos[0].sha256]) == {}


def test_palettes_come_back_exactly(store: SqliteCatalogStore) -> None:
    shirt = stored("shirt", a_photo(1))
    write(store, shirt)
    (found,) = store.palettes([shirt.photos[0].sha256]).values()
    (embedded,) = store.embedded_photos("m", ["shirt"])
    for palette in (found, embedded.palette):
        assert palette is not None
        assert np.array_equal(palette.colors, PALETTE.colors)
        assert np.array_equal(palette.shares, PALETTE.shares)


def test_a_photo_without_a_palette_is_not_done(store: SqliteCatalogStore) -> None:
    shirt = stored("shirt", a_photo(1))
    store.write(Write(products=(shirt,), model="m", embeddings={shirt.photos[0].sha256: unit(1, 2)}))
    assert store.embedded("m", [shirt.photos[0].sha256]) == set()
    (embedded,) = store.embedded_photos("m", ["shirt"])
    assert embedded.palette is None


def test_a_fingerprint_comes_later_and_stays(store: SqliteCatalogStore) -> None:
    for fingerprint, kept in ((b"", b""), (b"first", b"first"), (b"second", b"first")):
        write(store, stored("shirt", a_photo(1, fingerprint=fingerprint)))
        assert store.products(["shirt"])["shirt"].photos[0].fingerprint == kept


def test_writing_again_replaces_attributes_and_photos(store: SqliteCatalogStore) -> None:
    write(store, stored("shirt", a_photo(1), color="Red"))
    again = stored("shirt", a_photo(2), size="M")
    write(store, again)
    assert store.products(["shirt"]) == {"shirt": again}


def test_every_write_moves_the_revision_on(store: SqliteCatalogStore) -> None:
    revisions = [store.revision]
    for step in (
        lambda: write(store, stored("a"), stored("b")),
        lambda: write(store, stored("a")),
        lambda: store.delete(["a"]),
        lambda: write(store, stored("a")),
        lambda: store.delete(["a", "b"]),
    ):
        step()
        revisions.append(store.revision)
    assert revisions == sorted(set(revisions))


def test_changes_are_told_once_and_in_order(store: SqliteCatalogStore) -> None:
    write(store, stored("a"), stored("b"), stored("c"))
    seen = store.revision
    write(store, stored("b"))
    store.delete(["a"])
    assert [(change.product_id, change.deleted) for change in store.changes(since=seen, limit=9)] == [
        ("b", False),
        ("a", True),
    ]
    assert [change.product_id for change in store.changes(since=0, limit=9)] == ["c", "b", "a"]
    assert store.changes(since=store.revision, limit=9) == []


def test_a_product_that_came_back_is_no_deletion(store: SqliteCatalogStore) -> None:
    write(store, stored("a"))
    store.delete(["a"])
    write(store, stored("a"))
    assert [change.deleted for change in store.changes(since=0, limit=9)] == [False]


def test_deleting_what_is_not_there_changes_nothing(store: SqliteCatalogStore) -> None:
    store.delete(["nobody"])
    assert store.revision == 0


def test_photos_that_nobody_shows_are_dropped_with_their_embeddings(store: SqliteCatalogStore) -> None:
    shared, own = a_photo(1), a_photo(2)
    write(store, stored("a", shared, own), stored("b", shared))
    store.delete(["a"])
    store.drop_unused_photos()
    assert store.embedded("m", [shared.sha256, own.sha256]) == {shared.sha256}
    assert store.thumbnails() == {shared.thumbnail}


def test_one_photo_on_two_products_is_one_photo(store: SqliteCatalogStore) -> None:
    write(store, stored("a", a_photo(1, name="x.jpg")), stored("b", a_photo(1, name="y.jpg")))
    assert store.counts().photos == 1
    assert store.products_with_photos([a_photo(1).sha256]) == {"a", "b"}
    assert [entry.product_id for entry in store.embedded_photos("m", ["a", "b"])] == ["a", "b"]


def test_counts_are_by_model_and_by_source(store: SqliteCatalogStore) -> None:
    write(store, stored("a", a_photo(1), source="one"), model="m")
    write(store, stored("b", a_photo(2), source="two"), stored("c", source="two"), model="n")
    counts = store.counts()
    assert (counts.products, counts.photos) == (3, 2)
    assert counts.embeddings == {"m": 1, "n": 1}
    assert counts.sources == {"one": 1, "two": 2}
    assert store.product_ids(source="two") == ["b", "c"]


def test_a_transaction_that_fails_leaves_nothing(store: SqliteCatalogStore) -> None:
    broken = Write(products=(stored("a", a_photo(1)),), model="m", embeddings={"f" * 64: unit(1, 2)})
    with pytest.raises(WorkspaceUnusable, match="FOREIGN KEY"):
        store.write(broken)
    assert store.counts().products == 0
    write(store, stored("a"))
    assert store.counts().products == 1


def test_settings_are_remembered(store: SqliteCatalogStore, tmp_path: Path) -> None:
    assert store.setting("model") is None
    store.set_setting("model", "a")
    store.set_setting("model", "b")
    store.close()
    again = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    assert again.setting("model") == "b"
    again.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(WorkspaceUnusable, match="file is not a database"):
        SqliteCatalogStore(tmp_path / "catalog.sqlite3")


def test_a_store_of_a_newer_sartor_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalog.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(WorkspaceTooNew, match="schema 99, this one knows 7"):
        SqliteCatalogStore(tmp_path / "catalog.sqlite3")


def test_a_migration_keeps_the_data(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    store = SqliteCatalogStore(path)
    write(store, stored("a", color="Red"))
    store.close()
    next_version = (*MIGRATIONS, Migration("ALTER TABLE products ADD COLUMN note TEXT NOT NULL DEFAULT 'new';"))
    connection = sqlite3.connect(path)
    migrate(connection, path, next_version)
    assert connection.execute("SELECT id, note FROM products").fetchall() == [("a", "new")]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(next_version),)
    migrate(connection, path, next_version)
    connection.close()


def test_a_migration_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "catalog.sqlite3")
    broken = (*MIGRATIONS, Migration("CREATE TABLE extra (x); CREATE TABLE extra (x);"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, tmp_path, broken)
    connection.close()
    store = SqliteCatalogStore(tmp_path / "catalog.sqlite3")
    assert store.counts().products == 0
    store.close()


def test_a_healthy_store_shows_no_damage(store: SqliteCatalogStore) -> None:
    write(store, stored("a", a_photo(1)))
    assert store.damage() == []


def test_settings_are_remembered_together_and_forgotten(store: SqliteCatalogStore) -> None:
    store.set_settings({"a": "1", "b": "2"})
    store.set_settings({"a": None, "b": "3", "c": None})
    assert [store.setting(name) for name in "abc"] == [None, "3", None]


OLD = ApiKey(id="k1", name="The shop", scope="read", created_s=1.5)


NEW = ApiKey(id="k0", name="The feed", scope="admin", created_s=2.0)


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
