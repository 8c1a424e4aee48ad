"""Blazers: lapels over a lining, one or two rows of buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, opened, rounded, sided, symmetric
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import lay_button
from tools.demo_catalog.garments.sleeves import lay_sleeves
from tools.demo_catalog.garments.torso import Torso
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_blazer(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A blazer: single- or double-breasted, with notched, peaked or shawl lapels."""
    is_female = design.gender in ("Women", "Girls")
    torso = Torso(
        neck=42,
        neck_y=92,
        shoulder=112 if is_female else 130,
        shoulder_y=128,
        chest=104 if is_female else 121,
        chest_y=236,
        waist=90 if is_female else 110,
        waist_y=360,
        hem=112 if is_female else 125,
        hem_y=516,
    )
    low = 300.0 if design.style != "shawl" else 330.0
    _lay_lining(canvas, torso, cloth, low)
    lay_sleeves(canvas, torso, cloth, "Long", wide=7, surface=Surface(puff=17, relief=0.46, crumple=0.5))
    overlap = 34.0 if design.style == "double" else 9.0
    look = Surface(puff=16, relief=0.46, crumple=0.5, shadow=0.16)
    for side in (1, -1):  # the wearer's left front lies above
        folds = tuple(Fold(sided(line, side), width, depth) for line, width, depth in _fall(torso))
        canvas.piece(
            sided(_front(torso, low, overlap), side),
            cloth,
            Surface(puff=look.puff, relief=look.relief, crumple=look.crumple, shadow=0.2, folds=folds),
        )
    _lay_pockets(canvas, torso, cloth)
    for side in (1, -1):
        _lay_lapel(canvas, torso, cloth, _Lapel(design.style, low), side)
    _lay_buttons(canvas, design.style, low, cloth)
    for side in (-1, 1):
        for number in range(3):
            x = CENTER + side * (torso.shoulder + 31)
            lay_button(canvas, x, torso.shoulder_y + 326 + 10 * number, 2.6, cloth)


def _front(torso: Torso, low: float, overlap: float) -> Points:
    """The right front, from the neck along the lapel's fold to the rounded hem."""
    neck, top = torso.neck, torso.neck_y
    return closed(
        [
            (CENTER + neck, top, 1),
            (CENTER + torso.shoulder - 30, torso.shoulder_y - 11),
            (CENTER + torso.shoulder, torso.shoulder_y, 1),
            (CENTER + torso.shoulder - 9, 182),
            (CENTER + torso.chest, torso.chest_y, 1),
            (CENTER + torso.waist, torso.waist_y),
            (CENTER + torso.hem, torso.hem_y - 6, 1),
            (CENTER + 70, torso.hem_y + 4),
            (CENTER + 30, torso.hem_y + 2),
            (CENTER + 4, torso.hem_y - 30),
            (CENTER - overlap, low + 90),
            (CENTER - overlap, low, 1),
            (CENTER + neck * 0.4, top + 110),
        ]
    )


def _fall(torso: Torso) -> list[tuple[Points, float, float]]:
    return [
        (
            opened(
                [
                    (CENTER + torso.chest - 6, 250),
                    (CENTER + torso.chest - 26, 268),
                    (CENTER + torso.chest - 46, 300),
                ]
            ),
            14,
            -0.24,
        ),
        (opened([(CENTER + 66, 240), (CENTER + 58, 350), (CENTER + 62, 410)]), 26, 0.24),
        (opened([(CENTER + torso.waist - 4, 362), (CENTER + 64, 356), (CENTER + 28, 340)]), 13, -0.22),
        (opened([(CENTER + 92, 430), (CENTER + 96, 480), (CENTER + 100, 530)]), 22, 0.3),
    ]


def _lay_lining(canvas: Canvas, torso: Torso, cloth: Cloth, low: float) -> None:
    inside = symmetric(
        [
            (0, torso.neck_y + 6),
            (torso.neck, torso.neck_y - 4, 1),
            (torso.neck + 20, 150, 1),
            (20, low + 14, 1),
            (0, low + 20),
        ]
    )
    lining = mixed(cloth.main, (92, 88, 92), 0.45)
    canvas.shade(
        canvas.piece(inside, cloth.plain(lining, fabric="satin"), Surface(puff=12, relief=0.3, crumple=1.0)), 0.42
    )
    label = rounded(CENTER - 15, torso.neck_y + 24, CENTER + 15, torso.neck_y + 38, radius=1)
    canvas.lay(canvas.region([label]), (226, 222, 214), opacity=0.75)
    collar = symmetric(
        [
            (0, torso.neck_y - 12),
            (28, torso.neck_y - 14),
            (torso.neck, torso.neck_y - 8, 1),
            (torso.neck + 2, torso.neck_y + 10, 1),
            (24, torso.neck_y + 13),
            (0, torso.neck_y + 14),
        ]
    )
    canvas.piece(collar, cloth.darker(0.14), Surface(puff=6, relief=0.4, crumple=0))


@dataclass(frozen=True, slots=True)
class _Lapel:
    """A form of lapels, and the height of the button that they end at."""

    style: str
    low: float


def _lay_lapel(canvas: Canvas, torso: Torso, cloth: Cloth, lapels: _Lapel, side: int) -> None:
    neck, top, style, low = torso.neck, torso.neck_y, lapels.style, lapels.low
    look = Surface(puff=7, relief=0.42, rim=0.12, crumple=0.15, shadow=0.3, angle=side * 26)
    end = (CENTER - (30.0 if style == "double" else 6.0), low + 3)
    if style == "shawl":
        lapel = closed(
            [
                (CENTER + neck - 8, top - 14, 1),
                (CENTER + neck + 9, top + 2),
                (CENTER + 62, 178),
                (CENTER + 48, 250),
                (*end, 1),
                (CENTER + 18, 220),
                (CENTER + 26, 150),
            ]
        )
        canvas.piece(sided(lapel, side), cloth.plain(mixed(cloth.main, (26, 26, 30), 0.25), fabric="satin"), look)
        return
    tip = (CENTER + 84, 166.0) if style == "double" else (CENTER + 78, 190.0)
    lapel = closed(
        [
            (CENTER + neck - 2, top + 24, 1),
            (CENTER + 54, 158, 1),
            (*tip, 1),
            (CENTER + 62, 232),
            (*end, 1),
            (CENTER + 20, 216),
            (CENTER + 27, 150),
        ]
    )
    canvas.piece(sided(lapel, side), cloth, look)
    collar = closed(
        [
            (CENTER + neck - 8, top - 14, 1),
            (CENTER + neck + 9, top + 2),
            (CENTER + neck + 26, top + 50, 1),
            (CENTER + 53, 164, 1),
            (CENTER + neck - 14, top + 46, 1),
            (CENTER + neck - 12, top + 10),
        ]
    )
    canvas.piece(
        sided(collar, side),
        cloth,
        Surface(puff=6, relief=0.42, rim=0.12, crumple=0.1, shadow=0.22, angle=side * 50),
    )


def _lay_pockets(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    for side in (-1, 1):
        flap = closed(
            [
                (CENTER + 36, 412, 1),
                (CENTER + torso.waist - 10, 408, 1),
                (CENTER + torso.waist - 10, 428),
                (CENTER + torso.waist - 18, 431),
                (CENTER + 46, 435),
                (CENTER + 37, 431),
            ]
        )
        canvas.piece(sided(flap, side), cloth, Surface(puff=4, relief=0.36, rim=0.12, crumple=0.1, shadow=0.24))
        canvas.seam(sided(opened([(CENTER + 35, 411), (CENTER + torso.waist - 9, 407)]), side), depth=0.3)
        canvas.seam(
            sided(
                opened(
                    [
                        (CENTER + torso.chest * 0.62, 270),
                        (CENTER + torso.waist * 0.62, 350),
                        (CENTER + torso.waist * 0.66, 404),
                    ]
                ),
                side,
            ),
            depth=0.12,
            width=1,
        )
    welt = closed(
        [
            (CENTER + 58, 236, 1),
            (CENTER + torso.chest - 24, 228, 1),
            (CENTER + torso.chest - 24, 240, 1),
            (CENTER + 58, 248, 1),
        ]
    )
    canvas.piece(welt, cloth, Surface(puff=3, relief=0.4, rim=0.12, crumple=0, shadow=0.2))


def _lay_buttons(canvas: Canvas, style: str, low: float, cloth: Cloth) -> None:
    if style == "double":
        for y in (low + 22, low + 70):
            for x in (-26.0, 26.0):
                lay_button(canvas, CENTER + x, y, 5.2, cloth)
        return
    for y in (low + 14,) if style == "shawl" else (low + 14, low + 72):
        lay_button(canvas, CENTER + 1, y, 5.2, cloth)
