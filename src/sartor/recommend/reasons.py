"""Why a product is recommended, in words that a shopper understands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.types import Attributes, Vector

_SURE = 0.5  # probability from which a prediction is said aloud
_SAME_COLOR, _NEAR_COLOR, _OTHER_COLOR = 0.9, 0.7, 0.35
_SAME_SHAPE = 0.75
_MOST = 3

# How attributes are called before a shopper; others go by their own name.
_SPOKEN = {"articleType": "type", "product_type": "type", "masterCategory": "", "subCategory": "", "usage": "use"}
_ORDER = ("product_type", "articleType", "gender", "color", "pattern", "material", "brand", "usage", "season")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a query.

    Attributes:
        known: What the catalog says of the query's product.
        predicted: What the model says of its photos: value and probability by attribute.
        colors: Names of its main colors.
    """

    known: Mapping[str, object] = field(default_factory=dict)
    predicted: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    colors: tuple[str, ...] = ()

    def values(self) -> dict[str, object]:
        """What is said of the query, known before predicted; predictions that are not sure are left out."""
        sure = {name: value for name, (value, probability) in self.predicted.items() if probability >= _SURE}
        return {**sure, **self.known}


def reasons_of(
    seen: Seen, known: Attributes, predicted: Mapping[str, tuple[str, float]], closeness: Vector
) -> tuple[str, ...]:
    """Why a hit is one.

    Args:
        seen: What is known of the query.
        known: What the catalog says of the hit.
        predicted: What the model says of it beside that.
        closeness: ``(3,)`` in style, color and category.
    """
    asked = seen.values()
    own = {name: value for name, (value, probability) in predicted.items() if probability >= _SURE} | dict(known)
    shared = [name for name in _ORDER if name in asked and asked[name] == own.get(name)]
    style, color, _category = (float(each) for each in closeness)
    reasons = [_same(name, asked[name]) for name in shared if name != "color" and _SPOKEN.get(name) != ""]
    if style >= _SAME_SHAPE and color <= _OTHER_COLOR:
        reasons.insert(0, "same shape, different color")
    elif color >= _SAME_COLOR:
        reasons.insert(1, "the same color")
    elif "color" in shared:
        reasons.insert(1, _same("color", asked["color"]))
    elif color >= _NEAR_COLOR:
        reasons.insert(1, "a color close to it")
    return tuple(reasons[:_MOST]) or (("a similar look",) if style > 0 else ())


def _same(name: str, value: object) -> str:
    return f"same {_SPOKEN.get(name, name)}: {value}"
