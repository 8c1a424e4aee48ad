"""What people do: trending products, and those bought, seen or liked together with one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import RelationType
from sartor.recommend.base import Basis, Feed
from sartor.recommend.filters import require_values
from sartor.recommend.personal.signals import ItemScores

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sartor.recommend.candidates import CandidateSource
    from sartor.types import Hit, Where

_STEP = 200  # products that are filtered at once
_CANDIDATES_PER_HIT = 2  # some are variants of others
_REASONS = {
    RelationType.BOUGHT: "often bought together",
    RelationType.SEEN: "often looked at together",
    RelationType.LIKED: "liked by the same people",
}


def trending(candidates: CandidateSource, popularity: ItemScores, *, k: int, where: Where) -> Feed:
    """The ``k`` most popular products that pass a filter, the most popular first."""
    hits = _hits(candidates, popularity, k=k, where=where, reason="trending")
    return Feed(hits=hits, based_on=Basis.TRENDING)


def together(
    candidates: CandidateSource,
    product_id: str,
    related: Mapping[RelationType, ItemScores],
    *,
    k: int,
    where: Where,
) -> Feed:
    """The ``k`` products closest to one by what people bought, saw or liked together, without its variants.

    ``related`` says how close items are by each relation, at least one; the closest relation counts.
    """
    main = max(related, key=lambda relation: (float(related[relation].values.sum()), relation))
    closest = np.maximum.reduce([scores.values for scores in related.values()])
    hits = _hits(
        candidates,
        ItemScores(related[main].interactions, closest),
        k=k,
        where=where,
        reason=_REASONS[main],
        without_groups=candidates.groups_of([product_id]),
    )
    return Feed(hits=hits, based_on=Basis.TOGETHER)


def _hits(  # noqa: PLR0913 - what the two feeds differ in
    candidates: CandidateSource,
    scores: ItemScores,
    *,
    k: int,
    where: Where,
    reason: str,
    without_groups: Collection[str] = (),
) -> tuple[Hit, ...]:
    ids, found = scores.best(len(scores.values)), []
    for start in range(0, len(ids), _STEP):
        found += candidates.passing(ids[start : start + _STEP], where)
        if len(found) >= _CANDIDATES_PER_HIT * k:
            break
    if not found:
        require_values(where, candidates.index)
    rankable = candidates.rankable(found[: _CANDIDATES_PER_HIT * k])
    values = scores.of([neighbor.product_id for neighbor in rankable.neighbors])
    items = rankable.select(values, k=k, diversity=0.0, without_groups=without_groups)
    return rankable.hits([replace(item, reasons=(reason,)) for item in items])
