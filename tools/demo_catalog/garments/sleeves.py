"""Sleeves and their cuffs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, moved, opened, sided
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Knot, Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.garments.torso import Torso
    from tools.demo_catalog.region import Region


def sleeve_outline(torso: Torso, length: str, *, wide: float = 0.0) -> Points:
    """The right sleeve, from below the shoulder's seam."""
    s, sy, c, cy = torso.shoulder, torso.shoulder_y, torso.chest, torso.chest_y
    head: list[Knot] = [(s - 30, sy - 4, 1), (s - 6, sy - 2, 1)]
    pit: list[Knot] = [(c - 3, cy + 9, 1), (c - 26, cy - 12, 1)]
    arm: list[Knot]
    if length == "Short":
        arm = [
            (s + 22, sy + 16),
            (s + 42, sy + 58),
            (s + 58 + wide, sy + 104, 1),
            (s + 34, sy + 120),
            (s + 6, sy + 126, 1),
        ]
    elif length == "Three-Quarter":
        arm = [
            (s + 24, sy + 24),
            (s + 42, sy + 110),
            (s + 58 + wide, sy + 240, 1),
            (s + 36, sy + 248),
            (s + 13 - wide * 0.4, sy + 246, 1),
            (s + 4, sy + 160),
        ]
    elif length == "Cap":
        arm = [(s + 18, sy + 18), (s + 30, sy + 52, 1), (s + 10, sy + 74), (s - 8, sy + 84, 1)]
    else:
        arm = [
            (s + 23, sy + 22),
            (s + 41, sy + 110),
            (s + 55 + wide * 0.5, sy + 220),
            (s + 62 + wide, sy + 352, 1),
            (s + 44, sy + 358),
            (s + 24 - wide * 0.3, sy + 356, 1),
            (s + 14, sy + 240),
            (s + 2, sy + 160),
        ]
    return _closed([*head, *arm, *pit])


def cuff_line(torso: Torso, length: str, *, up: float, wide: float = 0.0) -> Points:
    """The line of the right sleeve's hem, or one that is so far above it."""
    s, sy = torso.shoulder, torso.shoulder_y
    ends = {
        "Short": ((s + 58 + wide, sy + 104), (s + 34, sy + 120), (s + 6, sy + 126), (-0.42, -0.9)),
        "Cap": ((s + 30, sy + 52), (s + 10, sy + 74), (s - 8, sy + 84), (-0.6, -0.8)),
        "Three-Quarter": (
            (s + 58 + wide, sy + 240),
            (s + 36, sy + 248),
            (s + 13 - wide * 0.4, sy + 246),
            (-0.08, -1.0),
        ),
    }
    outer, middle, inner, (dx, dy) = ends.get(
        length, ((s + 62 + wide, sy + 352), (s + 44, sy + 358), (s + 24 - wide * 0.3, sy + 356), (-0.05, -1.0))
    )
    line = opened(
        [(CENTER + outer[0] + 2, outer[1]), (CENTER + middle[0], middle[1]), (CENTER + inner[0] - 3, inner[1])]
    )
    return np.asarray(moved(line, dx * up, dy * up))


def lay_sleeves(  # noqa: PLR0913 -- a sleeve is said by its torso, length and width
    canvas: Canvas, torso: Torso, cloth: Cloth, length: str, *, wide: float = 0.0, surface: Surface | None = None
) -> tuple[Region, ...]:
    """Both sleeves, to be laid before the front; nothing for a length that is none."""
    if length in ("", "Sleeveless"):
        return ()
    rng = canvas.rng
    laid = []
    for side in (-1, 1):
        outline = sided(sleeve_outline(torso, length, wide=wide), side)
        look = surface or Surface(puff=15, relief=0.46, crumple=0.8)
        angle = side * (24.0 if length in ("Short", "Cap") else 9.0)
        folds = _sleeve_folds(torso, length, side, rng)
        laid.append(
            canvas.piece(
                outline,
                cloth,
                Surface(
                    puff=look.puff,
                    relief=look.relief,
                    rim=look.rim,
                    crumple=look.crumple,
                    gloss=look.gloss,
                    angle=angle,
                    folds=(*look.folds, *folds),
                ),
            )
        )
        inner = opened(
            [
                (CENTER + torso.chest + 2, torso.chest_y - 60),
                (CENTER + torso.chest + 4, torso.chest_y + 4),
                (CENTER + torso.chest + 8, torso.chest_y + 90),
            ]
        )
        canvas.shade(canvas.line(sided(inner, side), 12), 0.3, soft=6, within=laid[-1])
    return tuple(laid)


def cuff_band(torso: Torso, *, depth: float, wide: float = 0.0) -> Points:
    """The outline of a band below a long right sleeve."""
    s, y = torso.shoulder + CENTER, torso.shoulder_y
    return _absolute(
        [
            (s + 60 + wide, y + 351, 1),
            (s + 44, y + 357),
            (s + 25 - wide * 0.3, y + 355, 1),
            (s + 28 - wide * 0.3, y + 355 + depth, 1),
            (s + 44, y + 357 + depth),
            (s + 59 + wide * 0.7, y + 352 + depth, 1),
        ]
    )


def _absolute(knots: list[Knot]) -> Points:
    return _closed([(knot[0] - CENTER, *knot[1:]) for knot in knots])


def _closed(knots: list[Knot]) -> Points:
    return closed([(knot[0] + CENTER, *knot[1:]) for knot in knots])


def _sleeve_folds(torso: Torso, length: str, side: int, rng: np.random.Generator) -> tuple[Fold, ...]:
    s, sy = CENTER + torso.shoulder, torso.shoulder_y
    lines = []
    if length in ("Short", "Cap"):
        lines.append((opened([(s + 2, sy + 30), (s + 20, sy + 70), (s + 26, sy + 112)]), 14.0, -0.34))
        lines.append((opened([(s + 16, sy + 30), (s + 34, sy + 66), (s + 44, sy + 104)]), 14.0, 0.3))
    else:
        for start in (130, 168, 205):
            y = sy + start + rng.uniform(-12, 12)
            lines.append(
                (
                    opened([(s + 6, y), (s + 22, y + 10), (s + 42, y + rng.uniform(0, 14))]),
                    rng.uniform(9, 14),
                    -0.4,
                )
            )
        lines.append((opened([(s + 10, sy + 40), (s + 22, sy + 100), (s + 26, sy + 150)]), 18.0, 0.34))
        lines.append((opened([(s + 36, sy + 225), (s + 42, sy + 280), (s + 40, sy + 335)]), 14.0, 0.34))
    return tuple(Fold(sided(line, side), width, depth) for line, width, depth in lines)
