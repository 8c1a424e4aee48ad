"""A FAISS index as a file, for whoever goes on with FAISS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.types import Matrix


def write_faiss_index(path: Path, vectors: Iterator[Matrix], dimension: int) -> None:
    """Write unit vectors ``(n, d)``, page by page, as an ``IndexFlatIP``: exact, and its score is the cosine.

    It holds the vectors as they are, so that any other index can be built from it. FAISS holds all of them in
    memory.

    Raises:
        OSError: The file cannot be written.
    """
    index = faiss.IndexFlatIP(dimension)
    for page in vectors:
        index.add(page)
    with path.open("wb") as file:  # with a path, FAISS 1.15 says nothing of a disk that is full on closing
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
