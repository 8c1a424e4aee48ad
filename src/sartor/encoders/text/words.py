"""From a text to the words that a text tower reads: folded, singular, in English, one word for a meaning.

The two tables beside this module say which words mean the same (``synonyms.txt``) and what words of other
languages mean (``languages.toml``). A workspace adds its own synonyms in a file of the first form.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sartor.browsing import tokens_of
from sartor.errors import UnusableSynonyms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Term: TypeAlias = tuple[str, ...]  # the words of a name, such as ("flip", "flop")

SYNONYMS_FILE = "synonyms.txt"
_TABLES = Path(__file__).parent
IGNORED = frozenset(
    {"a", "an", "and", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "the", "to", "with"}
)
MIN_FORGIVEN = 4  # letters of a word in which a typing error is forgiven
_POSSESSIVE = re.compile(r"['\u2019]s\b", re.IGNORECASE)
_SHORTEST_PLURAL = 4  # letters; shorter words end in s by nature, as "bus" does
_SINGULAR_ENDINGS = ("ss", "us", "is")
_LONG_PLURALS = ("ches", "shes", "sses", "xes", "zes")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Attributes:
        text: As it is compared.
        typed: As it was typed, folded; several words where they mean one.
    """

    text: str
    typed: str


def singular(word: str) -> str:
    """A folded English word without the ending of its plural.

    Example:
        >>> [singular(word) for word in ("dresses", "sarees", "accessories", "watches", "glass")]
        ['dress', 'saree', 'accessory', 'watch', 'glass']
    """
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(_SINGULAR_ENDINGS):
        return word
    if word.endswith("ies") and len(word) > _SHORTEST_PLURAL:
        return f"{word[:-3]}y"
    if word.endswith(_LONG_PLURALS):
        return word[:-2]
    return word[:-1]


def is_one_error_away(word: str, other: str) -> bool:
    """Whether one letter more, less or wrong, or two swapped, makes one word of another; the first one is right.

    Example:
        >>> is_one_error_away("drses", "dress"), is_one_error_away("tress", "dress")
        (True, False)
    """
    if word[:1] != other[:1] or abs(len(word) - len(other)) > 1 or word == other:
        return False
    at = next(
        (at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other))
    )
    ends = {
        (word[at + 1 :], other[at + 1 :]),
        (word[at + 1 :], other[at:]),
        (word[at:], other[at + 1 :]),
        (word[at : at + 2][::-1] + word[at + 2 :], other[at:]),
    }
    return any(mine == theirs for mine, theirs in ends)


def folded_words(text: str) -> list[str]:
    """The words of a text without case, accents and the possessive ``'s``.

    Example:
        >>> folded_words("Women's T-Shirt")
        ['women', 't', 'shirt']
    """
    return tokens_of(_POSSESSIVE.sub("", text))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Phrases:
    """Replaces names of several words by others, the longest first."""

    by_term: Mapping[Term, Term]
    longest: int

    @classmethod
    def of(cls, by_term: Mapping[Term, Term]) -> _Phrases:
        return cls(by_term=by_term, longest=max(map(len, by_term), default=0))

    def applied(self, words: Sequence[Word]) -> list[Word]:
        replaced: list[Word] = []
        start = 0
        while start < len(words):
            for end in range(min(start + self.longest, len(words)), start, -1):
                found = self.by_term.get(tuple(word.text for word in words[start:end]))
                if found is not None:
                    typed = " ".join(dict.fromkeys(word.typed for word in words[start:end]))
                    replaced += [Word(text, typed) for text in found]
                    start = end
                    break
            else:
                replaced.append(words[start])
                start += 1
        return replaced


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Vocabulary:
    """What words mean: synonyms of the field, and the attribute words of other languages.

    Attributes:
        synonyms: The word, or words, that a name becomes.
        languages: The same for each language, from its folded words to English ones, and which it ignores.
    """

    synonyms: _Phrases
    languages: Mapping[str, tuple[_Phrases, frozenset[str]]]
    _own: frozenset[str] = field(repr=False)

    @classmethod
    def read(cls, *files: Path) -> Vocabulary:
        """The packaged tables, with the groups of further files of synonyms.

        Raises:
            UnusableSynonyms: A file is no such table.
        """
        return _packaged() if not files else cls._of([group for file in files for group in read_synonyms(file)])

    @classmethod
    def _of(cls, further: Iterable[Sequence[str]]) -> Vocabulary:
        by_term: dict[Term, Term] = {}
        for group in (*further, *read_synonyms(_TABLES / SYNONYMS_FILE)):
            terms = [term for text in group if (term := _singular_term(text))]
            target = next((by_term[term] for term in terms if term in by_term), terms[0])
            for term in terms:
                by_term.setdefault(term, target)
        languages = {name: (_Phrases.of(table), ignored) for name, (table, ignored) in _language_tables().items()}
        own = {word for term in (*by_term, *by_term.values()) for word in term} | IGNORED | _english_too()
        return cls(synonyms=_Phrases.of(by_term), languages=languages, _own=frozenset(own))

    def words(self, text: str) -> list[Word]:
        """The words of a text as they are compared, without small ones that say nothing.

        Example:
            >>> [word.text for word in Vocabulary.read().words("Robe rouge, pour femme")]
            ['dress', 'red', 'women']
            >>> [word.text for word in Vocabulary.read().words("Ladies' Trainers")]
            ['women', 'sneaker']
        """
        words = [Word(word, word) for word in folded_words(text)]
        language = self.language_of([word.text for word in words])
        if language is not None:
            phrases, ignored = self.languages[language]
            words = [word for word in phrases.applied(words) if word.text not in ignored]
        single = [Word(singular(word.text), word.typed) for word in words]
        return [word for word in self.synonyms.applied(single) if word.text not in IGNORED]

    def language_of(self, words: Sequence[str]) -> str | None:
        """The language that folded words are of; None for English, and where nothing tells.

        A word that is one of the field in English, too, tells nothing. Of several languages the one with the most
        words wins, then the first in the table.
        """
        told = [word for word in words if word not in self._own and singular(word) not in self._own]
        if not told:
            return None
        best, most = None, (0, 0)
        for name, (phrases, ignored) in self.languages.items():
            if any((word,) in phrases.by_term for word in told):
                count = sum((word,) in phrases.by_term for word in words), sum(word in ignored for word in words)
                if count > most:
                    best, most = name, count
        return best


def read_synonyms(file: Path) -> list[list[str]]:
    """The groups of a table of synonyms: one a line, names separated by commas; ``#`` begins a comment.

    Raises:
        UnusableSynonyms: The file cannot be read, or a line has only one name.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableSynonyms(file, reason=f"it cannot be read ({error})") from error
    groups = []
    for number, line in enumerate(lines, 1):
        names = [name.strip() for name in line.partition("#")[0].split(",") if name.strip()]
        if len(names) == 1:
            raise UnusableSynonyms(file, reason=f"line {number} has only one name, {names[0]!r}")
        if names:
            groups.append(names)
    return groups


@cache
def _packaged() -> Vocabulary:
    return Vocabulary._of([])  # noqa: SLF001 - the same module


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads((_TABLES / "languages.toml").read_text(encoding="utf-8"))


def _english_too() -> frozenset[str]:
    return frozenset(_tables()["english"])


def _language_tables() -> dict[str, tuple[dict[Term, Term], frozenset[str]]]:
    tables = {name: table for name, table in _tables().items() if name != "english"}
    return {
        language: (
            {
                tuple(folded_words(name)): tuple(folded_words(english))
                for english, names in entries.items()
                if english != "ignored"
                for name in names
            },
            frozenset(word for name in entries["ignored"] for word in folded_words(name)),
        )
        for language, entries in tables.items()
    }


def _singular_term(text: str) -> Term:
    return tuple(singular(word) for word in folded_words(text))
