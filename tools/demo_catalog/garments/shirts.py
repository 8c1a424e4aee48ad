"""Shirts and blouses with a collar and buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, opened, rounded, sided, symmetric
from tools.demo_catalog.garments.closures import lay_button, lay_chest_pocket
from tools.demo_catalog.garments.sleeves import cuff_line, lay_sleeves
from tools.demo_catalog.garments.torso import Torso, body_folds, body_outline, lay_back, neckline
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_shirt(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A shirt: classic, with a band collar, a camp collar, or as an overshirt with two pockets."""
    torso = _torso(design)
    lay_back(canvas, torso, cloth)
    lay_sleeves(canvas, torso, cloth, design.sleeve, wide=6)
    _lay_cuffs(canvas, torso, design, cloth)
    front = neckline(torso, "V-Neck" if design.style == "camp" else "Crew Neck")
    folds = body_folds(torso, canvas.rng, strength=0.8)
    canvas.piece(
        body_outline(torso, front), cloth, Surface(puff=15, relief=0.46, crumple=0.7, shadow=0.14, folds=folds)
    )
    for side in (-1, 1):
        yoke = opened(
            [(CENTER + torso.neck + 14, torso.neck_y + 18), (CENTER + torso.shoulder - 6, torso.shoulder_y + 14)]
        )
        canvas.seam(sided(yoke, side), depth=0.13, width=1)
    _lay_placket(canvas, torso, cloth, top=torso.neck_y + (84 if design.style == "camp" else 30))
    if design.style in ("classic", "camp", "overshirt"):
        lay_chest_pocket(canvas, cloth, flap=design.style == "overshirt")
    if design.style == "overshirt":
        with canvas.placed(dx=-106):
            lay_chest_pocket(canvas, cloth, flap=True)
    _lay_collar(canvas, torso, design.style, cloth)


def _torso(design: Design) -> Torso:
    if design.gender in ("Women", "Girls"):
        return Torso(
            neck=44,
            neck_y=102,
            shoulder=110,
            shoulder_y=132,
            chest=103,
            waist=93,
            waist_y=345,
            hem=108,
            hem_y=494,
            hem_bow=26,
        )
    return Torso(neck=46, shoulder=128, chest=121, waist=115, hem=120, hem_y=506, hem_bow=26)


def _lay_placket(canvas: Canvas, torso: Torso, cloth: Cloth, *, top: float) -> None:
    bottom = torso.hem_y + torso.hem_bow - 1
    band = rounded(CENTER - 11, top, CENTER + 11, bottom, radius=2)
    canvas.piece(band, cloth, Surface(puff=3, relief=0.34, rim=0.06, crumple=0.2, shadow=0.12))
    for x in (-8.5, 8.5):
        canvas.stitch(
            opened([(CENTER + x, top + 4), (CENTER + x, bottom - 4)]), (120, 120, 124), width=0.8, opacity=0.28
        )
    y = top + 26.0
    while y < bottom - 24:
        lay_button(canvas, CENTER, y, 3.7, cloth)
        y += 58


def _lay_cuffs(canvas: Canvas, torso: Torso, design: Design, cloth: Cloth) -> None:
    for side in (-1, 1):
        if design.sleeve != "Long":
            canvas.seam(sided(cuff_line(torso, design.sleeve, up=13, wide=6), side), depth=0.16, width=1)
            continue
        s, y = CENTER + torso.shoulder, torso.shoulder_y
        cuff = closed(
            [
                (s + 69, y + 322, 1),
                (s + 46, y + 328),
                (s + 18, y + 325, 1),
                (s + 21, y + 362, 1),
                (s + 46, y + 366),
                (s + 70, y + 360, 1),
            ]
        )
        canvas.piece(
            sided(cuff, side),
            cloth,
            Surface(puff=6, relief=0.4, rim=0.12, crumple=0.3, shadow=0.12, angle=side * 7),
        )
        x = s + 60 if side > 0 else 2 * CENTER - s - 60
        lay_button(canvas, x, y + 343, 3.2, cloth)


def _lay_collar(canvas: Canvas, torso: Torso, style: str, cloth: Cloth) -> None:
    neck, top = torso.neck, torso.neck_y
    look = Surface(puff=6, relief=0.46, rim=0.14, crumple=0.1, shadow=0.24)
    if style == "band":
        for side in (-1, 1):
            leaf = closed(
                [
                    (CENTER + neck - 4, top - 14, 1),
                    (CENTER + neck + 5, top + 2, 1),
                    (CENTER + neck * 0.7, top + 30),
                    (CENTER - 2, top + 42, 1),
                    (CENTER - 2, top + 24, 1),
                    (CENTER + neck * 0.55, top + 14),
                ]
            )
            canvas.piece(sided(leaf, side), cloth, look)
        lay_button(canvas, CENTER, top + 33, 3.2, cloth)
        return
    low, spread = (92, 54) if style == "camp" else (68, 40)
    stand = symmetric(
        [
            (0, top - 6),
            (neck * 0.55, top - 10),
            (neck - 5, top - 15, 1),
            (neck, top + 3, 1),
            (neck * 0.6, top + 10),
            (0, top + 14),
        ]
    )
    canvas.piece(stand, cloth.darker(0.14), Surface(puff=5, relief=0.4, rim=0.1, crumple=0))
    inner = 66 if style == "camp" else 34
    for side in (-1, 1):
        leaf = closed(
            [
                (CENTER + neck - 6, top - 15, 1),
                (CENTER + neck + 7, top - 2),
                (CENTER + neck + 10, top + 22),
                (CENTER + spread, top + low, 1),
                (CENTER + 1, top + inner, 1),
                (CENTER + neck * 0.66, top + inner * 0.55),
            ]
        )
        canvas.piece(
            sided(leaf, side),
            cloth,
            Surface(puff=look.puff, relief=look.relief, rim=look.rim, crumple=0.1, shadow=0.24, angle=side * 38),
        )
    if style != "camp":
        lay_button(canvas, CENTER, top + 42, 3.4, cloth)
