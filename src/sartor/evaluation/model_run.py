"""One model on an evaluation's task: what it compares, what it found, and two checks of that.

The checks are how often the nearest product is only a copy, and how much an approximate index misses.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.ranking import Gallery
from sartor.imaging.pixels import apart
from sartor.ingest.photos import batched
from sartor.recommend.features import COLOR_DIMENSION, Features
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, SAME_PICTURE, SAME_STYLE
from sartor.types import EmbeddedPhoto, IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.metrics import Measured
    from sartor.evaluation.ranking import Indices
    from sartor.evaluation.reranking import Reranking
    from sartor.evaluation.task import CandidateModel, Task
    from sartor.ingest.embed import EmbeddedSource, PhotoEmbedding
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import Attributes, Matrix

_STEP = 512  # photos whose features are built at once
_INDEXED_AT_ONCE = 2048
_INDEX_QUERIES = 500
_INDEX_K = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationMatrices:
    """What is compared.

    Attributes:
        queries: ``(q, d)`` float32, weighted; a dot product with a row of the gallery is a score.
        gallery: The products' photos.
        features: ``(q, d)`` the queries before they are weighted; None if embeddings alone are compared.
        parts: Lengths of style, color and category, which sum to ``d``.
    """

    queries: Matrix
    gallery: Gallery
    features: Matrix | None
    parts: tuple[int, int, int]

    @property
    def dimension(self) -> int:
        """Dimensions that are compared, d."""
        return sum(self.parts)

    def closeness(self, queries: Indices, photos: Indices) -> Matrix:
        """Closeness in style, color and category of ``(m,)`` pairs of a query and a gallery photo: ``(m, 3)``."""
        rows = (self.queries if self.features is None else self.features)[queries]
        products = rows * self.gallery.vectors[photos]  # (m, d)
        style, color, _ = self.parts
        ends = [style, style + color]
        return np.stack([part.sum(axis=1) for part in np.split(products, ends, axis=1)], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRun:
    """One model on the task.

    Attributes:
        model: The model.
        encoder: The same, loaded.
        gallery: Products that are searched.
        queries: Products of the source of queries.
        query_photos: Main photo of each query.
        task: The queries and what is relevant to them.
        matrices: What is compared.
        reranking: How the nearest are ordered anew; None where they are not.
        measured: Neighbors and metrics.
        seconds: How long each part took.
    """

    model: CandidateModel
    encoder: Encoder
    gallery: EmbeddedSource
    queries: EmbeddedSource
    query_photos: Sequence[PhotoEmbedding]
    task: Task
    matrices: EvaluationMatrices
    reranking: Reranking | None
    measured: Measured
    seconds: dict[str, float]

    @property
    def query_ids(self) -> list[str]:
        """Product ids of the queries."""
        return [self.queries.products[row].id for row in self.task.asked]

    @property
    def query_rows(self) -> list[Attributes]:
        """Attributes of the queries."""
        return [self.queries.products[row].attributes for row in self.task.asked]


def evaluation_matrices(
    gallery: EmbeddedSource, queries: Sequence[PhotoEmbedding], features: FeatureBuilder, *, as_recommended: bool
) -> EvaluationMatrices:
    """Build what is compared.

    As recommended, a query is described by what the model predicts for its photo, like an uploaded one; a product
    of the gallery by what the catalog says of it. The weights are the default ones.

    Args:
        gallery: What is searched.
        queries: The main photo of each query.
        features: Builds features with the model's predictions.
        as_recommended: False compares embeddings alone.
    """
    style = gallery.vectors.shape[1]
    if not as_recommended:
        return EvaluationMatrices(
            queries=np.array([photo.vector for photo in queries], np.float32).reshape(-1, style),
            gallery=Gallery(vectors=gallery.vectors, firsts=gallery.firsts),
            features=None,
            parts=(style, 0, 0),
        )
    rows = np.concatenate([_query_features(page, features) for page in batched(queries, _STEP)])
    parts = (style, COLOR_DIMENSION, rows.shape[1] - style - COLOR_DIMENSION)
    ones, color, category = (np.ones(length, np.float32) for length in parts)
    weights = Features(style=ones, color=color, category=category).weighted(DEFAULT_FEATURE_WEIGHTS)  # (d,)
    return EvaluationMatrices(
        queries=rows * weights,
        gallery=Gallery(vectors=_gallery_features(gallery, features), firsts=gallery.firsts),
        features=rows,
        parts=parts,
    )


def _query_features(photos: Sequence[PhotoEmbedding], features: FeatureBuilder) -> Matrix:
    embeddings = np.stack([photo.vector for photo in photos])
    built = features.features(embeddings, [photo.palette for photo in photos], {})
    return np.stack([each.joined() for each in built])


def _gallery_features(gallery: EmbeddedSource, features: FeatureBuilder) -> Matrix:
    photos = (
        EmbeddedPhoto(
            product_id=gallery.products[product].id,
            sha256=photo.sha256,
            vector=photo.vector,
            palette=photo.palette,
            attributes=gallery.products[product].attributes,
        )
        for product, photo in zip(_product_of_photos(gallery), gallery.photos, strict=True)
    )
    pages = (features.entries(page) for page in batched(photos, _STEP))
    return np.concatenate([np.stack([entry.vector for entry in page]) for page in pages])


def _product_of_photos(gallery: EmbeddedSource) -> Indices:
    """Row of the product that each photo shows, ``(p,)``."""
    photos = np.diff(gallery.firsts, append=len(gallery.photos))
    return np.repeat(np.arange(len(gallery.products)), photos)


def copies(gallery: EmbeddedSource, queries: Sequence[PhotoEmbedding], nearest: Indices) -> float:
    """Share of queries whose nearest product's main photo is a copy of theirs; NaN if none has a neighbor.

    Args:
        gallery: What was searched.
        queries: The main photo of each query.
        nearest: ``(q,)`` row of the nearest product; -1 for none.
    """
    rows = np.flatnonzero(nearest >= 0)
    if not len(rows):
        return float("nan")
    photos = gallery.firsts[nearest[rows]]
    vectors = np.stack([queries[row].vector for row in rows.tolist()])
    close = np.flatnonzero(np.einsum("ij,ij->i", vectors, gallery.vectors[photos]) >= SAME_STYLE)
    distances = apart(
        [queries[rows[pair]].fingerprint for pair in close],
        [gallery.photos[photos[pair]].fingerprint for pair in close],
    )
    return float((distances <= SAME_PICTURE).sum() / len(rows))


def ann_recall(matrices: EvaluationMatrices, gallery: EmbeddedSource, *, seed: int) -> float:
    """Share of the exact ten nearest that an approximate index of the gallery finds, over 500 queries."""
    from sartor.index.edge import EdgeIndex

    products = _product_of_photos(gallery)
    chosen = np.random.default_rng(seed).permutation(len(matrices.queries))[:_INDEX_QUERIES]
    with (
        TemporaryDirectory() as directory,
        EdgeIndex(Path(directory) / "index", model="evaluated", dimension=matrices.dimension) as index,
    ):
        for page in batched(range(len(gallery.photos)), _INDEXED_AT_ONCE):
            index.replace(
                [],
                [
                    IndexEntry(
                        product_id=gallery.products[products[row]].id,
                        sha256=gallery.photos[row].sha256,
                        vector=matrices.gallery.vectors[row],
                    )
                    for row in page
                ],
                revision=1,
            )
        index.optimize()
        shares = []
        for row in chosen:
            exact, approximate = (
                {hit.product_id for hit in index.search(matrices.queries[row], k=_INDEX_K, exact=is_exact)}
                for is_exact in (True, False)
            )
            shares.append(len(exact & approximate) / len(exact))
    return float(np.mean(shares))
