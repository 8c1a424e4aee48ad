"""Which products pass a filter and have the words: one bit each, kept in memory until the next write.

A bit costs a byte here, so a million products a megabyte; a page, its total and all its facets read the same bits.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.store.values import storable
from sartor.store.words import expression_of
from sartor.types import AnyOf, Not

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Hashable, Iterable

    import numpy.typing as npt

    from sartor.store.database import Database
    from sartor.types import Between, Where

Mask: TypeAlias = "npt.NDArray[np.bool_]"  # (highest number + 1,), True where the product with this number passes
Numbers: TypeAlias = "npt.NDArray[np.int64]"

_MASKS_KEPT = 64
_VALUES_AT_ONCE = 500  # SQLite takes 32,766 parameters

_SIZES = "SELECT (SELECT count(*) FROM listed), (SELECT max(number) FROM listed)"
_ANY_OF = """
SELECT group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND text IN ({})
"""
_BETWEEN = """
SELECT group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND number IS NOT NULL {}
"""


class Matches:
    """Finds the products that pass; the caller holds the database for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state: tuple[int, int] | None = None
        self._masks: dict[Hashable, Mask] = {}
        self.size = 0
        self._listed = 0

    def found(self, where: Where, words: str) -> Mask | None:
        """Which products pass; None when nothing is asked, so that all do."""
        with self._database.reading() as connection:
            self.refresh(connection)
            must = [self._condition(connection, each) for each in where.conditions if not isinstance(each, Not)]
            if (expression := expression_of(words)) is not None:
                must.append(self._kept(("words", words), lambda: self._words(connection, expression, words)))
            must_not = [
                self._condition(connection, each.condition) for each in where.conditions if isinstance(each, Not)
            ]
            if must_not and not must:
                must.append(self._kept("listed", lambda: self._all_listed(connection)))
            if not must:
                return None
            found = must[0].copy()
            for mask in must[1:]:
                found &= mask
            for mask in must_not:
                found &= ~mask
            return found

    def total(self, found: Mask | None) -> int:
        """How many products pass."""
        return self._listed if found is None else int(np.count_nonzero(found))

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Forget what was found before the last write."""
        state = self._database.state()
        if state != self._state:
            self._masks = {}
            self._listed, highest = connection.execute(_SIZES).fetchone()
            self.size = (highest or 0) + 1
            self._state = state

    def _condition(self, connection: sqlite3.Connection, condition: AnyOf | Between) -> Mask:
        if isinstance(condition, AnyOf):
            return self._kept(condition, lambda: self._any_of(connection, condition))
        return self._kept(condition, lambda: self._between(connection, condition))

    def _any_of(self, connection: sqlite3.Connection, condition: AnyOf) -> Mask:
        mask = self._mask()
        values = iter(condition.values)
        while batch := [storable(value) for value in islice(values, _VALUES_AT_ONCE)]:
            sql = _ANY_OF.format(", ".join("?" * len(batch)))
            mask[_numbers(connection, sql, storable(condition.attribute), *batch)] = True
        return mask

    def _between(self, connection: sqlite3.Connection, condition: Between) -> Mask:
        bounds = {"AND number >= ?": condition.low, "AND number <= ?": condition.high}
        told = {sql: bound for sql, bound in bounds.items() if bound is not None}
        sql = _BETWEEN.format(" ".join(told))
        return self._mask(_numbers(connection, sql, storable(condition.attribute), *map(float, told.values())))

    def _words(self, connection: sqlite3.Connection, expression: str, words: str) -> Mask:
        mask = self._mask(
            _numbers(
                connection, "SELECT group_concat(rowid) FROM product_words WHERE product_words MATCH ?", expression
            )
        )
        exact = number_of(connection, words)
        if exact is not None:
            mask[exact] = True
        return mask

    def _all_listed(self, connection: sqlite3.Connection) -> Mask:
        return self._mask(_numbers(connection, "SELECT group_concat(number) FROM listed"))

    def _mask(self, numbers: Numbers | tuple[()] = ()) -> Mask:
        mask = np.zeros(self.size, np.bool_)
        mask[np.asarray(numbers, np.int64)] = True
        return mask

    def _kept(self, key: Hashable, find: Callable[[], Mask]) -> Mask:
        mask = self._masks.pop(key, None)
        if mask is None:
            mask = find()
        self._masks[key] = mask  # the last one asked for is the last one to go
        if len(self._masks) > _MASKS_KEPT:
            del self._masks[next(iter(self._masks))]
        return mask


def number_of(connection: sqlite3.Connection, words: str) -> int | None:
    """The number of the product whose id is exactly this."""
    product_id = storable(words).strip()
    found = connection.execute("SELECT number FROM listed WHERE product_id = ?", (product_id,)).fetchone()
    return None if found is None else int(found[0])


def parse_numbers(joined: str | None) -> Numbers:
    """Numbers that SQLite joined by commas: five times as fast as a row for each."""
    return np.fromstring(joined or "", np.int64, sep=",")


def _numbers(connection: sqlite3.Connection, sql: str, *parameters: object) -> Numbers:
    return parse_numbers(connection.execute(sql, parameters).fetchone()[0])


def as_json(numbers: Iterable[int]) -> str:
    """Numbers as SQLite's ``json_each`` takes them."""
    return f"[{','.join(map(str, numbers))}]"
