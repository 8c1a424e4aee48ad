"""Index files for other libraries: Annoy, FAISS, and a Qdrant Edge shard of plain embeddings.

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

    from sartor.types import Matrix, Photo, Product, Vector


_TREES = 50  # with the default search, recall@10 was 0.976 for 10,697 photos of 256 dimensions
_SEED = 0


def write_annoy_index(path: Path, vectors: Iterator[Matrix], dimension: int) -> None:
    """Write vectors ``(n, d)``, page by page, as an index by angle; items are numbered from 0.

    Annoy holds all of them in memory: building on disk would let a full disk end the process.

    Raises:
        OSError: The file cannot be written.
    """
    from annoy import AnnoyIndex

    index = AnnoyIndex(dimension, "angular")
    index.set_seed(_SEED)
    items = 0
    for page in vectors:
        for vector in page:
            index.add_item(items, vector)
            items += 1
    index.build(_TREES, n_jobs=1)  # several threads give another index each time
    index.save(str(path))


def write_faiss_index(path: Path, vectors: Iterator[Matrix], dimension: int) -> None:
    """Write unit vectors ``(n, d)``, page by page, as an ``IndexFlatIP``: exact, and its score is the cosine.

    It holds the vectors as they are, so that any other index can be built from it. FAISS holds all of them in
    memory.

    Raises:
        OSError: The file cannot be written.
    """
    import faiss

    index = faiss.IndexFlatIP(dimension)
    for page in vectors:
        index.add(page)
    with path.open("wb") as file:  # with a path, FAISS 1.15 says nothing of a disk that is full on closing
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePoint:
    """A photo of a product with its embedding, ``(d,)``."""

    product: Product
    photo: Photo
    vector: Vector


def write_edge_shard(directory: Path, pages: Iterator[Sequence[EdgePoint]], dimension: int) -> None:
    """Write points into a new shard by cosine, with their graph and, as payload, the attributes of the catalog.

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
