"""What people do, around a product or at large: what is trending, and what was bought or looked at together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import RelationType
from sartor.recommend.base import GROUP, Basis, Feed
from sartor.recommend.filters import require_values
from sartor.recommend.personal.signals import ItemScores
from sartor.recommend.rank import RankedItem
from sartor.recommend.weights import TOGETHER_LEAST

if TYPE_CHECKING:
    from sartor.recommend.personal.for_you import ForYou
    from sartor.types import Vector, Where

_STEP = 200  # products that are looked at at once for a filter
_MORE = 2  # candidates for each place: some are variants of others
_WORDS = {
    RelationType.BOUGHT: "often bought together",
    RelationType.SEEN: "often looked at together",
    RelationType.LIKED: "liked by the same people",
}


def trending(engine: ForYou, *, k: int, window_s: float, where: Where, now_s: float) -> Feed:
    """What people like most lately, the most liked first."""
    liked = engine.crowd.popularity(now_s=now_s, window_s=window_s, half_life_s=window_s / 2)
    return _feed(
        engine, ItemScores(engine.crowd, liked), k=k, where=where, basis=Basis.TRENDING, reason="trending"
    )


def together(engine: ForYou, product_id: str, *, by: RelationType | None, k: int, where: Where) -> Feed:
    """What people did with a product and others on the same occasion, the closest first."""
    best: dict[RelationType, Vector] = {
        occasion: engine.crowd.beside(product_id, occasion, least=TOGETHER_LEAST)
        for occasion in ([by] if by else list(RelationType))
    }
    values = np.maximum.reduce(list(best.values()))
    main = max(best, key=lambda occasion: (float(best[occasion].sum()), occasion))
    product = engine.catalog.products([product_id])[product_id].product
    groups = frozenset({str(product.attributes[GROUP])} if GROUP in product.attributes else ())
    scored = ItemScores(engine.crowd, values)
    return _feed(engine, scored, k=k, where=where, basis=Basis.TOGETHER, reason=_WORDS[main], no_groups=groups)


def _feed(  # noqa: PLR0913 - what two feeds differ in
    engine: ForYou,
    scored: ItemScores,
    *,
    k: int,
    where: Where,
    basis: Basis,
    reason: str,
    no_groups: frozenset[str] = frozenset(),
) -> Feed:
    ids, found = scored.best(len(scored.values)), []
    for start in range(0, len(ids), _STEP):
        found += engine.passing(ids[start : start + _STEP], where)
        if len(found) >= _MORE * k:
            break
    if not found:
        require_values(where, engine.index)
    shelf = engine.shelf(found[: _MORE * k])
    scores = scored.of([each.product_id for each in shelf.found])
    chosen = shelf.choose(scores, k=k, diversity=0.0, no_groups=no_groups)
    return Feed(
        hits=shelf.hits(
            [
                RankedItem(place=place, score=float(scores[place]), variants=variants, reasons=(reason,))
                for place, variants in chosen
            ]
        ),
        based_on=basis,
    )
