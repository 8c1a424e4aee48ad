"""What the words of a query say that a catalog can be filtered by: for whom, which color, which kind, what price.

Words are compared with the values that products have, in singular, without accents, by the field's synonyms and in
the languages of ``encoders/text``; one typing error in a longer word is forgiven, and said. What is no value stays
a word of the query. Nothing is left out silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sartor.browsing import MAX_FILTER_VALUES, words_of_name
from sartor.encoders.text.words import MIN_FORGIVEN, folded_words, is_one_error_away
from sartor.offers import PRICE
from sartor.types import AnyOf, Between, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sartor.encoders.text.words import Vocabulary, Word
    from sartor.store.base import CatalogStore
    from sartor.types import FacetValue

# Attributes whose values are understood, by the words of their names, and what it costs to give one up where no
# product has all. What a value of the first kind means, no other kind does.
_NAMES = (
    (frozenset({"gender", "department"}), 6),
    (frozenset({"color", "colour"}), 2),
    (frozenset({"type", "category", "kind"}), 8),
    (frozenset({"brand", "manufacturer", "vendor"}), 3),
    (frozenset({"material", "pattern", "usage", "occasion"}), 1),
)
_PRICE_WORTH = 4
_MAX_ATTRIBUTES = 40  # whose values are read
_BROADER = {("kid",): ("boy", "girl")}  # what catalogs have only the parts of
_NUMBER = r"(\d+(?:[.,]\d{1,2})?)"
_SIGN = r"(?:[$€£¥₹]|usd|eur|gbp|inr|rs\.?|chf|dollars?|euros?|pounds?|rupees?)?"
_AMOUNT = rf"\s*{_SIGN}\s*{_NUMBER}\s*{_SIGN}(?![\w.,]*\d)"
_UNDER = (
    "under|below|less than|cheaper than|up to|at most|<=?|unter|bis zu|bis|höchstens|moins de|"
    "menos de|hasta|meno di|sotto i|sotto|fino a|até|onder de|onder|tot|sous"
)
_OVER = (
    "over|above|more than|at least|from|>=?|über|ab|mehr als|mindestens|plus de|à partir de|"
    "más de|desde|più di|oltre|mais de|a partir de|boven|vanaf"
)
_BETWEEN = re.compile(
    rf"(?<!\w)(?:(?:between|from|zwischen|entre|tra|tussen)|(?=[$€£¥₹])){_AMOUNT}"
    rf"\s*(?:-|\u2013|to|and|bis|und|et|y|e|en)\s*{_AMOUNT}",
    re.IGNORECASE,
)
_BOUND = re.compile(rf"(?<!\w)(?:({_UNDER})|({_OVER})){_AMOUNT}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Words of a query that were understood as a filter.

    Attributes:
        typed: The words, as they were typed, folded.
        condition: What they ask for.
        corrected: The words that they were read as, where a typing error was forgiven; else empty.
        worth: What it costs to give it up, where no product passes all.
    """

    typed: str
    condition: AnyOf | Between
    corrected: str = ""
    worth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A query as it was understood.

    Attributes:
        text: The query without what became a bound of the price.
        meanings: What became filters.
        rest: The other words, as they were typed, folded.
        ignored: Small words that say nothing here, such as ``for``.
    """

    text: str = ""
    meanings: tuple[Meaning, ...] = ()
    rest: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def where(self) -> Where:
        """All that became filters, values of one attribute as alternatives."""
        return where_of_meanings(self.meanings)


class _Known(NamedTuple):
    attribute: str
    values: tuple[str, ...]
    products: int
    worth: int


class CatalogValues:
    """The values of a catalog, read again when it has changed; threads may share it."""

    def __init__(self, catalog: CatalogStore, vocabulary: Vocabulary) -> None:
        self._catalog, self._vocabulary = catalog, vocabulary
        self._read: tuple[int, KnownValues] | None = None

    def now(self) -> KnownValues:
        """The values that words can mean now."""
        revision, read = self._catalog.listed_revision, self._read
        if read is None or read[0] != revision:
            names = [
                name for name in self._catalog.facet_names(limit=_MAX_ATTRIBUTES) if kind_of(name) is not None
            ]
            facets = self._catalog.facets(names, limit=MAX_FILTER_VALUES)
            self._read = read = revision, KnownValues(facets, self._vocabulary)
        return read[1]


def kind_of(attribute: str) -> int | None:
    """Which kind of attribute one is, by its name; None where words are not read as its values."""
    own = words_of_name(attribute)
    return next((kind for kind, (names, _) in enumerate(_NAMES) if names & own), None)


class KnownValues:
    """The values of a catalog that words can mean."""

    def __init__(self, facets: Mapping[str, Sequence[FacetValue]], vocabulary: Vocabulary) -> None:
        """From the values of a catalog, with their numbers of products, by attribute, and what words mean."""
        self.vocabulary = vocabulary
        found: dict[tuple[str, ...], _Known] = {}
        for kind, (_, worth) in enumerate(_NAMES):
            level: dict[tuple[str, ...], _Known] = {}
            for attribute, values in facets.items():
                own = _by_term(values, vocabulary) if kind_of(attribute) == kind else {}
                for term, same in own.items():
                    count = sum(value.count for value in same)
                    # of two attributes that have it, the finer one
                    if term not in level or count < level[term].products:
                        level[term] = _Known(attribute, tuple(value.value for value in same), count, worth)
            for term, known in level.items():
                found.setdefault(term, known)
        self._by_term = found
        self._longest = max(map(len, found), default=0)
        self._words = frozenset(word for term in found for word in term)

    def find(self, words: Sequence[str]) -> _Known | None:
        """What exactly these words mean."""
        return self._by_term.get(tuple(words))

    def correct(self, word: Word) -> str:
        """The only known word that is one typing error away; the word itself without one, or if it is short."""
        if len(word.text) < MIN_FORGIVEN or word.text in self._words:
            return word.text
        near = {
            known
            for known in self._words
            if is_one_error_away(word.text, known) or is_one_error_away(word.typed, known)
        }
        return near.pop() if len(near) == 1 else word.text

    @property
    def longest(self) -> int:
        """Words of the longest value."""
        return self._longest


def read_query(
    query: str, values: KnownValues, *, known: frozenset[str] = frozenset(), plain: Collection[str] = ()
) -> Understood:
    """Tell the filters in a query from its other words.

    Args:
        query: The words.
        values: What a catalog has.
        known: Further words of the field that are no typing errors, such as those of titles.
        plain: Words that are to be taken as plain ones, as ``Meaning.typed`` has them: a filter that was removed.
    """
    kept_plain = {tuple(folded_words(text)) for text in plain}
    meanings, left = _prices(query, kept_plain)
    typed = folded_words(left)
    words = values.vocabulary.words(left)
    rest: list[str] = []
    start = 0
    while start < len(words):
        for end in range(min(start + values.longest, len(words)), start, -1):
            span = words[start:end]
            if not _is_whole(words, start, end):
                continue
            meaning = _meaning(span, values, known)
            if meaning is not None and tuple(meaning.typed.split()) not in kept_plain:
                meanings.append(meaning)
                start = end
                break
        else:
            rest += words[start].typed.split()
            start += 1
    said = {word for meaning in meanings for word in meaning.typed.split()} | set(rest)
    return Understood(
        text=left.strip(),
        meanings=tuple(meanings),
        rest=tuple(dict.fromkeys(rest)),
        ignored=tuple(dict.fromkeys(word for word in typed if word not in said)),
    )


def where_of_meanings(meanings: Iterable[Meaning]) -> Where:
    """Filters from what was understood; several values of one attribute are alternatives."""
    bounds = [meaning.condition for meaning in meanings if isinstance(meaning.condition, Between)]
    values: dict[str, dict[str, None]] = {}
    for meaning in meanings:
        if isinstance(meaning.condition, AnyOf):
            values.setdefault(meaning.condition.attribute, {}).update(dict.fromkeys(meaning.condition.values))
    any_of = [AnyOf(attribute=name, values=tuple(each)) for name, each in values.items()]
    return Where((*any_of, *bounds))


def _by_term(values: Sequence[FacetValue], vocabulary: Vocabulary) -> dict[tuple[str, ...], list[FacetValue]]:
    """The values of an attribute by the words that mean them."""
    own: dict[tuple[str, ...], list[FacetValue]] = {}
    for value in values:
        term = tuple(word.text for word in vocabulary.words(value.value))
        if term and not all(word.isdigit() for word in term):
            own.setdefault(term, []).append(value)
    for term, parts in _BROADER.items():
        if term not in own and all((part,) in own for part in parts):
            own[term] = [value for part in parts for value in own[(part,)]]
    return own


def _is_whole(words: Sequence[Word], start: int, end: int) -> bool:
    """Whether no synonym of several words is cut in two; those words share what was typed."""
    before = (
        start > 0 and words[start - 1].typed == words[start].typed and words[start - 1].text != words[start].text
    )
    after = (
        end < len(words) and words[end].typed == words[end - 1].typed and words[end].text != words[end - 1].text
    )
    return not before and not after


def _meaning(span: Sequence[Word], values: KnownValues, known: frozenset[str]) -> Meaning | None:
    texts = [word.text for word in span]
    corrected = ""
    found = values.find(texts)
    if found is None:
        better = [word.text if word.text in known else values.correct(word) for word in span]
        if better == texts or (found := values.find(better)) is None:
            return None
        corrected = " ".join(better)
    return Meaning(
        typed=" ".join(dict.fromkeys(word for each in span for word in each.typed.split())),
        condition=AnyOf(attribute=found.attribute, values=found.values),
        corrected=corrected,
        worth=found.worth,
    )


def _prices(query: str, plain: set[tuple[str, ...]]) -> tuple[list[Meaning], str]:
    """Bounds of the price, and the query without them."""
    meanings: list[Meaning] = []

    def taken(match: re.Match[str], low: float | None, high: float | None) -> str:
        typed = " ".join(folded_words(match[0]))
        if tuple(typed.split()) in plain or (low is not None and high is not None and low > high):
            return match[0]
        meanings.append(
            Meaning(typed=typed, condition=Between(attribute=PRICE, low=low, high=high), worth=_PRICE_WORTH)
        )
        return " "

    query = _BETWEEN.sub(lambda match: taken(match, _amount(match[1]), _amount(match[2])), query)
    query = _BOUND.sub(
        lambda match: taken(
            match, _amount(match[3]) if match[2] else None, _amount(match[3]) if match[1] else None
        ),
        query,
    )
    return meanings, query


def _amount(text: str) -> float:
    return float(text.replace(",", "."))
