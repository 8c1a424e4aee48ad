"""Sewn or printed on: buttons, zips, buckles, pockets, and the graphics of T-shirts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, turned
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.palette import GOLD, is_dark
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.demo_catalog.canvas import Canvas, Region
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.palette import Rgb

    Layers = list[tuple[list[Points], int]]  # outlines, and which of the cloth's colors fills them


def lay_button(canvas: Canvas, x: float, y: float, radius: float, cloth: Cloth) -> None:
    """A round button."""
    dark = is_dark(cloth.main)
    tone = mixed(cloth.main, (120, 118, 118) if dark else (250, 248, 244), 0.3 if dark else 0.55)
    canvas.piece(
        ellipse(x, y, radius, radius),
        cloth.plain(tone, fabric="rubber"),
        Surface(puff=2, relief=0.8, rim=0.3, crumple=0, shadow=0.35),
    )
    for dx, dy in ((-1.0, -1.0), (1.0, 1.0)):
        canvas.shade(canvas.region([ellipse(x + dx, y + dy, 0.7, 0.7)]), 0.5)


def lay_zip(canvas: Canvas, points: Points, *, width: float = 5.0) -> None:
    """A zip with its puller at the top."""
    canvas.lay(canvas.line(points, width), (52, 52, 56))
    canvas.tint(canvas.line(points, width * 0.5, dash=(1.6, 1.6)), (206, 208, 212), opacity=0.9)
    x, y = float(points[0][0]), float(points[0][1])
    puller = closed([(x - 2.6, y + 4, 1), (x + 2.6, y + 4, 1), (x + 3.4, y + 20), (x, y + 24), (x - 3.4, y + 20)])
    canvas.cast(canvas.region([puller], pad=8), strength=0.3, reach=3)
    canvas.lay(canvas.region([puller]), (188, 190, 194))


def lay_chest_pocket(canvas: Canvas, cloth: Cloth, *, flap: bool = False) -> None:
    """A patch pocket on the wearer's left."""
    x, y = CENTER + 28, 232
    outline = closed([(x, y, 1), (x + 50, y, 1), (x + 50, y + 46, 1), (x + 25, y + 58, 1), (x, y + 46, 1)])
    canvas.piece(outline, cloth, Surface(puff=5, relief=0.3, rim=0.12, crumple=0.2, shadow=0.14))
    canvas.seam(opened([(x, y + 9), (x + 50, y + 9)]), depth=0.16, width=1)
    if flap:
        canvas.piece(
            closed(
                [
                    (x - 2, y - 6, 1),
                    (x + 52, y - 6, 1),
                    (x + 52, y + 10, 1),
                    (x + 25, y + 20, 1),
                    (x - 2, y + 10, 1),
                ]
            ),
            cloth,
            Surface(puff=4, relief=0.3, rim=0.14, crumple=0.1, shadow=0.2),
        )
        lay_button(canvas, x + 25, y + 12, 3, cloth)


def lay_buckle(canvas: Canvas, center: tuple[float, float], size: tuple[float, float], metal: Cloth) -> None:
    """A small frame around a strap."""
    (x, y), (width, height) = center, size
    outer = rounded(x - width / 2, y - height / 2, x + width / 2, y + height / 2, radius=3)
    inner = rounded(x - width / 2 + 4, y - height / 2 + 4, x + width / 2 - 4, y + height / 2 - 4, radius=2)
    canvas.piece(outer, metal, Surface(puff=2, relief=0.7, crumple=0, shadow=0.3), holes=[inner])


def lay_stud(canvas: Canvas, x: float, y: float, cloth: Cloth, *, radius: float = 4.0) -> None:
    """A golden stud."""
    look = Surface(puff=3, relief=0.7, rim=0.3, crumple=0, shadow=0.3)
    canvas.piece(ellipse(x, y, radius, radius), cloth.plain(GOLD, fabric="metal"), look)


def thread_of(cloth: Cloth) -> Rgb:
    """The color of a quiet thread: a little darker than the cloth, or lighter on dark cloth."""
    return mixed(cloth.main, (205, 205, 208) if is_dark(cloth.main) else (18, 18, 22), 0.38)


def contrast_thread(cloth: Cloth) -> Rgb:
    """The color of a thread that is to be seen, as on leather."""
    return mixed(cloth.main, (248, 242, 232) if is_dark(cloth.main, below=0.5) else (60, 46, 36), 0.48)


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
