"""How well products fit the words: BM25, a word in the title counting more than one in the attributes.

A score depends on all products, so a write moves those of others, too. A shopper who pages on is shown the ranking
that the first page came from, for as long as it is remembered; after that, products are ranked anew, and the page
begins below the score of the last one shown.
"""

from __future__ import annotations

import json
import sqlite3
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from sartor.store.sqlite.encoding import load_attributes
from sartor.types import AnyOf, Not, Product
from sartor.values import price_of, searched_of, storable, title_key, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

    import numpy.typing as npt

    from sartor.store.sqlite.database import Database
    from sartor.store.sqlite.encoding import Key
    from sartor.types import Between, Where
    from sartor.values import Value

_MOST_WORDS = 32  # nobody types more; what is pasted does not slow the others down
_LONGEST_WORD = 64
_PLURALS_FROM = 4  # letters from which a word may go on, so that "shirt" finds shirts but "top" no topwear

Mask: TypeAlias = "npt.NDArray[np.bool_]"  # (highest number + 1,), True where the product with this number passes
Numbers: TypeAlias = "npt.NDArray[np.int64]"

_PAGE = 1000
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
_TITLE_WEIGHT = 8.0
_ATTRIBUTES_WEIGHT = 1.0
_KEPT = 64
_PLACES_KEPT = 2_000_000  # 32 MB
_FIRST = -1e9  # of the product whose id is asked for; SQLite's scores are the lower the better
_REVISION = """
SELECT max(coalesce((SELECT max(revision) FROM products), 0), coalesce((SELECT max(revision) FROM deletions), 0))
"""


def expression_of(words: str) -> str | None:
    """An expression of FTS5 for products in which every word occurs; None where there is nothing to search.

    The last word, which may not be typed to its end, and words of four letters and more are taken as beginnings. A
    word without letters and digits says nothing and is left out. Each word is quoted, so none is an operator.

    Source: https://www.sqlite.org/fts5.html#full_text_query_syntax
    """
    typed = storable(words).replace("\0", " ").replace('"', " ").split()
    said = [word for word in typed if any(letter.isalnum() for letter in word)][:_MOST_WORDS]
    if not said:
        return None
    phrases = [_phrase(word) for word in said[:-1]] + [_phrase(said[-1], goes_on=True)]
    return " ".join(dict.fromkeys(phrases))


def _phrase(word: str, *, goes_on: bool = False) -> str:
    return f'"{word[:_LONGEST_WORD]}"' + ("*" if goes_on or len(word) >= _PLURALS_FROM else "")


class BrowseIndex:
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
    shelf, last = BrowseIndex(connection), -1
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


class _Ranking(NamedTuple):
    """Products in the order of their scores, equal ones the newest first."""

    revision: int
    numbers: Numbers
    scores: npt.NDArray[np.float64]


class Rankings:
    """Ranks products, and remembers the last rankings."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], _Ranking] = {}

    def places(
        self,
        connection: sqlite3.Connection,
        words: str,
        expression: str,
        found: Mask,
        after: list[Any] | None,
    ) -> Iterator[tuple[int, list[Key]]]:
        """Numbers of the products found, each with its place in the ranking, from a place on."""
        ranking = self._ranking(connection, words, expression, after)
        begin = 0 if after is None else _position(ranking, score=after[1], number=after[2])
        numbers = ranking.numbers[begin:]
        still = numbers < len(found)
        still[still] = found[numbers[still]]
        for place in np.flatnonzero(still):
            number, score = int(numbers[place]), float(ranking.scores[begin + place])
            yield number, [ranking.revision, score, number]

    def _ranking(
        self, connection: sqlite3.Connection, words: str, expression: str, after: list[Any] | None
    ) -> _Ranking:
        ((revision,),) = connection.execute(_REVISION)
        wanted = revision if after is None else after[0]
        ranking = self._kept.pop((words, wanted), None) or self._kept.pop((words, revision), None)
        if ranking is None:
            ranking = _rank(connection, words, expression, revision)
        self._kept[words, ranking.revision] = ranking
        while len(self._kept) > _KEPT or sum(len(kept.numbers) for kept in self._kept.values()) > _PLACES_KEPT:
            del self._kept[next(iter(self._kept))]
        return ranking


def _rank(connection: sqlite3.Connection, words: str, expression: str, revision: int) -> _Ranking:
    rows = connection.execute(
        "SELECT rowid, bm25(product_words, ?, ?) FROM product_words WHERE product_words MATCH ?",
        (_TITLE_WEIGHT, _ATTRIBUTES_WEIGHT, expression),
    )
    scores = dict(rows.fetchall())
    exact = number_of(connection, words)
    if exact is not None:
        scores[exact] = _FIRST
    numbers = np.fromiter(scores.keys(), np.int64, len(scores))
    values = np.fromiter(scores.values(), np.float64, len(scores))
    order = np.lexsort((-numbers, values))
    return _Ranking(revision, numbers[order], values[order])


def _position(ranking: _Ranking, *, score: float, number: int) -> int:
    seen = (ranking.scores < score) | ((ranking.scores == score) & (ranking.numbers >= number))
    return int(np.count_nonzero(seen))
