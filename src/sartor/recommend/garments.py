"""What a product is, in the few words by which baskets of different shops and seasons can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sartor.imaging.oklab import color_name
from sartor.recommend.color_families import color_family
from sartor.recommend.occasions import gender_of
from sartor.recommend.slots import Slot, slot_of

if TYPE_CHECKING:
    from sartor.types import Attributes, Vector

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
GENDER, COLOR = "gender", "color"


@dataclass(frozen=True, slots=True)
class Garment:
    """What a product is.

    Attributes:
        slot: Where it is worn.
        gender: For whom, such as ``men``; empty where nobody tells.
        kind: The narrowest word for its kind, such as ``casual shoes``.
        color: The family of its color, such as ``brown``; empty where nothing is known of it.
    """

    slot: Slot
    gender: str
    kind: str
    color: str

    @classmethod
    def of(cls, attributes: Attributes, color: Vector | None) -> Garment | None:
        """What a product with these attributes is; None for what is not worn.

        Args:
            attributes: What is told or predicted of it.
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
