"""What a listing means, whichever engine answers it: the words of a query, its cursors, attributes to filter by.

A cursor is the key of the last product of a page and not a count, so that writes before it move nothing.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import math
import re
import unicodedata
from base64 import b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sartor.errors import BadCursor
from sartor.values import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sartor.types import ListingQuery

Key: TypeAlias = str | int | float | None

MIN_FILTER_VALUES, MAX_FILTER_VALUES = 2, 200  # of an attribute that makes a good filter

_MAX_WORDS = 32  # a pasted text does not slow other queries down
MAX_WORD_CHARS = 64
_MIN_PREFIX_CHARS = 4  # shorter words match whole: "shirt" finds shirts, "top" does not find topwear
_MIN_COVERAGE = 0.2  # of the products, of an attribute that makes a good filter
_WORDS_OF_A_NAME = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")
_NO_FILTERS = frozenset(  # attributes whose name ends with one of these words
    {"description", "gtin", "id", "ids", "link", "links", "mpn", "price", "title", "url", "urls"}
)
_NO_FILTER_GROUPS = frozenset({"shipping", "tax", "installment", "subscription_cost", "loyalty_program"})
_LINK = re.compile(r"http.*://.*", re.IGNORECASE | re.DOTALL | re.ASCII)
_DIGEST_BYTES = 6
_INTEGERS = range(-(2**63), 2**63)  # what engines take as a key
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_ACCENTS = frozenset(  # written behind their letter, these are left out
    map(chr, (*range(768, 773), *range(774, 781), 783, 785, 795, *range(803, 809), 813, 814, 816, 817))
)


class Phrase(NamedTuple):
    """A word of a query as it was typed; a product has it if its letters and digits follow each other there.

    Attributes:
        text: The word.
        is_prefix: Whether its end may be the beginning of a longer word.
    """

    text: str
    is_prefix: bool


def phrases_of(words: str) -> list[Phrase]:
    """The words of a query, all of which a product must have; empty if no word has a letter or digit.

    The last word, which may still be typed, and words of four letters and more match as prefixes.

    Example:
        >>> phrases_of("red t-shirt")
        [Phrase(text='red', is_prefix=False), Phrase(text='t-shirt', is_prefix=True)]
    """
    typed = storable(words).replace("\0", " ").replace('"', " ").split()
    terms = [word for word in typed if any(letter.isalnum() for letter in word)][:_MAX_WORDS]
    phrases = [
        Phrase(word[:MAX_WORD_CHARS], is_prefix=rank == len(terms) or len(word) >= _MIN_PREFIX_CHARS)
        for rank, word in enumerate(terms, 1)
    ]
    return list(dict.fromkeys(phrases))


def tokens_of(text: str) -> list[str]:
    """The words of a text, without case and accents, as FTS5's ``unicode61 remove_diacritics 2`` takes them.

    What follows the first 64 characters of a word is left out, since no query has more.

    Source: https://www.sqlite.org/fts5.html#unicode61_tokenizer

    Example:
        >>> tokens_of("Élan T-Shirt, Größe 42")
        ['elan', 't', 'shirt', 'große', '42']
    """
    if text.isascii():
        tokens = _ASCII_WORD.findall(text.lower())
    else:
        tokens, word = [], ""
        for letter in text:
            folded = _folded(letter)
            if folded is not None:
                word += folded
            elif word and letter not in _ACCENTS:
                tokens.append(word)
                word = ""
        if word:
            tokens.append(word)
    return [token[:MAX_WORD_CHARS] for token in tokens]


def good_filters(attributes: Iterable[tuple[str, Sequence[str], int]], *, products: int) -> tuple[str, ...]:
    """Attributes that make good filters, by how many products have them, then by how few values.

    Args:
        attributes: Each with its values and the number of products that have it.
        products: Number of all products.
    """
    ranked = []
    for name, values, count in attributes:
        coverage = round(count / products, 2)  # so that an empty cell here and there does not matter
        if (
            may_filter(name)
            and MIN_FILTER_VALUES <= len(values) <= MAX_FILTER_VALUES
            and count >= _MIN_COVERAGE * products
            and not any(map(_LINK.fullmatch, values))
        ):
            ranked.append((-coverage, len(values), name))
    return tuple(name for _, _, name in sorted(ranked))


def may_filter(name: str) -> bool:
    """Whether an attribute of this name may make a good filter."""
    group = name.strip().partition(".")[0].casefold()
    return (
        group not in _NO_FILTER_GROUPS and _WORDS_OF_A_NAME.split(name.strip())[-1].casefold() not in _NO_FILTERS
    )


def words_of_name(name: str) -> set[str]:
    """The words of an attribute's name, in lower case.

    Example:
        >>> sorted(words_of_name("senderId"))
        ['id', 'sender']
    """
    return {word.casefold() for word in _WORDS_OF_A_NAME.split(name.strip()) if word}


def write_cursor(query: ListingQuery, key: Sequence[Key]) -> str:
    """The cursor that goes on after a key; valid for the same query with any page size."""
    text = json.dumps([_digest(query), *key], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(query: ListingQuery, *kinds: tuple[type, ...]) -> list[Any] | None:
    """The key that a query goes on after, its parts of these types; None for the first page.

    Raises:
        BadCursor: The text is not a cursor of this query.
    """
    if query.after is None:
        return None
    try:
        padded = query.after + "=" * (-len(query.after) % 4)
        key = json.loads(b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not isinstance(key, list) or len(key) != 1 + len(kinds) or key[0] != _digest(query):
        raise BadCursor
    if not all(type(part) in kind and _is_key(part) for part, kind in zip(key[1:], kinds, strict=True)):
        raise BadCursor
    return key[1:]


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str | None:
    """A letter or digit as it is compared; None for a character that is none."""
    category = unicodedata.category(letter)
    if category[0] not in "LN" and category != "Co":
        return None
    folded = letter.casefold() if len(letter.casefold()) == 1 else letter.lower()
    base, marks = (decomposed := unicodedata.normalize("NFD", folded))[0], decomposed[1:]
    if marks and base.isascii() and all(map(unicodedata.combining, marks)):
        return base
    return folded if len(folded) == 1 else letter


def _digest(query: ListingQuery) -> str:
    text = repr((query.where, query.words, query.sort.value))
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _is_key(part: Key) -> bool:
    """Whether an engine takes it as a part of a key."""
    if isinstance(part, int):
        return part in _INTEGERS
    if isinstance(part, float):
        return math.isfinite(part)
    return part is None or storable(part) == part
