"""Words as people type them: letters folded, compounds joined, text without blanks split, close words for a typo.

FTS5's ``unicode61 remove_diacritics 2`` takes ü for u, but not ø for o or ß for ss, and a sentence in Chinese for
one word. What is made here stands beside its words, in the same way for each engine, so that a product is
found by ``bjorn`` or ``bjoern`` for Bjørn, ``tshirt`` for T-Shirt, and any part of a Chinese, Japanese, Korean or
Thai title.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from sartor.browsing import MAX_WORD_CHARS, tokens_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

MIN_CLOSE_CHARS = 4  # of a word that may be a typo
TWO_EDITS_CHARS = 8  # of a word that may have two

# Letters that are no letter with an accent, so that Unicode does not take them apart.
_LETTERS = {
    "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h",  # noqa: RUF001
    "ŧ": "t", "ŋ": "n", "ĸ": "k", "ə": "e", "ɫ": "l", "ƀ": "b", "ɨ": "i", "ʉ": "u", "ƶ": "z", "ǥ": "g",
}  # fmt: skip
# How these are spelled where a keyboard lacks them.
_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
_ACCENTED = ("LATIN", "GREEK", "CYRILLIC")  # scripts whose accents may be left out
_UNSPACED = (  # letters of scripts that are written without blanks, or with few
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x31FF),  # radicals, kana, bopomofo
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7A3),  # Hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_APART = "\ue000"  # between words that do not follow each other; a letter to FTS5, typed by nobody
_MAX_PARTS = 4  # of a compound that is also one word: "t-shirt"
_MAX_VARIANTS = 4


def folded_of(text: str) -> str:
    r"""What a text is also found by, beside its own words (``tokens_of``); empty for most English.

    Example:
        >>> folded_of("Red T-Shirt"), folded_of("Bjørn").split("\ue000")
        ('tshirt', ['bjorn ', ' bjoern'])
    """
    found: dict[str, None] = {}
    for chunk in text.split():
        if chunk.isalnum() and chunk.isascii():
            continue
        own = " ".join(tokens_of(chunk))
        found |= dict.fromkeys(variant for variant in variants_of(chunk) if variant != own)
    return f" {_APART} ".join(found)


@lru_cache(maxsize=4096)
def variants_of(word: str) -> tuple[str, ...]:
    """How a word without blanks may be written, folded first: words with blanks between.

    Example:
        >>> variants_of("Größe"), variants_of("T-Shirt"), variants_of("连衣裙")
        (('grosse', 'groesse'), ('t shirt', 'tshirt'), ('连 衣 裙',))
    """
    plain = unicodedata.normalize("NFKC", word).casefold().replace("\u0307", "")
    plain = unicodedata.normalize("NFC", plain)
    spelled = "".join(_SPELLED.get(letter, letter) for letter in plain)
    found: dict[str, None] = {}
    for text in (plain, spelled):
        parts = list(_parts("".join(map(_letter, text))))
        found[" ".join(parts)] = None
        if 1 < len(parts) <= _MAX_PARTS and all(part.isalpha() and not _is_unspaced(part[0]) for part in parts):
            found["".join(parts)[:MAX_WORD_CHARS]] = None
    found.pop("", None)
    return tuple(found)[:_MAX_VARIANTS]


def close_word(word: str) -> str | None:
    """A typed word as it is compared with others that are nearly the same; None for one that is no typo.

    Short words have too many others beside them, and a number is another number.

    Example:
        >>> close_word("Shrit"), close_word("red"), close_word("15970")
        ('shrit', None, None)
    """
    folded = (variants_of(word) or ("",))[0]
    return folded if may_be_close(folded) else None


def may_be_close(word: str) -> bool:
    """Whether a word is one of those that typos are compared with: letters alone, and four at least."""
    return len(word) >= MIN_CLOSE_CHARS and word.isalpha() and not any(map(_is_unspaced, word))


def vocabulary_of(texts: Iterable[str]) -> list[str]:
    """The words of texts that typos are compared with, each once, sorted."""
    found: set[str] = set()
    for text in texts:
        found.update(tokens_of(text), folded_of(text).split())
    return sorted(filter(may_be_close, found))


def closest(word: str, vocabulary: Collection[str]) -> list[str]:
    """The words of a vocabulary that a word may stand for, sorted; empty if none is close.

    Those that contain it (``hemd`` in ``nachthemd``), else those that differ by one letter more, less or other, or
    by two letters that changed places; of words with eight letters and more, else those that differ by two of
    these and begin with the same letter.

    Example:
        >>> closest("shrit", ["shirt", "skirt", "shorts"]), closest("snaekres", ["sneakers", "snake"])
        (['shirt'], ['sneakers'])
    """
    known = [each for each in vocabulary if may_be_close(each)]
    if inside := sorted(each for each in known if word in each):
        return inside
    if one := sorted(each for each in known if abs(len(each) - len(word)) <= 1 and _edits(word, each, 1) <= 1):
        return one
    if len(word) < TWO_EDITS_CHARS:
        return []
    near = [each for each in known if each[0] == word[0] and abs(len(each) - len(word)) <= 2]  # noqa: PLR2004
    return sorted(each for each in near if _edits(word, each, 2) <= 2)  # noqa: PLR2004


def _parts(text: str) -> Iterator[str]:
    """The words of a folded text; each letter of a script without blanks is one."""
    word = ""
    for letter in text:
        kind = unicodedata.category(letter)[0]
        if kind == "M":
            word += letter if word else ""
        elif kind not in "LN":
            if word:
                yield word[:MAX_WORD_CHARS]
            word = ""
        elif _is_unspaced(letter):
            if word:
                yield word[:MAX_WORD_CHARS]
            word = letter
        else:
            if word and _is_unspaced(word[0]):
                yield word[:MAX_WORD_CHARS]
                word = ""
            word += letter
    if word:
        yield word[:MAX_WORD_CHARS]


@lru_cache(maxsize=8192)
def _letter(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter in _LETTERS:
        return _LETTERS[letter]
    base, marks = (decomposed := unicodedata.normalize("NFD", letter))[0], decomposed[1:]
    if marks and unicodedata.name(base, "").startswith(_ACCENTED) and all(map(unicodedata.combining, marks)):
        return _LETTERS.get(base, base)
    if unicodedata.category(letter) == "Mn" and unicodedata.name(letter, "").startswith("COMBINING"):
        return ""
    return letter


@lru_cache(maxsize=8192)
def _is_unspaced(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _UNSPACED)


def _edits(one: str, other: str, most: int) -> int:
    """Letters to insert, delete, replace or swap with the next one to make a word another; over ``most`` is more.

    The optimal string alignment distance: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance
    """
    start, end = 0, 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    if not one or not other:
        return len(one) + len(other)
    if most == 1 and max(len(one), len(other)) > 2:  # noqa: PLR2004 - one edit spans two letters at most
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        before, last = last, now
    return last[-1]
