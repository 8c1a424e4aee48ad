"""Photos as Qdrant's points: what of them is stored, and what is read from one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import qdrant_edge as qdrant

from sartor.types import EVERYTHING, AnyOf, Not
from sartor.values import compared, compared_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import TypeAlias

    from sartor.types import Between, IndexEntry, Vector, Where

    PointId: TypeAlias = int | str | UUID


PRODUCT = "product"
PHOTO = "photo"
MAIN = "main"
YES, NO = "yes", "no"  # Qdrant Edge 0.9 finds no point by a boolean


def text_field(attribute: str) -> str:
    """Path of an attribute's texts in a payload."""
    return f'text."{_key(attribute)}"'


def number_field(attribute: str) -> str:
    """Path of an attribute's numbers in a payload."""
    return f'number."{_key(attribute)}"'


def payload_of(entry: IndexEntry) -> dict[str, Any]:
    """What an index keeps beside a vector."""
    found = {_key(name): values for name, values in compared(entry.attributes).items()}
    return {
        PRODUCT: entry.product_id,
        PHOTO: entry.sha256,
        MAIN: YES if entry.is_main else NO,
        "text": {name: list(values.texts) for name, values in found.items() if values.texts},
        "number": {name: list(values.numbers) for name, values in found.items() if values.numbers},
    }


def _key(attribute: str) -> str:
    """An attribute's name as Qdrant's JSON paths can quote it: they have no quotes and backslashes in quotes."""
    return attribute.replace("%", "%25").replace('"', "%22").replace("\\", "%5C")


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
        without: Its product is not one of these.
        no_points: It is not one of these photos.
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
        values = [compared_text(condition.attribute, value) for value in condition.values]
        return qdrant.FieldCondition(key=text_field(condition.attribute), match=qdrant.MatchAny(values))
    within = qdrant.RangeFloat(gte=condition.low, lte=condition.high)
    return qdrant.FieldCondition(key=number_field(condition.attribute), range=within)


def _among(product_ids: Collection[str]) -> qdrant.FieldCondition:
    return qdrant.FieldCondition(key=PRODUCT, match=qdrant.MatchAny(list(product_ids)))


KEYS = [PRODUCT, PHOTO]  # of a payload, as much as key_of needs


def point(entry: IndexEntry) -> qdrant.Point:
    """What an index holds of a photo."""
    return qdrant.Point(
        id=point_id(entry.product_id, entry.sha256),
        vector=entry.vector.tolist(),
        payload=payload_of(entry),
    )


def point_id(product_id: str, sha256: str) -> UUID:
    """The id of a product's photo in every index: the same on each machine and after each rebuild."""
    digest = hashlib.blake2b(f"{sha256}{product_id}".encode(), digest_size=16).digest()
    return UUID(bytes=digest)


def key_of(found: qdrant.ScoredPoint | qdrant.Record) -> tuple[str, str]:
    """Product id and SHA-256."""
    payload = found.payload or {}
    return payload[PRODUCT], payload[PHOTO]


def vector_of(found: qdrant.ScoredPoint | qdrant.Record) -> Vector:
    """What is compared."""
    return np.asarray(found.vector, np.float32)
