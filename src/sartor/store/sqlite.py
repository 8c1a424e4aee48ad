"""The embedded catalog store: one SQLite file in WAL mode.

A write returns when its transaction is committed and on disk (``synchronous = FULL``); one killed before
that leaves no trace. Every write gives its products new revisions, by which an index catches up.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.errors import WorkspaceUnusable
from sartor.store.records import Change, StoreCounts
from sartor.store.schema import migrate
from sartor.types import EmbeddedPhoto, Palette, Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from sartor.store.records import Write
    from sartor.types import Attributes, Vector

_LITTLE_ENDIAN = "<f4"
_BUSY_TIMEOUT_S = 5.0


class SqliteStore:
    """Products, photos and embeddings of one workspace; may be called from several threads.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is no store, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
            )
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            migrate(self._connection, path)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    # Reading

    @property
    def revision(self) -> int:
        """Revision of the last write; 0 for an empty store."""
        ((revision,),) = self._all(
            "SELECT max(coalesce((SELECT max(revision) FROM products), 0),"
            " coalesce((SELECT max(revision) FROM deletions), 0))"
        )
        return int(revision)

    def products(self, product_ids: Collection[str]) -> dict[str, StoredProduct]:
        """The products with these ids, as far as there are any."""
        wanted = json.dumps(list(product_ids))
        photos: dict[str, list[Photo]] = {}
        for product_id, *fields in self._all(
            "SELECT product_id, sha256, name, width_px, height_px, thumbnail, fingerprint FROM product_photos"
            " JOIN photos USING (sha256) WHERE product_id IN (SELECT value FROM json_each(?))"
            " ORDER BY product_id, position",
            wanted,
        ):
            photos.setdefault(product_id, []).append(_photo(*fields))
        rows = self._all(
            "SELECT id, title, attributes, source FROM products WHERE id IN (SELECT value FROM json_each(?))",
            wanted,
        )
        return {
            product_id: StoredProduct(
                product=Product(id=product_id, title=title, attributes=_load_attributes(attributes)),
                photos=tuple(photos.get(product_id, ())),
                source=source,
            )
            for product_id, title, attributes, source in rows
        }

    def product_ids(self, *, source: str | None = None) -> list[str]:
        """Ids of all products, or of those that came from one source, sorted."""
        rows = self._all("SELECT id FROM products WHERE ?1 IS NULL OR source = ?1 ORDER BY id", source)
        return [product_id for (product_id,) in rows]

    def products_with_photos(self, sha256s: Collection[str]) -> set[str]:
        """Ids of the products that show at least one of these photos."""
        rows = self._all(
            "SELECT DISTINCT product_id FROM product_photos WHERE sha256 IN (SELECT value FROM json_each(?))",
            json.dumps(list(sha256s)),
        )
        return {product_id for (product_id,) in rows}

    def embeddings(self, model: str, sha256s: Collection[str]) -> dict[str, Vector]:
        """Embeddings of these photos, as far as the model has embedded them; ``(d,)`` float32 each."""
        rows = self._all(
            "SELECT sha256, vector FROM embeddings WHERE model = ? AND sha256 IN (SELECT value FROM json_each(?))",
            model,
            json.dumps(list(sha256s)),
        )
        return {sha256: _load_vector(blob) for sha256, blob in rows}

    def palettes(self, sha256s: Collection[str]) -> dict[str, Palette]:
        """Colors of these photos, as far as they are known."""
        rows = self._all(
            "SELECT sha256, colors FROM palettes WHERE sha256 IN (SELECT value FROM json_each(?))",
            json.dumps(list(sha256s)),
        )
        return {sha256: _load_palette(blob) for sha256, blob in rows}

    def embedded(self, model: str, sha256s: Collection[str]) -> set[str]:
        """Of which of these photos there is all that is computed: the model's embedding, and the colors."""
        rows = self._all(
            "SELECT sha256 FROM embeddings JOIN palettes USING (sha256)"
            " WHERE model = ? AND sha256 IN (SELECT value FROM json_each(?))",
            model,
            json.dumps(list(sha256s)),
        )
        return {sha256 for (sha256,) in rows}

    def has_embeddings(self, model: str) -> bool:
        """Whether the model has embedded any photo."""
        return bool(self._all("SELECT 1 FROM embeddings WHERE model = ? LIMIT 1", model))

    def photos(self, sha256s: Collection[str]) -> dict[str, Photo]:
        """The photos with these digests, as far as there are any; each under one of its names."""
        rows = self._all(
            "SELECT sha256, min(name), width_px, height_px, thumbnail, fingerprint FROM product_photos JOIN photos"
            " USING (sha256) WHERE sha256 IN (SELECT value FROM json_each(?)) GROUP BY sha256",
            json.dumps(list(sha256s)),
        )
        return {sha256: _photo(sha256, *fields) for sha256, *fields in rows}

    def embedded_photos(self, model: str, product_ids: Collection[str]) -> list[EmbeddedPhoto]:
        """Every photo of these products that the model has embedded: the entries that an index has of them."""
        rows = self._all(
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
                vector=_load_vector(blob),
                palette=None if colors is None else _load_palette(colors),
                attributes=_load_attributes(attributes),
                is_main=first[product_id] == sha256,
            )
            for product_id, sha256, blob, colors, attributes in rows
        ]

    def embedded_keys(self, model: str) -> set[tuple[str, str]]:
        """``(product id, SHA-256)`` of every photo of a product that the model has embedded."""
        return set(
            self._all(
                "SELECT product_id, sha256 FROM product_photos JOIN embeddings USING (sha256) WHERE model = ?",
                model,
            )
        )

    def changes(self, *, since: int, limit: int) -> list[Change]:
        """What happened to products after a revision, the oldest first, each product once."""
        rows = self._all(
            "SELECT * FROM (SELECT revision, id, 0 FROM products WHERE revision > ?1"
            " UNION ALL SELECT revision, product_id, 1 FROM deletions WHERE revision > ?1)"
            " ORDER BY 1 LIMIT ?2",
            since,
            limit,
        )
        return [Change(revision=row[0], product_id=row[1], deleted=bool(row[2])) for row in rows]

    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes that products have had, sorted."""
        return tuple(name for (name,) in self._all("SELECT name FROM attribute_names ORDER BY name"))

    def thumbnails(self) -> set[str]:
        """File names of the thumbnails of all photos."""
        return {name for (name,) in self._all("SELECT thumbnail FROM photos")}

    def counts(self) -> StoreCounts:
        """How much the store holds."""
        ((products,),) = self._all("SELECT count(*) FROM products")
        ((photos,),) = self._all("SELECT count(*) FROM photos")
        return StoreCounts(
            products=products,
            photos=photos,
            embeddings=dict(self._all("SELECT model, count(*) FROM embeddings GROUP BY model ORDER BY model")),
            sources=dict(self._all("SELECT source, count(*) FROM products GROUP BY source ORDER BY source")),
        )

    def setting(self, name: str) -> str | None:
        """A setting that the workspace remembers."""
        rows = self._all("SELECT value FROM settings WHERE name = ?", name)
        return rows[0][0] if rows else None

    def damage(self) -> list[str]:
        """What SQLite finds wrong with its own file; empty when all is well."""
        found = [row[0] for row in self._all("PRAGMA integrity_check") if row[0] != "ok"]
        return found + [f"{row[0]} refers to a missing {row[2]}" for row in self._all("PRAGMA foreign_key_check")]

    # Writing

    def write(self, write: Write) -> None:
        """Write products, their photos and embeddings in one transaction."""
        with self._transaction() as connection:
            for revision, stored in enumerate(write.products, start=self.revision + 1):
                self._write_product(connection, stored, revision=revision)
            connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [
                    (sha256, write.model, vector.astype(_LITTLE_ENDIAN).tobytes())
                    for sha256, vector in write.embeddings.items()
                ],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO palettes VALUES (?, ?)",
                [(sha256, _palette_bytes(palette)) for sha256, palette in write.palettes.items()],
            )

    def delete(self, product_ids: Collection[str]) -> None:
        """Delete products in one transaction; their photos stay until ``drop_unused_photos``."""
        with self._transaction() as connection:
            known = self.products(product_ids)
            deletions = [
                (product_id, revision) for revision, product_id in enumerate(known, start=self.revision + 1)
            ]
            connection.executemany("INSERT OR REPLACE INTO deletions VALUES (?, ?)", deletions)
            connection.executemany("DELETE FROM products WHERE id = ?", [(product_id,) for product_id in known])

    def drop_unused_photos(self) -> None:
        """Delete the photos that no product shows any more, with their embeddings."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM photos WHERE NOT EXISTS"
                " (SELECT 1 FROM product_photos WHERE product_photos.sha256 = photos.sha256)"
            )

    def set_setting(self, name: str, value: str) -> None:
        """Remember a setting."""
        self.set_settings({name: value})

    def set_settings(self, settings: Mapping[str, str | None]) -> None:
        """Remember several settings in one transaction; None forgets one."""
        with self._transaction() as connection:
            for name, value in settings.items():
                if value is None:
                    connection.execute("DELETE FROM settings WHERE name = ?", (name,))
                else:
                    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        with self._lock:
            self._connection.close()

    @staticmethod
    def _write_product(connection: sqlite3.Connection, stored: StoredProduct, *, revision: int) -> None:
        product = stored.product
        connection.execute(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title,"
            " attributes = excluded.attributes, source = excluded.source, revision = excluded.revision",
            (product.id, product.title, json.dumps(dict(product.attributes)), stored.source, revision),
        )
        connection.execute("DELETE FROM deletions WHERE product_id = ?", (product.id,))
        connection.execute("DELETE FROM product_photos WHERE product_id = ?", (product.id,))
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
        connection.executemany(
            "INSERT OR IGNORE INTO attribute_names VALUES (?)", [(name,) for name in product.attributes]
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._unusable(error) from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _all(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> WorkspaceUnusable:
        return WorkspaceUnusable(self._path.parent, reason=f"{self._path.name}: {error}")


def _photo(  # noqa: PLR0913, PLR0917 - the columns, in their order
    sha256: str, name: str, width_px: int, height_px: int, thumbnail: str, fingerprint: bytes
) -> Photo:
    return Photo(
        sha256=sha256,
        name=name,
        width_px=width_px,
        height_px=height_px,
        thumbnail=thumbnail,
        fingerprint=fingerprint,
    )


def _load_vector(blob: bytes) -> Vector:
    return np.frombuffer(blob, _LITTLE_ENDIAN).astype(np.float32)


def _palette_bytes(palette: Palette) -> bytes:
    return np.column_stack([palette.colors, palette.shares]).astype(_LITTLE_ENDIAN).tobytes()


def _load_palette(blob: bytes) -> Palette:
    rows = _load_vector(blob).reshape(-1, 4)
    return Palette(rows[:, :3], rows[:, 3])


def _load_attributes(text: str) -> Attributes:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}
