"""Recommendations for a shopper without history.

Popular products come first, then new ones; of both, those in the context before the others. Each shopper gets
another choice of them, and tomorrow another again: nothing is known yet of this one's preferences, and one list
for all would make popular products more popular for no other reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.base import Basis, Feed
from sartor.recommend.weights import DAY_S
from sartor.types import EVERYTHING, AnyOf, Where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.events.model import Person
    from sartor.recommend.base import FeedRequest
    from sartor.recommend.candidates import CandidateSource
    from sartor.recommend.personal.signals import Signals
    from sartor.types import Neighbor, Vector

_CANDIDATES_PER_HIT = 4
_POPULAR_PER_HIT = 10  # of which some are among the candidates
_EXPLORATION_SCALE = 0.25  # of chance: it lifts a tenth of the products by more than twice as much
_NEW_WEIGHT = 0.5  # beside popularity


def cold_start(candidates: CandidateSource, signals: Signals, request: FeedRequest) -> Feed:
    """Products for a person without history; the request's blend does not matter."""
    neighbors, inside = _candidates(candidates, signals, request)
    ids = [neighbor.product_id for neighbor in neighbors]
    values = signals.popular.of(ids) + _NEW_WEIGHT * signals.new_of(ids)
    scores = values + _chance(request.person, request.now_s, len(ids))
    scores[inside:] -= 1 + 1 / _EXPLORATION_SCALE  # chance never lifts them above those in the context
    best = np.argsort(-scores, kind="stable")
    rankable = candidates.rankable([neighbors[row] for row in best])
    items = rankable.select(scores[best], k=request.k, diversity=request.diversity)
    ranked = []
    for item in items:
        row = best[item.row]
        context = request.context if row < inside else EVERYTHING
        ranked.append(replace(item, score=float(values[row]), reasons=_reasons(ids[row], context, signals)))
    return Feed(hits=rankable.hits(ranked), based_on=_basis(request, signals, inside=inside))


def _candidates(candidates: CandidateSource, signals: Signals, request: FeedRequest) -> tuple[list[Neighbor], int]:
    """Candidates, and how many of them are in the context; these come first."""
    limit = _CANDIDATES_PER_HIT * request.k
    known = list(dict.fromkeys((*signals.popular.best(_POPULAR_PER_HIT * request.k), *signals.new)))
    wide = Where((*request.where.conditions, *request.context.conditions))
    found: dict[str, Neighbor] = {}
    inside = 0
    for where in dict.fromkeys((wide, request.where)):
        for neighbor in _passing(candidates, known, where, limit=limit):
            if neighbor.product_id not in request.without:
                found.setdefault(neighbor.product_id, neighbor)
        if where == wide:
            inside = len(found)
        if len(found) >= limit:
            break
    return list(found.values()), inside


def _passing(candidates: CandidateSource, known: Sequence[str], where: Where, *, limit: int) -> list[Neighbor]:
    """Products that pass: popular ones, then new ones, then any."""
    found: list[Neighbor] = []
    for start in range(0, len(known), limit):
        found += candidates.passing(known[start : start + limit], where)
        if len(found) >= limit:
            return found[:limit]
    return found + candidates.some(where, limit=limit)


def _chance(person: Person, now_s: float, count: int) -> Vector:
    """The same for a person all day, ``(n,)``: Gumbel noise, by which the best of many is drawn in proportion.

    Source: J. Yellott, "The relationship between Luce's choice axiom, …" (1977).
    """
    seed = hashlib.blake2b(f"{person.kind}:{person.id}:{int(now_s // DAY_S)}".encode(), digest_size=8).digest()
    noise = np.random.default_rng(int.from_bytes(seed)).gumbel(size=count)
    return np.asarray(_EXPLORATION_SCALE * np.clip(noise, -2, 4), np.float32)


def _basis(request: FeedRequest, signals: Signals, *, inside: int) -> Basis:
    """What the products were chosen by; not the context, where none of them is in it."""
    if request.context and inside:
        return Basis.CONTEXT
    return Basis.TRENDING if signals.popular.values.any() else Basis.NEWEST


def _reasons(product_id: str, context: Where, signals: Signals) -> tuple[str, ...]:
    values = [", ".join(condition.values) for condition in context.conditions if isinstance(condition, AnyOf)]
    inside = f" in {' · '.join(values)}" if values else ""
    if signals.popular.of([product_id])[0] > 0:
        return (f"trending{inside}",)
    return (f"new{inside or ' in'}",) if product_id in signals.new else ()
