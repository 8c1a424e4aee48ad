"""Products as garments: where they are worn, for whom, of which kind and color, and how their style compares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from sartor.imaging.color import color_name, color_names, named_color, oklab
from sartor.money import money_of
from sartor.recommend.features import SAYS_NOTHING, color_family
from sartor.recommend.outfit.harmony import hues_apart_deg, is_neutral, print_shares, vividness
from sartor.recommend.outfit.rules import Slot, gender_of, is_kind, slot_of
from sartor.types import Palette
from sartor.values import amounts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sartor.recommend.features import FeatureBuilder
    from sartor.recommend.outfit.harmony import Flags
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, EmbeddedPhoto, Matrix, Vector

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
GENDER, COLOR, USAGE, SEASON, AGE = "gender", "color", "usage", "season", "age_group"
_NEUTRAL_FAMILIES = frozenset({"black", "gray", "white", "beige", "brown"})
_NEUTRAL_NAMES = frozenset({"navy", "navy blue", "gold", "bronze", "copper", "khaki"})
# What cloth of a family of colors looks like on most photos.
_CLOTH = {
    "black": "#1f1f22", "gray": "#86888c", "white": "#f1f1f1", "beige": "#d6c5a6", "brown": "#6b4a33",
    "red": "#b3282f", "orange": "#dd7a32", "yellow": "#e3c22c", "green": "#457d4c", "blue": "#3f5f9a",
    "purple": "#6d4b8c", "pink": "#df8db0",
}  # fmt: skip
_NO_PALETTE = Palette(np.zeros((1, 3), np.float32), np.ones(1, np.float32))
_LIKE_CLOTH_DEG = 50  # angle of hue from it, up to which a color on a photo is that of the garment
_PRINT_WORDS = {  # of a title; a print on a T-shirt is often one picture
    **dict.fromkeys(
        ("check", "checks", "checked", "plaid", "floral", "leopard", "animal", "paisley", "camo"), 1.0
    ),
    **dict.fromkeys(("stripe", "stripes", "striped", "print", "prints", "printed"), 0.7),
}
_DENIM = re.compile(r"\b(?:jeans?|jeggings?|denim)\b")
_AS_A_NEUTRAL = 0.2
_SEVERAL_COLORS = frozenset({"multi", "multicolor", "multicolour", "multicolored", "multicoloured", "assorted"})
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
        kind = kind_of(attributes)
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


def kind_of(attributes: Attributes, first: Iterable[str] = ()) -> str:
    """The kind of a product, by the first attribute that tells one with a word that is known.

    The word may be that of a kind that is in no look, such as stockings, even if a wider one is, such as
    bottomwear.
    """
    words = (text_of(attributes, name) for name in (*first, *KINDS))
    return next((word for word in words if is_kind(word)), "")


def text_of(attributes: Attributes, name: str) -> str:
    """An attribute as text, of several values the first; empty if the product has none."""
    value = attributes.get(name, "")
    return str(value[0] if value else "") if isinstance(value, tuple) else str(value)


def main_color(photo: EmbeddedPhoto) -> Vector | None:
    """The color that covers most of a photo's product, OKLab ``(3,)``."""
    return None if photo.palette is None else photo.palette.colors[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tint:
    """The color of a garment as people see and name it."""

    color: Vector = field(repr=False)  # OKLab (3,)
    name: str  # such as "navy blue"
    vivid: float  # how much it is a color and no neutral, 0 to 1
    print: float = 0.0  # how much of a print it is, 0 to 1


def tints_of(
    photos: Sequence[EmbeddedPhoto], attributes: Sequence[Attributes], titles: Mapping[str, str]
) -> list[Tint]:
    """The tints of products by their palettes, the color that the catalog or the model names, and their titles.

    Of the colors on a photo, the largest of the named family counts, or the one most like it: the named one is the
    product's, while the largest of all may be that of what a person wears beside it.
    """
    named = [text_of(own, COLOR).strip().lower() for own in attributes]
    named = ["" if name in SAYS_NOTHING else name for name in named]
    palettes = [_NO_PALETTE if photo.palette is None else photo.palette for photo in photos]
    if not palettes:
        return []
    everything = np.concatenate([palette.colors for palette in palettes])
    words, neutral = color_names(everything), is_neutral(everything)
    starts = np.cumsum([0, *(len(palette.colors) for palette in palettes)])
    colors, names = [], []
    for name, palette, start, end in zip(named, palettes, starts, starts[1:], strict=False):
        row, color = _color_of(color_family(name), palette.colors, words[start:end], neutral[start:end])
        colors.append(color)
        names.append(name if name and name not in _SEVERAL_COLORS else words[start + row])
    vivid = vividness(np.stack(colors))
    prints = print_shares(palettes)
    return [
        Tint(
            color=color,
            name=name,
            vivid=float(colorful) * (_AS_A_NEUTRAL if _is_worn_as_neutral(own, name) else 1),
            print=1.0
            if given in _SEVERAL_COLORS
            else max(float(print_), _print_named(titles.get(photo.product_id))),
        )
        for photo, color, name, given, colorful, print_, own in zip(
            photos, colors, names, named, vivid, prints, attributes, strict=True
        )
    ]


def _print_named(title: str | None) -> float:
    """How much of a print a product is by its title, from 0 to 1."""
    words = re.findall(r"[a-z]+", (title or "").lower())
    return max((_PRINT_WORDS.get(word, 0.0) for word in words), default=0.0)


def _is_worn_as_neutral(attributes: Attributes, name: str) -> bool:
    """Whether people wear a garment of a named color like a neutral, even if a photo shows some hue."""
    family = color_family(name)
    if family in _NEUTRAL_FAMILIES or name in _NEUTRAL_NAMES:
        return True
    return family == "blue" and any(_DENIM.search(text_of(attributes, kind).lower()) for kind in KINDS)


def _color_of(family: str, colors: Matrix, words: Sequence[str], neutral: Flags) -> tuple[int, Vector]:
    """Row and color of the one of a family, among those on a photo ``(c, 3)``, with their names."""
    families = [color_family(word) for word in words]
    if family in families:
        row = families.index(family)
        return row, colors[row]
    if family not in _CLOTH:
        return 0, colors[0]
    cloth, is_cloth_neutral = _cloth(family)
    alike = neutral if is_cloth_neutral else ~neutral & (hues_apart_deg(colors, cloth) < _LIKE_CLOTH_DEG)
    row = int(alike.argmax())
    return row, colors[row] if alike[row] else cloth


@cache
def _cloth(family: str) -> tuple[Vector, bool]:
    """What cloth of a family looks like, OKLab ``(3,)``, and whether it is a neutral."""
    color = oklab(np.array(named_color(_CLOTH[family]), np.uint8))
    return color, bool(is_neutral(color))


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

    def titles(self, product_ids: Collection[str]) -> dict[str, str]:
        """The title of each product."""
        stored = self._store.products(product_ids)
        return {product_id: product.product.title for product_id, product in stored.items()}

    def main_photos(self, product_ids: Collection[str]) -> dict[str, EmbeddedPhoto]:
        """The main photo of each product, or another one if the main photo is not embedded."""
        photos: dict[str, EmbeddedPhoto] = {}
        for photo in self._store.embedded_photos(self.features.model, product_ids):
            if photo.is_main or photo.product_id not in photos:
                photos[photo.product_id] = photo
        return photos
