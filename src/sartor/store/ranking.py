"""How well products fit the words: BM25, a word in the title counting more than one in the attributes.

A score depends on all products, so a write moves those of others, too. A shopper who pages on is shown the ranking
that the first page came from, for as long as it is remembered; after that, products are ranked anew, and the page
begins below the score of the last one shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sartor.store.matching import number_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    import numpy.typing as npt

    from sartor.store.cursors import Key
    from sartor.store.matching import Mask, Numbers

_TITLE_WEIGHT = 8.0
_ATTRIBUTES_WEIGHT = 1.0
_KEPT = 64
_PLACES_KEPT = 2_000_000  # 32 MB
_FIRST = -1e9  # of the product whose id is asked for; SQLite's scores are the lower the better
_REVISION = """
SELECT max(coalesce((SELECT max(revision) FROM products), 0), coalesce((SELECT max(revision) FROM deletions), 0))
"""


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
