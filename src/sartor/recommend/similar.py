"""Similar products: nearest neighbors of a query, re-ranked and explained."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.limits import MAX_VARIED_CANDIDATES
from sartor.recommend.base import Hits
from sartor.recommend.explain import QueryAttributes, reasons_of
from sartor.recommend.features import Features, FeatureWeights, mixed
from sartor.recommend.filters import require_attributes, require_values
from sartor.recommend.matching import matches
from sartor.recommend.rank import CandidateSet
from sartor.recommend.weights import likeness_of
from sartor.types import EVERYTHING, Likeness, QueryKind, Verdict, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.index.base import VectorIndex
    from sartor.recommend.base import Model
    from sartor.recommend.matching import Asked
    from sartor.store.base import CatalogStore
    from sartor.types import FacetValue, Hit, Matrix

    Floats = npt.NDArray[np.float64]

DEFAULT_K = 5
FACET_VALUES = 200

_CANDIDATES_PER_HIT, _MIN_CANDIDATES = 2, 48
_VARIED_CANDIDATES_PER_HIT = 8
_DIGITS = 5  # of log-odds


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarQuery:
    """A query for the ``k`` most similar products."""

    parts: tuple[tuple[Features, float], ...]  # what they should be like, with weights
    asked: Asked | None = None  # what matches depend on beside features; None for a color alone
    negatives: tuple[tuple[Features, float], ...] = ()  # what they should not be like, with weights
    seen: QueryAttributes = field(default_factory=QueryAttributes)  # of the query, for reasons
    weights: FeatureWeights = field(default_factory=FeatureWeights)
    k: int = DEFAULT_K
    where: Where = EVERYTHING
    without: frozenset[str] = frozenset()  # ids of products: the query itself, and what is disliked
    groups: frozenset[str] = frozenset()  # item groups to leave out: variants of the query
    diversity: float = 0.0  # from 0, the most similar, to 1, the most varied
    facets: tuple[str, ...] = ()  # attributes whose values are counted among all that pass the filter
    exact: bool = False  # compare with every photo rather than search the approximate index


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation(Hits):
    """The answer to a query for similar products.

    Attributes:
        hits: The products, each once, the best first.
        kind: What the query is; None where that is not known, as for a color alone.
        verdict: Whether the hits are what was asked for; found where the model is not calibrated.
        facets: Values and counts by attribute, among all products that pass the filter.
        seen: Attributes of the query.
    """

    kind: QueryKind | None = None
    verdict: Verdict = Verdict.FOUND
    facets: Mapping[str, Sequence[FacetValue]] = field(default_factory=dict)
    seen: QueryAttributes = field(default_factory=QueryAttributes)

    @property
    def good(self) -> bool:
        """Whether anything is close."""
        return self.verdict is not Verdict.NOTHING_CLOSE


def similar(query: SimilarQuery, *, index: VectorIndex, catalog: CatalogStore, model: Model) -> Recommendation:
    """Find the products most similar to a query.

    Returns:
        At most ``k`` distinct products; without diversity their scores never rise.

    Raises:
        UnknownAttribute: The filter names an attribute that no product has.
        UnknownValue: Nothing passes the filter, because no product has a value that it names.
        ValueError: ``k`` is below 1, or the diversity not from 0 to 1.
    """
    if query.k < 1 or not 0 <= query.diversity <= 1:
        msg = f"k must be at least 1 and diversity from 0 to 1, not {query.k} and {query.diversity}"
        raise ValueError(msg)
    require_attributes(query.where, model.attributes)
    features = mixed(query.parts, query.negatives)
    vector = features.weighted(query.weights)
    sizes = (len(features.style), len(features.color))
    limit = candidates_of(query.k, diversity=query.diversity)
    while True:
        neighbors = index.search(vector, k=limit, where=query.where, without=query.without, exact=query.exact)
        hits = _hits(query, CandidateSet.of(neighbors, catalog=catalog, model=model, sizes=sizes))
        if len(hits) == query.k or len(neighbors) < limit or limit >= MAX_VARIED_CANDIDATES:
            break
        limit *= 4  # variants of a few products crowded out the others
    if not neighbors:
        require_values(query.where, index)
    return Recommendation(
        hits=hits,
        kind=None if query.asked is None else query.asked.kind,
        verdict=_verdict(query.asked, hits),
        facets=index.facets(query.facets, where=query.where, limit=FACET_VALUES) if query.facets else {},
        seen=query.seen,
    )


def candidates_of(k: int, *, diversity: float) -> int:
    """How many of the nearest are candidates for ``k`` hits."""
    return max(_MIN_CANDIDATES, (_VARIED_CANDIDATES_PER_HIT if diversity else _CANDIDATES_PER_HIT) * k)


def _verdict(asked: Asked | None, hits: Sequence[Hit]) -> Verdict:
    if not hits or any(not hit.weak for hit in hits):
        return Verdict.FOUND
    is_unfamiliar = asked is not None and asked.kind is QueryKind.UNFAMILIAR
    return Verdict.NOT_SURE if is_unfamiliar else Verdict.NOTHING_CLOSE


def _hits(query: SimilarQuery, candidates: CandidateSet) -> tuple[Hit, ...]:
    if not candidates.neighbors:
        return ()
    closeness = mixed(query.parts).closeness(candidates.vectors)  # (n, 3); negatives make no product less close
    found = _matches(query, candidates, closeness)
    numbers = np.array([neighbor.score for neighbor in candidates.neighbors]) if found is None else found
    order = np.argsort(-numbers, kind="stable")
    scores, closeness = numbers[order].astype(np.float32), closeness[order]
    candidates = candidates.reordered(order.tolist())
    items = candidates.select(scores, k=query.k, diversity=query.diversity, without_groups=query.groups)
    matches = [None if found is None else item.score for item in items]
    likenesses = [None if match is None else likeness_of(match) for match in matches]
    return tuple(
        replace(
            hit,
            style=float(own[0]),
            color=float(own[1]),
            match=match,
            likeness=likeness,
            weak=likeness is Likeness.A_LITTLE,
            reasons=reasons_of(query.seen, hit.attributes, hit.predicted, own),
        )
        for hit, own, match, likeness in zip(
            candidates.hits(items), closeness[[item.row for item in items]], matches, likenesses, strict=True
        )
    )


def _matches(query: SimilarQuery, candidates: CandidateSet, closeness: Matrix) -> Floats | None:
    """The match of each candidate, ``(n,)``; None for a color alone, and for models without a calibration."""
    matcher, asked = candidates.model.matching, query.asked
    if matcher is None or asked is None:
        return None
    signals = matcher.signals_of(asked, closeness, candidates.known(matcher))
    log_odds = matcher.log_odds(asked, signals, query.weights)
    for features, weight in query.negatives:
        log_odds -= weight * matcher.penalty(asked, features.closeness(candidates.vectors), query.weights)
    # What is equal but for the last bits, such as two products with one photo, stays in the order of the index.
    return matches(log_odds.round(_DIGITS), matcher.same(asked, closeness, candidates.fingerprints))
