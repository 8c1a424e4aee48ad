"""T-shirts and polo shirts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, opened, rounded, sided, symmetric
from tools.demo_catalog.garments.closures import lay_button, lay_chest_pocket, thread_of
from tools.demo_catalog.garments.prints import lay_graphic
from tools.demo_catalog.garments.sleeves import cuff_line, lay_sleeves
from tools.demo_catalog.garments.torso import Torso, body_folds, body_outline, lay_back, lay_neck_rib, neckline
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
