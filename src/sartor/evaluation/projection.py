"""A catalog's embeddings in two dimensions, to look at: near stays near, what is far apart says little."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.types import Matrix

    Points = npt.NDArray[np.float64]

MOST = 1500  # rows that t-SNE lays out in 8 s of one core; 2,000 take 12 s, 3,000 take 19 s

_LEAST = 30  # with fewer rows there are no neighborhoods to keep
_KEPT = 50  # dimensions, what van der Maaten advises before t-SNE
_PERPLEXITY = 30.0  # about how many neighbors a row keeps
_SAME = 1e-9  # a smaller spread is rounding


class Projection(NamedTuple):
    """Rows of a catalog in the plane.

    Attributes:
        rows: ``(m,)`` indices of the rows that were laid out, rising.
        points: ``(m, 2)``.
        method: How, in words.
    """

    rows: npt.NDArray[np.int64]
    points: Points
    method: str


def project(vectors: Matrix, *, seed: int, most: int = MOST) -> Projection:
    """Lay out a sample of the rows so that neighbors stay neighbors.

    One thread works on it: the sums of several come in no fixed order, and where other processes want the same
    cores they wait for each other.

    Source: van der Maaten and Hinton, "Visualizing Data using t-SNE" (JMLR 2008).

    Args:
        vectors: ``(n, d)``.
        seed: Of the sample and of the layout.
        most: How many rows at most; the others are left out.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:most])
    sample = vectors[rows].astype(np.float64)  # (m, d)
    of = f" of {len(rows):,} of {len(vectors):,} rows"
    if not len(sample) or np.ptp(sample, axis=0).max(initial=0.0) < _SAME:
        return Projection(rows, np.zeros((len(rows), 2)), f"one point, all alike,{of}")
    with threadpool_limits(1):
        if len(sample) < _LEAST:
            return Projection(rows, _principal(sample), f"principal components{of}")
        return Projection(rows, _neighbors(sample, seed=seed), f"t-SNE after PCA{of}")


def _neighbors(sample: Points, *, seed: int) -> Points:
    kept = PCA(min(_KEPT, *sample.shape), svd_solver="full").fit_transform(sample)  # (m, <= 50)
    if kept.shape[1] == 1:
        return _plane(kept)
    perplexity = min(_PERPLEXITY, (len(sample) - 1) / 3)
    layout = TSNE(init="pca", perplexity=perplexity, random_state=seed % 2**32)
    return np.asarray(layout.fit_transform(kept), np.float64)  # (m, 2)


def _principal(sample: Points) -> Points:
    components = min(2, *sample.shape)
    return _plane(PCA(components, svd_solver="full").fit_transform(sample))


def _plane(columns: npt.NDArray[np.floating]) -> Points:
    """``(m, 1)`` or ``(m, 2)`` as ``(m, 2)``."""
    points = np.zeros((len(columns), 2))
    points[:, : columns.shape[1]] = columns
    return points
