"""The embedded catalog store: one SQLite file in WAL mode.

A write returns when its transaction is committed and on disk (``synchronous = FULL``); one killed before
that leaves no trace. Every write gives its products new revisions, by which an index catches up.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sartor.errors import WriteConflict
from sartor.store.base import ApiKey, Change, Predicted, StoreCounts
from sartor.store.sqlite.browse import BrowseIndex, Matches, index_damage
from sartor.store.sqlite.database import Database, Remembered
from sartor.store.sqlite.encoding import (
    load_attributes,
    load_guesses,
    load_palette,
    load_vector,
    palette_bytes,
    photo_of,
    vector_bytes,
)
from sartor.store.sqlite.listing import Facets, Listings
from sartor.store.sqlite.schema import MIGRATIONS
from sartor.types import EVERYTHING, EmbeddedPhoto, Product, StoredProduct

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from sartor.store.base import Write
    from sartor.types import FacetValue, Guesses, Listing, ListingQuery, Palette, Photo, Vector, Where


_REMEMBERED_PRODUCTS = 10_000  # about 30 MB
_REMEMBERED_FACTS = 1_000  # of the catalog as a whole, such as its attributes
_COLUMNS = "id, name, scope, created_s"


class Keys:
    """Adds, finds and deletes keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: ApiKey, digest: bytes) -> None:
        """Keep a key; one with the same id or the same digest is refused.

        Raises:
            WorkspaceUnusable: There is such a key already.
        """
        with self._database.transaction() as connection:
            insert_key(connection, key, digest)

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, the oldest first."""
        rows = self._database.all(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_s, id")  # noqa: S608
        return tuple(_key(*row) for row in rows)

    def with_digests(self) -> tuple[tuple[bytes, ApiKey], ...]:
        """Every key behind its digest, the oldest first."""
        rows = self._database.all(f"SELECT digest, {_COLUMNS} FROM api_keys ORDER BY created_s, id")  # noqa: S608
        return tuple((digest, _key(*row)) for digest, *row in rows)

    def delete(self, key_id: str) -> bool:
        """Forget a key; returns whether there was one."""
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM api_keys WHERE id = ?", (key_id,)).rowcount > 0


def _key(key_id: str, name: str, scope: str, created_s: float) -> ApiKey:
    return ApiKey(id=key_id, name=name, scope=scope, created_s=created_s)


ProductRow: TypeAlias = "tuple[int, int | None, StoredProduct]"  # revision, number in the order of first addition


def write_products(connection: sqlite3.Connection, write: Write, rows: Sequence[ProductRow]) -> None:
    """Write the products of a write as these rows, with their photos and what was computed of these."""
    write_rows(connection, rows)
    add_attribute_names(connection, {name for stored in write.products for name in stored.product.attributes})
    connection.executemany(
        "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
        [(sha256, write.model, vector_bytes(vector)) for sha256, vector in write.embeddings.items()],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO palettes VALUES (?, ?)",
        [(sha256, palette_bytes(palette)) for sha256, palette in write.palettes.items()],
    )


def write_rows(connection: sqlite3.Connection, rows: Sequence[ProductRow]) -> None:
    """Write products with their photos; without a number, a new product gets the next one."""
    index, shown = BrowseIndex(connection), _shown(connection, [stored.product.id for _, _, stored in rows])
    for revision, number, stored in rows:
        product, attributes = stored.product, json.dumps(dict(stored.product.attributes))
        if product.id in shown:
            connection.execute("DELETE FROM product_photos WHERE product_id = ?", (product.id,))
        _write_product(connection, stored, attributes=attributes, revision=revision)
        before = shown.get(product.id)
        if before is not None and number not in {None, before.number}:  # it was deleted and added again
            index.remove([product.id])
            connection.execute("DELETE FROM predictions WHERE product_id = ?", (product.id,))
            before = None
        if before is None:
            shown[product.id] = _Shown(product.title, attributes, index.add(product, number=number))
        elif (before.title, before.attributes) != (product.title, attributes):  # a promotion changes none
            index.replace(product)
            shown[product.id] = _Shown(product.title, attributes, before.number)
    index.drop_unused_values()


def add_attribute_names(connection: sqlite3.Connection, names: Collection[str]) -> None:
    """Remember the names of attributes."""
    connection.executemany("INSERT OR IGNORE INTO attribute_names VALUES (?)", [(name,) for name in names])


def require_unchanged(connection: sqlite3.Connection, write: Write) -> None:
    """Check that what a write depends on is still there.

    Raises:
        WriteConflict: It is not.
    """
    if write.read_at is not None:
        rows = connection.execute(
            "SELECT value FROM json_each(?1)"
            " WHERE EXISTS (SELECT 1 FROM products WHERE id = value AND revision > ?2)"
            " OR EXISTS (SELECT 1 FROM deletions WHERE product_id = value AND revision > ?2)",
            (json.dumps([stored.product.id for stored in write.products]), write.read_at),
        ).fetchall()
        if rows:
            raise WriteConflict([product_id for (product_id,) in rows])
    gone = connection.execute(
        "SELECT value FROM json_each(?) WHERE NOT EXISTS"
        " (SELECT 1 FROM embeddings WHERE sha256 = value AND model = ?)",
        (json.dumps(sorted(write.known)), write.model),
    ).fetchall()
    if gone:
        raise WriteConflict(photos=[sha256 for (sha256,) in gone])


def delete_products(connection: sqlite3.Connection, revisions: Mapping[str, int]) -> None:
    """Delete products, each at its revision; one that is not there leaves only that it was deleted."""
    connection.executemany("INSERT OR REPLACE INTO deletions VALUES (?, ?)", revisions.items())
    index = BrowseIndex(connection)
    index.remove(revisions)
    index.drop_unused_values()
    connection.executemany("DELETE FROM products WHERE id = ?", [(product_id,) for product_id in revisions])


def replace_settings(connection: sqlite3.Connection, settings: Mapping[str, str | None]) -> None:
    """Set settings; None deletes one."""
    for name, value in settings.items():
        if value is None:
            connection.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def insert_key(connection: sqlite3.Connection, key: ApiKey, digest: bytes) -> None:
    """Insert an API key."""
    connection.execute(
        "INSERT INTO api_keys (id, name, scope, digest, created_s) VALUES (?, ?, ?, ?, ?)",
        (key.id, key.name, key.scope, digest, key.created_s),
    )


class _Shown(NamedTuple):
    """What the browse index has of a product."""

    title: str
    attributes: str
    number: int


def _shown(connection: sqlite3.Connection, product_ids: Collection[str]) -> dict[str, _Shown]:
    rows = connection.execute(
        "SELECT id, title, attributes, number FROM products JOIN listed ON product_id = id"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(product_ids)),),
    )
    return {product_id: _Shown(*shown) for product_id, *shown in rows}


def _write_product(
    connection: sqlite3.Connection, stored: StoredProduct, *, attributes: str, revision: int
) -> None:
    product = stored.product
    connection.execute(
        "INSERT INTO products VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title,"
        " attributes = excluded.attributes, source = excluded.source, revision = excluded.revision",
        (product.id, product.title, attributes, stored.source, revision),
    )
    connection.execute("DELETE FROM deletions WHERE product_id = ?", (product.id,))
    connection.executemany(
        "INSERT INTO photos VALUES (?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE"
        " SET fingerprint = excluded.fingerprint WHERE fingerprint = x''",
        [
            (photo.sha256, photo.width_px, photo.height_px, photo.thumbnail, photo.fingerprint)
            for photo in stored.photos
        ],
    )
    connection.executemany(
        "INSERT INTO product_photos VALUES (?, ?, ?, ?)",
        [(product.id, position, photo.sha256, photo.name) for position, photo in enumerate(stored.photos)],
    )


class SqliteCatalogStore:
    """The ``CatalogStore`` of one workspace in one SQLite file.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is no store, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, migrations=MIGRATIONS)
        self._keys = Keys(self._database)
        self._products = Remembered(self._database, limit=_REMEMBERED_PRODUCTS)
        self._facts = Remembered(self._database, limit=_REMEMBERED_FACTS)
        matches = Matches(self._database)
        self._listings = Listings(self._database, matches, self.products)
        self._facets = Facets(self._database, matches)

    # Reading

    @property
    def revision(self) -> int:
        return self._facts.value("revision", self._read_revision)

    def _read_revision(self) -> int:
        ((revision,),) = self._database.all(
            "SELECT max(coalesce((SELECT max(revision) FROM products), 0),"
            " coalesce((SELECT max(revision) FROM deletions), 0))"
        )
        return int(revision)

    def products(self, product_ids: Collection[str]) -> dict[str, StoredProduct]:
        return self._products.values(product_ids, self._read_products)

    def _read_products(self, product_ids: Collection[str]) -> dict[str, StoredProduct]:
        ids = json.dumps(list(product_ids))
        with self._database.snapshot() as connection:
            of_photos = connection.execute(
                "SELECT product_id, sha256, name, width_px, height_px, thumbnail, fingerprint FROM product_photos"
                " JOIN photos USING (sha256) WHERE product_id IN (SELECT value FROM json_each(?))"
                " ORDER BY product_id, position",
                (ids,),
            ).fetchall()
            rows = connection.execute(
                "SELECT id, title, attributes, source, guesses FROM products"
                " LEFT JOIN predictions ON product_id = id WHERE id IN (SELECT value FROM json_each(?))",
                (ids,),
            ).fetchall()
        photos: dict[str, list[Photo]] = {}
        for product_id, *fields in of_photos:
            photos.setdefault(product_id, []).append(photo_of(*fields))
        return {
            product_id: StoredProduct(
                product=Product(id=product_id, title=title, attributes=load_attributes(attributes)),
                photos=tuple(photos.get(product_id, ())),
                source=source,
                predicted=load_guesses(guesses),
            )
            for product_id, title, attributes, source, guesses in rows
        }

    def known(self, product_ids: Collection[str]) -> set[str]:
        rows = self._database.all(
            "SELECT id FROM products WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(product_ids))
        )
        return {product_id for (product_id,) in rows}

    def numbers(self, product_ids: Collection[str]) -> dict[str, int]:
        rows = self._database.all(
            "SELECT product_id, number FROM listed WHERE product_id IN (SELECT value FROM json_each(?))",
            json.dumps(list(product_ids)),
        )
        return dict(rows)

    def product_ids(self, *, source: str | None = None) -> list[str]:
        rows = self._database.all("SELECT id FROM products WHERE ?1 IS NULL OR source = ?1 ORDER BY id", source)
        return [product_id for (product_id,) in rows]

    def products_with_photos(self, sha256s: Collection[str]) -> set[str]:
        rows = self._database.all(
            "SELECT DISTINCT product_id FROM product_photos WHERE sha256 IN (SELECT value FROM json_each(?))",
            json.dumps(list(sha256s)),
        )
        return {product_id for (product_id,) in rows}

    def embeddings(self, model: str, sha256s: Collection[str]) -> dict[str, Vector]:
        rows = self._database.all(
            "SELECT sha256, vector FROM embeddings WHERE model = ? AND sha256 IN (SELECT value FROM json_each(?))",
            model,
            json.dumps(list(sha256s)),
        )
        return {sha256: load_vector(blob) for sha256, blob in rows}

    def palettes(self, sha256s: Collection[str]) -> dict[str, Palette]:
        rows = self._database.all(
            "SELECT sha256, colors FROM palettes WHERE sha256 IN (SELECT value FROM json_each(?))",
            json.dumps(list(sha256s)),
        )
        return {sha256: load_palette(blob) for sha256, blob in rows}

    def embedded(self, model: str, sha256s: Collection[str]) -> set[str]:
        rows = self._database.all(
            "SELECT sha256 FROM embeddings JOIN palettes USING (sha256)"
            " WHERE model = ? AND sha256 IN (SELECT value FROM json_each(?))",
            model,
            json.dumps(list(sha256s)),
        )
        return {sha256 for (sha256,) in rows}

    def has_embeddings(self, model: str) -> bool:
        return self._facts.value(
            ("embeddings", model),
            lambda: bool(self._database.all("SELECT 1 FROM embeddings WHERE model = ? LIMIT 1", model)),
        )

    def photos(self, sha256s: Collection[str]) -> dict[str, Photo]:
        rows = self._database.all(
            "SELECT sha256, min(name), width_px, height_px, thumbnail, fingerprint FROM product_photos JOIN photos"
            " USING (sha256) WHERE sha256 IN (SELECT value FROM json_each(?)) GROUP BY sha256",
            json.dumps(list(sha256s)),
        )
        return {sha256: photo_of(sha256, *fields) for sha256, *fields in rows}

    def embedded_photos(self, model: str, product_ids: Collection[str]) -> list[EmbeddedPhoto]:
        rows = self._database.all(
            # CROSS JOIN keeps SQLite to this order: it would rather begin with every embedding.
            "SELECT product_id, sha256, vector, colors, attributes"
            " FROM product_photos JOIN products ON id = product_id"
            " CROSS JOIN embeddings USING (sha256) LEFT JOIN palettes USING (sha256)"
            " WHERE model = ? AND product_id IN (SELECT value FROM json_each(?)) ORDER BY product_id, position",
            model,
            json.dumps(list(product_ids)),
        )
        first: dict[str, str] = {}
        for product_id, sha256, *_ in rows:
            first.setdefault(product_id, sha256)
        return [
            EmbeddedPhoto(
                product_id=product_id,
                sha256=sha256,
                vector=load_vector(blob),
                palette=None if colors is None else load_palette(colors),
                attributes=load_attributes(attributes),
                is_main=first[product_id] == sha256,
            )
            for product_id, sha256, blob, colors, attributes in rows
        ]

    def embedded_keys(self, model: str) -> set[tuple[str, str]]:
        return set(
            self._database.all(
                "SELECT product_id, sha256 FROM product_photos JOIN embeddings USING (sha256) WHERE model = ?",
                model,
            )
        )

    def changes(self, *, since: int, limit: int) -> list[Change]:
        rows = self._database.all(
            "SELECT * FROM (SELECT revision, id, 0 FROM products WHERE revision > ?1"
            " UNION ALL SELECT revision, product_id, 1 FROM deletions WHERE revision > ?1)"
            " ORDER BY 1 LIMIT ?2",
            since,
            limit,
        )
        return [Change(revision=row[0], product_id=row[1], deleted=bool(row[2])) for row in rows]

    def attribute_names(self) -> tuple[str, ...]:
        return self._facts.value(
            "attribute names",
            lambda: tuple(
                name for (name,) in self._database.all("SELECT name FROM attribute_names ORDER BY name")
            ),
        )

    def predicted(self) -> Predicted:
        return self._facts.value("predicted", self._read_predicted)

    def _read_predicted(self) -> Predicted:
        for key, revision in self._database.all("SELECT key, revision FROM predicted"):
            return Predicted(key=key, revision=revision)
        return Predicted()

    def predict(self, guesses: Mapping[str, Guesses], predicted: Predicted, *, since: Predicted) -> None:
        with self._database.transaction() as connection:
            if self.predicted() != since:
                return
            index, products = BrowseIndex(connection), self.products(guesses)
            for product_id, stored in products.items():
                index.predict(stored.product, guesses[product_id])
            index.drop_unused_values()
            connection.execute("DELETE FROM predicted")
            connection.execute("INSERT INTO predicted VALUES (?, ?)", (predicted.key, predicted.revision))

    def thumbnails(self) -> set[str]:
        return {name for (name,) in self._database.all("SELECT thumbnail FROM photos WHERE thumbnail <> ''")}

    def counts(self) -> StoreCounts:
        with self._database.snapshot():
            ((products,),) = self._database.all("SELECT count(*) FROM products")
            ((photos,),) = self._database.all("SELECT count(*) FROM photos")
            return StoreCounts(
                products=products,
                photos=photos,
                embeddings=dict(
                    self._database.all("SELECT model, count(*) FROM embeddings GROUP BY model ORDER BY model")
                ),
                sources=dict(
                    self._database.all("SELECT source, count(*) FROM products GROUP BY source ORDER BY source")
                ),
            )

    def setting(self, name: str) -> str | None:
        return self._facts.value(("setting", name), lambda: self._read_setting(name))

    def _read_setting(self, name: str) -> str | None:
        rows = self._database.all("SELECT value FROM settings WHERE name = ?", name)
        return rows[0][0] if rows else None

    def settings(self) -> dict[str, str]:
        return dict(self._database.all("SELECT name, value FROM settings ORDER BY name"))

    def damage(self) -> list[str]:
        damage = [row[0] for row in self._database.all("PRAGMA integrity_check") if row[0] != "ok"]
        references = self._database.all("PRAGMA foreign_key_check")
        with self._database.reading() as connection:
            of_index = index_damage(connection)
        return damage + [f"{row[0]} refers to a missing {row[2]}" for row in references] + of_index

    # Browsing

    @property
    def listed_revision(self) -> int:
        return self.revision

    def listing(self, query: ListingQuery) -> Listing:
        return self._listings.page(query)

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, words: str = "", limit: int
    ) -> dict[str, list[FacetValue]]:
        return self._facets.count(attributes, where=where, words=words, limit=limit)

    def facet_names(self, *, limit: int = 12) -> tuple[str, ...]:
        return self._facets.names(limit=limit)

    # Keys

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        self._keys.add(key, digest)

    def keys(self) -> tuple[ApiKey, ...]:
        return self._keys.all()

    def keys_with_digests(self) -> tuple[tuple[bytes, ApiKey], ...]:
        return self._keys.with_digests()

    def delete_key(self, key_id: str) -> bool:
        return self._keys.delete(key_id)

    # Writing

    def write(self, write: Write) -> int:
        with self._database.transaction() as connection:
            require_unchanged(connection, write)
            rows = [(revision, None, stored) for revision, stored in enumerate(write.products, self.revision + 1)]
            write_products(connection, write, rows)
            return self.revision

    def delete(self, product_ids: Collection[str]) -> int:
        with self._database.transaction() as connection:
            known = enumerate(sorted(self.known(product_ids)), self.revision + 1)
            delete_products(connection, {product_id: revision for revision, product_id in known})
            return self.revision

    def drop_unused_photos(self) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM photos WHERE NOT EXISTS"
                " (SELECT 1 FROM product_photos WHERE product_photos.sha256 = photos.sha256)"
            )

    def set_setting(self, name: str, value: str) -> None:
        self.set_settings({name: value})

    def set_settings(self, settings: Mapping[str, str | None]) -> None:
        with self._database.transaction() as connection:
            replace_settings(connection, settings)

    def claim_setting(self, name: str, value: str) -> str:
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))
            (kept,) = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
            return str(kept)

    def lease(self, name: str, holder: str, *, hold_s: float) -> int | None:
        now_s = time.time()  # the processes of one host have one clock
        with self._database.transaction() as connection:
            row = connection.execute("SELECT holder, term, until_s FROM leases WHERE name = ?", (name,)).fetchone()
            former, term, until_s = row or ("", 0, 0.0)
            if former != holder:
                if until_s > now_s:
                    return None
                term += 1
            connection.execute("REPLACE INTO leases VALUES (?, ?, ?, ?)", (name, holder, term, now_s + hold_s))
            return int(term)

    # Following

    def has_changed(self) -> bool:
        return self._database.has_changed()

    def follow(self) -> None:
        pass  # it reads the truth

    @property
    def away_since(self) -> float | None:
        return None

    def close(self) -> None:
        self._database.close()
