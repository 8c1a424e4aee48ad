"""Pages of products in an order, each beginning where the one before it ended."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sartor.store.cursors import read_cursor, write_cursor
from sartor.store.matching import as_json
from sartor.store.ranking import Rankings
from sartor.store.records import Listing, Sort
from sartor.store.words import expression_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator, Mapping

    from sartor.store.cursors import Key
    from sartor.store.database import Database
    from sartor.store.matching import Mask, Matches
    from sartor.store.records import ListingQuery
    from sartor.types import StoredProduct

_FEW = 2000  # products that are sorted faster than they are met along the order of all

_INTEGER = (int,)
_FLOAT = (float,)
_TEXT = (str,)
_NOTHING = type(None)


class _Order(NamedTuple):
    """An order by a column of ``listed``, equal ones by id; products without a value come last."""

    column: str
    kind: type
    ascending: bool = True


_ORDERS = {
    Sort.TITLE: _Order("title_key", str),
    Sort.PRICE_UP: _Order("price", float),
    Sort.PRICE_DOWN: _Order("price", float, ascending=False),
}


class Listings:
    """Lists products."""

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
            BadCursor: ``query.after`` is no place in this listing.
        """
        limit = max(0, query.limit)
        with self._database.reading() as connection:
            found = self._matches.found(query.where, query.words)
            places = list(islice(self._places(connection, query, found), limit + 1))
            shown = places[:limit]
            ids = _ids(connection, [number for number, _ in shown])
            products = self._products(list(ids.values()))
        return Listing(
            products=tuple(products[ids[number]] for number, _ in shown if ids[number] in products),
            total=self._matches.total(found),
            next=write_cursor(query, shown[-1][1]) if shown and len(places) > limit else None,
        )

    def _places(
        self, connection: sqlite3.Connection, query: ListingQuery, found: Mask | None
    ) -> Iterator[tuple[int, list[Key]]]:
        """Numbers of products from where the query goes on, each with its place."""
        if query.sort in _ORDERS:
            return _ordered(connection, query, found)
        expression = expression_of(query.words)
        if query.sort is Sort.RELEVANCE and expression is not None and found is not None:
            after = read_cursor(query, _INTEGER, _FLOAT, _INTEGER)
            return self._rankings.places(connection, query.words, expression, found, after)
        return _newest(connection, query, found)


def _newest(
    connection: sqlite3.Connection, query: ListingQuery, found: Mask | None
) -> Iterator[tuple[int, list[Key]]]:
    after = read_cursor(query, _INTEGER)
    if found is not None:
        before = found if after is None else found[: max(0, after[0])]
        numbers: Iterator[int] = iter(np.flatnonzero(before)[::-1][: max(0, query.limit) + 1].tolist())
    elif after is None:
        numbers = (number for (number,) in connection.execute("SELECT number FROM listed ORDER BY number DESC"))
    else:
        sql = "SELECT number FROM listed WHERE number < ? ORDER BY number DESC"
        numbers = (number for (number,) in connection.execute(sql, after))
    return ((number, [number]) for number in numbers)


def _ordered(
    connection: sqlite3.Connection, query: ListingQuery, found: Mask | None
) -> Iterator[tuple[int, list[Key]]]:
    order = _ORDERS[query.sort]
    after = read_cursor(query, (order.kind, _NOTHING), _TEXT)
    numbers = None if found is None else np.flatnonzero(found)
    if numbers is None or found is None:
        return (row for part in _parts(order, after) for row in _rows(connection, part, None))
    if len(numbers) <= _FEW:
        few = as_json(numbers.tolist())
        return (row for part in _parts(order, after) for row in _rows(connection, part, few))
    passes = found.tobytes()  # looked into five times as fast as an array
    return (row for part in _parts(order, after) for row in _rows(connection, part, None) if passes[row[0]])


class _Part(NamedTuple):
    """A stretch of an order: the products with a value, or the ones without."""

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


def _rows(connection: sqlite3.Connection, part: _Part, few: str | None) -> Iterator[tuple[int, list[Key]]]:
    # NOT INDEXED leaves only the look-up by number; SQLite would rather walk along the whole order.
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
