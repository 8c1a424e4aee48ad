"""Browsing: pages of products in an order, and the counts of attribute values beside them."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sartor.browsing import (
    MAX_FILTER_VALUES,
    MIN_FILTER_VALUES,
    good_filters,
    may_filter,
    read_cursor,
    write_cursor,
)
from sartor.store.sqlite.browse import Rankings, as_json, parse_numbers
from sartor.types import FacetValue, Listing, Sort
from sartor.values import storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sartor.browsing import Key
    from sartor.store.sqlite.browse import Mask, Matches
    from sartor.store.sqlite.database import Database
    from sartor.types import ListingQuery, StoredProduct, Where

_CACHED_COUNTS = 1024
_FEW_SHARE = 16  # above one in so many products, it is faster to read an attribute whole
_FEW = 2000  # products; fewer are sorted faster than they are met along the order of all

_COUNT_ALL = """
SELECT text, count(*) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND text IS NOT NULL GROUP BY text
"""
_PRODUCTS_BY_TEXT = """
SELECT text, group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND text IS NOT NULL GROUP BY text
"""
_COUNT_FEW = """
SELECT text, count(*) FROM json_each(?2) AS few CROSS JOIN product_values ON product = few.value
CROSS JOIN attribute_values AS one ON one.id = product_values.value
WHERE attribute = ?1 AND text IS NOT NULL GROUP BY text
"""
_ATTRIBUTES = """
SELECT attribute, json_group_array(DISTINCT text) FROM attribute_values
WHERE text IS NOT NULL GROUP BY attribute HAVING count(DISTINCT text) BETWEEN ? AND ?
"""
_PRODUCTS_WITH = """
SELECT group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND text IS NOT NULL
"""

_INTEGER = (int,)
_FLOAT = (float,)
_TEXT = (str,)
_NOTHING = type(None)


class Facets:
    """Counts products by the values of their attributes."""

    def __init__(self, database: Database, matches: Matches) -> None:
        self._database = database
        self._matches = matches
        self._state: tuple[int, int] | None = None
        self._counted: dict[tuple[str, Where, str, int], list[FacetValue]] = {}
        self._names: tuple[str, ...] | None = None

    def count(
        self, attributes: Sequence[str], *, where: Where, words: str, limit: int
    ) -> dict[str, list[FacetValue]]:
        """Values of attributes with their number of products, the most frequent first, ties by value."""
        with self._database.snapshot() as connection:
            self._refresh()
            new = [name for name in dict.fromkeys(attributes) if (name, where, words, limit) not in self._counted]
            counted = self._count(connection, new, self._matches.mask(where, words), limit) if new else {}
            if len(self._counted) + len(counted) <= _CACHED_COUNTS:
                self._counted |= {(name, where, words, limit): values for name, values in counted.items()}
            return {
                name: list(counted[name] if name in counted else self._counted[name, where, words, limit])
                for name in attributes
            }

    def names(self, *, limit: int) -> tuple[str, ...]:
        """Attributes that make good filters, by how many products have them, then by how few values."""
        with self._database.snapshot() as connection:
            self._refresh()
            if self._names is None:
                self._names = self._good_filters(connection)
            return self._names[: max(0, limit)]

    def _refresh(self) -> None:
        state = self._database.state()
        if state != self._state:
            self._counted, self._names, self._state = {}, None, state

    def _count(
        self, connection: sqlite3.Connection, names: Sequence[str], mask: Mask | None, limit: int
    ) -> dict[str, list[FacetValue]]:
        few = None
        if mask is not None and self._matches.total(mask) * _FEW_SHARE <= self._matches.total(None):
            few = as_json(np.flatnonzero(mask).tolist())
        counted = {}
        for name in names:
            if few is not None:
                counts = connection.execute(_COUNT_FEW, (storable(name), few)).fetchall()
            else:
                counts = list(_counts(connection, storable(name), mask))
            values = [FacetValue(text, count) for text, count in counts if count]
            counted[name] = sorted(values, key=lambda value: (-value.count, value.value))[: max(0, limit)]
        return counted

    def _good_filters(self, connection: sqlite3.Connection) -> tuple[str, ...]:
        self._matches.refresh(connection)
        attributes = []
        for name, texts in connection.execute(_ATTRIBUTES, (MIN_FILTER_VALUES, MAX_FILTER_VALUES)).fetchall():
            if may_filter(name):
                (joined,) = connection.execute(_PRODUCTS_WITH, (name,)).fetchone()
                has_value = np.zeros(self._matches.size, np.bool_)
                has_value[parse_numbers(joined)] = True
                attributes.append((name, json.loads(texts), int(np.count_nonzero(has_value))))
        return good_filters(attributes, products=self._matches.total(None))


def _counts(connection: sqlite3.Connection, name: str, mask: Mask | None) -> Iterator[tuple[str, int]]:
    if mask is None:
        yield from connection.execute(_COUNT_ALL, (name,))
        return
    for text, joined in connection.execute(_PRODUCTS_BY_TEXT, (name,)):
        yield text, int(np.count_nonzero(mask[parse_numbers(joined)]))


class _Order(NamedTuple):
    """An order by a column of ``listed``, ties by id; products without a value come last."""

    column: str
    kind: type
    ascending: bool = True


_ORDERS = {
    Sort.TITLE: _Order("title_key", str),
    Sort.PRICE_UP: _Order("price", float),
    Sort.PRICE_DOWN: _Order("price", float, ascending=False),
}


class Listings:
    """Lists products page by page."""

    def __init__(
        self,
        database: Database,
        matches: Matches,
        products: Callable[[Collection[str]], Mapping[str, StoredProduct]],
    ) -> None:
        self._database = database
        self._matches = matches
        self._products = products
        self._rankings = Rankings()

    def page(self, query: ListingQuery) -> Listing:
        """A page of the products that pass.

        Raises:
            BadCursor: ``query.after`` is not a cursor of this listing.
        """
        limit = max(0, query.limit)
        with self._database.snapshot() as connection:
            mask = self._matches.mask(query.where, query.words)
            rows = list(islice(self._rows(connection, query, mask), limit + 1))
            shown = rows[:limit]
            ids = _ids(connection, [number for number, _ in shown])
            products = self._products(list(ids.values()))
            expressions = self._matches.expressions(connection, query.words)
        return Listing(
            products=tuple(products[ids[number]] for number, _ in shown if ids[number] in products),
            total=self._matches.total(mask),
            next=write_cursor(query, shown[-1][1]) if shown and len(rows) > limit else None,
            is_close=expressions is not None and expressions.is_close,
        )

    def _rows(
        self, connection: sqlite3.Connection, query: ListingQuery, mask: Mask | None
    ) -> Iterator[tuple[int, list[Key]]]:
        """Numbers of products from the cursor on, each with its key."""
        if query.sort in _ORDERS:
            return _ordered(connection, query, mask)
        expressions = self._matches.expressions(connection, query.words)
        if query.sort is Sort.RELEVANCE and expressions is not None and mask is not None:
            after = read_cursor(query, _INTEGER, _FLOAT, _INTEGER)
            return self._rankings.rows(connection, query.words, expressions, mask, after)
        return _newest(connection, query, mask)


def _newest(
    connection: sqlite3.Connection, query: ListingQuery, mask: Mask | None
) -> Iterator[tuple[int, list[Key]]]:
    after = read_cursor(query, _INTEGER)
    if mask is not None:
        before = mask if after is None else mask[: max(0, after[0])]
        numbers: Iterator[int] = iter(np.flatnonzero(before)[::-1][: max(0, query.limit) + 1].tolist())
    elif after is None:
        numbers = (number for (number,) in connection.execute("SELECT number FROM listed ORDER BY number DESC"))
    else:
        sql = "SELECT number FROM listed WHERE number < ? ORDER BY number DESC"
        numbers = (number for (number,) in connection.execute(sql, after))
    return ((number, [number]) for number in numbers)


def _ordered(
    connection: sqlite3.Connection, query: ListingQuery, mask: Mask | None
) -> Iterator[tuple[int, list[Key]]]:
    order = _ORDERS[query.sort]
    after = read_cursor(query, (order.kind, _NOTHING), _TEXT)
    few, passes = None, None
    if mask is not None and np.count_nonzero(mask) <= _FEW:
        few = as_json(np.flatnonzero(mask).tolist())
    elif mask is not None:
        passes = mask.tobytes()  # a byte is read five times as fast as an item of an array
    for part in _parts(order, after):
        for row in _part_rows(connection, part, few):
            if passes is None or passes[row[0]]:
                yield row


class _Part(NamedTuple):
    """A part of an order: the products with a value, or those without."""

    column: str
    condition: str
    parameters: tuple[Key, ...]
    order: str


def _parts(order: _Order, after: list[Any] | None) -> Iterator[_Part]:
    column, beyond = order.column, ">" if order.ascending else "<"
    direction = "ASC" if order.ascending else "DESC"
    by = f"{column} {direction}, product_id {direction}"
    if after is None:
        yield _Part(column, f"{column} IS NOT NULL", (), by)
        yield _Part(column, f"{column} IS NULL", (), by)
    elif after[0] is None:
        yield _Part(column, f"{column} IS NULL AND product_id {beyond} ?", (after[1],), by)
    else:
        yield _Part(column, f"({column}, product_id) {beyond} (?, ?)", tuple(after), by)
        yield _Part(column, f"{column} IS NULL", (), by)


def _part_rows(connection: sqlite3.Connection, part: _Part, few: str | None) -> Iterator[tuple[int, list[Key]]]:
    # NOT INDEXED leaves only the look-up by number; else SQLite walks along the whole order.
    among = "" if few is None else "NOT INDEXED"
    more = "" if few is None else "AND number IN (SELECT value FROM json_each(?))"
    sql = (
        f"SELECT number, {part.column}, product_id FROM listed {among}"  # noqa: S608 - columns of ours
        f" WHERE {part.condition} {more} ORDER BY {part.order}"
    )
    parameters = part.parameters if few is None else (*part.parameters, few)
    for number, key, product_id in connection.execute(sql, parameters):
        yield number, [key, product_id]


def _ids(connection: sqlite3.Connection, numbers: list[int]) -> dict[int, str]:
    sql = "SELECT number, product_id FROM listed WHERE number IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(sql, (as_json(numbers),)))
