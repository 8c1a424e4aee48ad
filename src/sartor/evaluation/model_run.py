"""What else is measured of an evaluation: the approximate index, and copies among the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.ranking import Gallery
from sartor.imaging.fingerprint import apart
from sartor.ingest.photos import batched
from sartor.recommend.features import COLOR_DIMENSION, Features
from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS, SAME_PICTURE, SAME_STYLE
from sartor.types import EmbeddedPhoto, IndexEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.metrics import Measured
    from sartor.evaluation.task import CandidateModel, Task
    from sartor.ingest.embed import EmbeddedSource, SeenPhoto
    from sartor.recommend.features import FeatureBuilder
    from sartor.types import Attributes, Matrix, Vector

    Labels = npt.NDArray[np.str_]
    Places = npt.NDArray[np.int64]


_STEP = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationMatrices:
    """What is compared.

    Attributes:
        queries: ``(q, d)`` float32, weighted; a dot product with a row of the gallery is a score.
        gallery: The products' photos.
        traits: ``(q, d)`` the queries before they are weighted; None where embeddings alone are compared.
        parts: Lengths of style, color and category, which sum to ``d``.
    """

    queries: Matrix
    gallery: Gallery
    traits: Matrix | None
    parts: tuple[int, int, int]

    @property
    def dimension(self) -> int:
        """Numbers that are compared."""
        return sum(self.parts)

    def closeness(self, queries: npt.NDArray[np.int64], photos: npt.NDArray[np.int64]) -> Matrix:
        """Closeness in style, color and category of pairs of a query and a photo of the gallery: ``(m, 3)``."""
        mine = (self.queries if self.traits is None else self.traits)[queries]
        products = mine * self.gallery.vectors[photos]  # (m, d)
        return np.stack([part.sum(axis=1) for part in np.split(products, self._ends, axis=1)], axis=1)

    @property
    def _ends(self) -> list[int]:
        style, color, _ = self.parts
        return [style, style + color]


def evaluation_matrices(
    gallery: EmbeddedSource, queries: Sequence[SeenPhoto], compose: FeatureBuilder, *, as_recommended: bool
) -> EvaluationMatrices:
    """See a task as a model does.

    As recommended, a query is what the model says of its photo, as for an uploaded one, and a product of the
    gallery is what the catalog tells of it; the dials are the default ones.

    Args:
        gallery: What is searched.
        queries: The main photo of each query.
        compose: What the model says of photos.
        as_recommended: Or else by embeddings alone.
    """
    embeddings = np.array([photo.vector for photo in queries], np.float32).reshape(-1, gallery.vectors.shape[1])
    if not as_recommended:
        parts = (gallery.vectors.shape[1], 0, 0)
        found = Gallery(vectors=gallery.vectors, firsts=gallery.firsts)
        return EvaluationMatrices(queries=embeddings, gallery=found, traits=None, parts=parts)
    traits = np.concatenate([_query_traits(page, compose) for page in batched(queries, _STEP)])
    style, length = gallery.vectors.shape[1], traits.shape[1]
    parts = (style, COLOR_DIMENSION, length - style - COLOR_DIMENSION)
    return EvaluationMatrices(
        queries=traits * _weights(parts),
        gallery=Gallery(vectors=_joined(gallery, compose), firsts=gallery.firsts),
        traits=traits,
        parts=parts,
    )


def _query_traits(photos: Sequence[SeenPhoto], compose: FeatureBuilder) -> Matrix:
    embeddings = np.stack([photo.vector for photo in photos])
    found = compose.features(embeddings, [photo.palette for photo in photos], {})
    return np.stack([each.joined() for each in found])


def _joined(gallery: EmbeddedSource, compose: FeatureBuilder) -> Matrix:
    owners = np.repeat(np.arange(len(gallery.products)), np.diff(gallery.firsts, append=len(gallery.photos)))
    photos = (
        EmbeddedPhoto(
            product_id=gallery.products[owner].id,
            sha256=photo.sha256,
            vector=photo.vector,
            palette=photo.palette,
            attributes=gallery.products[owner].attributes,
        )
        for owner, photo in zip(owners, gallery.photos, strict=True)
    )
    pages = (compose.entries(page) for page in batched(photos, _STEP))
    return np.concatenate([np.stack([entry.vector for entry in page]) for page in pages])


def _weights(parts: tuple[int, int, int]) -> Vector:
    """What each number of a query is multiplied by."""
    style, color, category = (np.ones(length, np.float32) for length in parts)
    return Features(style=style, color=color, category=category).weighted(DEFAULT_FEATURE_WEIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRun:
    """What one model saw of the task.

    Attributes:
        contender: The model.
        encoder: The same, loaded.
        gallery: Products that are searched.
        queries: Products of the source of queries.
        asking: Main photo of each query.
        task: What is asked.
        view: What is compared.
        measured: Lists and scores.
        seconds: What took how long.
    """

    candidate_model: CandidateModel
    encoder: Encoder
    gallery: EmbeddedSource
    queries: EmbeddedSource
    asking: Sequence[SeenPhoto]
    task: Task
    view: EvaluationMatrices
    measured: Measured
    seconds: dict[str, float]

    @property
    def ids(self) -> list[str]:
        """Product ids of the queries."""
        return [self.queries.products[place].id for place in self.task.asked]

    @property
    def rows(self) -> list[Attributes]:
        """Attributes of the queries."""
        return [self.queries.products[place].attributes for place in self.task.asked]


_COLORS = ("color", "colour", "baseColour")
_FEWEST = 50  # labels from which a calibration says something
_BATCH = 32
_ASKED_OF_INDEX = 500
_INDEX_K = 10


def copies(gallery: EmbeddedSource, queries: Sequence[SeenPhoto], nearest: Places) -> float:
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


def ann_recall(view: EvaluationMatrices, gallery: EmbeddedSource, *, seed: int) -> float:
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
