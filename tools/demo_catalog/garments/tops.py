"""Tops for women: camisole, peplum, blouse with wide sleeves, shell, tank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, mirrored, moved, opened, ribbon, sided, symmetric
from tools.demo_catalog.garments.drape import flare_folds
from tools.demo_catalog.garments.sleeves import lay_sleeves
from tools.demo_catalog.garments.torso import Torso, body_folds, body_outline, lay_back, lay_neck_rib, neckline
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_top(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A top: camisole, peplum, blouse with wide sleeves, shell or ribbed tank."""
    rng = canvas.rng
    if design.style == "camisole":
        _draw_camisole(canvas, cloth)
        return
    torso = Torso(neck=54, shoulder=110, chest=101, waist=93, waist_y=345, hem=108, hem_y=474, hem_bow=9)
    if design.style in ("tank", "shell"):
        torso = Torso(
            neck=54,
            neck_y=104,
            shoulder=88,
            shoulder_y=118,
            chest=99,
            chest_y=228,
            waist=91,
            waist_y=350,
            hem=103,
            hem_y=484,
        )
    if design.style == "peplum":
        torso = Torso(neck=54, shoulder=108, chest=99, waist=82, waist_y=348, hem=83, hem_y=366, hem_bow=3)
    lay_back(canvas, torso, cloth)
    wide = 22.0 if design.style == "blouse" else 4.0
    lay_sleeves(canvas, torso, cloth, design.sleeve, wide=wide)
    if design.style == "peplum":
        _lay_peplum(canvas, cloth)
    front = neckline(torso, design.neck)
    look = Surface(puff=17, relief=0.46, crumple=0.9, shadow=0.12, folds=body_folds(torso, rng, strength=0.9))
    canvas.piece(body_outline(torso, front), cloth, look)
    canvas.seam(moved(front, 0, 6), depth=0.16)
    if design.style == "blouse":
        tie = opened(
            [(CENTER - 2, neckline(torso, design.neck)[:, 1].max()), (CENTER - 5, 250), (CENTER + 2, 300)]
        )
        for line in (tie, moved(mirrored(tie), 3, -16)):
            canvas.piece(
                ribbon(line, 4.5, end=6.5), cloth.plain(), Surface(puff=2.5, relief=0.6, crumple=0, shadow=0.2)
            )
    if design.style == "tank":
        lay_neck_rib(canvas, front, cloth, width=7)
    if design.style != "peplum":
        hem = opened(
            [
                (CENTER - torso.hem, torso.hem_y - 9),
                (CENTER, torso.hem_y + torso.hem_bow - 9),
                (CENTER + torso.hem, torso.hem_y - 9),
            ]
        )
        canvas.seam(hem, depth=0.12, width=1)


def _draw_camisole(canvas: Canvas, cloth: Cloth) -> None:
    back = symmetric([(0, 214), (70, 206), (86, 238, 1), (60, 280, 1), (0, 290)])
    canvas.shade(canvas.piece(back, cloth.darker(0.2), Surface(puff=9, relief=0.2)), 0.15)
    for side in (-1, 1):
        strap = opened([(CENTER + 57, 190), (CENTER + 56, 150), (CENTER + 46, 108)])
        behind = opened([(CENTER + 46, 109), (CENTER + 50, 150), (CENTER + 44, 212)])
        canvas.piece(sided(ribbon(behind, 4), side), cloth.darker(0.25), Surface(puff=2, crumple=0))
        canvas.piece(sided(ribbon(strap, 4.6), side), cloth.plain(), Surface(puff=2, relief=0.5, crumple=0))
    half = [
        (0, 232, 1),
        (30, 214),
        (57, 186, 1),
        (72, 214),
        (90, 248, 1),
        (84, 340),
        (92, 420),
        (106, 506, 1),
        (54, 512),
        (0, 514),
    ]
    rng = canvas.rng
    torso = Torso(chest=90, chest_y=250, waist=86, waist_y=360, hem=104, hem_y=510)
    canvas.piece(symmetric(half), cloth, Surface(puff=17, relief=0.5, crumple=1.0, folds=body_folds(torso, rng)))
    edge = opened(
        [(CENTER - 57, 191), (CENTER - 30, 219), (CENTER, 237, 1), (CENTER + 30, 219), (CENTER + 57, 191)]
    )
    canvas.seam(edge, depth=0.2, width=1)
    canvas.seam(opened([(CENTER - 103, 500), (CENTER, 507), (CENTER + 103, 500)]), depth=0.12, width=1)


def _lay_peplum(canvas: Canvas, cloth: Cloth) -> None:
    skirt = symmetric(
        [(0, 360), (82, 354, 1), (108, 412), (130, 472, 1), (98, 484), (66, 478), (32, 488), (0, 481)]
    )
    folds = flare_folds(canvas.rng, top=(360, 76), bottom=(482, 122), count=7)
    canvas.piece(skirt, cloth, Surface(puff=12, relief=0.5, crumple=0.5, folds=folds))
