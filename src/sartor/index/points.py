"""Photos as Qdrant's points: what of them is stored, and what is read from one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import qdrant_edge as qdrant

from sartor.index.payload import PHOTO, PRODUCT, payload_of

if TYPE_CHECKING:
    from typing import TypeAlias

    from sartor.types import IndexEntry, Vector

    PointId: TypeAlias = int | str | UUID

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
