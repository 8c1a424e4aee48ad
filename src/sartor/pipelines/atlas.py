"""The map of a catalog: products in the plane, near each other where they look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sartor.pipelines.compose import Composer
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Attributes, EmbeddedPhoto

MOST_PLACED = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProduct:
    """A product at its place, by its main photo.

    Attributes:
        product_id: The product.
        title: Its title.
        sha256: Its main photo.
        attributes: What the catalog tells of it, and what the model predicts where it tells nothing.
        x: To the right; the unit means nothing.
        y: Upwards, likewise.
    """

    product_id: str
    title: str
    sha256: str
    attributes: Attributes
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogMap:
    """Products in the plane.

    Attributes:
        products: Those that were laid out, by id.
        method: How, in words.
        of: Products that the catalog has.
    """

    products: tuple[PlacedProduct, ...]
    method: str
    of: int


def lay_out(store: SqliteStore, compose: Composer, *, most: int, seed: int) -> CatalogMap:
    """Lay out a sample of the products that have a photo which the model has embedded.

    Args:
        store: The catalog.
        compose: Knows what the model says of photos.
        most: How many products at most.
        seed: Of the sample and of the layout.
    """
    from sartor.evaluation.projection import project

    product_ids = store.product_ids()
    drawn = np.sort(np.random.default_rng(seed).permutation(len(product_ids))[:most])
    photos = _main_photos(store, compose.model, [product_ids[place] for place in drawn])
    if not photos:
        return CatalogMap(products=(), method="", of=len(product_ids))
    placed = project(np.stack([photo.vector for photo in photos]), seed=seed, most=most)
    stored = store.products([photo.product_id for photo in photos])
    return CatalogMap(
        products=tuple(
            PlacedProduct(
                product_id=photo.product_id,
                title=stored[photo.product_id].product.title,
                sha256=photo.sha256,
                attributes=attributes,
                x=float(x),
                y=float(y),
            )
            for photo, attributes, (x, y) in zip(photos, compose.attributes_of(photos), placed.points, strict=True)
        ),
        method=placed.method.partition(" of ")[0],
        of=len(product_ids),
    )


def _main_photos(store: SqliteStore, model: str, product_ids: list[str]) -> list[EmbeddedPhoto]:
    return [photo for photo in store.embedded_photos(model, product_ids) if photo.is_main]
