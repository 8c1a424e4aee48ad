"""Similar products: the nearest neighbors of a query, weighed, gathered, varied and explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

import numpy as np

from sartor.recommend.base import GROUP, Catalog, Model, NeighborIndex
from sartor.recommend.duplicates import alike
from sartor.recommend.explain import QueryAttributes, reasons_of
from sartor.recommend.features import Features, FeatureWeights, mixed
from sartor.recommend.filters import require_attributes, require_values
from sartor.recommend.rank import WEAK_BELOW, folded, mmr
from sartor.types import EVERYTHING, FacetValue, Hit, Neighbor, StoredProduct, Where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.types import Photo


DEFAULT_K = 5
FACET_VALUES = 200


_POOL, _LEAST_POOL = 2, 24  # candidates for each hit, and at least
_VARIED_POOL = 8  # for each hit that shall differ from the others
_MOST_POOL = 1000  # every two candidates are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarQuery:
    """What is looked for.

    Attributes:
        parts: What the products shall be like, with weights.
        against: What they shall not be like, with weights.
        seen: What is known or predicted of the query, for reasons.
        dials: How much each trait counts.
        k: How many products.
        where: Only products that pass this filter.
        without: Ids of products to leave out: the query itself, and what is disliked.
        groups: Item groups to leave out: variants of the query.
        diversity: From 0, the closest, to 1, only what differs.
        facets: Attributes whose values are counted among all that pass the filter.
        exact: Compare with every photo, rather than through an approximate index.
    """

    parts: tuple[tuple[Features, float], ...]
    against: tuple[tuple[Features, float], ...] = ()
    seen: QueryAttributes = field(default_factory=QueryAttributes)
    dials: FeatureWeights = field(default_factory=FeatureWeights)
    k: int = DEFAULT_K
    where: Where = EVERYTHING
    without: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    diversity: float = 0.0
    facets: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation(Sequence[Hit]):
    """The answer to a query: hits in order, and what else is known.

    Attributes:
        hits: The products, each once.
        good: Whether any hit is more than a weak match; True where the model is not calibrated.
        facets: By attribute, values among all products that pass the filter, with their number.
        seen: What was seen in the query.
    """

    hits: tuple[Hit, ...]
    good: bool = True
    facets: Mapping[str, Sequence[FacetValue]] = field(default_factory=dict)
    seen: QueryAttributes = field(default_factory=QueryAttributes)

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, place: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[place]

    def __len__(self) -> int:
        return len(self.hits)


def similar(query: SimilarQuery, *, index: NeighborIndex, catalog: Catalog, model: Model) -> Recommendation:
    """Find the products that look most like a query.

    Returns:
        At most ``k`` distinct products; without diversity their scores never rise.

    Raises:
        UnknownAttribute: The filter asks about an attribute that no product has.
        UnknownValue: Nothing passes the filter, since no product has a value that it asks for.
        ValueError: ``k`` is below 1, or the diversity not from 0 to 1.
    """
    if query.k < 1 or not 0 <= query.diversity <= 1:
        msg = f"k must be at least 1 and diversity from 0 to 1, not {query.k} and {query.diversity}"
        raise ValueError(msg)
    require_attributes(query.where, model.attributes)
    traits = mixed(query.parts, query.against)
    vector = traits.weighted(query.dials)
    pool = max(_LEAST_POOL, (_VARIED_POOL if query.diversity else _POOL) * query.k)
    while True:
        found = index.search(vector, k=pool, where=query.where, without=query.without, exact=query.exact)
        hits = _hits(query, traits, found, catalog, model)
        if len(hits) == query.k or len(found) < pool or pool >= _MOST_POOL:
            break
        pool *= 4  # variants of a few took the places of others
    if not found:
        require_values(query.where, index)
    return Recommendation(
        hits=hits,
        good=any(not hit.weak for hit in hits) or not hits,
        facets=index.facets(query.facets, where=query.where, limit=FACET_VALUES) if query.facets else {},
        seen=query.seen,
    )


def _hits(
    query: SimilarQuery,
    traits: Features,
    found: Sequence[Neighbor],
    catalog: Catalog,
    model: Model,
) -> tuple[Hit, ...]:
    products = catalog.products([neighbor.product_id for neighbor in found])
    found = [each for each in found if _group(products[each.product_id]) not in query.groups]
    if not found:
        return ()
    vectors = np.stack([neighbor.vector for neighbor in found])
    style, color, _ = traits.split(vectors)
    prints = [_photo_of(each, products).fingerprint for each in found]
    things = folded([_group(products[each.product_id]) for each in found], alike(style, color, prints))
    first = [thing[0] for thing in things]
    scores = np.array([found[place].score for place in first], np.float32)
    chosen = mmr(scores, style[first], k=query.k, diversity=query.diversity)
    places = [first[place] for place in chosen]
    plain = mixed(query.parts)  # what is disliked makes no match worse
    closeness = plain.closeness(vectors[places])
    matches = model.matching.of(closeness) if model.matching else None
    predicted = model.predicted(vectors[places])
    hits = []
    for row, (place, thing) in enumerate(zip(places, (things[place] for place in chosen), strict=True)):
        neighbor = found[place]
        stored = products[neighbor.product_id]
        known = stored.product.attributes
        guessed = {name: guess for name, guess in predicted[row].items() if name not in known}
        match = None if matches is None else float(matches[row])
        hits.append(
            Hit(
                product_id=neighbor.product_id,
                score=neighbor.score,
                title=stored.product.title,
                attributes=known,
                predicted=guessed,
                photo=_photo_of(neighbor, products),
                style=float(closeness[row, 0]),
                color=float(closeness[row, 1]),
                match=match,
                weak=match is not None and match < WEAK_BELOW,
                variants=tuple(found[other].product_id for other in thing[1:]),
                reasons=reasons_of(query.seen, known, guessed, closeness[row]),
            )
        )
    return tuple(hits)


def _photo_of(neighbor: Neighbor, products: Mapping[str, StoredProduct]) -> Photo:
    return next(photo for photo in products[neighbor.product_id].photos if photo.sha256 == neighbor.sha256)


def _group(stored: StoredProduct) -> str:
    return str(stored.product.attributes.get(GROUP, ""))
