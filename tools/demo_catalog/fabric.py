"""Cloth: a pattern in its colors, and the grain of what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.demo_catalog.patterns import MOTIFS
from tools.demo_catalog.shading import soften

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[Any]  # of float32
    Rgb = tuple[int, int, int]

_NOISE_SIDE = 256  # a power of two
_CABLE = 15.0  # half width of a plait
_DRIFT = 0.35  # how far a pattern follows the height of the cloth
_GLOSS = {"satin": 0.55, "leather": 0.32, "patent": 0.9, "metal": 0.9, "nylon": 0.22, "rubber": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloth:
    """What a piece is made of.

    Attributes:
        colors: The main color, and two that a pattern adds.
        motif: The pattern, a name of ``patterns.MOTIFS``; empty for none.
        fabric: The material, a name of ``FABRICS``.
        phase: Where the pattern begins, in units.
    """

    colors: tuple[Rgb, Rgb, Rgb]
    motif: str = ""
    fabric: str = "jersey"
    phase: tuple[float, float] = (0.0, 0.0)

    @property
    def main(self) -> Rgb:
        """The color that a product is called by."""
        return self.colors[0]

    @property
    def gloss(self) -> float:
        """How much it shines."""
        return _GLOSS.get(self.fabric, 0.0)

    def plain(self, color: Rgb | None = None, *, fabric: str = "") -> Cloth:
        """The same without a pattern, in one color."""
        main = color or self.main
        return replace(self, colors=(main, main, main), motif="", fabric=fabric or self.fabric)

    def darker(self, share: float = 0.25) -> Cloth:
        """The same without a pattern and darker, for what lies inside."""
        return self.plain(mixed(self.main, (18, 18, 22), share))

    def color_at(self, across: Floats, along: Floats, height: Floats) -> Floats:
        """The color at points ``(h, w)`` in units, as ``(h, w, 3)`` in [0, 1]."""
        if not self.motif:
            field = np.empty((*across.shape, 3), np.float32)
            field[:] = np.array(self.main, np.float32) / 255
            return field
        u = across + self.phase[0] + _DRIFT * height
        v = along + self.phase[1] + _DRIFT * height
        return MOTIFS[self.motif](u, v, np.array(self.colors, np.float32) / 255)

    def grain_at(self, across: Floats, along: Floats) -> Floats:
        """What the grain adds to the light at points ``(h, w)`` in units."""
        grain = FABRICS[self.fabric](across, along)
        lightness = (0.3 * self.main[0] + 0.59 * self.main[1] + 0.11 * self.main[2]) / 255
        return np.asarray(grain * (1.45 - 0.8 * lightness), np.float32)


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """A color between two, with a share of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


@lru_cache(maxsize=4)
def _noise(softness: float) -> Floats:
    """Noise that tiles well enough, ``(256, 256)``, of deviation 1; the same in every run."""
    raw = np.random.default_rng(20).standard_normal((_NOISE_SIDE, _NOISE_SIDE)).astype(np.float32)
    field = soften(raw, softness)
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def _noise_at(u: Floats, v: Floats, softness: float = 0.0) -> Floats:
    columns = u.astype(np.int32) & (_NOISE_SIDE - 1)
    rows = v.astype(np.int32) & (_NOISE_SIDE - 1)
    return np.asarray(_noise(softness).ravel().take(rows * _NOISE_SIDE + columns))


def _share(field: Floats) -> Floats:
    """What lies behind the point; several times faster than ``% 1``."""
    return np.asarray(field - np.floor(field))


def _jersey(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.016 * _noise_at(u * 1.3, v))


def _woven(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.012 * _noise_at(u, v / 3) + 0.012 * _noise_at(u / 3 + 40, v))


def _linen(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.028 * _noise_at(u, v / 9) + 0.028 * _noise_at(u / 9 + 40, v))


def _denim(u: Floats, v: Floats) -> Floats:
    twill = np.sin((u * 0.8 + v) * np.float32(2.3))
    return np.asarray(0.03 * twill + 0.04 * _noise_at(u, v / 7) + 0.03 * _noise_at(u + 90, v))


def _twill(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.016 * np.sin((u + v) * np.float32(2.2)) + 0.012 * _noise_at(u, v))


def _knit(u: Floats, v: Floats) -> Floats:
    column = np.abs(_share(u / 6.4) - 0.5)  # 0 in the middle of a wale
    rows = np.cos((v + column * 7) * np.float32(2 * np.pi / 5.2))
    return np.asarray(0.05 * rows - 0.11 * (column * 2) ** 3 + 0.02 * _noise_at(u, v) + 0.02)


def _fine_knit(u: Floats, v: Floats) -> Floats:
    column = np.abs(_share(u / 3.6) - 0.5)
    rows = np.cos((v + column * 4) * np.float32(2 * np.pi / 3.6))
    return np.asarray(0.025 * rows - 0.05 * (column * 2) ** 2 + 0.014 * _noise_at(u, v) + 0.015)


def _rib(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.075 * np.cos(u * np.float32(2 * np.pi / 6)) + 0.014 * _noise_at(u, v))


def _cable(u: Floats, v: Floats) -> Floats:
    """Plaits of two strands every 60 units, with moss between."""
    across = 60 * _share((u - 210) / 60) - 30
    sway = 6.5 * np.sin(v * np.float32(2 * np.pi / 46))
    strands = np.maximum(np.exp(-(((across - sway) / 5.5) ** 2)), np.exp(-(((across + sway) / 5.5) ** 2)))
    edge = np.exp(-(((np.abs(across) - 17) / 2.2) ** 2))
    slant = np.cos((v + np.where(across > sway, 1, -1) * u * 0.9) * np.float32(2 * np.pi / 6))
    moss = np.cos(u * np.float32(2 * np.pi / 5)) * np.cos(v * np.float32(2 * np.pi / 5))
    inside = np.abs(across) < _CABLE
    ground = np.where(inside, -0.13 + 0.2 * strands + 0.05 * slant * strands, 0.045 * moss)
    return np.asarray(ground - 0.13 * edge + 0.015 * _noise_at(u, v), np.float32)


def _wool(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.045 * _noise_at(u, v) + 0.035 * _noise_at(u / 2 + 70, v / 2))


def _fleece(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.02 * _noise_at(u, v) + 0.014 * _noise_at(u / 2 + 70, v / 2))


def _corduroy(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.09 * np.cos(u * np.float32(2 * np.pi / 5)) + 0.02 * _noise_at(u, v / 3))


def _canvas(u: Floats, v: Floats) -> Floats:
    weave = np.cos(u * np.float32(2 * np.pi / 2.6)) * np.cos(v * np.float32(2 * np.pi / 2.6))
    return np.asarray(0.022 * weave + 0.02 * _noise_at(u, v))


def _leather(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.011 * _noise_at(u * 1.1, v * 1.1, 1.3) + 0.007 * _noise_at(u, v))


def _suede(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.022 * _noise_at(u, v) + 0.016 * _noise_at(u / 3, v / 3, 1.3))


def _mesh(u: Floats, v: Floats) -> Floats:
    holes = np.cos(u * np.float32(2 * np.pi / 4.2)) * np.cos(v * np.float32(2 * np.pi / 4.2))
    return np.asarray(-0.12 * np.clip(holes - 0.2, 0, 1) + 0.012 * _noise_at(u, v))


def _straw(u: Floats, v: Floats) -> Floats:
    row = np.floor(v / 7)
    weave = np.abs(np.sin(u * np.float32(np.pi / 9) + row * np.float32(np.pi / 2)))
    return np.asarray(0.16 * weave - 0.2 * np.abs(_share(v / 7) - 0.5) + 0.02 * _noise_at(u, v), np.float32)


def _smooth(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.006 * _noise_at(u, v))


FABRICS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "cable": _cable,
    "canvas": _canvas,
    "corduroy": _corduroy,
    "denim": _denim,
    "fine knit": _fine_knit,
    "fleece": _fleece,
    "jersey": _jersey,
    "knit": _knit,
    "leather": _leather,
    "linen": _linen,
    "mesh": _mesh,
    "metal": _smooth,
    "nylon": _smooth,
    "patent": _smooth,
    "rib": _rib,
    "rubber": _smooth,
    "satin": _smooth,
    "straw": _straw,
    "suede": _suede,
    "twill": _twill,
    "wool": _wool,
    "woven": _woven,
}
