"""From what a shopper types to what SQLite's full-text search is asked."""

from __future__ import annotations

from sartor.store.values import storable

_MOST_WORDS = 32  # nobody types more; what is pasted does not slow the others down
_LONGEST_WORD = 64
_PLURALS_FROM = 4  # letters from which a word may go on, so that "shirt" finds shirts but "top" no topwear


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
