"""Which photos of a catalog show the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.colors import color_vector
from sartor.recommend.duplicates import near_duplicates

if TYPE_CHECKING:
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Photo


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


def find_duplicates(store: SqliteStore, model: str) -> tuple[tuple[DuplicatePhoto, ...], ...]:
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
