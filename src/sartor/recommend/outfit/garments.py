"""Products as garments: where they are worn, for whom, of which kind and color, and how their style compares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.imaging.color import color_name
from sartor.recommend.features import color_family
from sartor.recommend.outfit.rules import Slot, gender_of, slot_of
from sartor.values import numbers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, EmbeddedPhoto, Vector

# Attributes that may tell a product's kind.
KINDS = (
    "product_type",
    "articleType",
    "google_product_category",
    "category",
    "type",
    "subCategory",
    "masterCategory",
)
GENDER, COLOR, USAGE, SEASON = "gender", "color", "usage", "season"
_PRICES = ("sale_price", "price")  # the first that a product has is what it costs


@dataclass(frozen=True, slots=True)
class Garment:
    """What a product is, as baskets are counted.

    Attributes:
        slot: Where it is worn.
        gender: For whom, such as ``men``; empty if unknown.
        kind: The narrowest word for its kind, such as ``casual shoes``.
        color: The family of its color, such as ``brown``; empty if unknown.
    """

    slot: Slot
    gender: str
    kind: str
    color: str

    @classmethod
    def of(cls, attributes: Attributes, color: Vector | None) -> Garment | None:
        """The garment with these attributes; None for what is not worn.

        Args:
            attributes: From the catalog or predicted.
            color: Its main color, OKLab ``(3,)``; counts where the attributes name none.
        """
        kinds = (_text(attributes, name) for name in KINDS)
        kind = next((kind for kind in kinds if slot_of(kind)), "")
        slot = slot_of(kind)
        if slot is None:
            return None
        named = _text(attributes, COLOR) or ("" if color is None else color_name(color))
        return cls(
            slot=slot,
            gender=gender_of(_text(attributes, GENDER)),
            kind=re.split(r"[>/|]", kind)[-1].strip().lower(),
            color=color_family(named),
        )


def _text(attributes: Attributes, name: str) -> str:
    value = attributes.get(name, "")
    return str(value[0] if value else "") if isinstance(value, tuple) else str(value)


def main_color(photo: EmbeddedPhoto) -> Vector | None:
    """The color that covers most of a photo's product, OKLab ``(3,)``."""
    return None if photo.palette is None else photo.palette.colors[0]


def price_of(attributes: Attributes) -> float | None:
    """What a product costs: the sale price, if it has one."""
    return next((price for name in _PRICES if name in attributes for price in numbers_of(attributes[name])), None)


class GarmentReader:
    """Reads products of a store as garments, by one model."""

    def __init__(self, store: CatalogStore, features: FeatureBuilder) -> None:
        self._store, self._features = store, features

    def main_photos(self, product_ids: Collection[str]) -> dict[str, EmbeddedPhoto]:
        """The main photo of each product, or another one if the main photo is not embedded."""
        photos: dict[str, EmbeddedPhoto] = {}
        for photo in self._store.embedded_photos(self._features.model, product_ids):
            if photo.is_main or photo.product_id not in photos:
                photos[photo.product_id] = photo
        return photos

    def attributes_of(self, photos: Sequence[EmbeddedPhoto]) -> Sequence[Attributes]:
        """The attributes of each photo's product; those that the catalog leaves open are predicted."""
        return self._features.attributes_of(photos)

    def residual_style(self, photo: EmbeddedPhoto, kind: str) -> Vector:
        """A photo's style without what its kind has in common, ``(d,)`` of norm 1."""
        return self._features.residual_style(photo.vector, kind)

    def query_vector(self, style: Vector) -> Vector:
        """A style as a query for the index."""
        return self._features.of_style(style).joined()
