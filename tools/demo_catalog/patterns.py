"""Patterns: the color of a cloth at each place, from stripes to flowers.

Edges of a motif are a unit soft, so that nothing flickers when a photo is reduced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tools.demo_catalog.tiles import brush_tile, flower_tile, leaf_tile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[Any]  # of float32


_HALF = 0.5  # of a repeat


def _repeated(place: Floats, period: float) -> Floats:
    """A place within its period; several times faster than ``%``."""
    return np.asarray(place - period * np.floor(place / period))


def _band(place: Floats, *, period: float, width: float, at: float = 0.0) -> Floats:
    """1 within a band of a width that comes every period, 0 between, soft over a unit."""
    apart = np.abs(_repeated(place - at + period / 2, period) - period / 2)
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
