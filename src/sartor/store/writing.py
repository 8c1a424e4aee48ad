"""Writing and deleting products with all that hangs on them, within a transaction of the caller."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sartor.store.rows import palette_bytes, vector_bytes
from sartor.store.shelf import Shelf

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from sartor.store.records import Write
    from sartor.types import StoredProduct


def write_products(connection: sqlite3.Connection, write: Write, *, first_revision: int) -> None:
    """Write products, each at a revision of its own, their photos and what was computed of these."""
    shelf, shown = Shelf(connection), _shown(connection, [stored.product.id for stored in write.products])
    for revision, stored in enumerate(write.products, start=first_revision):
        product, attributes = stored.product, json.dumps(dict(stored.product.attributes))
        if product.id in shown:
            connection.execute("DELETE FROM product_photos WHERE product_id = ?", (product.id,))
        _write_product(connection, stored, attributes=attributes, revision=revision)
        if shown.get(product.id) != (
            product.title,
            attributes,
        ):  # a promotion writes all, and changes no word of it
            (shelf.replace if product.id in shown else shelf.add)(product)
            shown[product.id] = (product.title, attributes)
    shelf.tidy()
    names = {name for stored in write.products for name in stored.product.attributes}
    connection.executemany("INSERT OR IGNORE INTO attribute_names VALUES (?)", [(name,) for name in names])
    connection.executemany(
        "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
        [(sha256, write.model, vector_bytes(vector)) for sha256, vector in write.embeddings.items()],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO palettes VALUES (?, ?)",
        [(sha256, palette_bytes(palette)) for sha256, palette in write.palettes.items()],
    )


def delete_products(connection: sqlite3.Connection, product_ids: Collection[str], *, first_revision: int) -> None:
    """Delete products that there are, each at a revision of its own."""
    deletions = [(product_id, revision) for revision, product_id in enumerate(product_ids, start=first_revision)]
    connection.executemany("INSERT OR REPLACE INTO deletions VALUES (?, ?)", deletions)
    shelf = Shelf(connection)
    shelf.take_away(product_ids)
    shelf.tidy()
    connection.executemany("DELETE FROM products WHERE id = ?", [(product_id,) for product_id in product_ids])


def _shown(connection: sqlite3.Connection, product_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    rows = connection.execute(
        "SELECT id, title, attributes FROM products WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(product_ids)),),
    )
    return {product_id: (title, attributes) for product_id, title, attributes in rows}


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
