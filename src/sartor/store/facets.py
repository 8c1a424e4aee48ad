"""Values of attributes and how many products have them; counts are kept in memory until the next write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from sartor.store.matching import as_json, parse_numbers
from sartor.store.values import storable
from sartor.types import FacetValue

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from sartor.store.database import Database
    from sartor.store.matching import Mask, Matches
    from sartor.types import Where

_KEPT = 1024
_MUCH = 16  # one in so many products: from there on it is faster to read an attribute whole
_FEWEST_VALUES, _MOST_VALUES = 2, 200  # of an attribute that is worth a place in a filter bar
_LEAST_COVERAGE = 0.2  # of the products
_WORDS_OF_A_NAME = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")
_NEVER_LAST = frozenset(
    {"description", "gtin", "id", "ids", "link", "links", "mpn", "price", "title", "url", "urls"}
)

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
SELECT attribute, count(DISTINCT text) AS texts FROM attribute_values
WHERE text IS NOT NULL GROUP BY attribute HAVING texts BETWEEN ? AND ? AND NOT max(text LIKE 'http%://%')
"""
_PRODUCTS_WITH = """
SELECT group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND text IS NOT NULL
"""


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
        """Values of attributes among the products that pass, the most frequent first, equals by value."""
        with self._database.reading() as connection:
            self._refresh()
            wanted = [
                name for name in dict.fromkeys(attributes) if (name, where, words, limit) not in self._counted
            ]
            counted = self._count(connection, wanted, self._matches.found(where, words), limit) if wanted else {}
            if len(self._counted) + len(counted) <= _KEPT:
                self._counted |= {(name, where, words, limit): values for name, values in counted.items()}
            return {
                name: list(counted[name] if name in counted else self._counted[name, where, words, limit])
                for name in attributes
            }

    def names(self, *, most: int) -> tuple[str, ...]:
        """Attributes worth a filter bar, the ones of most products first, then the ones of fewer values."""
        with self._database.reading() as connection:
            self._refresh()
            if self._names is None:
                self._names = self._worthy(connection)
            return self._names[: max(0, most)]

    def _refresh(self) -> None:
        state = self._database.state()
        if state != self._state:
            self._counted, self._names, self._state = {}, None, state

    def _count(
        self, connection: sqlite3.Connection, names: Sequence[str], found: Mask | None, limit: int
    ) -> dict[str, list[FacetValue]]:
        everything = self._matches.total(None)
        few = None
        if found is not None and self._matches.total(found) * _MUCH <= everything:
            few = as_json(np.flatnonzero(found).tolist())
        counted = {}
        for name in names:
            if few is not None:
                counts = connection.execute(_COUNT_FEW, (storable(name), few)).fetchall()
            else:
                counts = list(_counts(connection, storable(name), found))
            values = [FacetValue(text, count) for text, count in counts if count]
            counted[name] = sorted(values, key=lambda each: (-each.count, each.value))[: max(0, limit)]
        return counted

    def _worthy(self, connection: sqlite3.Connection) -> tuple[str, ...]:
        self._matches.refresh(connection)
        everything = self._matches.total(None)
        ranked = []
        for name, texts in connection.execute(_ATTRIBUTES, (_FEWEST_VALUES, _MOST_VALUES)).fetchall():
            if _WORDS_OF_A_NAME.split(name.strip())[-1].casefold() in _NEVER_LAST:
                continue
            (joined,) = connection.execute(_PRODUCTS_WITH, (name,)).fetchone()
            has_it = np.zeros(self._matches.size, np.bool_)
            has_it[parse_numbers(joined)] = True
            coverage = np.count_nonzero(has_it) / everything
            if coverage >= _LEAST_COVERAGE:
                ranked.append(
                    (-round(coverage, 2), texts, name)
                )  # a cell that is empty here and there says nothing
        return tuple(name for _, _, name in sorted(ranked))


def _counts(connection: sqlite3.Connection, name: str, found: Mask | None) -> Iterator[tuple[str, int]]:
    if found is None:
        yield from connection.execute(_COUNT_ALL, (name,))
        return
    for text, joined in connection.execute(_PRODUCTS_BY_TEXT, (name,)):
        yield text, int(np.count_nonzero(found[parse_numbers(joined)]))
