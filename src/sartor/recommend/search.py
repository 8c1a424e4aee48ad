"""Products by words: what they are called, and what they look like.

Three lists are fused by reciprocal ranks: products whose text has all words of the query; products that pass the
filters in the query and whose text has its other words; and products that pass the filters and whose photo is
close to the words in the space of the model, where it has a text tower. A product with this id comes first.

Source: G. Cormack, C. Clarke and S. Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
learning methods" (SIGIR 2009).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from sartor.encoders.text.words import IGNORED, folded_words, singular
from sartor.recommend.base import Hits
from sartor.recommend.features import FeatureWeights, category_of
from sartor.recommend.filters import filter_text, require_attributes, require_values
from sartor.recommend.understood import Meaning, Understood, where_of_meanings
from sartor.recommend.weights import (
    NAMED_WEIGHTS,
    PASSING_WEIGHT,
    RANK_OFFSET,
    SEARCH_CANDIDATES,
    SEARCH_CATEGORY,
    UNNAMED_WEIGHTS,
)
from sartor.types import EVERYTHING, ListingQuery, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.encoders.text.tower import TextTower
    from sartor.recommend.candidates import CandidateSource
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import FacetValue, Hit, Vector

FACET_VALUES = 200
_MAX_ALONE = 8  # words that are searched for one by one, where no text has all
_MAX_COMBINED = 8  # filters of a query of which each may be given up alone


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsQuery:
    """A query for the ``k`` products that its words describe best.

    Attributes:
        understood: What its words say.
        k: Number of products.
        where: Only products that pass this filter.
        exclude: Ids of products that are never hits.
        facets: Attributes whose values are counted among the products that pass all filters.
    """

    understood: Understood
    k: int
    where: Where = EVERYTHING
    exclude: frozenset[str] = frozenset()
    facets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Hits):
    """What words found.

    Attributes:
        hits: The products, each once, the best first.
        understood: The filters that were read from the words and hold for the hits.
        given_up: Those that were read, too, but that no product passes together with the others.
        rest: The other words.
        read_as: Words that were read as others, since they look misspelled.
        unknown: Words that neither a product's text nor the model knows; hits only resemble their letters.
        ignored: Small words that say nothing here.
        by_looks: Whether photos were compared with the words; only a model with a text tower does.
        facets: Values and counts by attribute, among all products that pass the filters.
    """

    understood: tuple[Meaning, ...] = ()
    given_up: tuple[Meaning, ...] = ()
    rest: tuple[str, ...] = ()
    read_as: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    by_looks: bool = False
    facets: Mapping[str, Sequence[FacetValue]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists that are fused, ids of products, the best first; ``named``: some words are no filters."""

    named: bool = False
    exact: tuple[str, ...] = ()  # the product of this id
    whole: tuple[str, ...] = ()  # text has all words
    words: tuple[str, ...] = ()  # text has the words that are no filters
    some: tuple[str, ...] = ()  # text has some of them, where no text has all
    looks: tuple[str, ...] = ()  # photo is close to the words
    passing: tuple[str, ...] = ()  # passes the filters, where that is all that is known

    def fused(self) -> dict[str, float]:
        """Scores of all, by reciprocal ranks; what is exact is above all others."""
        scores: dict[str, float] = {}
        weights = NAMED_WEIGHTS if self.named else UNNAMED_WEIGHTS
        lists = (self.whole, self.words, self.some, self.looks, self.passing)
        for ids, weight in zip(lists, (*weights, PASSING_WEIGHT), strict=True):
            for rank, product_id in enumerate(ids, 1):
                scores[product_id] = scores.get(product_id, 0.0) + weight / (RANK_OFFSET + rank)
        best = max(scores.values(), default=0.0)
        return scores | {
            product_id: scores.get(product_id, 0.0) + best + 1 / RANK_OFFSET for product_id in self.exact
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """What is searched for: filters that hold, filters given up, words, and all words as an embedding."""

    kept: tuple[Meaning, ...]
    given_up: tuple[Meaning, ...]
    where: Where
    rest: tuple[str, ...]
    read_as: Mapping[str, str]
    vector: Vector | None


class WordSearch:
    """Searches a catalog by words.

    Args:
        candidates: Where products are found.
        features: What turns embeddings into the vectors that are compared.
        tower: Embeds words; None for a model that embeds photos only.
        dimension: Length of the model's embeddings.
    """

    def __init__(
        self, candidates: CandidateSource, features: FeatureBuilder, tower: TextTower | None, *, dimension: int
    ) -> None:
        self._candidates, self._features, self._tower, self._dimension = candidates, features, tower, dimension
        self._catalog = candidates.catalog

    def find(self, query: WordsQuery) -> Found:
        """The products that words describe best.

        Raises:
            UnknownAttribute: The filter names an attribute that no product has.
            UnknownValue: Nothing passes the filter, because no product has a value that it names.
        """
        require_attributes(query.where, self._candidates.model.attributes)
        plan = self.plan(query)
        lists = self.lists(query, plan)
        if not lists.fused():
            require_values(query.where, self._candidates.index)
        index, where = self._candidates.index, plan.where
        return Found(
            hits=self._hits(query, lists, plan),
            understood=plan.kept,
            given_up=plan.given_up,
            rest=query.understood.rest,
            read_as=plan.read_as,
            unknown=self._unknown(query.understood.rest, plan.read_as),
            ignored=query.understood.ignored,
            by_looks=plan.vector is not None,
            facets=index.facets(query.facets, where=where, limit=FACET_VALUES) if query.facets else {},
        )

    def plan(self, query: WordsQuery) -> Plan:
        """What is searched for."""
        kept, given_up = self._passable(query)
        rest = [word for meaning in given_up for word in meaning.typed.split()]
        return Plan(
            kept=tuple(kept),
            given_up=tuple(given_up),
            where=Where((*query.where.conditions, *where_of_meanings(kept).conditions)),
            rest=tuple(dict.fromkeys((*rest, *query.understood.rest))),
            read_as=self._read_as(query.understood.rest),
            vector=self._vector(query.understood.text),
        )

    def lists(self, query: WordsQuery, plan: Plan) -> Lists:
        """The lists that are fused."""
        limit = max(SEARCH_CANDIDATES, 2 * query.k)
        exact = tuple(self._catalog.known([query.understood.text]))
        content = _content_of(query.understood.text)
        whole = self._having(content, query.where, limit) if content else []
        words = self._with_words(plan, limit)
        some = [] if words or whole else self._with_some(plan, limit)
        looks = () if plan.vector is None else self._looking_like(plan.vector, query, plan.where, limit)
        passing = self._having("", plan.where, limit) if plan.kept and not (words or some or looks) else []
        return Lists(
            named=bool(plan.rest),
            exact=self._kept(exact, query.exclude, where=query.where),
            whole=self._kept(whole, query.exclude),
            words=self._kept(words, query.exclude),
            some=self._kept(some, query.exclude),
            looks=looks,
            passing=self._kept(passing, query.exclude),
        )

    def _passable(self, query: WordsQuery) -> tuple[list[Meaning], list[Meaning]]:
        """The filters that some product passes together, and those that had to be given up, the cheapest ones."""
        meanings = query.understood.meanings
        known = set(self._candidates.model.attributes)
        possible = [meaning for meaning in meanings if meaning.condition.attribute in known]
        kept = next(
            chosen
            for chosen in _by_cost(possible)
            if not chosen
            or self._any_passes(Where((*query.where.conditions, *where_of_meanings(chosen).conditions)))
        )
        return list(kept), [meaning for meaning in meanings if meaning not in kept]

    def _any_passes(self, where: Where) -> bool:
        return bool(self._catalog.listing(ListingQuery(where=where, limit=1)).products)

    def _read_as(self, words: Sequence[str]) -> dict[str, str]:
        if self._tower is None:
            return {}
        meant = {word: self._tower.meant(singular(word), typed=word) for word in words if not self._has(word)}
        return {word: better for word, better in meant.items() if better != singular(word)}

    def _has(self, word: str) -> bool:
        """Whether any product's text has a word."""
        return bool(self._catalog.listing(ListingQuery(words=word, limit=1)).products)

    def _unknown(self, words: Sequence[str], read_as: Mapping[str, str]) -> tuple[str, ...]:
        tower = self._tower
        return tuple(
            word
            for word in words
            if word not in read_as
            and not (tower is not None and set(tower.words(word)) & tower.known)
            and not self._has(word)
        )

    def _having(self, words: str, where: Where, limit: int) -> list[str]:
        page = self._catalog.listing(ListingQuery(words=words, where=where, limit=limit))
        return [stored.product.id for stored in page.products]

    def _with_words(self, plan: Plan, limit: int) -> list[str]:
        if not plan.rest:
            return []
        found = self._having(" ".join(plan.rest), plan.where, limit)
        if not found and plan.read_as:
            found = self._having(" ".join(plan.read_as.get(word, word) for word in plan.rest), plan.where, limit)
        return found

    def _with_some(self, plan: Plan, limit: int) -> list[str]:
        """Products whose text has some of the words, rare words first."""
        scores: dict[str, float] = {}
        for word in plan.rest[:_MAX_ALONE] if len(plan.rest) > 1 else ():
            query = ListingQuery(words=plan.read_as.get(word, word), where=plan.where, limit=limit)
            page = self._catalog.listing(query)
            for stored in page.products:
                scores[stored.product.id] = scores.get(stored.product.id, 0.0) + 1 / math.log2(2 + page.total)
        return sorted(scores, key=lambda id_: -scores[id_])[:limit]

    def _kept(self, ids: Sequence[str], exclude: Collection[str], *, where: Where = EVERYTHING) -> tuple[str, ...]:
        passing = self._candidates.index.passing(where, of=ids) if where else ids
        return tuple(id_ for id_ in ids if id_ in passing and id_ not in exclude)

    def _vector(self, text: str) -> Vector | None:
        """The words as an embedding; None where the model has no text tower, or knows none of them."""
        if self._tower is None:
            return None
        words = self._tower.words(text)
        if not set(words) & self._tower.known:
            return None
        return np.asarray(self._tower.embed_words([words])[0], np.float32)

    def _looking_like(self, vector: Vector, query: WordsQuery, where: Where, limit: int) -> tuple[str, ...]:
        probabilities = self._features.heads.probabilities(vector[None])
        heads = self._features.heads.heads
        features = self._features.of_style(vector)
        if heads:
            features = replace(features, category=category_of(probabilities[heads[0].name][0]))
        weighted = features.weighted(FeatureWeights(style=1.0, category=SEARCH_CATEGORY))
        neighbors = self._candidates.index.search(weighted, k=limit, where=where, without=query.exclude)
        return tuple(neighbor.product_id for neighbor in neighbors)

    def _hits(self, query: WordsQuery, lists: Lists, plan: Plan) -> tuple[Hit, ...]:
        scores = lists.fused()
        ranked = sorted(scores, key=lambda id_: (-scores[id_], id_))[: max(SEARCH_CANDIDATES, 2 * query.k)]
        neighbors = self._candidates.photos.of(ranked)
        if not neighbors:
            return ()
        candidates = self._candidates.rankable(neighbors)
        numbers = np.array([scores[neighbor.product_id] for neighbor in candidates.neighbors], np.float32)
        items = candidates.select(numbers, k=query.k, diversity=0.0)
        closeness = [
            0.0 if plan.vector is None else float(candidates.vectors[item.row, : self._dimension] @ plan.vector)
            for item in items
        ]
        return tuple(
            replace(hit, style=style, reasons=_reasons(hit, query, lists, plan))
            for hit, style in zip(candidates.hits(items), closeness, strict=True)
        )


def _reasons(hit: Hit, query: WordsQuery, lists: Lists, plan: Plan) -> tuple[str, ...]:
    product_id = hit.product_id
    if product_id in lists.exact:
        return ("it has this id",)
    reasons = []
    if product_id in lists.whole:
        reasons.append("its text has all words")
    elif product_id in lists.words:
        reasons.append(f"its text has: {' '.join(plan.rest)}")
    elif product_id in lists.some:
        reasons.append(f"its text has some of: {' '.join(plan.rest)}")
    if product_id in {*lists.words, *lists.some, *lists.looks, *lists.passing}:
        reasons += [filter_text(meaning.condition) for meaning in plan.kept]
    if product_id in lists.looks and query.understood.rest and not {*lists.whole, *lists.words} & {product_id}:
        reasons.append(f"looks like: {' '.join(query.understood.rest)}")
    return tuple(reasons)


def _by_cost(meanings: Sequence[Meaning]) -> list[tuple[Meaning, ...]]:
    """Which filters may be kept, all of them first, by what it costs to give up the others."""
    if len(meanings) > _MAX_COMBINED:
        return [tuple(meanings), ()]
    kept = [chosen for count in range(len(meanings), -1, -1) for chosen in combinations(meanings, count)]
    return sorted(kept, key=lambda chosen: -sum(meaning.worth for meaning in chosen))


def _content_of(text: str) -> str:
    """The words of a query as they were typed, without small ones that texts need not have."""
    return " ".join(word for word in text.split() if not set(folded_words(word)) <= IGNORED)
