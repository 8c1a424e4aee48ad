"""Belts, rolled up with the buckle to the front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded
from tools.demo_catalog.garments.closures import contrast_thread
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_belt(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A belt rolled up, its buckle to the front."""
    size = float(canvas.rng.uniform(0.96, 1.05))
    with canvas.placed(scale=size, dx=CENTER * (1 - size)):
        _draw(canvas, design, cloth)


def _draw(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    metal = cloth.plain(cloth.colors[2], fabric="metal")
    band = 54.0 if design.gender == "Men" else 40.0
    outer, inner = _Roll(168, 62, 300), _Roll(142, 48, 302)
    _lay_roll(canvas, cloth.darker(0.3), outer, band, back=True)
    _lay_roll(canvas, cloth.darker(0.18), inner, band, back=True)
    _lay_roll(canvas, cloth, inner, band, back=False)
    _lay_roll(canvas, cloth, outer, band, back=False)
    end = closed(
        [
            (CENTER - 30, 356, 1),
            (CENTER + 60, 350),
            (CENTER + 138, 322),
            (CENTER + 160, 330),
            (CENTER + 158, 324 + band),
            (CENTER + 100, 346 + band),
            (CENTER - 30, 358 + band, 1),
        ]
    )
    canvas.piece(end, cloth, Surface(puff=8, relief=0.5, rim=0.2, crumple=0, shadow=0.34))
    for x in (CENTER + 40, CENTER + 64, CENTER + 88, CENTER + 112):
        y = 352 + band / 2 - 0.0035 * (x - CENTER) ** 2 + 2
        canvas.shade(canvas.region([ellipse(x, y, 3, 3)]), 0.75)
    size = band + 22
    frame = rounded(
        CENTER - 62,
        357 + band / 2 - size / 2,
        CENTER + 2,
        357 + band / 2 + size / 2,
        radius=9 if design.style != "plate" else 4,
    )
    hole = rounded(
        CENTER - 51, 357 + band / 2 - size / 2 + 11, CENTER - 9, 357 + band / 2 + size / 2 - 11, radius=4
    )
    if design.style == "round":
        frame, hole = ellipse(CENTER - 30, 357 + band / 2, 40, 40), ellipse(CENTER - 30, 357 + band / 2, 29, 29)
    look = Surface(puff=4, relief=0.7, rim=0.3, crumple=0, shadow=0.36)
    canvas.piece(frame, metal, look, holes=[] if design.style == "plate" else [hole])
    if design.style != "plate":
        canvas.piece(
            ribbon(
                opened(
                    [(CENTER - 58, 357 + band / 2), (CENTER - 20, 355 + band / 2), (CENTER + 4, 357 + band / 2)]
                ),
                6,
                end=5,
            ),
            metal,
            look,
        )
    keeper = rounded(CENTER + 14, 352, CENTER + 28, 360 + band, radius=3)
    canvas.piece(keeper, cloth, Surface(puff=4, relief=0.56, rim=0.2, crumple=0, shadow=0.36))


@dataclass(frozen=True, slots=True)
class _Roll:
    """One turn of a belt: half width, half depth, and the height of its middle."""

    rx: float
    ry: float
    y: float


def _lay_roll(canvas: Canvas, cloth: Cloth, roll: _Roll, band: float, *, back: bool) -> None:
    start, stop = (np.pi, 2 * np.pi) if back else (0.0, np.pi)
    turn = np.linspace(start, stop, 60)
    edge = np.stack([CENTER + roll.rx * np.cos(turn), roll.y + roll.ry * np.sin(turn)], axis=1)
    outline = np.concatenate([edge, moved(edge, 0, band)[::-1]])
    canvas.piece(outline, cloth, Surface(puff=9, relief=0.5, rim=0.2, crumple=0, shadow=0.2))
    if back:
        return
    for inset in (5.0, band - 5):
        canvas.stitch(moved(edge[2:-2], 0, inset), contrast_thread(cloth), width=1, opacity=0.6)
