"""Patterns: the color of a cloth at each point, from stripes to flowers.

Edges of a motif are a unit soft, so that nothing flickers when a photo is reduced.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[Any]  # of float32


_HALF = 0.5  # of a repeat


def _repeated(position: Floats, period: float) -> Floats:
    """A position within its period; several times faster than ``%``."""
    return np.asarray(position - period * np.floor(position / period))


def _band(position: Floats, *, period: float, width: float, at: float = 0.0) -> Floats:
    """1 within a band of a width that comes every period, 0 between, soft over a unit."""
    apart = np.abs(_repeated(position - at + period / 2, period) - period / 2)
    return np.clip(width / 2 - apart + 0.5, 0, 1)


def _mix(ground: Floats, color: Floats, share: Floats) -> Floats:
    return np.asarray(ground + (color - ground) * share[..., None], np.float32)


def _ground(u: Floats, color: Floats) -> Floats:
    field = np.empty((*u.shape, 3), np.float32)
    field[:] = color
    return field


def _breton(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _mix(_ground(u, colors[0]), colors[1], _band(v, period=24, width=8))


def _wide_stripes(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _mix(_ground(u, colors[0]), colors[1], _band(v, period=78, width=32))


def _trio_stripes(u: Floats, v: Floats, colors: Floats) -> Floats:
    field = _mix(_ground(u, colors[0]), colors[1], _band(v, period=92, width=20))
    return _mix(field, colors[2], _band(v, period=92, width=7, at=18))


def _pinstripes(u: Floats, _v: Floats, colors: Floats) -> Floats:
    return _mix(_ground(u, colors[0]), colors[1], 0.75 * _band(u, period=15, width=1.5))


def _vertical_stripes(u: Floats, _v: Floats, colors: Floats) -> Floats:
    return _mix(_ground(u, colors[0]), colors[1], _band(u, period=20, width=7))


def _diagonal_stripes(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _mix(_ground(u, colors[0]), colors[1], _band((u + v) * 0.707, period=26, width=9))


def _gingham(u: Floats, v: Floats, colors: Floats) -> Floats:
    light = colors[1]
    share = (_band(u, period=22, width=11) + _band(v, period=22, width=11)) / 2
    return _mix(_ground(u, colors[0]), light, 0.9 * share)


def _tartan(u: Floats, v: Floats, colors: Floats) -> Floats:
    dark = colors[2]
    field = _mix(_ground(u, colors[0]), dark, 0.5 * _band(u, period=64, width=26))
    field = _mix(field, dark, 0.5 * _band(v, period=64, width=26))
    field = _mix(field, colors[1], 0.6 * _band(u, period=64, width=2.4, at=32))
    field = _mix(field, colors[1], 0.6 * _band(v, period=64, width=2.4, at=32))
    field = _mix(field, colors[1], 0.35 * _band(u, period=64, width=1.8, at=0))
    return _mix(field, colors[1], 0.35 * _band(v, period=64, width=1.8, at=0))


def _windowpane(u: Floats, v: Floats, colors: Floats) -> Floats:
    share = np.maximum(_band(u, period=42, width=1.8), _band(v, period=42, width=1.8))
    return _mix(_ground(u, colors[0]), colors[1], 0.7 * share)


def _glen_check(u: Floats, v: Floats, colors: Floats) -> Floats:
    fine = _band(u, period=5, width=2.4) * _band(v, period=60, width=30) + _band(v, period=5, width=2.4) * _band(
        u, period=60, width=30
    )
    field = _mix(_ground(u, colors[0]), colors[2], 0.32 * np.clip(fine, 0, 1))
    share = np.maximum(_band(u, period=60, width=1.6, at=30), _band(v, period=60, width=1.6, at=30))
    return _mix(field, colors[1], 0.4 * share)


def _argyle(u: Floats, v: Floats, colors: Floats) -> Floats:
    one, other = (u / 52 + v / 76), (u / 52 - v / 76)
    checker = ((np.floor(one) + np.floor(other)) % 2 == 0) & (np.floor(one) % 2 == 0)
    field = _mix(_ground(u, colors[0]), colors[1], 0.85 * checker.astype(np.float32))
    lines = np.maximum(
        _band(one * 42, period=84, width=1.7, at=21), _band(other * 42, period=84, width=1.7, at=21)
    )
    return _mix(field, colors[2], 0.8 * lines)


def _dots(u: Floats, v: Floats, colors: Floats, *, pitch: float, radius: float) -> Floats:
    row = np.floor(v / pitch)
    x = _repeated(u + row * (pitch / 2), pitch) - pitch / 2
    y = _repeated(v, pitch) - pitch / 2
    return _mix(_ground(u, colors[0]), colors[1], np.clip(radius - np.hypot(x, y) + 0.5, 0, 1))


def _pin_dots(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _dots(u, v, colors, pitch=13, radius=1.9)


def _polka_dots(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _dots(u, v, colors, pitch=25, radius=5.4)


def _houndstooth(u: Floats, v: Floats, colors: Floats) -> Floats:
    x, y = _repeated(u / 14, 1), _repeated(v / 14, 1)
    left, upper = x < _HALF, y < _HALF
    dark = (left & upper) | ((_repeated(x - y, 1) < _HALF / 2) & (left ^ upper))
    return _mix(_ground(u, colors[0]), colors[1], 0.85 * dark.astype(np.float32))


def _colorblock(u: Floats, v: Floats, colors: Floats) -> Floats:
    field = _mix(_ground(u, colors[0]), colors[1], np.clip(262 - v, 0, 1))
    return _mix(field, colors[2], np.clip(7 - np.abs(v - 266), 0, 1))


def _flowers(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _tiled(u, v, colors, flower_tile())


def _leaves(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _tiled(u, v, colors, leaf_tile())


def _brush_marks(u: Floats, v: Floats, colors: Floats) -> Floats:
    return _tiled(u, v, colors, brush_tile())


def _tiled(u: Floats, v: Floats, colors: Floats, tile: Floats) -> Floats:
    """Two colors over the ground, each as much as a tile ``(side, side, 2)`` says."""
    side = len(tile)
    shares = tile[(v * 2).astype(np.int32) % side, (u * 2).astype(np.int32) % side]
    field = _mix(_ground(u, colors[0]), colors[2], shares[..., 1])
    return _mix(field, colors[1], shares[..., 0])


MOTIFS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "argyle": _argyle,
    "breton": _breton,
    "brush marks": _brush_marks,
    "colorblock": _colorblock,
    "diagonal stripes": _diagonal_stripes,
    "flowers": _flowers,
    "gingham": _gingham,
    "glen check": _glen_check,
    "houndstooth": _houndstooth,
    "leaves": _leaves,
    "pin dots": _pin_dots,
    "pinstripes": _pinstripes,
    "polka dots": _polka_dots,
    "tartan": _tartan,
    "trio stripes": _trio_stripes,
    "vertical stripes": _vertical_stripes,
    "wide stripes": _wide_stripes,
    "windowpane": _windowpane,
}


_TILE = 120  # side of what repeats, in units; a tile has two pixels a unit
_FINE = 4


def _tile_of(draw: Callable[[ImageDraw.ImageDraw, ImageDraw.ImageDraw, np.random.Generator], None]) -> Floats:
    """Draw two layers on a tile that joins itself at all sides."""
    side = _TILE * _FINE
    layers = [Image.new("L", (3 * side, 3 * side)) for _ in range(2)]
    draw(ImageDraw.Draw(layers[0]), ImageDraw.Draw(layers[1]), np.random.default_rng(5))
    folded = [np.asarray(layer).reshape(3, side, 3, side).max(axis=(0, 2)).astype(np.uint8) for layer in layers]
    reduced = [np.asarray(Image.fromarray(each).reduce(_FINE // 2), np.float32) / 255 for each in folded]
    return np.stack(reduced, axis=-1)


def _scattered(rng: np.random.Generator, count: int) -> list[tuple[float, float, float, float]]:
    """Places in the middle of three by three tiles, kept apart: x, y, size in [0, 1], turn."""
    side = _TILE * _FINE
    spots: list[tuple[float, float, float, float]] = []
    for _ in range(count * 60):
        x, y, size, turn = rng.uniform(0, 1, 4)
        apart = [np.hypot((x - a + 0.5) % 1 - 0.5, (y - b + 0.5) % 1 - 0.5) for a, b, *_ in spots]
        if all(distance > 0.72 / np.sqrt(count) for distance in apart):
            spots.append((float(x), float(y), float(size), float(turn * 2 * np.pi)))
    return [(side * (1 + x), side * (1 + y), size, turn) for x, y, size, turn in spots]


def _oval(x: float, y: float, length: float, width: float, turn: float) -> list[tuple[float, float]]:
    steps = np.linspace(0, 2 * np.pi, 24)
    along, across = length * np.cos(steps), width * np.sin(steps) * (1 - 0.35 * np.cos(steps))
    cos, sin = np.cos(turn), np.sin(turn)
    return [(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in zip(along, across, strict=True)]


@lru_cache(maxsize=1)
def flower_tile() -> Floats:
    """Blossoms in the first color, hearts and leaves in the second; ``(side, side, 2)``."""

    def draw(first: ImageDraw.ImageDraw, second: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
        for x, y, size, turn in _scattered(rng, 13):
            radius = 19 + 17 * size
            for leaf in (turn + 0.4, turn + 2.7):
                reach = radius * 1.35
                second.polygon(
                    _oval(x + reach * np.cos(leaf), y + reach * np.sin(leaf), radius * 0.6, 7, leaf), 255
                )
            for petal in range(5):
                angle = turn + petal * 2 * np.pi / 5
                center = x + radius * 0.55 * np.cos(angle), y + radius * 0.55 * np.sin(angle)
                first.polygon(_oval(*center, radius * 0.5, radius * 0.36, angle + np.pi), 255)
            heart = radius * 0.22
            first.ellipse((x - heart, y - heart, x + heart, y + heart), 0)
            second.ellipse((x - heart, y - heart, x + heart, y + heart), 255)

    return _tile_of(draw)


@lru_cache(maxsize=1)
def leaf_tile() -> Floats:
    """Fronds, two of three in the first color."""

    def draw(first: ImageDraw.ImageDraw, second: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
        for number, (x, y, size, turn) in enumerate(_scattered(rng, 10)):
            pen = second if number % 3 == 0 else first
            length = 42 + 16 * size
            stem = x - 0.9 * length * np.cos(turn), y - 0.9 * length * np.sin(turn)
            for side, reach in ((-0.75, 0.72), (0.75, 0.72), (0.0, 1.0)):
                leaf = turn + side
                half = length * reach * 0.62
                leaf_center = stem[0] + 1.2 * half * np.cos(leaf), stem[1] + 1.2 * half * np.sin(leaf)
                pen.polygon(_oval(*leaf_center, half, half * 0.34, leaf), 255)
            foot = stem[0] - 0.5 * length * np.cos(turn), stem[1] - 0.5 * length * np.sin(turn)
            pen.line([stem, foot], 255, 5)

    return _tile_of(draw)


@lru_cache(maxsize=1)
def brush_tile() -> Floats:
    """Strokes of a brush, three of four in the first color."""

    def draw(first: ImageDraw.ImageDraw, second: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
        for number, (x, y, size, turn) in enumerate(_scattered(rng, 22)):
            pen = second if number % 4 == 0 else first
            pen.polygon(_oval(x, y, 16 + 22 * size, 6 + 5 * size, turn / 3), 255)

    return _tile_of(draw)
