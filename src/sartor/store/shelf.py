"""The writing side of browsing: what listings, filters and searches read, kept in the transaction of each write.

All of it follows from the products and can be made again from them. A product has a number here, given in the
order in which products were first added; it stays for as long as the product does.
"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from sartor.store.rows import load_attributes
from sartor.store.values import price_of, searched_of, title_key, values_of
from sartor.types import Product

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.store.values import Value

_PAGE = 1000


class Shelf:
    """Puts products where they are browsed, within one transaction; the products themselves are written before."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[Value, int] = {}
        self._left: set[int] = set()  # values that a product had, and may have been the last to have

    def add(self, product: Product) -> None:
        """Show a product that is new."""
        number = self._connection.execute(
            "INSERT INTO listed (product_id, title_key, price) VALUES (?, ?, ?)",
            (product.id, title_key(product.title), price_of(product)),
        ).lastrowid
        self._fill(number, product)

    def replace(self, product: Product) -> None:
        """Show a product as it is now, where it was before."""
        found = "SELECT number FROM listed WHERE product_id = ?"
        (number,) = self._connection.execute(found, (product.id,)).fetchone()
        self._connection.execute(
            "UPDATE listed SET title_key = ?, price = ? WHERE number = ?",
            (title_key(product.title), price_of(product), number),
        )
        had = self._connection.execute("SELECT value FROM product_values WHERE product = ?", (number,)).fetchall()
        self._left.update(value for (value,) in had)
        self._connection.execute("DELETE FROM product_values WHERE product = ?", (number,))
        self._connection.execute("DELETE FROM product_words WHERE rowid = ?", (number,))
        self._fill(number, product)

    def take_away(self, product_ids: Collection[str]) -> None:
        """Show these products no longer."""
        for product_id in product_ids:
            had = self._connection.execute(
                "SELECT value FROM listed JOIN product_values ON product = number WHERE product_id = ?",
                (product_id,),
            )
            self._left.update(value for (value,) in had.fetchall())
            self._connection.execute("DELETE FROM listed WHERE product_id = ?", (product_id,))

    def tidy(self) -> None:
        """Drop the values that no product has any more."""
        self._connection.execute(
            "DELETE FROM attribute_values WHERE id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM product_values WHERE product_values.value = attribute_values.id)",
            (json.dumps(sorted(self._left)),),
        )
        self._left.clear()
        self._ids.clear()

    def _fill(self, number: int | None, product: Product) -> None:
        self._connection.executemany(
            "INSERT INTO product_values VALUES (?, ?)", [(number, self._id(value)) for value in values_of(product)]
        )
        self._connection.execute(
            "INSERT INTO product_words (rowid, title, attributes) VALUES (?, ?, ?)",
            (number, product.title, searched_of(product)),
        )

    def _id(self, value: Value) -> int:
        if value not in self._ids:
            found = self._connection.execute(
                "SELECT id FROM attribute_values WHERE attribute = ? AND text IS ? AND number IS ?", value
            ).fetchone()
            self._ids[value] = found[0] if found else self._new_id(value)
        return self._ids[value]

    def _new_id(self, value: Value) -> int:
        insert = "INSERT INTO attribute_values (attribute, text, number) VALUES (?, ?, ?)"
        number = self._connection.execute(insert, value).lastrowid
        assert number is not None  # noqa: S101 - a row that was inserted has one
        return number


def shelve_all(connection: sqlite3.Connection) -> None:
    """Show every product, in the order in which the store got to know them; nothing is shown before."""
    shelf, last = Shelf(connection), -1
    while rows := connection.execute(
        "SELECT rowid, id, title, attributes FROM products WHERE rowid > ? ORDER BY rowid LIMIT ?", (last, _PAGE)
    ).fetchall():
        for last, product_id, title, attributes in rows:  # noqa: B007 - the last one is where the next page begins
            shelf.add(Product(id=product_id, title=title, attributes=load_attributes(attributes)))


def wrong_on_shelf(connection: sqlite3.Connection) -> list[str]:
    """What does not agree with the products, or within itself; empty when all is well."""
    checks = {
        "products are not listed": "SELECT count(*) FROM products WHERE id NOT IN (SELECT product_id FROM listed)",
        "listed products have no words": (
            "SELECT count(*) FROM listed WHERE number NOT IN (SELECT id FROM product_words_content)"
        ),
        "searched products are not listed": (
            "SELECT count(*) FROM product_words_content WHERE id NOT IN (SELECT number FROM listed)"
        ),
        "values of products are unknown": (
            "SELECT count(*) FROM product_values WHERE value NOT IN (SELECT id FROM attribute_values)"
        ),
    }
    counts = {what: connection.execute(sql).fetchone()[0] for what, sql in checks.items()}
    found = [f"{count} {what}" for what, count in counts.items() if count]
    try:  # PRAGMA integrity_check reads the full-text index only from SQLite 3.44 on
        connection.execute("INSERT INTO product_words (product_words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        found.append(f"the full-text index: {error}")
    return found
