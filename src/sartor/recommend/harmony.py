"""Which colors go together, by the rules that stylists teach, on the color circle of OKLab.

Source of the rules: J. Itten, "The Art of Color" (1961); of the angles: D. Cohen-Or et al., "Color
Harmonization" (SIGGRAPH 2006), the templates i, V, I and the triad.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.types import Vector

_NEUTRAL_CHROMA = 0.045  # OKLab; below it a color is black, white, gray, beige or so dark that no hue is seen
_DARK, _DARK_CHROMA = 0.35, 0.13  # navy and dark brown pass for neutrals
_TONE_DEG, _ANALOGOUS_DEG = 18, 50
_COMPLEMENT_DEG, _TRIAD_DEG = 30, 20


@dataclass(frozen=True, slots=True)
class Harmony:
    """How well two colors go together.

    Attributes:
        rule: The rule in words that a shopper understands.
        score: From 0, they quarrel, to 1.
    """

    rule: str
    score: float


def harmony(one: Vector, other: Vector) -> Harmony:
    """The harmony of two OKLab colors, ``(3,)`` each; the order does not matter."""
    if is_neutral(one) or is_neutral(other):
        both = is_neutral(one) and is_neutral(other)
        return Harmony("two neutrals" if both else "a neutral goes with every color", 0.9 if both else 1.0)
    apart = abs(_hue_deg(one) - _hue_deg(other)) % 360
    apart = min(apart, 360 - apart)
    if apart <= _TONE_DEG:
        return Harmony("tone on tone", 0.95)
    if apart <= _ANALOGOUS_DEG:
        return Harmony("neighboring colors", 0.8)
    if apart >= 180 - _COMPLEMENT_DEG:
        return Harmony("complementary colors", 0.75)
    if abs(apart - 120) <= _TRIAD_DEG:
        return Harmony("a triad of colors", 0.55)
    return Harmony("no rule joins these colors", 0.2)


def is_neutral(color: Vector) -> bool:
    """Whether a color passes for a neutral in clothes: black to white, beige, and very dark blue or brown."""
    lightness, green_red, blue_yellow = (float(axis) for axis in color)
    chroma = math.hypot(green_red, blue_yellow)
    return chroma < _NEUTRAL_CHROMA or (lightness < _DARK and chroma < _DARK_CHROMA)


def _hue_deg(color: Vector) -> float:
    return math.degrees(math.atan2(float(color[2]), float(color[1])))
