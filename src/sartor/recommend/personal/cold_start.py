"""A feed for somebody of whom nothing is known but, perhaps, what is looked at now.

What others like lately comes first, then what is new; of both, what passes the context before the rest. Each
person sees others of it, and tomorrow others again: nobody knows yet what this one likes, and a list that is the
same for all would make popular products more popular for no other reason.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.base import Basis, Feed
from sartor.recommend.personal.signals import popularity_scores
from sartor.recommend.rank import RankedItem
from sartor.recommend.weights import DAY_S
from sartor.types import EVERYTHING, AnyOf, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sartor.events.model import Person
    from sartor.recommend.base import FeedRequest
    from sartor.recommend.personal.for_you import ForYou
    from sartor.recommend.personal.signals import ItemScores
    from sartor.types import Neighbor, Vector

_OFFERED = 4  # products for each place, of which a person sees some
_LIVELY = 0.25  # how far chance may lift a product: a tenth of them by more than twice as much
_NEW = 0.5  # what being new counts beside being liked


def cold_start(engine: ForYou, order: FeedRequest, *, without: Collection[str]) -> Feed:
    """Products for a person without a history."""
    popular = popularity_scores(engine.crowd, now_s=order.now_s)
    new = engine.newest.products()
    wide = Where((*order.where.conditions, *order.context.conditions))
    offered: dict[str, Neighbor] = {}
    inside = 0
    for where in dict.fromkeys((wide, order.where)):
        for each in _offered(engine, popular.best(10 * order.k), list(new), where, most=_OFFERED * order.k):
            if each.product_id not in without:
                offered.setdefault(each.product_id, each)
        if where == wide:
            inside = len(offered)
        if len(offered) >= _OFFERED * order.k:
            break
    found = list(offered.values())
    ids = [each.product_id for each in found]
    values = popular.of(ids) + _NEW * np.array([new.get(product_id, 0.0) for product_id in ids], np.float32)
    scores = values + _chance(order.person, order.now_s, len(found))
    scores[inside:] -= 1 + 1 / _LIVELY  # whatever chance says, after those inside
    best = np.argsort(-scores, kind="stable")
    shelf = engine.shelf([found[place] for place in best])
    chosen = shelf.choose(scores[best], k=order.k, diversity=order.diversity)
    hits = shelf.hits(
        [
            RankedItem(
                place=place,
                score=float(values[best[place]]),
                variants=variants,
                reasons=_reasons(
                    ids[best[place]], order.context if best[place] < inside else EVERYTHING, popular, new
                ),
            )
            for place, variants in chosen
        ]
    )
    return Feed(hits=hits, based_on=_basis(order, popular.values))


def _offered(
    engine: ForYou, popular: Sequence[str], new: Sequence[str], where: Where, *, most: int
) -> list[Neighbor]:
    """Products that pass: liked ones, else new ones, else any."""
    found: list[Neighbor] = []
    known = list(dict.fromkeys((*popular, *new)))
    for start in range(0, len(known), most):
        found += engine.passing(known[start : start + most], where)
        if len(found) >= most:
            return found[:most]
    return found + engine.photos.of(engine.index.some(where=where, limit=most))


def _chance(person: Person, now_s: float, count: int) -> Vector:
    """The same for a person all day, ``(n,)``: Gumbel noise, by which the best of many is drawn in proportion.

    Source: J. Yellott, "The relationship between Luce's choice axiom, …" (1977).
    """
    seed = hashlib.blake2b(f"{person.kind}:{person.id}:{int(now_s // DAY_S)}".encode(), digest_size=8).digest()
    noise = np.random.default_rng(int.from_bytes(seed)).gumbel(size=count)
    return np.asarray(_LIVELY * np.clip(noise, -2, 4), np.float32)


def _basis(order: FeedRequest, popular: Vector) -> Basis:
    if order.context:
        return Basis.CONTEXT
    return Basis.TRENDING if popular.any() else Basis.NEWEST


def _said(order: FeedRequest, *, inside: bool) -> Where:
    return order.context if inside else EVERYTHING


def _reasons(product_id: str, context: Where, popular: ItemScores, new: Collection[str]) -> tuple[str, ...]:
    said = [", ".join(each.values) for each in context.conditions if isinstance(each, AnyOf)]
    inside = f" in {' · '.join(said)}" if said else ""
    if popular.of([product_id])[0] > 0:
        return (f"trending{inside}",)
    return (f"new{inside or ' in'}",) if product_id in new else ()
