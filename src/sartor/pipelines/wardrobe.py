"""What a look needs to know of a catalog's products, from the store and by one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.index.payload import numbers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sartor.pipelines.compose import Composer
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Attributes, EmbeddedPhoto, Vector

_PRICES = ("sale_price", "price")  # the first that a product has is what it costs


class StoredWardrobe:
    """The products of a store as pieces of looks."""

    def __init__(self, store: SqliteStore, compose: Composer) -> None:
        self._store, self._compose = store, compose

    def main_photos(self, product_ids: Collection[str]) -> dict[str, EmbeddedPhoto]:
        """The embedded main photo of each product, as far as there is one; another one where the main is not."""
        found: dict[str, EmbeddedPhoto] = {}
        for photo in self._store.embedded_photos(self._compose.model, product_ids):
            if photo.is_main or photo.product_id not in found:
                found[photo.product_id] = photo
        return found

    def attributes_of(self, photos: Sequence[EmbeddedPhoto]) -> Sequence[Attributes]:
        """What the catalog says of each photo's product, and what the model predicts where it says nothing."""
        return self._compose.attributes_of(photos)

    def beside_kind(self, photo: EmbeddedPhoto, kind: str) -> Vector:
        """What is particular in a photo's style beside its kind, ``(d,)`` of norm 1."""
        return self._compose.beside_kind(photo.vector, kind)

    def as_query(self, style: Vector) -> Vector:
        """A style as what the index compares."""
        return self._compose.of_style(style).joined()

    def price_of(self, attributes: Attributes) -> float | None:
        """A product's price; the sale price where there is one."""
        numbers = (number for name in _PRICES if name in attributes for number in numbers_of(attributes[name]))
        return next(numbers, None)
