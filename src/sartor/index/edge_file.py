"""A Qdrant Edge shard of plain embeddings, for whoever goes on with Qdrant.

Qdrant Edge 0.9 reads snapshots of a server, and writes none: https://qdrant.tech/documentation/edge/edge-api/snapshots
has ``unpack_snapshot``, ``snapshot_manifest`` and ``update_from_snapshot``. What goes to a server are points:
https://qdrant.tech/documentation/edge/edge-data-synchronization-patterns. So this is a shard that Edge opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import qdrant_edge as qdrant

from sartor.index.points import point_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sartor.types import Photo, Product, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePoint:
    """A photo of a product with its embedding, ``(d,)``."""

    product: Product
    photo: Photo
    vector: Vector


def write_edge_shard(directory: Path, pages: Iterator[Sequence[EdgePoint]], dimension: int) -> None:
    """Write points into a new shard by cosine, with their graph; its payload is told as the catalog tells it.

    Raises:
        OSError: The shard cannot be written.
    """
    vectors = qdrant.EdgeVectorParams(size=dimension, distance=qdrant.Distance.Cosine)
    directory.mkdir()
    try:
        shard = qdrant.EdgeShard.create(str(directory), qdrant.EdgeConfig(vectors=vectors, wal_enabled=False))
        try:
            for page in pages:
                shard.update(qdrant.UpdateOperation.upsert_points([_point(each) for each in page]))
            shard.optimize()
            shard.flush()
        finally:
            shard.close()
    except OSError:
        raise
    except Exception as error:  # Qdrant Edge raises bare Exception
        if type(error) is not Exception:
            raise
        raise OSError(str(error)) from error


def _point(point: EdgePoint) -> qdrant.Point:
    return qdrant.Point(
        id=point_id(point.product.id, point.photo.sha256),
        vector=point.vector.tolist(),
        payload=_payload(point),
    )


def _payload(point: EdgePoint) -> dict[str, Any]:
    attributes = point.product.attributes.items()
    return {
        "id": point.product.id,
        "title": point.product.title,
        "photo": point.photo.name,
        "sha256": point.photo.sha256,
        "attributes": {name: list(value) if isinstance(value, tuple) else value for name, value in attributes},
    }
