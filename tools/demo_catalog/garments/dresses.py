"""Dresses and skirts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, moved, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.garments.body import (
    Torso,
    body_folds,
    body_outline,
    cuff_line,
    flare_folds,
    lay_back,
    lay_sleeves,
    neckline,
    wavy_hem,
)
from tools.demo_catalog.garments.trims import lay_button
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Knot
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


_TALLEST = 530.0
_LARGEST = 1.04
_HEM = {"Mini": 500.0, "Knee Length": 590.0, "Midi": 640.0, "Maxi": 688.0}
_WAIST_Y = 306.0


def draw_dress(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A dress."""
    bottom = _HEM[design.length]
    height = bottom - 70
    scale = min(_LARGEST, _TALLEST / height)
    with canvas.placed(scale=scale, dx=CENTER * (1 - scale), dy=320 - (70 + height / 2) * scale):
        if design.style == "slip":
            _draw_slip(canvas, cloth, bottom)
        elif design.style == "sheath":
            _draw_sheath(canvas, design, cloth, bottom)
        else:
            _draw_flared(canvas, design, cloth, bottom)


def _draw_flared(canvas: Canvas, design: Design, cloth: Cloth, bottom: float) -> None:
    """A bodice with a skirt: plain, wrapped, or buttoned through."""
    bare = design.sleeve == "Sleeveless"
    torso = Torso(
        neck=56,
        neck_y=92,
        shoulder=84 if bare else 104,
        shoulder_y=108 if bare else 118,
        chest=97,
        chest_y=212,
        waist=79,
        waist_y=_WAIST_Y - 14,
        hem=79,
        hem_y=_WAIST_Y,
        hem_bow=3,
    )
    lay_back(canvas, torso, cloth)
    wide = 14.0 if design.style == "wrap" else 4.0
    lay_sleeves(canvas, torso, cloth, design.sleeve, wide=wide)
    if not bare:
        for side in (-1, 1):
            canvas.seam(sided(cuff_line(torso, design.sleeve, up=8, wide=wide), side), depth=0.14, width=1)
    half = 150.0 + (bottom - 560) * 0.16
    hem = wavy_hem(canvas.rng, y=bottom, half=half, waves=2, depth=4)
    skirt = symmetric(
        [
            (0, _WAIST_Y - 6),
            (79, _WAIST_Y - 5, 1),
            (92, _WAIST_Y + 30),
            (half - 24, bottom - 90),
            (half, bottom - 9, 1),
            *hem,
        ]
    )
    folds = flare_folds(canvas.rng, top=(_WAIST_Y, 76), bottom=(bottom, half), count=6)
    laid = canvas.piece(skirt, cloth, Surface(puff=17, relief=0.46, crumple=0.5, folds=folds))
    neck = "V-Neck" if design.style == "wrap" else design.neck
    front = neckline(torso, neck)
    canvas.piece(
        body_outline(torso, front),
        cloth,
        Surface(puff=16, relief=0.46, crumple=0.6, shadow=0.14, folds=body_folds(torso, canvas.rng, strength=0.7)),
    )
    canvas.seam(moved(front, 0, 6), depth=0.16, width=1)
    if design.style == "wrap":
        edge = opened(
            [(CENTER - torso.neck + 8, 100), (CENTER - 14, 168), (CENTER + 48, 250), (CENTER + 74, _WAIST_Y - 8)]
        )
        canvas.seam(edge, depth=0.4, width=1.6)
        flap = opened([(CENTER + 52, _WAIST_Y + 4), (CENTER + 60, 420), (CENTER + 34, bottom)])
        canvas.shade(canvas.line(moved(flap, 3, 0), 8), 0.22, soft=4, within=laid)
        canvas.seam(flap, depth=0.3)
        _lay_tie(canvas, cloth)
    elif design.style == "shirt":
        _lay_buttons(canvas, torso, cloth, bottom)
    else:
        belt = symmetric([(0, _WAIST_Y - 10), (80, _WAIST_Y - 12, 1), (80, _WAIST_Y + 3, 1), (0, _WAIST_Y + 6)])
        canvas.piece(belt, cloth, Surface(puff=4, relief=0.4, rim=0.12, crumple=0.2, shadow=0.16))


def _lay_tie(canvas: Canvas, cloth: Cloth) -> None:
    sash = symmetric([(0, _WAIST_Y - 10), (80, _WAIST_Y - 12, 1), (81, _WAIST_Y + 5, 1), (0, _WAIST_Y + 8)])
    look = Surface(puff=5, relief=0.5, rim=0.14, crumple=0.4, shadow=0.24)
    canvas.piece(sash, cloth, look)
    x, y = CENTER + 58, _WAIST_Y - 2
    for end in ((x + 16, y + 130), (x - 8, y + 112)):
        canvas.piece(ribbon(opened([(x, y), ((x + end[0]) / 2 + 8, y + 50), end]), 8, end=14), cloth, look)
    canvas.piece(closed([(x, y), (x + 22, y - 20), (x + 42, y - 8), (x + 22, y + 6)]), cloth, look)
    canvas.piece(rounded(x - 9, y - 9, x + 9, y + 10, radius=6), cloth, look)


def _lay_buttons(canvas: Canvas, torso: Torso, cloth: Cloth, bottom: float) -> None:
    top = torso.neck_y + 36
    canvas.piece(
        rounded(CENTER - 10, top, CENTER + 10, bottom + 6, radius=2),
        cloth,
        Surface(puff=3, relief=0.34, rim=0.08, crumple=0.2, shadow=0.14),
    )
    belt = symmetric([(0, _WAIST_Y - 11), (80, _WAIST_Y - 13, 1), (81, _WAIST_Y + 6, 1), (0, _WAIST_Y + 9)])
    y = top + 18.0
    while y < bottom - 20:
        lay_button(canvas, CENTER, y, 3.8, cloth)
        y += 42
    canvas.piece(belt, cloth, Surface(puff=5, relief=0.46, rim=0.14, crumple=0.2, shadow=0.24))
    for side in (-1, 1):
        leaf = closed(
            [
                (CENTER + torso.neck - 4, 82, 1),
                (CENTER + torso.neck + 8, 94),
                (CENTER + torso.neck + 8, 112),
                (CENTER + 44, 156, 1),
                (CENTER + 1, 130, 1),
                (CENTER + torso.neck * 0.64, 116),
            ]
        )
        canvas.piece(
            sided(leaf, side),
            cloth,
            Surface(puff=6, relief=0.46, rim=0.14, crumple=0.1, shadow=0.24, angle=side * 38),
        )


def _draw_sheath(canvas: Canvas, design: Design, cloth: Cloth, bottom: float) -> None:
    bare = design.sleeve == "Sleeveless"
    torso = Torso(
        neck=56,
        neck_y=92,
        shoulder=82 if bare else 102,
        shoulder_y=106 if bare else 118,
        chest=96,
        chest_y=212,
        waist=78,
        waist_y=_WAIST_Y,
        hem=88,
        hem_y=bottom,
        hem_bow=6,
    )
    lay_back(canvas, torso, cloth)
    lay_sleeves(canvas, torso, cloth, design.sleeve)
    front = neckline(torso, design.neck)
    outline = body_outline(torso, front)
    # the hips between waist and hem
    width = 26 * (1 - ((outline[:, 1] - 420) / 112).clip(-1, 1) ** 2)
    outline[:, 0] += width * (outline[:, 0] - CENTER) / 88
    canvas.piece(
        outline,
        cloth,
        Surface(puff=18, relief=0.48, crumple=0.8, folds=body_folds(torso, canvas.rng, strength=0.7)),
    )
    canvas.seam(moved(front, 0, 6), depth=0.16, width=1)
    for side in (-1, 1):
        dart = opened([(CENTER + 46, 236), (CENTER + 38, _WAIST_Y), (CENTER + 44, 400)])
        canvas.seam(sided(dart, side), depth=0.14, width=1)
    canvas.seam(opened([(CENTER - 76, _WAIST_Y - 4), (CENTER, _WAIST_Y), (CENTER + 76, _WAIST_Y - 4)]), depth=0.2)


def _draw_slip(canvas: Canvas, cloth: Cloth, bottom: float) -> None:
    back = symmetric([(0, 196), (60, 186), (84, 222, 1), (50, 270, 1), (0, 280)])
    canvas.shade(canvas.piece(back, cloth.darker(0.2), Surface(puff=9, relief=0.2)), 0.15)
    for side in (-1, 1):
        behind = opened([(CENTER + 44, 82), (CENTER + 48, 130), (CENTER + 42, 194)])
        strap = opened([(CENTER + 54, 168), (CENTER + 53, 126), (CENTER + 44, 81)])
        canvas.piece(sided(ribbon(behind, 4), side), cloth.darker(0.25), Surface(puff=2, crumple=0))
        canvas.piece(sided(ribbon(strap, 4.6), side), cloth.plain(), Surface(puff=2, relief=0.5, crumple=0))
    half = 126 + (bottom - 590) * 0.14
    outline = symmetric(
        [
            (0, 212, 1),
            (28, 194),
            (54, 164, 1),
            (70, 192),
            (88, 230, 1),
            (78, 300),
            (92, 380),
            (half - 9, bottom - 60),
            (half, bottom - 6, 1),
            *wavy_hem(canvas.rng, y=bottom, half=half, waves=1, depth=3),
        ]
    )
    folds = flare_folds(canvas.rng, top=(340, 84), bottom=(bottom, half), count=5, strength=0.7)
    torso = Torso(chest=86, chest_y=236, waist=80, waist_y=300, hem=86, hem_y=380)
    canvas.piece(
        outline,
        cloth,
        Surface(
            puff=18, relief=0.48, crumple=1.0, folds=(*folds, *body_folds(torso, canvas.rng, strength=0.5)[:4])
        ),
    )
    canvas.seam(
        opened([(CENTER - 54, 169), (CENTER - 28, 199), (CENTER, 217, 1), (CENTER + 28, 199), (CENTER + 54, 169)]),
        depth=0.2,
        width=1,
    )


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
