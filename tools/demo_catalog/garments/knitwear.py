"""Sweaters and sweatshirts: knitted, with ribbed bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, opened, ribbon, sided, symmetric
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.body import (
    Torso,
    body_folds,
    body_outline,
    cuff_band,
    hem_band,
    lay_back,
    lay_band,
    lay_neck_rib,
    lay_sleeves,
    neckline,
)
from tools.demo_catalog.garments.trims import lay_button, lay_graphic, lay_zip
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_sweater(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A sweater: crew or V neck, turtleneck, or a cardigan."""
    torso = _torso(design, hem_y=482)
    soft = Surface(puff=20, relief=0.44, crumple=0.7)
    _lay_arms(canvas, torso, cloth, soft)
    if design.style == "turtleneck":
        behind = symmetric([(0, 58), (34, 54), (46, 62, 1), (50, 110, 1), (0, 130)])
        canvas.piece(behind, cloth.darker(0.32), Surface(puff=6, relief=0.2))
    else:
        lay_back(canvas, torso, cloth)
    is_cardigan = design.style == "cardigan"
    front = neckline(torso, "V-Neck" if is_cardigan else design.neck or "Crew Neck")
    folds = body_folds(torso, canvas.rng, strength=0.8)
    canvas.piece(
        body_outline(torso, front), cloth, Surface(puff=20, relief=0.44, crumple=0.7, shadow=0.12, folds=folds)
    )
    lay_band(canvas, hem_band(torso, 30), cloth)
    if design.style == "turtleneck":
        _lay_turtleneck(canvas, torso, cloth)
    elif is_cardigan:
        _lay_cardigan_band(canvas, torso, cloth)
    else:
        lay_neck_rib(canvas, front, cloth, width=14)


def draw_sweatshirt(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A sweatshirt: with a crew neck, a hood, or a short zip."""
    torso = _torso(design, hem_y=478)
    soft = Surface(puff=20, relief=0.46, crumple=0.9)
    sleeves = cloth.plain(cloth.colors[1]) if design.style == "two-tone" else cloth
    _lay_arms(canvas, torso, sleeves, soft)
    if design.style == "hoodie":
        _lay_hood_back(canvas, torso, cloth)
    else:
        lay_back(canvas, torso, cloth)
    front = neckline(torso, "Scoop Neck" if design.style == "hoodie" else "Crew Neck")
    folds = body_folds(torso, canvas.rng)
    body = canvas.piece(
        body_outline(torso, front), cloth, Surface(puff=20, relief=0.46, crumple=0.9, shadow=0.14, folds=folds)
    )
    if design.pattern == "Graphic":
        lay_graphic(canvas, cloth, body, seed=design.seed)
    lay_band(canvas, hem_band(torso, 28), sleeves)
    if design.style == "hoodie":
        _lay_pouch(canvas, cloth)
        _lay_hood_front(canvas, torso, cloth)
    elif design.style == "half-zip":
        _lay_half_zip(canvas, torso, cloth)
    else:
        lay_neck_rib(canvas, front, sleeves, width=13)
        notch = closed(
            [
                (CENTER - 9, torso.neck_y + 50, 1),
                (CENTER + 9, torso.neck_y + 50, 1),
                (CENTER, torso.neck_y + 68, 1),
            ]
        )
        canvas.piece(notch, cloth.plain(fabric="rib"), Surface(puff=2, relief=0.3, crumple=0, rim=0.2))


def _torso(design: Design, *, hem_y: float) -> Torso:
    if design.gender in ("Women", "Girls"):
        return Torso(
            neck=52,
            neck_y=102,
            shoulder=118,
            shoulder_y=132,
            chest=111,
            waist=104,
            waist_y=350,
            hem=107,
            hem_y=hem_y - 12,
        )
    return Torso(neck=50, shoulder=132, shoulder_y=132, chest=125, waist=122, hem=121, hem_y=hem_y)


def _lay_arms(canvas: Canvas, torso: Torso, cloth: Cloth, surface: Surface) -> None:
    for side in (-1, 1):
        lay_band(canvas, sided(cuff_band(torso, depth=27, wide=4), side), cloth, angle=side * 6)
    lay_sleeves(canvas, torso, cloth, "Long", wide=8, surface=surface)


def _lay_turtleneck(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    collar = symmetric(
        [
            (0, 74),
            (34, 69),
            (47, 58, 1),
            (52, 84),
            (torso.neck + 3, torso.neck_y + 10, 1),
            (38, torso.neck_y + 32),
            (0, torso.neck_y + 40),
        ]
    )

    canvas.piece(collar, cloth.plain(fabric="rib"), Surface(puff=10, relief=0.5, crumple=0.4, shadow=0.3))
    canvas.shade(canvas.line(opened([(CENTER - 48, 92), (CENTER, 110), (CENTER + 48, 92)]), 3), 0.18, soft=2)


def _lay_cardigan_band(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    low = torso.neck_y + 96
    for side in (-1, 1):
        edge = opened(
            [
                (CENTER + torso.neck + 2, torso.neck_y - 4),
                (CENTER + torso.neck * 0.66, torso.neck_y + 40),
                (CENTER + 6, low),
            ]
        )
        canvas.piece(
            sided(ribbon(edge, 15), side),
            cloth.plain(fabric="rib"),
            Surface(puff=4, relief=0.5, crumple=0, shadow=0.2, angle=side * 24),
        )
    bottom = torso.hem_y + 34
    band = closed(
        [(CENTER - 10, low - 6, 1), (CENTER + 10, low - 6, 1), (CENTER + 10, bottom, 1), (CENTER - 10, bottom, 1)]
    )
    canvas.piece(band, cloth.plain(fabric="rib"), Surface(puff=4, relief=0.4, crumple=0, shadow=0.2, angle=90))
    for number in range(5):
        lay_button(
            canvas,
            CENTER,
            low + 16 + number * (bottom - low - 32) / 4,
            5.2,
            cloth.plain(mixed(cloth.main, (90, 66, 46), 0.6)),
        )
    for side in (-1, 1):
        pocket = sided(
            closed([(CENTER + 36, 396, 1), (CENTER + 98, 396, 1), (CENTER + 98, 408, 1), (CENTER + 36, 408, 1)]),
            side,
        )
        canvas.piece(pocket, cloth.plain(fabric="rib"), Surface(puff=3, relief=0.4, crumple=0, shadow=0.2))


def _lay_hood_back(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    hood = symmetric([(0, 40), (38, 46), (66, 80), (torso.neck + 18, torso.neck_y + 24, 1), (40, 160), (0, 176)])
    canvas.piece(hood, cloth, Surface(puff=16, relief=0.5, crumple=0.8))
    inside = symmetric([(0, 62), (32, 68), (50, 96), (44, 132), (20, 160), (0, 168)])
    canvas.shade(canvas.piece(inside, cloth.darker(0.32), Surface(puff=12, relief=0.2)), 0.12)


def _lay_hood_front(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    for side in (-1, 1):
        flap = closed(
            [
                (CENTER + 46, 62, 1),
                (CENTER + 66, 82),
                (CENTER + torso.neck + 20, torso.neck_y + 26, 1),
                (CENTER + 52, 158),
                (CENTER - 2, 186, 1),
                (CENTER + 10, 158),
                (CENTER + 40, 128),
                (CENTER + 49, 96),
            ]
        )
        canvas.piece(sided(flap, side), cloth, Surface(puff=9, relief=0.5, crumple=0.5, shadow=0.26))
        rim = opened([(CENTER + 53, 76), (CENTER + 55, 100), (CENTER + 46, 134), (CENTER + 12, 170)])
        canvas.stitch(sided(rim, side), mixed(cloth.main, (20, 20, 22), 0.4), width=0.9, opacity=0.4)
        cord = opened([(CENTER + 20, 166), (CENTER + 23, 200), (CENTER + 20 + side * 2, 252 + side * 7)])
        canvas.piece(
            sided(ribbon(cord, 4), side),
            cloth.plain(mixed(cloth.main, (248, 246, 240), 0.75), fabric="canvas"),
            Surface(puff=2, relief=0.6, crumple=0, shadow=0.3),
        )


def _lay_pouch(canvas: Canvas, cloth: Cloth) -> None:
    pouch = symmetric([(0, 372), (56, 372, 1), (84, 432), (84, 478, 1), (0, 482)])
    canvas.piece(pouch, cloth, Surface(puff=7, relief=0.36, rim=0.12, crumple=0.6, shadow=0.16))
    for side in (-1, 1):
        edge = opened([(CENTER + 51, 374), (CENTER + 78, 434)])
        canvas.stitch(sided(edge, side), mixed(cloth.main, (20, 20, 22), 0.4), width=0.9, opacity=0.45)


def _lay_half_zip(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    top = torso.neck_y
    stand = symmetric(
        [
            (0, top - 6),
            (34, top - 12),
            (torso.neck - 4, top - 24, 1),
            (torso.neck + 4, top + 4, 1),
            (36, top + 38),
            (0, top + 44),
        ]
    )
    canvas.piece(stand, cloth.plain(fabric="rib"), Surface(puff=7, relief=0.5, crumple=0.1, shadow=0.2))
    lay_zip(canvas, opened([(CENTER, top - 4), (CENTER, top + 128)]))
