"""Filters of Sartor as Qdrant has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as qdrant

from sartor.index.payload import MAIN, PRODUCT, YES, number_field, text_field
from sartor.types import EVERYTHING, AnyOf, Not

if TYPE_CHECKING:
    from collections.abc import Collection

    from sartor.index.points import PointId
    from sartor.types import Between, Where


def filter_of(
    where: Where = EVERYTHING,
    *,
    of: Collection[str] | None = None,
    without: Collection[str] = (),
    no_points: Collection[PointId] = (),
    main: bool = False,
) -> qdrant.Filter:
    """What a photo has to be to be found.

    Args:
        where: Its product passes this filter.
        of: Its product is one of these; None is any.
        without: Its product is none of these.
        no_points: It is none of these photos.
        main: It is the product's main photo.
    """
    must: list[Any] = [_condition(part) for part in where.conditions if not isinstance(part, Not)]
    must_not: list[Any] = [_condition(part.condition) for part in where.conditions if isinstance(part, Not)]
    if of is not None:
        must.append(_among(of))
    if without:
        must_not.append(_among(without))
    if no_points:
        must_not.append(qdrant.HasIdCondition(set(no_points)))
    if main:
        must.append(qdrant.FieldCondition(key=MAIN, match=qdrant.MatchAny([YES])))
    return qdrant.Filter(must=must, must_not=must_not)


def _condition(condition: AnyOf | Between) -> qdrant.FieldCondition:
    if isinstance(condition, AnyOf):
        return qdrant.FieldCondition(
            key=text_field(condition.attribute), match=qdrant.MatchAny(list(condition.values))
        )
    within = qdrant.RangeFloat(gte=condition.low, lte=condition.high)
    return qdrant.FieldCondition(key=number_field(condition.attribute), range=within)


def _among(product_ids: Collection[str]) -> qdrant.FieldCondition:
    return qdrant.FieldCondition(key=PRODUCT, match=qdrant.MatchAny(list(product_ids)))
