"""Shorts: chino, denim, running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, moved, opened, ribbon, sided
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import lay_button
from tools.demo_catalog.garments.legs import half_waist, hip_folds, lay_fly, lay_waistband
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_TOP = 52.0
_THREAD = (206, 154, 92)
_CROTCH = 214.0


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
                opened([(CENTER + 42, _TOP + 25), (CENTER + 58, _TOP + 60), (CENTER + half + 5, _TOP + 74)])
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
                    [(CENTER + 6, _TOP + 18), (CENTER + 9, _TOP + 44), (CENTER + 7, _TOP + 72 + 5 * side)]
                )
                canvas.piece(
                    sided(ribbon(cord, 3.4), side),
                    cloth.plain((240, 238, 234), fabric="canvas"),
                    Surface(puff=2, relief=0.6, crumple=0, shadow=0.3),
                )
                stripe = ribbon(
                    opened(
                        [(CENTER + half - 2, _TOP + 24), (CENTER + half + 8, 150), (CENTER + half + 16, bottom)]
                    ),
                    8,
                )
                canvas.tint(canvas.region([sided(stripe, side)]), cloth.colors[1], opacity=0.9)
        else:
            lay_button(
                canvas, CENTER, _TOP + 12, 4.4, cloth.plain((186, 150, 96), fabric="metal") if is_denim else cloth
            )
