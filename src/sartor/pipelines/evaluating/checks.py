"""What else is measured of an evaluation: the approximate index, and copies among the nearest."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.imaging.fingerprint import apart
from sartor.pipelines.photos import batched
from sartor.recommend.tuning import SAME_PICTURE, SAME_STYLE
from sartor.types import IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.pipelines.evaluating.view import View
    from sartor.pipelines.gather import Gathered, SeenPhoto

    Labels = npt.NDArray[np.str_]
    Places = npt.NDArray[np.int64]

_COLORS = ("color", "colour", "baseColour")
_FEWEST = 50  # labels from which a calibration says something
_BATCH = 32
_ASKED_OF_INDEX = 500
_INDEX_K = 10


def copies(gallery: Gathered, queries: Sequence[SeenPhoto], nearest: Places) -> float:
    """Share of queries whose nearest product's main photo is a copy of theirs; NaN without any."""
    asked = np.flatnonzero(nearest >= 0)
    if not len(asked):
        return float("nan")
    photos = gallery.firsts[nearest[asked]]
    mine = np.stack([queries[row].vector for row in asked.tolist()])
    close = np.flatnonzero(np.einsum("ij,ij->i", mine, gallery.vectors[photos]) >= SAME_STYLE)
    far = apart(
        [queries[asked[row]].fingerprint for row in close],
        [gallery.photos[photos[row]].fingerprint for row in close],
    )
    return float((far <= SAME_PICTURE).sum() / len(asked))


def ann_recall(view: View, gallery: Gathered, *, seed: int) -> float:
    """Share of the exact ten nearest that an approximate index of the gallery finds, over 500 queries."""
    from sartor.index.edge import EdgeIndex

    owners = np.repeat(np.arange(len(gallery.products)), np.diff(gallery.firsts, append=len(gallery.photos)))
    chosen = np.random.default_rng(seed).permutation(len(view.queries))[:_ASKED_OF_INDEX]
    with (
        TemporaryDirectory() as directory,
        EdgeIndex(Path(directory) / "index", model="evaluated", dimension=view.dimension) as index,
    ):
        for page in batched(range(len(gallery.photos)), 2048):
            index.replace(
                [],
                [
                    IndexEntry(
                        product_id=gallery.products[owners[row]].id,
                        sha256=gallery.photos[row].sha256,
                        vector=view.gallery.vectors[row],
                    )
                    for row in page
                ],
            )
        index.optimize()
        shares = []
        for row in chosen:
            exact, near = (
                {hit.product_id for hit in index.search(view.queries[row], k=_INDEX_K, exact=exactly)}
                for exactly in (True, False)
            )
            shares.append(len(exact & near) / len(exact))
    return float(np.mean(shares))
