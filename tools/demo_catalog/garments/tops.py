"""T-shirts and polos, shirts, blouses and other tops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, mirrored, moved, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.garments.body import (
    Torso,
    body_folds,
    body_outline,
    cuff_line,
    flare_folds,
    lay_back,
    lay_neck_rib,
    lay_sleeves,
    neckline,
)
from tools.demo_catalog.garments.trims import lay_button, lay_chest_pocket, lay_graphic, thread_of
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    import numpy as np

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_tshirt(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A T-shirt: crew or V neck, polo, raglan; short or long sleeves."""
    rng = canvas.rng
    torso = _tshirt_torso(design, rng)
    sleeve_cloth = cloth.plain(cloth.colors[1]) if design.style == "raglan" else cloth
    lay_back(canvas, torso, cloth)
    lay_sleeves(canvas, torso, sleeve_cloth, design.sleeve)
    for side in (-1, 1):
        line = sided(cuff_line(torso, design.sleeve, up=9), side)
        canvas.stitch(line, thread_of(sleeve_cloth), width=0.9, opacity=0.4)
    front = neckline(torso, "Crew Neck" if design.style == "polo" else design.neck)
    body = canvas.piece(
        body_outline(torso, front),
        cloth,
        Surface(puff=17, relief=0.44, crumple=0.8, shadow=0.12, folds=body_folds(torso, rng)),
    )
    if design.style == "raglan":
        for side in (-1, 1):
            edge = [
                (CENTER + torso.neck - 1, torso.neck_y + 12),
                (CENTER + torso.chest - 22, torso.chest_y - 44),
                (CENTER + torso.chest, torso.chest_y, 1),
            ]
            shoulder = closed(
                [
                    *edge,
                    (CENTER + torso.shoulder - 6, torso.chest_y - 50),
                    (CENTER + torso.shoulder, torso.shoulder_y, 1),
                    (CENTER + torso.neck, torso.neck_y - 1, 1),
                ]
            )
            canvas.piece(sided(shoulder, side), sleeve_cloth, Surface(puff=9, relief=0.3, rim=0.08))
    if design.pattern == "Graphic":
        lay_graphic(canvas, cloth, body, seed=design.seed)
    hem = opened(
        [
            (CENTER - torso.hem, torso.hem_y - 11),
            (CENTER, torso.hem_y + torso.hem_bow - 11),
            (CENTER + torso.hem, torso.hem_y - 11),
        ]
    )
    canvas.stitch(hem, thread_of(cloth), width=0.9, opacity=0.4)
    if design.style == "polo":
        lay_polo_collar(canvas, torso, cloth)
    else:
        lay_neck_rib(canvas, front, sleeve_cloth if design.style == "raglan" else cloth)
    if design.style == "pocket":
        lay_chest_pocket(canvas, cloth)


def lay_polo_collar(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    """A knitted collar with a short placket of two buttons."""
    neck, top = torso.neck, torso.neck_y
    trim = cloth.plain()
    placket = rounded(CENTER - 11, top + 26, CENTER + 11, top + 118, radius=2)
    canvas.piece(placket, trim, Surface(puff=4, relief=0.4, rim=0.14, crumple=0.1, shadow=0.1))
    canvas.seam(opened([(CENTER + 1, top + 30), (CENTER + 1, top + 110)]), depth=0.2, width=1)
    for y in (top + 62, top + 94):
        lay_button(canvas, CENTER, y, 3.6, cloth)
    for side in (-1, 1):
        leaf = closed(
            [
                (CENTER + neck - 8, top - 11, 1),
                (CENTER + neck + 6, top - 2),
                (CENTER + neck + 8, top + 18),
                (CENTER + 32, top + 66, 1),
                (CENTER + 2, top + 36, 1),
                (CENTER + neck * 0.6, top + 24),
            ]
        )
        canvas.piece(
            sided(leaf, side),
            trim.plain(fabric="fine knit"),
            Surface(puff=6, relief=0.5, rim=0.16, crumple=0.1, shadow=0.22, angle=side * 40),
        )
    band = symmetric(
        [
            (0, top - 4),
            (neck * 0.6, top - 8),
            (neck - 6, top - 12, 1),
            (neck - 2, top + 2, 1),
            (neck * 0.6, top + 8),
            (0, top + 11),
        ]
    )
    canvas.piece(band, trim.darker(0.12), Surface(puff=4, relief=0.4, rim=0.1, crumple=0))


def _tshirt_torso(design: Design, rng: np.random.Generator) -> Torso:
    jitter = float(rng.uniform(-3, 3))
    if design.gender in ("Women", "Girls"):
        return Torso(
            neck=52,
            neck_y=104,
            shoulder=114 + jitter,
            shoulder_y=130,
            chest=104 + jitter,
            waist=95,
            waist_y=345,
            hem=105 + jitter,
            hem_y=488,
        )
    return Torso(
        shoulder=130 + jitter, chest=121 + jitter, waist=118 + jitter, hem=121 + jitter, hem_y=508 + jitter
    )


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
