"""What trousers share: legs, fly and waistband, and how their cloth falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, opened, rounded, sided
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    import numpy as np

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.palette import Rgb
    from tools.demo_catalog.product import Design

_TOP = 52.0
_CROTCH = 214.0
_KNEE_HEM = {  # half widths of a leg at the knee and at the hem, and how far the hem's middle is from the center
    "skinny": (31.0, 23.0, 62.0),
    "slim": (36.0, 29.0, 66.0),
    "straight": (42.0, 40.0, 70.0),
    "wide": (54.0, 66.0, 82.0),
    "flared": (35.0, 58.0, 76.0),
    "jogger": (40.0, 25.0, 64.0),
}


def half_waist(design: Design) -> float:
    """Half the width of a waist."""
    return 74.0 if design.gender in ("Women", "Girls") else 82.0


def lay_legs(canvas: Canvas, design: Design, cloth: Cloth, *, bottom: float, crease: bool = False) -> list[Points]:
    """Both legs; returns the lines of their hems."""
    rng, half = canvas.rng, half_waist(design)
    knee, ankle, middle = _KNEE_HEM[design.style]
    if design.length == "Cropped":
        bottom -= 62
    hip = half + (21 if design.gender in ("Women", "Girls") else 15)
    hems = []
    inside = closed(
        [
            (CENTER - half + 4, _TOP + 3, 1),
            (CENTER, _TOP + 9),
            (CENTER + half - 4, _TOP + 3, 1),
            (CENTER + half - 4, _TOP + 40, 1),
            (CENTER - half + 4, _TOP + 40, 1),
        ]
    )
    canvas.piece(inside, cloth.darker(0.4), Surface(puff=5, relief=0.2))
    for side in (-1, 1):
        mid_knee = (middle + 48) / 2 + 8
        leg = closed(
            [
                (CENTER - 2, _TOP + 10, 1),
                (CENTER + half, _TOP + 6, 1),
                (CENTER + hip - 1, 132),
                (CENTER + hip + 1, 196),
                (CENTER + mid_knee + knee, 388),
                (CENTER + middle + ankle, bottom, 1),
                (CENTER + middle, bottom + 5),
                (CENTER + middle - ankle, bottom + 1, 1),
                (CENTER + max(mid_knee - knee, 5), 388),
                (CENTER + 6, _CROTCH + 16),
                (CENTER + 1, _CROTCH, 1),
            ]
        )
        folds = [*hip_folds(rng, half, side), *_knee_folds(rng, mid_knee, knee, side, bottom)]
        if crease:
            line = opened([(CENTER + half * 0.52, 120), (CENTER + mid_knee, 388), (CENTER + middle, bottom + 40)])
            folds.append(Fold(sided(line, side), 11, 0.55))
        canvas.piece(
            sided(leg, side),
            cloth,
            Surface(
                puff=16,
                relief=0.46,
                crumple=0.8,
                shadow=0.16 if side > 0 else 0,
                folds=tuple(folds),
                angle=side * -4.0,
            ),
        )
        hems.append(
            sided(
                opened(
                    [
                        (CENTER + middle + ankle, bottom - 11),
                        (CENTER + middle, bottom - 6),
                        (CENTER + middle - ankle, bottom - 10),
                    ]
                ),
                side,
            )
        )
    canvas.seam(opened([(CENTER, _TOP + 22), (CENTER, _CROTCH - 2)]), depth=0.24)
    return hems


def hip_folds(rng: np.random.Generator, half: float, side: int) -> tuple[Fold, ...]:
    """Creases from the crotch to the hip."""
    folds = []
    for number in range(3):
        y = _CROTCH - 8 + 12 * number
        line = opened(
            [
                (CENTER + 8, y),
                (CENTER + 30, y - 12 + rng.uniform(-6, 6)),
                (CENTER + half * rng.uniform(0.68, 0.92), y - 26 + 20 * number),
            ]
        )
        folds.append(Fold(sided(line, side), rng.uniform(9, 13), -0.36))
    return tuple(folds)


def _knee_folds(rng: np.random.Generator, middle: float, half: float, side: int, bottom: float) -> list[Fold]:
    folds = []
    for base in (376.0, 408.0, bottom - 60, bottom - 34):
        y = base + rng.uniform(-9, 9)
        start = CENTER + middle + half * rng.uniform(-0.8, -0.5)
        line = opened(
            [
                (start, y),
                (start + half * 0.6, y + rng.uniform(5, 11)),
                (start + half * rng.uniform(1.0, 1.4), y + rng.uniform(-4, 6)),
            ]
        )
        folds.append(Fold(sided(line, side), rng.uniform(9, 13), -0.32))
    line = opened([(CENTER + middle * 0.95, 240), (CENTER + middle * 0.98, 310), (CENTER + middle, 370)])
    folds.append(Fold(sided(line, side), half * 0.9, 0.34))
    return folds


def lay_fly(canvas: Canvas, thread: Rgb) -> None:
    """The stitches of a fly."""
    curve = opened(
        [(CENTER + 17, _TOP + 24), (CENTER + 17, _TOP + 84), (CENTER + 12, _TOP + 104), (CENTER + 1, _TOP + 116)]
    )
    canvas.stitch(curve, thread, width=1, opacity=0.6)
    canvas.shade(canvas.line(curve, 2), 0.12, soft=1)


def lay_waistband(
    canvas: Canvas, design: Design, cloth: Cloth, *, loops: bool = True, thread: Rgb | None = None
) -> None:
    """A waistband with its loops, and with a thread its stitches."""
    half = half_waist(design)
    band = closed(
        [
            (CENTER - half + 1, _TOP - 2, 1),
            (CENTER, _TOP + 3),
            (CENTER + half - 1, _TOP - 2, 1),
            (CENTER + half + 1, _TOP + 20, 1),
            (CENTER, _TOP + 25),
            (CENTER - half - 1, _TOP + 20, 1),
        ]
    )
    canvas.piece(band, cloth, Surface(puff=6, relief=0.44, rim=0.14, crumple=0.2, shadow=0.2))
    if thread:
        for y in (3.0, 18.0):
            canvas.stitch(
                opened(
                    [(CENTER - half + 2, _TOP - 1 + y), (CENTER, _TOP + 3 + y), (CENTER + half - 2, _TOP - 1 + y)]
                ),
                thread,
                width=1,
            )
    if loops:
        for x in (-0.62, 0.62):
            loop = rounded(CENTER + x * half - 4, _TOP - 3, CENTER + x * half + 4, _TOP + 28, radius=2)
            canvas.piece(loop, cloth, Surface(puff=3, relief=0.5, rim=0.2, crumple=0, shadow=0.3))
        canvas.seam(opened([(CENTER + 1, _TOP + 3), (CENTER + 1, _TOP + 24)]), depth=0.3)
