"""Products as garments: where they are worn, for whom, of which kind and color, and how their style compares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.imaging.color import color_name
from sartor.money import money_of
from sartor.recommend.features import color_family
from sartor.recommend.outfit.rules import Slot, gender_of, slot_of
from sartor.values import amounts_of

if TYPE_CHECKING:
    from collections.abc import Collection

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
    """What a product is, as baskets are counted."""

    slot: Slot
    gender: str  # such as "men"; empty if unknown
    kind: str  # its narrowest word, such as "casual shoes"
    color: str  # its family, such as "brown"; empty if unknown

    @classmethod
    def of(cls, attributes: Attributes, color: Vector | None) -> Garment | None:
        """The garment with these attributes; None for what is not worn.

        The main color, OKLab ``(3,)``, counts if the attributes name none.
        """
        kinds = (text_of(attributes, name) for name in KINDS)
        kind = next((kind for kind in kinds if slot_of(kind)), "")
        slot = slot_of(kind)
        if slot is None:
            return None
        named = text_of(attributes, COLOR) or ("" if color is None else color_name(color))
        return cls(
            slot=slot,
            gender=gender_of(text_of(attributes, GENDER)),
            kind=re.split(r"[>/|]", kind)[-1].strip().lower(),
            color=color_family(named),
        )


def text_of(attributes: Attributes, name: str) -> str:
    """An attribute as text; the first of several values, empty if it is missing."""
    value = attributes.get(name, "")
    return str(value[0] if value else "") if isinstance(value, tuple) else str(value)


def main_color(photo: EmbeddedPhoto) -> Vector | None:
    """The color that covers most of a photo's product, OKLab ``(3,)``."""
    return None if photo.palette is None else photo.palette.colors[0]


def price_of(attributes: Attributes) -> float | None:
    """What a product costs: the sale price, if it has one."""
    return next((price for name in _PRICES if name in attributes for price in amounts_of(attributes[name])), None)


def currency_of(attributes: Attributes) -> str:
    """The currency of what a product costs; empty if unknown."""
    amounts = (money_of(text_of(attributes, name)) for name in _PRICES if name in attributes)
    return next((money.currency for money in amounts if money is not None and money.currency), "")


class GarmentReader:
    """Reads products of a store as garments, by one model."""

    def __init__(self, store: CatalogStore, features: FeatureBuilder) -> None:
        self.features, self._store = features, store

    def main_photos(self, product_ids: Collection[str]) -> dict[str, EmbeddedPhoto]:
        """The main photo of each product, or another one if the main photo is not embedded."""
        photos: dict[str, EmbeddedPhoto] = {}
        for photo in self._store.embedded_photos(self.features.model, product_ids):
            if photo.is_main or photo.product_id not in photos:
                photos[photo.product_id] = photo
        return photos
