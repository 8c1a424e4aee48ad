"""Trousers, jeans and shorts, and what they share: waistband, fly and legs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, sided
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.trims import lay_button
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


_THREAD = (206, 154, 92)


def draw_jeans(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """Jeans: skinny, slim, straight, wide or flared, with a faded front."""
    legs = lay_legs(canvas, design, cloth, bottom=598)
    for side in (-1, 1):
        fade = sided(ellipse(CENTER + 56, 300, 19, 108, tilt=3), side)
        canvas.shade(canvas.region([fade], pad=40), -0.2, soft=17)
        thread_line = sided(
            opened([(CENTER + half_waist(design) - 3, _TOP + 26), (CENTER + half_waist(design) + 8, 190)]),
            side,
        )
        canvas.stitch(moved(thread_line, -side * 5.0, 0.0), _THREAD, width=0.9, opacity=0.4)
        pocket = opened(
            [
                (CENTER + 40, _TOP + 25),
                (CENTER + 54, _TOP + 60),
                (CENTER + half_waist(design) + 4, _TOP + 72),
            ]
        )
        canvas.seam(sided(pocket, side), depth=0.34)
        for gap in (3.0, 6.0):
            canvas.stitch(sided(moved(pocket, -gap * 0.8, gap * 0.7), side), _THREAD, width=1)
        lay_button(
            canvas,
            CENTER + side * (half_waist(design) + 1),
            _TOP + 69,
            2.2,
            cloth.plain(_THREAD, fabric="metal"),
        )
    lay_fly(canvas, _THREAD)
    lay_waistband(canvas, design, cloth, thread=_THREAD)
    lay_button(canvas, CENTER, _TOP + 12, 5, cloth.plain((186, 150, 96), fabric="metal"))
    for line in legs:
        canvas.stitch(line, _THREAD, width=1)


def draw_trousers(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """Trousers: chinos, pressed ones, wide ones, or joggers."""
    legs = lay_legs(canvas, design, cloth, bottom=598, crease=design.style not in ("jogger", "slim"))
    for side in (-1, 1):
        pocket = opened(
            [
                (CENTER + half_waist(design) - 22, _TOP + 24),
                (CENTER + half_waist(design) + 6, _TOP + 96),
            ]
        )
        canvas.seam(sided(pocket, side), depth=0.3)
    if design.style == "jogger":
        for side in (-1, 1):
            hem = _KNEE_HEM["jogger"][2]
            band = rounded(CENTER + hem - 25, 574, CENTER + hem + 25, 604, radius=4)
            canvas.piece(
                sided(band, side), cloth.plain(fabric="rib"), Surface(puff=6, relief=0.5, crumple=0.1, shadow=0.2)
            )
        lay_waistband(canvas, design, cloth.plain(fabric="rib"), loops=False)
        for side in (-1, 1):
            cord = opened(
                [
                    (CENTER + 6, _TOP + 18),
                    (CENTER + 9, _TOP + 50),
                    (CENTER + 7, _TOP + 84 + 6 * side),
                ]
            )
            canvas.piece(
                sided(ribbon(cord, 3.6), side),
                cloth.plain(mixed(cloth.main, (248, 246, 240), 0.8), fabric="canvas"),
                Surface(puff=2, relief=0.6, crumple=0, shadow=0.3),
            )
        return
    lay_fly(canvas, mixed(cloth.main, (24, 24, 28), 0.4))
    lay_waistband(canvas, design, cloth)
    lay_button(canvas, CENTER + 4, _TOP + 12, 3.6, cloth)
    for line in legs:
        canvas.seam(line, depth=0.14, width=1)


def draw_shorts(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """Shorts: chino, denim, running, or paper-bag waist."""
    with canvas.placed(scale=1.18, dx=-0.18 * CENTER, dy=78):
        bottom = {"Short": 268.0, "Knee Length": 322.0}.get(design.length, 292.0)
        half = half_waist(design)
        is_denim = design.fabric == "denim"
        for side in (-1, 1):
            leg = closed(
                [
                    (CENTER - 2, _TOP + 14, 1),
                    (CENTER + half, _TOP + 14, 1),
                    (CENTER + half + 18, 150),
                    (CENTER + half + 26, bottom, 1),
                    (CENTER + 66, bottom + 7),
                    (CENTER + 14, bottom + 3, 1),
                    (CENTER + 3, _CROTCH - 10, 1),
                ]
            )
            canvas.piece(
                sided(leg, side),
                cloth,
                Surface(
                    puff=15,
                    relief=0.46,
                    crumple=1.0,
                    shadow=0.16 if side > 0 else 0,
                    folds=hip_folds(canvas.rng, half, side),
                    angle=side * -3.0,
                ),
            )
            hem = opened(
                [(CENTER + half + 25, bottom - 15), (CENTER + 66, bottom - 8), (CENTER + 14, bottom - 12)]
            )
            thread = _THREAD if is_denim else mixed(cloth.main, (24, 24, 28), 0.4)
            canvas.stitch(sided(hem, side), thread, width=1, opacity=0.6)
            pocket = (
                opened(
                    [
                        (CENTER + 42, _TOP + 25),
                        (CENTER + 58, _TOP + 60),
                        (CENTER + half + 5, _TOP + 74),
                    ]
                )
                if is_denim
                else opened([(CENTER + half - 20, _TOP + 22), (CENTER + half + 8, _TOP + 92)])
            )
            canvas.seam(sided(pocket, side), depth=0.3)
            if is_denim:
                canvas.stitch(sided(moved(pocket, -3, 3), side), _THREAD, width=1)
        canvas.seam(opened([(CENTER, _TOP + 22), (CENTER, _CROTCH - 12)]), depth=0.24)
        is_sporty = design.style == "running"
        if not is_sporty:
            lay_fly(canvas, _THREAD if is_denim else mixed(cloth.main, (24, 24, 28), 0.4))
        lay_waistband(
            canvas,
            design,
            cloth.plain(fabric="rib") if is_sporty else cloth,
            loops=not is_sporty,
            thread=_THREAD if is_denim else None,
        )
        if is_sporty:
            for side in (-1, 1):
                cord = opened(
                    [
                        (CENTER + 6, _TOP + 18),
                        (CENTER + 9, _TOP + 44),
                        (CENTER + 7, _TOP + 72 + 5 * side),
                    ]
                )
                canvas.piece(
                    sided(ribbon(cord, 3.4), side),
                    cloth.plain((240, 238, 234), fabric="canvas"),
                    Surface(puff=2, relief=0.6, crumple=0, shadow=0.3),
                )
                stripe = ribbon(
                    opened(
                        [
                            (CENTER + half - 2, _TOP + 24),
                            (CENTER + half + 8, 150),
                            (CENTER + half + 16, bottom),
                        ]
                    ),
                    8,
                )
                canvas.tint(canvas.region([sided(stripe, side)]), cloth.colors[1], opacity=0.9)
        else:
            lay_button(
                canvas,
                CENTER,
                _TOP + 12,
                4.4,
                cloth.plain((186, 150, 96), fabric="metal") if is_denim else cloth,
            )
