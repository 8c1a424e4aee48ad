"""How one model sees the task: queries and gallery as matrices, by embedding or as the shop compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.evaluation.ranking import Gallery
from sartor.pipelines.photos import batched
from sartor.recommend.colors import COLOR_DIMENSION
from sartor.recommend.traits import Traits
from sartor.recommend.tuning import DEFAULT_DIALS
from sartor.types import EmbeddedPhoto

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.pipelines.compose import Composer
    from sartor.pipelines.gather import Gathered, SeenPhoto
    from sartor.types import Matrix, Vector

_STEP = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
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


def view_of(gallery: Gathered, queries: Sequence[SeenPhoto], compose: Composer, *, as_recommended: bool) -> View:
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
        return View(queries=embeddings, gallery=found, traits=None, parts=parts)
    traits = np.concatenate([_query_traits(page, compose) for page in batched(queries, _STEP)])
    style, length = gallery.vectors.shape[1], traits.shape[1]
    parts = (style, COLOR_DIMENSION, length - style - COLOR_DIMENSION)
    return View(
        queries=traits * _weights(parts),
        gallery=Gallery(vectors=_joined(gallery, compose), firsts=gallery.firsts),
        traits=traits,
        parts=parts,
    )


def _query_traits(photos: Sequence[SeenPhoto], compose: Composer) -> Matrix:
    embeddings = np.stack([photo.vector for photo in photos])
    found = compose.traits(embeddings, [photo.palette for photo in photos], {})
    return np.stack([each.joined() for each in found])


def _joined(gallery: Gathered, compose: Composer) -> Matrix:
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
    return Traits(style=style, color=color, category=category).weighted(DEFAULT_DIALS)
