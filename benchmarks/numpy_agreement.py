"""The truth about retrieval: from the ZIP itself, with NumPy, and nothing of Sartor.

    python -m benchmarks.numpy_agreement ARCHIVE.zip NETWORK.onnx

Embeds every photo, compares every two by the cosine, and tells how often the 5 nearest agree with the query in
an attribute. The query is no neighbor of its own. A query whose own cell is empty or ``NA`` does not count for
that attribute, since nothing can agree with it; a neighbor with such a cell does not agree.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Matrix: TypeAlias = npt.NDArray[np.float32]
Rows: TypeAlias = npt.NDArray[np.int64]

ATTRIBUTES = ("articleType", "gender", "baseColour")
ALL_THREE = " + ".join(ATTRIBUTES)
K = 5

_MISSING = ("", "NA")
_SIZE_PX = (224, 224)
_BATCH_SIZE = 32
_BLOCK = 512  # queries that are compared at once: 512 x 40,000 scores are 82 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What the ZIP holds; every row is a product, in the order of ``styles.csv``.

    Attributes:
        ids: Ids of the products.
        cells: By attribute, ``(n,)`` text as it stands in the file.
        photos: Bytes of their photos.
    """

    ids: Sequence[str]
    cells: Mapping[str, npt.NDArray[np.str_]]
    photos: Sequence[bytes]

    @property
    def alone(self) -> Rows:
        """``(n,)`` labels by which every product is alone."""
        return np.arange(len(self.ids))

    @property
    def same_photo(self) -> Rows:
        """``(n,)`` labels that products have in common whose photos are the same bytes."""
        digests = [hashlib.sha256(photo).hexdigest() for photo in self.photos]
        return np.unique(digests, return_inverse=True)[1].astype(np.int64)


def read(archive: Path, *, limit: int | None = None) -> Catalog:
    """Read the first products of a Kaggle ZIP; only its last column, the title, may hold further commas."""
    with ZipFile(archive) as files:
        header, *lines = files.read("styles.csv").decode("utf-8-sig").splitlines()
        columns = header.split(",")
        rows = [line.split(",", len(columns) - 1) for line in islice(lines, limit)]
        by_column = dict(zip(columns, zip(*rows, strict=True), strict=True))
        return Catalog(
            ids=by_column["id"],
            cells={name: np.array(by_column[name]) for name in ATTRIBUTES},
            photos=[files.read(f"images/{product_id}.jpg") for product_id in by_column["id"]],
        )


def embed(photos: Sequence[bytes], network: Path) -> Matrix:
    """Embed photos with a network that takes ``(n, 224, 224, 3)`` in [-1, 1]; returns ``(n, d)``, unit norms."""
    import onnxruntime

    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    batches = []
    for start in range(0, len(photos), _BATCH_SIZE):
        pixels = np.stack([_pixels(photo) for photo in photos[start : start + _BATCH_SIZE]])
        (vectors,) = session.run(None, {name: pixels})
        batches.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    return np.concatenate(batches)


def nearest(vectors: Matrix, queries: Rows, *, apart: Rows, k: int = K) -> Rows:
    """The nearest neighbors of some rows by the cosine, the nearest first.

    Args:
        vectors: ``(n, d)`` of unit norm.
        queries: ``(q,)`` rows to find the neighbors of.
        apart: ``(n,)`` labels; a row of the query's own label is no neighbor of it.
        k: How many.

    Returns:
        ``(q, k)`` rows.
    """
    blocks = []
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK]
        scores = vectors[block] @ vectors.T  # (b, d) @ (d, n) -> (b, n)
        scores[apart[block][:, None] == apart[None, :]] = -np.inf
        blocks.append(np.argsort(-scores, axis=1, kind="stable")[:, :k])
    return np.concatenate(blocks)


def agreement(neighbors: Rows, queries: Rows, cells: Mapping[str, npt.NDArray[np.str_]]) -> dict[str, float]:
    """Mean share of the neighbors that agree with their query, by attribute, and in all attributes at once.

    Args:
        neighbors: ``(q, k)`` rows; -1 for a neighbor that is missing, which does not agree.
        queries: ``(q,)`` rows.
        cells: By attribute, ``(n,)`` text.
    """
    agrees = {name: (cell[neighbors] == cell[queries][:, None]) & (neighbors >= 0) for name, cell in cells.items()}
    counts = {name: ~np.isin(cell[queries], _MISSING) for name, cell in cells.items()}
    together = " + ".join(cells)
    agrees[together] = np.all(list(agrees.values()), axis=0)
    counts[together] = np.all(list(counts.values()), axis=0)
    return {name: float(agrees[name][counts[name]].mean()) for name in agrees}


def _pixels(photo: bytes) -> Matrix:
    """``(224, 224, 3)`` in [-1, 1], the photo stretched."""
    with Image.open(BytesIO(photo)) as image:
        resized = image.convert("RGB").resize(_SIZE_PX, Image.Resampling.BILINEAR)
    return np.asarray(resized, np.float32) / 127.5 - 1


def main() -> None:
    """Print the agreement with and without neighbors whose photo is the query's, byte for byte."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.numpy_agreement", description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("--limit", type=int, help="only the first so many products")
    arguments = parser.parse_args()
    catalog = read(arguments.archive, limit=arguments.limit)
    vectors, queries = embed(catalog.photos, arguments.network), catalog.alone
    for what, apart in (("only the query apart", catalog.alone), ("identical photos apart", catalog.same_photo)):
        shares = agreement(nearest(vectors, queries, apart=apart), queries, catalog.cells)
        print(f"{what}: {', '.join(f'{name} {share:.4f}' for name, share in shares.items())}")


if __name__ == "__main__":
    main()
