"""The browse index: which products a listing shows, by attributes, numbers and words, ranked by BM25.

``BrowseIndex`` writes it beside the products, ``Matches`` filters by it, ``Rankings`` sorts by how well words
match.
"""

from __future__ import annotations

import json
import sqlite3
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from sartor.browsing import phrases_of
from sartor.described import described
from sartor.store.sqlite.encoding import guesses_text, load_attributes, load_guesses
from sartor.types import AnyOf, Not, Product
from sartor.values import compared_text, price_of, searched_of, storable, title_key, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

    import numpy.typing as npt

    from sartor.browsing import Key
    from sartor.store.sqlite.database import Database
    from sartor.types import Between, Guesses, Where
    from sartor.values import Value

Mask: TypeAlias = "npt.NDArray[np.bool_]"  # (highest number + 1,), True for the numbers of products that pass
Numbers: TypeAlias = "npt.NDArray[np.int64]"

_BATCH_PRODUCTS = 1000
_BATCH_VALUES = 500  # SQLite takes 32,766 parameters
_CACHED_MASKS = 64
_CACHED_RANKINGS = 64
_CACHED_ROWS = 2_000_000  # of all rankings; 32 MB
_TITLE_WEIGHT = 8.0
_ATTRIBUTES_WEIGHT = 1.0
_EXACT_ID_SCORE = -1e9  # SQLite's scores are better the lower they are
_SIZES = "SELECT (SELECT count(*) FROM listed), (SELECT max(number) FROM listed)"
_ANY_OF = """
SELECT group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND text IN ({})
"""
_BETWEEN = """
SELECT group_concat(product) FROM attribute_values CROSS JOIN product_values ON value = id
WHERE attribute = ? AND number IS NOT NULL {}
"""
_REVISION = """
SELECT max(coalesce((SELECT max(revision) FROM products), 0), coalesce((SELECT max(revision) FROM deletions), 0))
"""


def expression_of(words: str) -> str | None:
    """The FTS5 expression that matches products with every word; None if no word has a letter or digit.

    Each word is quoted, so that none is an operator.

    Source: https://www.sqlite.org/fts5.html#full_text_query_syntax
    """
    phrases = [f'"{phrase.text}"' + "*" * phrase.is_prefix for phrase in phrases_of(words)]
    return " ".join(phrases) or None


class BrowseIndex:
    """Writes the index within the transaction that wrote the products."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[Value, int] = {}
        self._dropped: set[int] = set()  # values that a product had and perhaps no other has

    def add(self, product: Product, *, number: int | None = None) -> int:
        """Index a new product under a number, by default the next one; returns the number."""
        row = (number, product.id, title_key(product.title), price_of(product))
        ((added,),) = self._connection.execute(
            "INSERT INTO listed VALUES (?, ?, ?, ?) RETURNING number", row
        ).fetchall()
        self._fill(added, product)
        return int(added)

    def replace(self, product: Product) -> None:
        """Index a product again, with what is predicted of it; it keeps its number."""
        product = described(product, load_guesses(self._predicted(product.id)))
        select = "SELECT number FROM listed WHERE product_id = ?"
        (number,) = self._connection.execute(select, (product.id,)).fetchone()
        self._connection.execute(
            "UPDATE listed SET title_key = ?, price = ? WHERE number = ?",
            (title_key(product.title), price_of(product), number),
        )
        values = self._connection.execute("SELECT value FROM product_values WHERE product = ?", (number,))
        self._dropped.update(value for (value,) in values.fetchall())
        self._connection.execute("DELETE FROM product_values WHERE product = ?", (number,))
        self._connection.execute("DELETE FROM product_words WHERE rowid = ?", (number,))
        self._fill(number, product)

    def predict(self, product: Product, guesses: Guesses) -> None:
        """Keep what is predicted of a product, and index it by that if it is new."""
        text = guesses_text(guesses) if guesses else None
        if text == self._predicted(product.id):
            return
        if text is None:
            self._connection.execute("DELETE FROM predictions WHERE product_id = ?", (product.id,))
        else:
            self._connection.execute("INSERT OR REPLACE INTO predictions VALUES (?, ?)", (product.id, text))
        self.replace(product)

    def _predicted(self, product_id: str) -> str | None:
        select = "SELECT guesses FROM predictions WHERE product_id = ?"
        row = self._connection.execute(select, (product_id,)).fetchone()
        return None if row is None else str(row[0])

    def remove(self, product_ids: Collection[str]) -> None:
        """Remove products."""
        for product_id in product_ids:
            values = self._connection.execute(
                "SELECT value FROM listed JOIN product_values ON product = number WHERE product_id = ?",
                (product_id,),
            )
            self._dropped.update(value for (value,) in values.fetchall())
            self._connection.execute("DELETE FROM listed WHERE product_id = ?", (product_id,))

    def drop_unused_values(self) -> None:
        """Delete the values that no product has any more."""
        self._connection.execute(
            "DELETE FROM attribute_values WHERE id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM product_values WHERE product_values.value = attribute_values.id)",
            (json.dumps(sorted(self._dropped)),),
        )
        self._dropped.clear()
        self._ids.clear()

    def compare(self, number: int, product: Product) -> None:
        """Write the values and the price of a product of which only its number, title and words are there."""
        self._connection.execute("UPDATE listed SET price = ? WHERE number = ?", (price_of(product), number))
        self._fill_values(number, product)

    def _fill_values(self, number: int, product: Product) -> None:
        self._connection.executemany(
            "INSERT INTO product_values VALUES (?, ?)", [(number, self._id(value)) for value in values_of(product)]
        )

    def _fill(self, number: int, product: Product) -> None:
        self._fill_values(number, product)
        self._connection.execute(
            "INSERT INTO product_words (rowid, title, attributes) VALUES (?, ?, ?)",
            (number, product.title, searched_of(product)),
        )

    def _id(self, value: Value) -> int:
        if value not in self._ids:
            row = (
                self._connection.execute(
                    "SELECT id FROM attribute_values WHERE attribute = ? AND text IS ? AND number IS ?", value
                ).fetchone()
                or self._connection.execute(
                    "INSERT INTO attribute_values (attribute, text, number) VALUES (?, ?, ?) RETURNING id", value
                ).fetchone()
            )
            self._ids[value] = row[0]
        return self._ids[value]


def index_all(connection: sqlite3.Connection) -> None:
    """Fill an empty index with all products, in the order in which they were added."""
    index, last = BrowseIndex(connection), -1
    while rows := connection.execute(
        "SELECT rowid, id, title, attributes FROM products WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (last, _BATCH_PRODUCTS),
    ).fetchall():
        for last, product_id, title, attributes in rows:  # noqa: B007 - the last one is where the next page begins
            index.add(Product(id=product_id, title=title, attributes=load_attributes(attributes)))


def compare_anew(connection: sqlite3.Connection) -> None:
    """Find out again what filters and sorts compare, for all listed products; their numbers and words stay."""
    index, last = BrowseIndex(connection), -1
    while rows := connection.execute(
        "SELECT number, id, title, attributes, guesses FROM listed JOIN products ON id = listed.product_id"
        " LEFT JOIN predictions ON predictions.product_id = id WHERE number > ? ORDER BY number LIMIT ?",
        (last, _BATCH_PRODUCTS),
    ).fetchall():
        for last, product_id, title, attributes, guesses in rows:
            product = Product(id=product_id, title=title, attributes=load_attributes(attributes))
            index.compare(last, described(product, load_guesses(guesses)))


def index_damage(connection: sqlite3.Connection) -> list[str]:
    """What contradicts the products or the index itself, in sentences; empty when all is well."""
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
    damage = [f"{count} {what}" for what, count in counts.items() if count]
    if connection.execute("PRAGMA query_only").fetchone()[0]:  # the next statement is one that writes
        return damage
    try:  # PRAGMA integrity_check reads the full-text index only from SQLite 3.44 on
        connection.execute("INSERT INTO product_words (product_words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        damage.append(f"the full-text index: {error}")
    return damage


class Matches:
    """Finds the products that pass a filter and have the words; remembers the last masks until the next write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state: tuple[int, int] | None = None
        self._masks: dict[Hashable, Mask] = {}
        self.size = 0
        self._listed = 0

    def mask(self, where: Where, words: str) -> Mask | None:
        """The products that pass; None if there is nothing to filter by, so that all do."""
        with self._database.snapshot() as connection:
            self.refresh(connection)
            must, must_not = [], []
            for condition in where.conditions:
                if isinstance(condition, Not):
                    must_not.append(self._condition(connection, condition.condition))
                else:
                    must.append(self._condition(connection, condition))
            if (expression := expression_of(words)) is not None:
                must.append(self._cached(("words", words), lambda: self._words(connection, expression, words)))
            if must_not and not must:
                must.append(self._cached("listed", lambda: self._all_listed(connection)))
            if not must:
                return None
            passing = np.logical_and.reduce(must)
            for mask in must_not:
                passing &= ~mask
            return np.asarray(passing)

    def total(self, mask: Mask | None) -> int:
        """Number of products that pass."""
        return self._listed if mask is None else int(np.count_nonzero(mask))

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Forget masks from before the last write."""
        state = self._database.state()
        if state != self._state:
            self._masks = {}
            self._listed, highest = connection.execute(_SIZES).fetchone()
            self.size = (highest or 0) + 1
            self._state = state

    def _condition(self, connection: sqlite3.Connection, condition: AnyOf | Between) -> Mask:
        if isinstance(condition, AnyOf):
            return self._cached(condition, lambda: self._any_of(connection, condition))
        return self._cached(condition, lambda: self._between(connection, condition))

    def _any_of(self, connection: sqlite3.Connection, condition: AnyOf) -> Mask:
        mask = self._mask()
        values = iter(condition.values)
        while batch := [compared_text(condition.attribute, value) for value in islice(values, _BATCH_VALUES)]:
            sql = _ANY_OF.format(", ".join("?" * len(batch)))
            mask[_numbers(connection, sql, storable(condition.attribute), *batch)] = True
        return mask

    def _between(self, connection: sqlite3.Connection, condition: Between) -> Mask:
        bounds = {"AND number >= ?": condition.low, "AND number <= ?": condition.high}
        present = {sql: bound for sql, bound in bounds.items() if bound is not None}
        sql = _BETWEEN.format(" ".join(present))
        return self._mask(_numbers(connection, sql, storable(condition.attribute), *map(float, present.values())))

    def _words(self, connection: sqlite3.Connection, expression: str, words: str) -> Mask:
        sql = "SELECT group_concat(rowid) FROM product_words WHERE product_words MATCH ?"
        mask = self._mask(_numbers(connection, sql, expression))
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

    def _cached(self, key: Hashable, find: Callable[[], Mask]) -> Mask:
        mask = self._masks.pop(key, None)
        if mask is None:
            mask = find()
        self._masks[key] = mask  # at the end: the least recently used goes first
        if len(self._masks) > _CACHED_MASKS:
            del self._masks[next(iter(self._masks))]
        return mask


def number_of(connection: sqlite3.Connection, words: str) -> int | None:
    """The number of the product whose id is exactly these words."""
    product_id = storable(words).strip()
    row = connection.execute("SELECT number FROM listed WHERE product_id = ?", (product_id,)).fetchone()
    return None if row is None else int(row[0])


def parse_numbers(joined: str | None) -> Numbers:
    """Numbers that SQLite joined by commas: five times as fast as a row for each."""
    return np.fromstring(joined or "", np.int64, sep=",")


def _numbers(connection: sqlite3.Connection, sql: str, *parameters: object) -> Numbers:
    return parse_numbers(connection.execute(sql, parameters).fetchone()[0])


def as_json(numbers: Iterable[int]) -> str:
    """Numbers as SQLite's ``json_each`` takes them."""
    return f"[{','.join(map(str, numbers))}]"


class _Ranking(NamedTuple):
    """Products by score, best first, ties the newest first; ``numbers`` and ``scores`` are ``(n,)``."""

    revision: int
    numbers: Numbers
    scores: npt.NDArray[np.float64]


class Rankings:
    """Ranks products by BM25, and remembers the last rankings.

    A score depends on all products, so a write moves the scores of others too. The next pages come from the
    ranking of the first page while it is remembered; after that the products are ranked again, and a page begins
    below the score of the last product shown.
    """

    def __init__(self) -> None:
        self._rankings: dict[tuple[str, int], _Ranking] = {}

    def rows(
        self, connection: sqlite3.Connection, words: str, expression: str, mask: Mask, after: list[Any] | None
    ) -> Iterator[tuple[int, list[Key]]]:
        """Numbers of the products in the mask, best first, each with its key for a cursor."""
        ranking = self._ranking(connection, words, expression, after)
        begin = 0 if after is None else _row_after(ranking, score=after[1], number=after[2])
        numbers = ranking.numbers[begin:]
        passes = numbers < len(mask)
        passes[passes] = mask[numbers[passes]]
        for row in np.flatnonzero(passes):
            number, score = int(numbers[row]), float(ranking.scores[begin + row])
            yield number, [ranking.revision, score, number]

    def _ranking(
        self, connection: sqlite3.Connection, words: str, expression: str, after: list[Any] | None
    ) -> _Ranking:
        ((revision,),) = connection.execute(_REVISION)
        ranked_at = revision if after is None else after[0]
        known = self._rankings
        ranking = known.pop((words, ranked_at), None) or known.pop((words, revision), None)
        if ranking is None:
            ranking = _rank(connection, words, expression, revision)
        known[words, ranking.revision] = ranking
        while len(known) > _CACHED_RANKINGS or sum(len(one.numbers) for one in known.values()) > _CACHED_ROWS:
            del known[next(iter(known))]
        return ranking


def _rank(connection: sqlite3.Connection, words: str, expression: str, revision: int) -> _Ranking:
    rows = connection.execute(
        "SELECT rowid, bm25(product_words, ?, ?) FROM product_words WHERE product_words MATCH ?",
        (_TITLE_WEIGHT, _ATTRIBUTES_WEIGHT, expression),
    )
    scores = dict(rows.fetchall())
    exact = number_of(connection, words)
    if exact is not None:
        scores[exact] = _EXACT_ID_SCORE
    numbers = np.fromiter(scores.keys(), np.int64, len(scores))
    values = np.fromiter(scores.values(), np.float64, len(scores))
    order = np.lexsort((-numbers, values))
    return _Ranking(revision, numbers[order], values[order])


def _row_after(ranking: _Ranking, *, score: float, number: int) -> int:
    shown = (ranking.scores < score) | ((ranking.scores == score) & (ranking.numbers >= number))
    return int(np.count_nonzero(shown))
