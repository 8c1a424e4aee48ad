"""The words of a text, as FTS5 takes them; attributes to filter by."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.browsing import good_filters, phrases_of, tokens_of

# SQLite has the tables of Unicode 6.1, of 2012. What came later it takes for letters without case. It keeps the
# accents of the letter a with a dot and a macron.
BLOCKS = [
    *((0x0001, 0x0530), (0x0590, 0x0600), (0x3040, 0x3100)),
    *((0x4E00, 0x9FC0), (0xAC00, 0xD7A4), (0xFF10, 0xFF5B)),
]
OTHERWISE = set("\u01e0\u01e1\u037f\u0528\u052a\u052c\u052e\u05ef")


@pytest.fixture(scope="module")
def fts() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE said USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE tokens USING fts5vocab (said, instance)")
    yield connection
    connection.close()


def fts_tokens(connection: sqlite3.Connection, texts: list[str]) -> list[list[str]]:
    connection.execute("DELETE FROM said")
    connection.executemany("INSERT INTO said (rowid, text) VALUES (?, ?)", enumerate(texts))
    found: list[list[str]] = [[] for _ in texts]
    for term, row in connection.execute("SELECT term, doc FROM tokens ORDER BY doc, offset"):
        found[row].append(term)
    return found


def test_every_letter_is_taken_as_fts5_takes_it(fts: sqlite3.Connection) -> None:
    letters = [
        letter
        for first, end in BLOCKS
        for letter in map(chr, range(first, end))
        if unicodedata.category(letter) != "Cn" and letter not in OTHERWISE
    ]
    texts = [text for letter in letters for text in (letter, f"q{letter}q")]
    assert [tokens_of(text) for text in texts] == fts_tokens(fts, texts)


@given(st.text(alphabet="aZ9 -é\u0301ßÖ日\nİ_'$", max_size=30))
def test_texts_have_the_words_of_fts5(fts: sqlite3.Connection, text: str) -> None:
    assert tokens_of(text) == fts_tokens(fts, [text])[0]


def test_a_long_word_is_cut_where_queries_are() -> None:
    assert tokens_of("a" * 100 + " b") == ["a" * 64, "b"]
    assert phrases_of("a" * 100)[0].text == "a" * 64


def test_a_good_filter_has_a_few_values_that_many_products_have() -> None:
    attributes = [
        ("gender", ["M", "W"], 100),
        ("season", ["S", "W", "A"], 100),
        ("one", ["x"], 100),
        ("rare", ["a", "b"], 19),
        ("item_id", ["a", "b"], 100),
        ("page", ["a", "http://b"], 100),
        ("many", list(map(str, range(201))), 100),
    ]
    assert good_filters(attributes, products=100) == ("gender", "season")
