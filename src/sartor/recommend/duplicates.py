"""Photos that show the same thing: alike in style, in colors, and in where they become brighter and darker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.imaging.fingerprint import apart
from sartor.recommend.features import color_vector
from sartor.recommend.weights import SAME_COLOR, SAME_PICTURE, SAME_STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Photo, Vector

    Flags = npt.NDArray[np.bool_]
    Places = npt.NDArray[np.intp]


_BLOCK = 512  # photos that are compared with all others at once
_PAIRS = 1 << 14


def alike(style: Matrix, color: Matrix, fingerprints: Sequence[bytes]) -> Flags:
    """Whether each two of a few photos show the same thing, ``(n, n)``; each is like itself.

    Args:
        style: ``(n, d)`` of unit norm.
        color: ``(n, m)`` of unit norm.
        fingerprints: Of the photos; an empty one is like no other.
    """
    same = (style @ style.T >= SAME_STYLE) & (color @ color.T >= SAME_COLOR)
    ones, others = np.nonzero(np.triu(same, 1))
    same[ones, others] = same[others, ones] = _pictures_apart(fingerprints, ones, others) <= SAME_PICTURE
    np.fill_diagonal(same, val=True)
    return np.asarray(same)


def near_duplicates(style: Matrix, color: Matrix, fingerprints: Sequence[bytes]) -> list[list[int]]:
    """Groups of photos of which each shows the same as another one of its group.

    Every photo is compared with every other: the time grows with the square of their number.

    Args:
        style: ``(n, d)`` of unit norm.
        color: ``(n, m)`` of unit norm.
        fingerprints: Of the photos.

    Returns:
        Their places, in order; groups of two or more, the largest first, equals by their first photo.
    """
    groups = _Groups(len(style))
    for start in range(0, len(style), _BLOCK):
        near = style[start : start + _BLOCK] @ style[start:].T >= SAME_STYLE
        ones, others = (places + start for places in np.nonzero(np.triu(near, 1)))
        for part in range(0, len(ones), _PAIRS):
            pairs = ones[part : part + _PAIRS], others[part : part + _PAIRS]
            same = _dot(color, *pairs) >= SAME_COLOR
            pairs = pairs[0][same], pairs[1][same]
            same = _pictures_apart(fingerprints, *pairs) <= SAME_PICTURE
            for one, other in zip(pairs[0][same], pairs[1][same], strict=True):
                groups.join(int(one), int(other))
    return groups.found()


def _dot(vectors: Matrix, ones: Places, others: Places) -> Vector:
    return np.asarray(np.einsum("ij,ij->i", vectors[ones], vectors[others]))


def _pictures_apart(fingerprints: Sequence[bytes], ones: Places, others: Places) -> Vector:
    return apart([fingerprints[place] for place in ones], [fingerprints[place] for place in others])


class _Groups:
    """Places that belong together, directly or through others."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self._first(one), self._first(other)))
        self._parent[high] = low

    def found(self) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for place in range(len(self._parent)):
            groups.setdefault(self._first(place), []).append(place)
        return sorted(
            (places for places in groups.values() if len(places) > 1), key=lambda places: (-len(places), places[0])
        )

    def _first(self, place: int) -> int:
        while self._parent[place] != place:
            self._parent[place] = self._parent[self._parent[place]]
            place = self._parent[place]
        return place


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePhoto:
    """A photo that shows what another one shows.

    Attributes:
        product_id: The product that shows it.
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
    known = store.photos([photo.sha256 for photo in photos])
    groups = near_duplicates(
        np.stack([photo.vector for photo in photos]),
        np.stack([color_vector(photo.palette) for photo in photos]),
        [known[photo.sha256].fingerprint for photo in photos],
    )
    listed = [photos[place] for places in groups for place in places]
    stored = store.products([photo.product_id for photo in listed])
    return tuple(
        tuple(
            DuplicatePhoto(
                product_id=photos[place].product_id,
                title=stored[photos[place].product_id].product.title,
                photo=known[photos[place].sha256],
            )
            for place in places
        )
        for places in groups
    )
