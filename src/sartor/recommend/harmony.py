"""Which colors go together, by the rules that stylists teach, on the color circle of OKLab.

Source of the rules: J. Itten, "The Art of Color" (1961); of the angles: D. Cohen-Or et al., "Color
Harmonization" (SIGGRAPH 2006), the templates i, V, I and the triad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from sartor.types import Matrix, Vector

    Flags = npt.NDArray[np.bool_]

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


_NONE = Harmony("no rule joins these colors", 0.2)
_NEUTRAL = Harmony("a neutral goes with every color", 1.0)
_NEUTRALS = Harmony("two neutrals", 0.9)
_TONE = Harmony("tone on tone", 0.95)
_ANALOGOUS = Harmony("neighboring colors", 0.8)
_COMPLEMENT = Harmony("complementary colors", 0.75)
_TRIAD = Harmony("a triad of colors", 0.55)
_RULES = (_NEUTRALS, _NEUTRAL, _TONE, _ANALOGOUS, _COMPLEMENT, _TRIAD, _NONE)  # the first that holds counts
_SCORES = np.array([rule.score for rule in _RULES], np.float32)


def harmony(one: Vector, other: Vector) -> Harmony:
    """The harmony of two OKLab colors, ``(3,)`` each; the order does not matter."""
    return _RULES[int(_rules(one[None], other[None])[0, 0])]


def harmonies(some: Matrix, others: Matrix) -> Matrix:
    """Scores of all pairs of OKLab colors ``(n, 3)`` and ``(m, 3)``: ``(n, m)``."""
    return _SCORES[_rules(some, others)]


def is_neutral(colors: Matrix) -> Flags:
    """Whether OKLab colors ``(…, 3)`` pass for neutrals: black to white, beige, very dark blue or brown."""
    chroma = np.hypot(colors[..., 1], colors[..., 2])
    return np.asarray((chroma < _NEUTRAL_CHROMA) | ((colors[..., 0] < _DARK) & (chroma < _DARK_CHROMA)))


def _rules(some: Matrix, others: Matrix) -> npt.NDArray[np.int64]:
    neutral, other_neutral = is_neutral(some)[:, None], is_neutral(others)[None, :]
    apart = np.abs(_hues_deg(some)[:, None] - _hues_deg(others)[None, :]) % 360
    apart = np.minimum(apart, 360 - apart)
    holds = (
        neutral & other_neutral,
        neutral | other_neutral,
        apart <= _TONE_DEG,
        apart <= _ANALOGOUS_DEG,
        apart >= 180 - _COMPLEMENT_DEG,
        np.abs(apart - 120) <= _TRIAD_DEG,
        np.ones_like(apart, np.bool_),
    )
    return np.asarray(np.argmax(np.stack(holds), axis=0))


def _hues_deg(colors: Matrix) -> Vector:
    return np.degrees(np.arctan2(colors[:, 2], colors[:, 1]))
