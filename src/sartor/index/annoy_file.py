"""An Annoy index as a file, for whoever goes on with Annoy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annoy import AnnoyIndex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.types import Matrix

_TREES = 50  # with the default search, recall@10 was 0.976 for 10,697 photos of 256 dimensions
_SEED = 0


def write_annoy_index(path: Path, vectors: Iterator[Matrix], dimension: int) -> None:
    """Write vectors ``(n, d)``, page by page, as an index by angle; items are numbered from 0.

    Annoy holds all of them in memory: building on disk would let a full disk end the process.

    Raises:
        OSError: The file cannot be written.
    """
    index = AnnoyIndex(dimension, "angular")
    index.set_seed(_SEED)
    items = 0
    for page in vectors:
        for vector in page:
            index.add_item(items, vector)
            items += 1
    index.build(_TREES, n_jobs=1)  # several threads give another index each time
    index.save(str(path))
