"""The embedded catalog store: one SQLite file in WAL mode.

A write returns when its transaction is committed and on disk (``synchronous = FULL``); one killed before
that leaves no trace. Every write gives its products new revisions, by which an index catches up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sartor.store.database import Database
from sartor.store.facets import Facets
from sartor.store.keys import Keys
from sartor.store.listing import Listings
from sartor.store.matching import Matches
from sartor.store.records import Change, StoreCounts
from sartor.store.rows import load_attributes, load_palette, load_vector, photo_of
from sartor.store.schema import MIGRATIONS
from sartor.store.shelf import wrong_on_shelf
from sartor.store.writing import delete_products, write_products
from sartor.types import EVERYTHING, EmbeddedPhoto, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from sartor.store.records import ApiKey, Listing, ListingQuery, Write
    from sartor.types import FacetValue, Palette, Photo, Vector, Where


class SqliteStore:
    """Products, photos and embeddings of one workspace; may be called from several threads.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is no store, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, migrations=MIGRATIONS)
        self._keys = Keys(self._database)
        matches = Matches(self._database)
        self._listings = Listings(self._database, matches, self.products)
        self._facets = Facets(self._database, matches)

    # Reading

    @property
    def revision(self) -> int:
        """Revision of the last write; 0 for an empty store."""
        ((revision,),) = self._database.all(
            "SELECT max(coalesce((SELECT max(revision) FROM products), 0),"
            " coalesce((SELECT max(revision) FROM deletions), 0))"
        )
        return int(revision)

    def products(self, product_ids: Collection[str]) -> dict[str, StoredProduct]:
        """The products with these ids, as far as there are any."""
        wanted = json.dumps(list(product_ids))
        photos: dict[str, list[Photo]] = {}
        for product_id, *fields in self._database.all(
            "SELECT product_id, sha256, name, width_px, height_px, thumbnail, fingerprint FROM product_photos"
            " JOIN photos USING (sha256) WHERE product_id IN (SELECT value FROM json_each(?))"
            " ORDER BY product_id, position",
            wanted,
        ):
            photos.setdefault(product_id, []).append(photo_of(*fields))
        rows = self._database.all(
            "SELECT id, title, attributes, source FROM products WHERE id IN (SELECT value FROM json_each(?))",
            wanted,
        )
        return {
            product_id: StoredProduct(
                product=Product(id=product_id, title=title, attributes=load_attributes(attributes)),
                photos=tuple(photos.get(product_id, ())),
                source=source,
            )
            for product_id, title, attributes, source in rows
        }

    def known(self, product_ids: Collection[str]) -> set[str]:
        """Which of these ids are those of products."""
        rows = self._database.all(
            "SELECT id FROM products WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(product_ids))
        )
        return {product_id for (product_id,) in rows}

    def product_ids(self, *, source: str | None = None) -> list[str]:
        """Ids of all products, or of those that came from one source, sorted."""
        rows = self._database.all("SELECT id FROM products WHERE ?1 IS NULL OR source = ?1 ORDER BY id", source)
        return [product_id for (product_id,) in rows]

    def products_with_photos(self, sha256s: Collection[str]) -> set[str]:
        """Ids of the products that show at least one of these photos."""
        rows = self._database.all(
            "SELECT DISTINCT product_id FROM product_photos WHERE sha256 IN (SELECT value FROM json_each(?))",
            json.dumps(list(sha256s)),
        )
        return {product_id for (product_id,) in rows}

    def embeddings(self, model: str, sha256s: Collection[str]) -> dict[str, Vector]:
        """Embeddings of these photos, as far as the model has embedded them; ``(d,)`` float32 each."""
        rows = self._database.all(
            "SELECT sha256, vector FROM embeddings WHERE model = ? AND sha256 IN (SELECT value FROM json_each(?))",
            model,
            json.dumps(list(sha256s)),
        )
        return {sha256: load_vector(blob) for sha256, blob in rows}

    def palettes(self, sha256s: Collection[str]) -> dict[str, Palette]:
        """Colors of these photos, as far as they are known."""
        rows = self._database.all(
            "SELECT sha256, colors FROM palettes WHERE sha256 IN (SELECT value FROM json_each(?))",
            json.dumps(list(sha256s)),
        )
        return {sha256: load_palette(blob) for sha256, blob in rows}

    def embedded(self, model: str, sha256s: Collection[str]) -> set[str]:
        """Of which of these photos there is all that is computed: the model's embedding, and the colors."""
        rows = self._database.all(
            "SELECT sha256 FROM embeddings JOIN palettes USING (sha256)"
            " WHERE model = ? AND sha256 IN (SELECT value FROM json_each(?))",
            model,
            json.dumps(list(sha256s)),
        )
        return {sha256 for (sha256,) in rows}

    def has_embeddings(self, model: str) -> bool:
        """Whether the model has embedded any photo."""
        return bool(self._database.all("SELECT 1 FROM embeddings WHERE model = ? LIMIT 1", model))

    def photos(self, sha256s: Collection[str]) -> dict[str, Photo]:
        """The photos with these digests, as far as there are any; each under one of its names."""
        rows = self._database.all(
            "SELECT sha256, min(name), width_px, height_px, thumbnail, fingerprint FROM product_photos JOIN photos"
            " USING (sha256) WHERE sha256 IN (SELECT value FROM json_each(?)) GROUP BY sha256",
            json.dumps(list(sha256s)),
        )
        return {sha256: photo_of(sha256, *fields) for sha256, *fields in rows}

    def embedded_photos(self, model: str, product_ids: Collection[str]) -> list[EmbeddedPhoto]:
        """Every photo of these products that the model has embedded: the entries that an index has of them."""
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
        """``(product id, SHA-256)`` of every photo of a product that the model has embedded."""
        return set(
            self._database.all(
                "SELECT product_id, sha256 FROM product_photos JOIN embeddings USING (sha256) WHERE model = ?",
                model,
            )
        )

    def changes(self, *, since: int, limit: int) -> list[Change]:
        """What happened to products after a revision, the oldest first, each product once."""
        rows = self._database.all(
            "SELECT * FROM (SELECT revision, id, 0 FROM products WHERE revision > ?1"
            " UNION ALL SELECT revision, product_id, 1 FROM deletions WHERE revision > ?1)"
            " ORDER BY 1 LIMIT ?2",
            since,
            limit,
        )
        return [Change(revision=row[0], product_id=row[1], deleted=bool(row[2])) for row in rows]

    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes that products have had, sorted."""
        return tuple(name for (name,) in self._database.all("SELECT name FROM attribute_names ORDER BY name"))

    def thumbnails(self) -> set[str]:
        """File names of the thumbnails of all photos that have a picture."""
        return {name for (name,) in self._database.all("SELECT thumbnail FROM photos WHERE thumbnail <> ''")}

    def counts(self) -> StoreCounts:
        """How much the store holds."""
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
        """A setting that the workspace remembers."""
        rows = self._database.all("SELECT value FROM settings WHERE name = ?", name)
        return rows[0][0] if rows else None

    def damage(self) -> list[str]:
        """What is wrong with the file, as SQLite finds, and with what is browsed; empty when all is well."""
        found = [row[0] for row in self._database.all("PRAGMA integrity_check") if row[0] != "ok"]
        references = self._database.all("PRAGMA foreign_key_check")
        with self._database.reading() as connection:
            wrong = wrong_on_shelf(connection)
        return found + [f"{row[0]} refers to a missing {row[2]}" for row in references] + wrong

    # Browsing

    def listing(self, query: ListingQuery) -> Listing:
        """A page of the products that pass a filter and have the words.

        Raises:
            BadCursor: ``query.after`` is no place in this listing.
        """
        return self._listings.page(query)

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, words: str = "", limit: int
    ) -> dict[str, list[FacetValue]]:
        """Values of attributes among the products that pass, the most frequent first, equals by value.

        Args:
            attributes: Which ones; those that no product has a text of get no values.
            where: Only products that pass this filter are counted, with or without photos.
            words: Only products that have these words.
            limit: Values of each attribute, at most.
        """
        return self._facets.count(attributes, where=where, words=words, limit=limit)

    def facet_names(self, *, most: int = 12) -> tuple[str, ...]:
        """Attributes worth a filter bar: a few values that many products have; the most useful one first."""
        return self._facets.names(most=most)

    # Keys

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        """Keep an API key; of its secret, only the digest."""
        self._keys.add(key, digest)

    def keys(self) -> tuple[ApiKey, ...]:
        """Every API key, the oldest first."""
        return self._keys.all()

    def keys_with_digests(self) -> tuple[tuple[bytes, ApiKey], ...]:
        """Every API key behind the digest of its secret, for whoever compares in constant time."""
        return self._keys.with_digests()

    def key_by_digest(self, digest: bytes) -> ApiKey | None:
        """The API key whose secret has this digest, if there is one."""
        return self._keys.by_digest(digest)

    def delete_key(self, key_id: str) -> bool:
        """Forget an API key; returns whether there was one."""
        return self._keys.delete(key_id)

    # Writing

    def write(self, write: Write) -> None:
        """Write products, their photos and embeddings in one transaction."""
        with self._database.transaction() as connection:
            write_products(connection, write, first_revision=self.revision + 1)

    def delete(self, product_ids: Collection[str]) -> None:
        """Delete products in one transaction; their photos stay until ``drop_unused_photos``."""
        with self._database.transaction() as connection:
            delete_products(connection, list(self.products(product_ids)), first_revision=self.revision + 1)

    def drop_unused_photos(self) -> None:
        """Delete the photos that no product shows any more, with their embeddings."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM photos WHERE NOT EXISTS"
                " (SELECT 1 FROM product_photos WHERE product_photos.sha256 = photos.sha256)"
            )

    def set_setting(self, name: str, value: str) -> None:
        """Remember a setting."""
        self.set_settings({name: value})

    def set_settings(self, settings: Mapping[str, str | None]) -> None:
        """Remember several settings in one transaction; None forgets one."""
        with self._database.transaction() as connection:
            for name, value in settings.items():
                if value is None:
                    connection.execute("DELETE FROM settings WHERE name = ?", (name,))
                else:
                    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        self._database.close()
