"""Photos that show the same thing: alike in style, in colors, and in where they become brighter and darker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.described import title_of
from sartor.imaging.pixels import apart
from sartor.recommend.features import color_vector
from sartor.recommend.weights import SAME_COLOR, SAME_PICTURE, SAME_STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Photo, StoredProduct, Vector

    Flags = npt.NDArray[np.bool_]
    Rows = npt.NDArray[np.intp]

_BLOCK = 512  # photos that are compared with all others at once
_PAIRS = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePhoto:
    """A photo that shows what another one shows.

    Attributes:
        product_id: The product that has it.
        title: The product's title.
        photo: The photo.
    """

    product_id: str
    title: str
    photo: Photo


def find_duplicates(store: CatalogStore, model: str) -> tuple[tuple[DuplicatePhoto, ...], ...]:
    """Groups of photos that look the same to a model, identical files among them, the largest group first."""
    photos = store.embedded_photos(model, store.product_ids())
    if not photos:
        return ()
    stored = store.photos([photo.sha256 for photo in photos])
    groups = near_duplicates(
        np.stack([photo.vector for photo in photos]),
        np.stack([color_vector(photo.palette) for photo in photos]),
        [stored[photo.sha256].fingerprint for photo in photos],
    )
    products = store.products([photos[row].product_id for rows in groups for row in rows])
    return tuple(
        tuple(
            DuplicatePhoto(
                product_id=photos[row].product_id,
                title=_title(products[photos[row].product_id]),
                photo=stored[photos[row].sha256],
            )
            for row in rows
        )
        for rows in groups
    )


def near_duplicates(style: Matrix, color: Matrix, fingerprints: Sequence[bytes]) -> list[list[int]]:
    """Groups of photos, each of which shows the same as another one of its group.

    Every photo is compared with every other, by style ``(n, d)`` and color ``(n, m)`` of unit norm and by
    fingerprint: the time grows with the square of their number.

    Returns:
        Their rows, in order; groups of two or more, the largest first, equals by their first photo.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    found: list[tuple[Rows, Rows]] = []
    for start in range(0, len(style), _BLOCK):
        near = style[start : start + _BLOCK] @ style[start:].T >= SAME_STYLE
        ones, others = (rows + start for rows in np.nonzero(np.triu(near, 1)))
        for part in range(0, len(ones), _PAIRS):
            pairs = ones[part : part + _PAIRS], others[part : part + _PAIRS]
            same = _dot(color, *pairs) >= SAME_COLOR
            pairs = pairs[0][same], pairs[1][same]
            same = _pictures_apart(fingerprints, *pairs) <= SAME_PICTURE
            found.append((pairs[0][same], pairs[1][same]))
    if not found:
        return []
    ones, others = (np.concatenate(rows) for rows in zip(*found, strict=True))
    graph = coo_array((np.ones(len(ones), np.bool_), (ones, others)), shape=(len(style), len(style)))
    _, labels = connected_components(graph, directed=False)
    by_label = np.argsort(labels, kind="stable")
    groups = np.split(by_label, np.flatnonzero(np.diff(labels[by_label])) + 1)
    return sorted((rows.tolist() for rows in groups if len(rows) > 1), key=lambda rows: (-len(rows), rows[0]))


def alike(style: Matrix, color: Matrix, fingerprints: Sequence[bytes]) -> Flags:
    """Whether two photos show the same thing, ``(n, n)``, for a few with styles ``(n, d)`` and colors ``(n, m)``.

    A photo is like itself; one with an empty fingerprint is like no other.
    """
    same = (style @ style.T >= SAME_STYLE) & (color @ color.T >= SAME_COLOR)
    ones, others = np.nonzero(np.triu(same, 1))
    same[ones, others] = same[others, ones] = _pictures_apart(fingerprints, ones, others) <= SAME_PICTURE
    np.fill_diagonal(same, val=True)
    return np.asarray(same)


def _dot(vectors: Matrix, ones: Rows, others: Rows) -> Vector:
    return np.asarray(np.einsum("ij,ij->i", vectors[ones], vectors[others]))


def _pictures_apart(fingerprints: Sequence[bytes], ones: Rows, others: Rows) -> Vector:
    return apart([fingerprints[row] for row in ones], [fingerprints[row] for row in others])


def _title(stored: StoredProduct) -> str:
    return title_of(stored.product, stored.predicted).text
