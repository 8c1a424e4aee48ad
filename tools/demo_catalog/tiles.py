"""Tiles of flowers, leaves and brush marks that repeat over cloth."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[Any]  # of float32

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
    places: list[tuple[float, float, float, float]] = []
    for _ in range(count * 60):
        x, y, size, turn = rng.uniform(0, 1, 4)
        apart = [np.hypot((x - a + 0.5) % 1 - 0.5, (y - b + 0.5) % 1 - 0.5) for a, b, *_ in places]
        if all(distance > 0.72 / np.sqrt(count) for distance in apart):
            places.append((float(x), float(y), float(size), float(turn * 2 * np.pi)))
    return [(side * (1 + x), side * (1 + y), size, turn) for x, y, size, turn in places]


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
                place = stem[0] + 1.2 * half * np.cos(leaf), stem[1] + 1.2 * half * np.sin(leaf)
                pen.polygon(_oval(*place, half, half * 0.34, leaf), 255)
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
