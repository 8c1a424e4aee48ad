"""Skirts: pencil, A-line, pleated, flared, of denim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, moved, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.garments.closures import lay_button
from tools.demo_catalog.garments.drape import flare_folds, wavy_hem
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Knot
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_TOP = 130.0
_WAIST = 80.0
_BOTTOM = {"Mini": 384.0, "Knee Length": 476.0, "Midi": 550.0, "Maxi": 596.0}
_THREAD = (206, 154, 92)


def draw_skirt(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A skirt."""
    bottom = _BOTTOM[design.length]
    with canvas.placed(dy=318 - (_TOP + bottom) / 2):
        inside = symmetric([(0, _TOP + 5), (_WAIST - 4, _TOP - 3, 1), (_WAIST - 4, _TOP + 30, 1), (0, _TOP + 30)])
        canvas.piece(inside, cloth.darker(0.35), Surface(puff=5, relief=0.2))
        {"pencil": _pencil, "a-line": _a_line, "pleated": _pleated, "flared": _flared, "denim": _denim}[
            design.style
        ](canvas, cloth, bottom)
        _lay_band(canvas, cloth, thread=design.style == "denim")


def _lay_band(canvas: Canvas, cloth: Cloth, *, thread: bool) -> None:
    band = symmetric(
        [
            (0, _TOP + 6),
            (_WAIST * 0.6, _TOP + 3),
            (_WAIST, _TOP - 4, 1),
            (_WAIST + 4, _TOP + 17, 1),
            (_WAIST * 0.6, _TOP + 24),
            (0, _TOP + 27),
        ]
    )
    canvas.piece(band, cloth, Surface(puff=6, relief=0.44, rim=0.14, crumple=0.2, shadow=0.2))
    if thread:
        for y in (4.0, 17.0):
            canvas.stitch(
                opened([(CENTER - _WAIST, _TOP - 3 + y), (CENTER, _TOP + 5 + y), (CENTER + _WAIST, _TOP - 3 + y)]),
                _THREAD,
                width=1,
            )
        for x in (-50, 50):
            canvas.piece(
                rounded(CENTER + x - 4, _TOP, CENTER + x + 4, _TOP + 28, radius=2),
                cloth,
                Surface(puff=3, relief=0.5, crumple=0, shadow=0.3),
            )
        lay_button(canvas, CENTER, _TOP + 16, 5, cloth.plain((186, 150, 96), fabric="metal"))


def _pencil(canvas: Canvas, cloth: Cloth, bottom: float) -> None:
    outline = symmetric(
        [
            (0, _TOP + 16),
            (_WAIST + 3, _TOP + 12, 1),
            (104, _TOP + 84),
            (108, _TOP + 140),
            (94, bottom, 1),
            (48, bottom + 5),
            (0, bottom + 6),
        ]
    )
    rng = canvas.rng
    folds = [
        Fold(
            opened(
                [
                    (CENTER - 60, _TOP + 96 + 30 * n),
                    (CENTER, _TOP + 104 + 30 * n + rng.uniform(-8, 8)),
                    (CENTER + 62, _TOP + 94 + 30 * n),
                ]
            ),
            12,
            -0.2,
        )
        for n in range(2)
    ]
    laid = canvas.piece(outline, cloth, Surface(puff=20, relief=0.5, crumple=0.7, folds=tuple(folds)))
    for side in (-1, 1):
        canvas.seam(sided(opened([(CENTER + 44, _TOP + 26), (CENTER + 50, _TOP + 84)]), side), depth=0.18, width=1)
    slit = opened([(CENTER + 34, bottom - 74), (CENTER + 35, bottom + 6)])
    canvas.shade(canvas.line(moved(slit, 3, 0), 7), 0.3, soft=3, within=laid)
    canvas.seam(slit, depth=0.4)
    canvas.seam(
        opened([(CENTER - 94, bottom - 12), (CENTER, bottom - 7), (CENTER + 94, bottom - 12)]), depth=0.1, width=1
    )


def _a_line(canvas: Canvas, cloth: Cloth, bottom: float) -> None:
    half = 96 + (bottom - _TOP) * 0.17
    outline = symmetric(
        [
            (0, _TOP + 16),
            (_WAIST + 3, _TOP + 12, 1),
            (104, _TOP + 84),
            (half, bottom - 6, 1),
            (half * 0.5, bottom + 8),
            (0, bottom + 11),
        ]
    )
    folds = flare_folds(canvas.rng, top=(_TOP + 60, 88), bottom=(bottom, half), count=3, strength=0.6)
    canvas.piece(outline, cloth, Surface(puff=18, relief=0.48, crumple=0.7, folds=folds))
    for number in range(int((bottom - _TOP - 50) / 44)):
        lay_button(canvas, CENTER, _TOP + 50 + number * 44, 4.6, cloth)
    canvas.seam(opened([(CENTER + 12, _TOP + 28), (CENTER + 13, bottom + 10)]), depth=0.24)


def _flared(canvas: Canvas, cloth: Cloth, bottom: float) -> None:
    half = 112 + (bottom - _TOP) * 0.19
    hem = wavy_hem(canvas.rng, y=bottom, half=half, waves=2, depth=4)
    outline = symmetric(
        [
            (0, _TOP + 16),
            (_WAIST + 3, _TOP + 12, 1),
            (100, _TOP + 60),
            (half - 20, bottom - 80),
            (half, bottom - 9, 1),
            *hem,
        ]
    )
    folds = flare_folds(canvas.rng, top=(_TOP + 10, 82), bottom=(bottom, half), count=6)
    canvas.piece(outline, cloth, Surface(puff=17, relief=0.48, crumple=0.5, folds=folds))


def _pleated(canvas: Canvas, cloth: Cloth, bottom: float) -> None:
    half, pleats = 104 + (bottom - _TOP) * 0.2, 12
    edge = np.linspace(1, -1, pleats + 1)
    hem: list[Knot] = []
    for number, share in enumerate(edge[: pleats // 2 + 1]):
        bow = 9 * (1 - share**2)
        hem.append((share * half, bottom + bow - 4, 1))
        if number < pleats // 2:
            hem.append(((share - 1.5 / pleats) * half, bottom + bow + 4, 1))
    outline = symmetric([(0, _TOP + 16), (_WAIST + 3, _TOP + 12, 1), *hem])
    folds = []
    for share in edge[1:-1]:
        top_x, end_x = CENTER + share * (_WAIST + 3), CENTER + share * half
        line = opened([(top_x, _TOP - 60), ((top_x + end_x) / 2, (_TOP + bottom) / 2), (end_x, bottom + 60)])
        folds += [Fold(moved(line, 4, 0), 9, 0.5), Fold(line - (2, 0), 8, -0.75)]
    canvas.piece(outline, cloth, Surface(puff=14, relief=0.52, crumple=0.2, folds=tuple(folds)))
    for share in edge[1:-1]:
        line = opened(
            [(CENTER + share * (_WAIST + 3), _TOP + 20), (CENTER + share * half, bottom + 9 * (1 - share**2) - 3)]
        )
        canvas.seam(line, depth=0.2, width=1)


def _denim(canvas: Canvas, cloth: Cloth, bottom: float) -> None:
    half = 108 + (bottom - _TOP) * 0.06
    outline = symmetric(
        [
            (0, _TOP + 16),
            (_WAIST + 3, _TOP + 12, 1),
            (104, _TOP + 80),
            (half, bottom - 4, 1),
            (half * 0.5, bottom + 5),
            (0, bottom + 7),
        ]
    )
    canvas.piece(outline, cloth, Surface(puff=18, relief=0.46, crumple=0.9))
    for side in (-1, 1):
        canvas.shade(
            canvas.region(
                [ribbon(opened([(CENTER + side * 52, _TOP + 100), (CENTER + side * 58, bottom - 60)]), 34)], pad=30
            ),
            -0.14,
            soft=16,
        )
        pocket = opened([(CENTER + 40, _TOP + 24), (CENTER + 54, _TOP + 56), (CENTER + 99, _TOP + 64)])
        canvas.seam(sided(pocket, side), depth=0.34)
        canvas.stitch(sided(moved(pocket, -2.6, 3), side), _THREAD, width=1)
    canvas.seam(opened([(CENTER, _TOP + 26), (CENTER, bottom + 7)]), depth=0.26)
    canvas.stitch(opened([(CENTER + 4, _TOP + 26), (CENTER + 4, bottom + 5)]), _THREAD, width=1)
    canvas.stitch(
        opened([(CENTER - half + 2, bottom - 14), (CENTER, bottom - 4), (CENTER + half - 2, bottom - 14)]),
        _THREAD,
        width=1,
    )
