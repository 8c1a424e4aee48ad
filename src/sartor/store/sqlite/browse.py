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
from sartor.folding import close_word, closest, folded_of, variants_of
from sartor.store.sqlite.encoding import guesses_text, load_attributes, load_guesses
from sartor.types import AnyOf, Not, Product
from sartor.values import compared_text, price_of, searched_of, storable, title_key, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

    import numpy.typing as npt

    from sartor.browsing import Key, Phrase
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
_WEIGHTS = (8.0, 1.0, 8.0, 1.0)  # of the columns of product_words
_EXACT_ID_SCORE = -1e9  # SQLite's scores are better the lower they are
_EXACT_SCORE = -1e6  # added to products that have all words as they were typed
_CLOSE_WORDS = 256  # of one expression
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
    """The FTS5 expression that matches products with every word as typed; None if no word has a letter or digit.

    Each word is quoted, so that none is an operator.

    Source: https://www.sqlite.org/fts5.html#full_text_query_syntax
    """
    return " ".join(map(_quoted, phrases_of(words))) or None


class Expressions(NamedTuple):
    """What FTS5 is asked for the words of a query: ``exact`` matches some of the products that ``all`` matches."""

    exact: str
    all: str
    is_close: bool = False  # whether no product has the words, so that these have words that are nearly the same


def expressions_of(words: str) -> Expressions | None:
    """The expressions for words as they are typed and folded; None if no word has a letter or digit."""
    exact = expression_of(words)
    if exact is None:
        return None
    return Expressions(_own(exact), " AND ".join(map(_folded, phrases_of(words))))


def close_expressions(connection: sqlite3.Connection, words: str) -> Expressions | None:
    """The expressions for the closest words there are, where no product has a word; None if there are none."""
    asked, is_close = [], False
    for phrase in phrases_of(words):
        expression = _folded(phrase)
        if not _finds(connection, expression):
            word = close_word(phrase.text)
            found = [] if word is None else closest(word, _vocabulary(connection))
            if not found:
                return None
            expression = f"({' OR '.join(_quote(each) for each in found[:_CLOSE_WORDS])})"
            is_close = True
        asked.append(expression)
    expression = " AND ".join(asked)
    return Expressions(_own(expression), expression, is_close=True) if is_close else None


def _own(expression: str) -> str:
    return f"{{title attributes}} : ({expression})"


def _folded(phrase: Phrase) -> str:
    found = [_own(_quoted(phrase)), *(_quote(text) + "*" * phrase.is_prefix for text in variants_of(phrase.text))]
    return f"({' OR '.join(found)})"


def _quoted(phrase: Phrase) -> str:
    return _quote(phrase.text) + "*" * phrase.is_prefix


def _quote(text: str) -> str:
    return '"' + text.replace('"', " ") + '"'


def _finds(connection: sqlite3.Connection, expression: str) -> bool:
    sql = "SELECT 1 FROM product_words WHERE product_words MATCH ? LIMIT 1"
    return connection.execute(sql, (expression,)).fetchone() is not None


def _vocabulary(connection: sqlite3.Connection) -> list[str]:
    return [term for (term,) in connection.execute("SELECT term FROM word_list WHERE length(term) >= 4")]


class BrowseIndex:
    """Writes the index within the transaction that wrote the products."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[Value, int] = {}
        self._dropped: set[int] = set()  # values that a product had and perhaps no other has

    def add(self, product: Product, *, number: int | None = None) -> int:
        """Index a new product under a number, by default the next one; returns the number."""
        added = self.list_(product, number=number)
        self.say(added, product)
        return added

    def list_(self, product: Product, *, number: int | None = None) -> int:
        """Index a new product without its words."""
        row = (number, product.id, title_key(product.title), price_of(product))
        ((added,),) = self._connection.execute(
            "INSERT INTO listed VALUES (?, ?, ?, ?) RETURNING number", row
        ).fetchall()
        self._fill_values(added, product)
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
        self.say(number, product)

    def say(self, number: int, product: Product) -> None:
        """Index the words of a product that has none yet."""
        title, attributes = storable(product.title), searched_of(product)
        self._connection.execute(
            "INSERT INTO product_words (rowid, title, attributes, folded_title, folded_attributes)"
            " VALUES (?, ?, ?, ?, ?)",
            (number, title, attributes, folded_of(title), folded_of(attributes)),
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
    """Fill an empty index with all products, in the order in which they were added; their words follow."""
    index, last = BrowseIndex(connection), -1
    while rows := connection.execute(
        "SELECT rowid, id, title, attributes FROM products WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (last, _BATCH_PRODUCTS),
    ).fetchall():
        for last, product_id, title, attributes in rows:  # noqa: B007 - the last one is where the next page begins
            index.list_(Product(id=product_id, title=title, attributes=load_attributes(attributes)))


def compare_anew(connection: sqlite3.Connection) -> None:
    """Find out again what filters and sorts compare, for all listed products; their numbers and words stay."""
    index = BrowseIndex(connection)
    for number, product in _described(connection):
        index.compare(number, product)


def list_anew(connection: sqlite3.Connection) -> None:
    """Index the words of all listed products, and what filters and sorts compare, again; their numbers stay."""
    index = BrowseIndex(connection)
    for number, product in _described(connection):
        index.compare(number, product)
        index.say(number, product)


def _described(connection: sqlite3.Connection) -> Iterator[tuple[int, Product]]:
    """All listed products as they are listed, with their numbers."""
    last = -1
    while rows := connection.execute(
        "SELECT number, id, title, attributes, guesses FROM listed JOIN products ON id = listed.product_id"
        " LEFT JOIN predictions ON predictions.product_id = id WHERE number > ? ORDER BY number LIMIT ?",
        (last, _BATCH_PRODUCTS),
    ).fetchall():
        for last, product_id, title, attributes, guesses in rows:
            product = Product(id=product_id, title=title, attributes=load_attributes(attributes))
            yield last, described(product, load_guesses(guesses))


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
        self._expressions: dict[str, Expressions | None] = {}
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
            if (expressions := self.expressions(connection, words)) is not None:
                must.append(self._cached(("words", words), lambda: self._words(connection, expressions, words)))
            if must_not and not must:
                must.append(self._cached("listed", lambda: self._all_listed(connection)))
            if not must:
                return None
            passing = np.logical_and.reduce(must)
            for mask in must_not:
                passing &= ~mask
            return np.asarray(passing)

    def expressions(self, connection: sqlite3.Connection, words: str) -> Expressions | None:
        """What FTS5 is asked for these words: for those that are close, if no product has them."""
        self.refresh(connection)
        if words not in self._expressions:
            found = expressions_of(words)
            if found is not None and not _finds(connection, found.all) and number_of(connection, words) is None:
                found = close_expressions(connection, words) or found
            if len(self._expressions) >= _CACHED_MASKS:
                self._expressions.clear()
            self._expressions[words] = found
        return self._expressions[words]

    def total(self, mask: Mask | None) -> int:
        """Number of products that pass."""
        return self._listed if mask is None else int(np.count_nonzero(mask))

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Forget masks from before the last write."""
        state = self._database.state()
        if state != self._state:
            self._masks, self._expressions = {}, {}
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

    def _words(self, connection: sqlite3.Connection, expressions: Expressions, words: str) -> Mask:
        sql = "SELECT group_concat(rowid) FROM product_words WHERE product_words MATCH ?"
        mask = self._mask(_numbers(connection, sql, expressions.all))
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
        self,
        connection: sqlite3.Connection,
        words: str,
        expressions: Expressions,
        mask: Mask,
        after: list[Any] | None,
    ) -> Iterator[tuple[int, list[Key]]]:
        """Numbers of the products in the mask, best first, each with its key for a cursor."""
        ranking = self._ranking(connection, words, expressions, after)
        begin = 0 if after is None else _row_after(ranking, score=after[1], number=after[2])
        numbers = ranking.numbers[begin:]
        passes = numbers < len(mask)
        passes[passes] = mask[numbers[passes]]
        for row in np.flatnonzero(passes):
            number, score = int(numbers[row]), float(ranking.scores[begin + row])
            yield number, [ranking.revision, score, number]

    def _ranking(
        self, connection: sqlite3.Connection, words: str, expressions: Expressions, after: list[Any] | None
    ) -> _Ranking:
        ((revision,),) = connection.execute(_REVISION)
        ranked_at = revision if after is None else after[0]
        known = self._rankings
        ranking = known.pop((words, ranked_at), None) or known.pop((words, revision), None)
        if ranking is None:
            ranking = _rank(connection, words, expressions, revision)
        known[words, ranking.revision] = ranking
        while len(known) > _CACHED_RANKINGS or sum(len(one.numbers) for one in known.values()) > _CACHED_ROWS:
            del known[next(iter(known))]
        return ranking


def _rank(connection: sqlite3.Connection, words: str, expressions: Expressions, revision: int) -> _Ranking:
    scores = _scores(connection, expressions.all)
    if expressions.exact != expressions.all:
        exactly = _scores(connection, expressions.exact)
        scores |= {number: _EXACT_SCORE + score for number, score in exactly.items()}
    exact = number_of(connection, words)
    if exact is not None:
        scores[exact] = _EXACT_ID_SCORE
    numbers = np.fromiter(scores.keys(), np.int64, len(scores))
    values = np.fromiter(scores.values(), np.float64, len(scores))
    order = np.lexsort((-numbers, values))
    return _Ranking(revision, numbers[order], values[order])


def _scores(connection: sqlite3.Connection, expression: str) -> dict[int, float]:
    rows = connection.execute(
        "SELECT rowid, bm25(product_words, ?, ?, ?, ?) FROM product_words WHERE product_words MATCH ?",
        (*_WEIGHTS, expression),
    )
    return dict(rows.fetchall())


def _row_after(ranking: _Ranking, *, score: float, number: int) -> int:
    shown = (ranking.scores < score) | ((ranking.scores == score) & (ranking.numbers >= number))
    return int(np.count_nonzero(shown))
