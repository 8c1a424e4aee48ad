"""Graphics on a chest: abstract ones, nobody's logo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, turned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.region import Region

    Layers = list[tuple[list[Points], int]]  # outlines, and which of the cloth's colors fills them

_Y = 286.0


def lay_graphic(canvas: Canvas, cloth: Cloth, within: Region, *, seed: int) -> None:
    """Print a graphic in the cloth's other two colors, a little faded as ink on cloth is."""
    for outlines, color in GRAPHICS[seed % len(GRAPHICS)]():
        canvas.tint(canvas.region(outlines), cloth.colors[color], opacity=0.9, within=within)


def _sunrise() -> Layers:
    half = np.linspace(np.pi, 2 * np.pi, 60)
    sun = np.stack([CENTER + 46 * np.cos(half), _Y + 6 + 46 * np.sin(half)], axis=1)
    waves = [
        ribbon(
            opened(
                [
                    (CENTER - 50 + 7 * row, y),
                    (CENTER - 20, y - 4),
                    (CENTER + 18, y + 4),
                    (CENTER + 50 - 7 * row, y),
                ]
            ),
            4.4,
        )
        for row, y in enumerate((_Y + 16, _Y + 27, _Y + 38, _Y + 49))
    ]
    return [([sun], 1), (waves, 2)]


def _mountains() -> Layers:
    far = closed([(CENTER - 62, _Y + 40, 1), (CENTER - 18, _Y - 32, 1), (CENTER + 22, _Y + 40, 1)])
    near = closed([(CENTER - 26, _Y + 40, 1), (CENTER + 22, _Y - 12, 1), (CENTER + 64, _Y + 40, 1)])
    moon = ellipse(CENTER + 34, _Y - 40, 12, 12)
    return [([far], 2), ([near], 1), ([moon], 1)]


def _rings() -> Layers:
    layers: Layers = []
    for number, radius in enumerate((54, 43, 32, 21, 10)):
        layers.append(([ellipse(CENTER, _Y, radius, radius)], 1 + number % 2))
    return layers


def _blocks() -> Layers:
    return [
        (
            [
                rounded(CENTER - 54, _Y - 54, CENTER - 2, _Y - 2, radius=2),
                rounded(CENTER + 2, _Y + 2, CENTER + 54, _Y + 54, radius=2),
            ],
            1,
        ),
        ([ellipse(CENTER + 28, _Y - 28, 26, 26), ellipse(CENTER - 28, _Y + 28, 26, 26)], 2),
    ]


def _sprig() -> Layers:
    stem = ribbon(opened([(CENTER - 4, _Y + 66), (CENTER + 5, _Y + 10), (CENTER - 2, _Y - 62)]), 2.6)
    leaves = []
    for step, y in enumerate(np.linspace(_Y - 50, _Y + 40, 6)):
        for side in (-1, 1):
            reach = 13 + 2.4 * step
            leaves.append(ellipse(CENTER + 1 + side * (reach + 2), y - reach * 0.42, reach, 6.2, tilt=-side * 28))
    return [([stem, *leaves[::2]], 1), (leaves[1::2], 1), ([ellipse(CENTER - 2, _Y - 68, 7, 11)], 2)]


def _waves() -> Layers:
    lines = []
    for row in range(9):
        x = np.linspace(-58, 58, 80)
        bump = 34 * np.exp(-(((x + 16 - row * 5) / 20) ** 2)) * np.sin(row * 0.9 + 0.7)
        lines.append(ribbon(np.stack([CENTER + x, _Y - 44 + row * 12 - bump * 0.6], axis=1), 2.4))
    return [(lines[::2], 1), (lines[1::2], 2)]


def _stripes_badge() -> Layers:
    bars = [
        rounded(CENTER - 60, _Y - 40 + 17 * row, CENTER + 60, _Y - 30 + 17 * row, radius=5) for row in range(5)
    ]
    return [(bars[::2], 1), (bars[1::2], 2)]


def _star_burst() -> Layers:
    rays = [
        moved(turned(closed([(-3, 20, 1), (0, 60 if step % 2 else 46, 1), (3, 20, 1)]), step * 22.5), CENTER, _Y)
        for step in range(16)
    ]
    return [(rays, 1), ([ellipse(CENTER, _Y, 14, 14)], 2)]


GRAPHICS: tuple[Callable[[], Layers], ...] = (
    _sunrise,
    _mountains,
    _rings,
    _blocks,
    _sprig,
    _waves,
    _stripes_badge,
    _star_burst,
)
