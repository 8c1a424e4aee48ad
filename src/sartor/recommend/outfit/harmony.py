"""Color harmony: how well two colors go together, and how well those of a whole look do.

Colors are compared by hue, chroma and lightness in OKLCh, the polar form of OKLab, where equal distances look
about equally different.

Source of the rules: J. Itten, "The Art of Color" (1961): contrast of hue, of light and dark, complements and
triads; Y. Matsuda, "Color Design" (1995), and D. Cohen-Or et al., "Color Harmonization" (SIGGRAPH 2006): the
sectors of hue that go together. That contrast of lightness makes a pair more pleasing: L.-C. Ou and M. R. Luo,
"A Colour Harmony Model for Two-Colour Combinations" (Color Research and Application, 2006), and K. B. Schloss
and S. E. Palmer, "Aesthetic Response to Color Combinations" (2011). The scores are judgments.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.types import Matrix, Palette, Vector

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float32]
    Knots = tuple[tuple[float, float], ...]

# A color is seen as one from about this chroma. Earth tones (tan, camel, brown) and dark colors (navy) pass for
# neutrals at more.
_NEUTRAL_CHROMA, _EARTH_CHROMA, _DARK_CHROMA = 0.04, 0.045, 0.09
_EARTH_HUE_DEG, _EARTH_WIDTH_DEG = 72.0, 32.0
_DARK: Knots = ((0.26, 1.0), (0.42, 0.0))  # by lightness
A_COLOR = 0.5  # vividness from which a color is called one
_BLUR = 0.4  # share of the threshold over which neutral becomes colored

_CONTRAST = 0.18  # OKLab distance from which two colors are plainly two
_SAME_NEUTRAL, _TWO_NEUTRALS = 0.66, 0.95  # black on black; black and white
_NEUTRAL_LIKE, _NEUTRAL_AND_COLOR = 0.84, 1.0  # navy and blue; black and red
_SAME_COLOR, _TWO_SHADES = 0.35, 0.88  # red on red; rose and burgundy
_BY_HUE: Knots = ((40, 0.78), (80, 0.36), (120, 0.55), (148, 0.42), (180, 0.76))  # beyond one hue, by the angle
_ONE_HUE_DEG, _NEIGHBORS_DEG, _TRIAD_DEG, _COMPLEMENT_DEG = 18, 60, 20, 28
_LOUD: Knots = ((0.12, 0.0), (0.24, 1.0))  # by the lesser chroma of the two
_LOUDNESS = 0.2  # share of the harmony that two loud colors far apart lose
_TWO_PRINTS = 0.35  # share of the harmony that two prints lose

_SAME_HUE_DEG = 28.0  # of two accents that are seen as one
_SAME_SHADE = 0.14  # OKLab distance
# What the colors of a whole look are worth, by the number of accents, of distinct colors, and of prints.
_BY_ACCENTS: Knots = ((0.0, 0.93), (0.9, 1.0), (1.25, 1.0), (2.0, 0.86), (3.0, 0.5), (5.0, 0.25))
_BY_COLORS: Knots = ((1.0, 0.55), (1.5, 0.86), (2.0, 1.0), (3.6, 1.0), (6.0, 0.75))
_BY_PRINTS: Knots = ((1.05, 1.0), (1.7, 0.7), (3.0, 0.4))
_PAIR = 2  # pieces whose harmony says everything
_PRINT: Knots = ((1.9, 0.0), (3.2, 1.0))  # by the number of distinct colors of one piece


class Relation(StrEnum):
    """How two colors go together."""

    SAME_NEUTRAL = "same neutral"
    TWO_NEUTRALS = "two neutrals"
    NEUTRAL_AND_COLOR = "neutral and color"
    SAME_COLOR = "same color"
    TWO_SHADES = "two shades"
    NEIGHBORS = "neighbors"
    COMPLEMENTS = "complements"
    TRIAD = "triad"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Harmony:
    """How two colors go together, and how well, from 0 to 1."""

    relation: Relation
    score: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shades:
    """The colors of n garments.

    Attributes:
        lab: OKLab, ``(n, 3)``.
        vivid: How much each is a color and no neutral, ``(n,)`` from 0 to 1.
        prints: How much of a print each is, ``(n,)`` from 0, plain, to 1.
        sizes: How much of each is seen in a look, ``(n,)`` from 0 to 1.
    """

    lab: Matrix
    vivid: Vector
    prints: Vector
    sizes: Vector

    @classmethod
    def of(cls, colors: Matrix) -> Shades:
        """Plain, large garments of OKLab colors ``(n, 3)``."""
        ones = np.ones(len(colors), np.float32)
        return cls(lab=colors, vivid=vividness(colors), prints=0 * ones, sizes=ones)


def vividness(colors: Matrix) -> Floats:
    """How much OKLab colors ``(…, 3)`` are colors and no neutrals, from 0 to 1.

    Neutrals are black to white, beige, tan and leather brown, and very dark colors such as navy.
    """
    lightness, chroma = colors[..., 0], np.hypot(colors[..., 1], colors[..., 2])
    earth = np.exp(-((_apart_deg(_hue_deg(colors), np.float32(_EARTH_HUE_DEG)) / _EARTH_WIDTH_DEG) ** 2))
    limit = _NEUTRAL_CHROMA + _EARTH_CHROMA * earth + _DARK_CHROMA * _curve(lightness, _DARK)
    return np.asarray(_step((chroma / limit - (1 - _BLUR)) / (2 * _BLUR)), np.float32)


def is_neutral(colors: Matrix) -> Flags:
    """Whether OKLab colors ``(…, 3)`` pass for neutrals."""
    return np.asarray(vividness(colors) < A_COLOR)


def hues_apart_deg(colors: Matrix, other: Vector) -> Floats:
    """The angle of the hue of each OKLab color ``(n, 3)`` with another one's, ``(n,)`` from 0 to 180."""
    return _apart_deg(_hue_deg(colors), _hue_deg(other))


def harmony(shades: Shades) -> Harmony:
    """The harmony of two colors, in any order."""
    return Harmony(relation_of(shades), float(harmonies(shades)[0, 1]))


def relation_of(shades: Shades, one: int = 0, other: int = 1) -> Relation:
    """How two of the colors, by their rows, go together, in any order."""
    lab, vivid = shades.lab[[one, other]], shades.vivid[[one, other]] >= A_COLOR
    alike = float(np.linalg.norm(lab[0] - lab[1])) < _SAME_SHADE
    if not vivid.any():
        return Relation.SAME_NEUTRAL if alike else Relation.TWO_NEUTRALS
    if not vivid.all():
        return Relation.NEUTRAL_AND_COLOR
    return _relation(float(_apart_deg(*_hue_deg(lab))), alike=alike)


def _relation(apart_deg: float, *, alike: bool) -> Relation:
    """How two colors go together whose hues are so far apart."""
    if alike or apart_deg <= _ONE_HUE_DEG:
        return Relation.SAME_COLOR if alike else Relation.TWO_SHADES
    if apart_deg <= _NEIGHBORS_DEG:
        return Relation.NEIGHBORS
    if apart_deg >= 180 - _COMPLEMENT_DEG:
        return Relation.COMPLEMENTS
    return Relation.TRIAD if abs(apart_deg - 120) <= _TRIAD_DEG else Relation.APART


def harmonies(shades: Shades) -> Matrix:
    """The harmony of all pairs, ``(n, n)`` from 0 to 1, symmetric.

    It is the mean of three cases, weighted by how much either is a color: two neutrals, a neutral and a color,
    two colors. Two of one shade are worth less than two with contrast; two prints less than one.
    """
    vivid, other = shades.vivid[:, None], shades.vivid[None, :]
    contrast = 1 - np.exp(-_distances2(shades.lab) / _CONTRAST**2)
    neutrals = _between(_SAME_NEUTRAL, _TWO_NEUTRALS, contrast)
    mixed = _between(_NEUTRAL_LIKE, _NEUTRAL_AND_COLOR, contrast)
    colors = _by_hue(shades, contrast)
    score = (
        (1 - vivid) * (1 - other) * neutrals
        + (vivid * (1 - other) + other * (1 - vivid)) * mixed
        + vivid * other * colors
    )
    prints = shades.prints[:, None] * shades.prints[None, :]
    return np.asarray(score * (1 - _TWO_PRINTS * prints), np.float32)


def _by_hue(shades: Shades, contrast: Matrix) -> Matrix:
    """The harmony of pairs of colors, ``(n, n)``."""
    hues, chroma = _hue_deg(shades.lab), np.hypot(shades.lab[:, 1], shades.lab[:, 2])
    apart = _apart_deg(hues[:, None], hues[None, :])
    one_hue = _between(_SAME_COLOR, _TWO_SHADES, contrast)
    near = _step(apart / _BY_HUE[0][0])  # 0 for one hue, 1 from the neighbors on
    score = (1 - near) * one_hue + near * _curve(apart, _BY_HUE)
    loud = _curve(np.minimum(chroma[:, None], chroma[None, :]), _LOUD) * np.sin(np.radians(apart / 2)) ** 2
    return np.asarray(score * (1 - _LOUDNESS * loud), np.float32)


class LookColors:
    """What the colors of whole looks are worth, beyond their pairs: neutrals with an accent or two, and one print.

    With ``v`` the vividness times the visible size of a piece and ``z`` from 0 to 1 how alike two hues are, a
    look has ``sum_i v_i / (1 - v_i + sum_j v_j z_ij)`` accents: pieces of one hue are one accent together. With
    ``p`` the share of a piece in what is seen and ``s`` how alike two colors are, it has ``1 / sum_ij p_i p_j
    s_ij`` colors.

    Source of the second: T. Leinster and C. Cobbold, "Measuring Diversity: The Importance of Species Similarity"
    (Ecology, 2012), of order 2.
    """

    def __init__(self, shades: Shades) -> None:
        hues = _hue_deg(shades.lab)
        self._sizes, self._accents = shades.sizes, shades.vivid * shades.sizes
        self._prints = shades.prints * shades.sizes
        self._same_hue = np.exp(-((_apart_deg(hues[:, None], hues[None, :]) / _SAME_HUE_DEG) ** 2))
        self.same_shade: Matrix = np.exp(-_distances2(shades.lab) / _SAME_SHADE**2)  # (n, n) from 0 to 1

    def with_each(self, looks: npt.NDArray[np.int64], pieces: npt.NDArray[np.int64]) -> Matrix:
        """The factor for looks ``(b, m)`` of rows with each of some further pieces ``(k,)``: ``(b, k)``, 0 to 1.

        Two pieces alone have a factor of 1: their pair says everything.
        """
        if looks.shape[1] < _PAIR:
            return np.ones((len(looks), len(pieces)), np.float32)
        accents, colors = self.counts_with_each(looks, pieces)
        prints = self._prints[looks].sum(axis=1)[:, None] + self._prints[pieces]
        worth = _curve(accents, _BY_ACCENTS) * _curve(colors, _BY_COLORS) * _curve(prints, _BY_PRINTS)
        return np.asarray(worth, np.float32)

    def counts_with_each(
        self, looks: npt.NDArray[np.int64], pieces: npt.NDArray[np.int64]
    ) -> tuple[Matrix, Matrix]:
        """Accents and distinct colors of looks ``(b, m)`` with each of some further pieces: ``(b, k)`` each."""
        size, accent = self._sizes[looks], self._accents[looks]  # (b, m)
        new_size, new_accent = self._sizes[pieces], self._accents[pieces]  # (k,)
        inner, outer = (looks[:, :, None], looks[:, None, :]), (looks[:, :, None], pieces[None, None, :])
        hues = self._same_hue[outer]  # (b, m, k)
        crowd = 1 - accent + (self._same_hue[inner] * accent[:, None, :]).sum(axis=2)  # (b, m)
        old = (accent[:, :, None] / (crowd[:, :, None] + new_accent * hues)).sum(axis=1)
        new = new_accent / (1 + (accent[:, :, None] * hues).sum(axis=1))
        alike = (size[:, :, None] * size[:, None, :] * self.same_shade[inner]).sum(axis=(1, 2))  # (b,)
        alike_with = alike[:, None] + 2 * new_size * (size[:, :, None] * self.same_shade[outer]).sum(axis=1)
        seen = size.sum(axis=1)[:, None] + new_size
        return old + new, seen**2 / np.maximum(alike_with + new_size**2, np.finfo(np.float32).tiny)


def counts_of(shades: Shades) -> tuple[float, float]:
    """How many accents and how many distinct colors a look of n pieces, at least one, has."""
    rows = np.arange(len(shades.lab))
    accents, colors = LookColors(shades).counts_with_each(rows[None, :-1], rows[-1:])
    return float(accents[0, 0]), float(colors[0, 0])


def print_shares(palettes: Sequence[Palette]) -> Vector:
    """How much of a print each of n palettes, at least one, is, from 0, plain, to 1: ``(n,)``."""
    width = max(len(palette.shares) for palette in palettes)
    colors = np.zeros((len(palettes), width, 3), np.float32)
    shares = np.zeros((len(palettes), width), np.float32)
    for row, palette in enumerate(palettes):
        colors[row, : len(palette.shares)], shares[row, : len(palette.shares)] = palette.colors, palette.shares
    alike = np.exp(-((colors[:, :, None] - colors[:, None]) ** 2).sum(axis=3) / _SAME_SHADE**2)
    distinct = 1 / np.einsum("ni,nij,nj->n", shares, alike, shares)
    return _curve(distinct, _PRINT)


def _distances2(lab: Matrix) -> Matrix:
    """Squared OKLab distances of all pairs, ``(n, n)``."""
    return np.asarray(((lab[:, None, :] - lab[None, :, :]) ** 2).sum(axis=2), np.float32)


def _hue_deg(colors: Matrix) -> Floats:
    return np.asarray(np.degrees(np.arctan2(colors[..., 2], colors[..., 1])), np.float32)


def _apart_deg(some: npt.ArrayLike, others: npt.ArrayLike) -> Floats:
    """The angle between hues, from 0 to 180."""
    apart = np.abs(np.asarray(some) - np.asarray(others)) % 360
    return np.asarray(np.minimum(apart, 360 - apart), np.float32)


def _between(low: float, high: float, share: Matrix) -> Matrix:
    return low + (high - low) * share


def _step(share: npt.ArrayLike) -> Floats:
    """From 0 at 0 to 1 at 1, level at both ends."""
    inside = np.clip(share, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)


def _curve(values: npt.ArrayLike, knots: Sequence[tuple[float, float]]) -> Floats:
    """A smooth curve through knots, level at each, and beyond the outer ones."""
    result = np.full(np.shape(values), knots[0][1], np.float32)
    for (start, low), (end, high) in pairwise(knots):
        result = result + (high - low) * _step((np.asarray(values) - start) / (end - start))
    return np.asarray(result, np.float32)
