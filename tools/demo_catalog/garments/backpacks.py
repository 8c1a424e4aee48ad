"""Backpacks, seen from the front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.garments.closures import lay_buckle, lay_zip
from tools.demo_catalog.palette import GOLD, STEEL
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_PART = Surface(puff=7, relief=0.5, rim=0.16, crumple=0.1, shadow=0.24)
_STRAP = Surface(puff=4, relief=0.56, rim=0.18, crumple=0, shadow=0.24)


def draw_backpack(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A daypack, a roll-top, or a flap backpack."""
    trim = cloth.plain(cloth.colors[2], fabric="leather") if design.style != "daypack" else cloth.darker(0.3)
    for side in (-1, 1):
        strap = opened([(CENTER + 62, 150), (CENTER + 128, 190), (CENTER + 150, 330), (CENTER + 126, 470)])
        canvas.piece(
            sided(ribbon(strap, 24, end=14), side), cloth.darker(0.25), Surface(puff=8, relief=0.5, crumple=0.2)
        )
    loop = ribbon(opened([(CENTER - 30, 132), (CENTER - 22, 88), (CENTER + 22, 88), (CENTER + 30, 132)]), 11)
    canvas.piece(loop, trim, _STRAP)
    body = symmetric([(0, 112), (58, 116), (108, 150), (128, 230), (134, 400), (128, 500), (98, 522), (0, 527)])
    canvas.piece(body, cloth, Surface(puff=28, relief=0.5, rim=0.2, crumple=0.6, shadow=0.14))
    if design.style == "daypack":
        lay_zip(
            canvas,
            opened(
                [
                    (CENTER + 112, 250),
                    (CENTER + 104, 190),
                    (CENTER + 66, 146),
                    (CENTER, 136),
                    (CENTER - 66, 146),
                    (CENTER - 104, 190),
                    (CENTER - 112, 250),
                ]
            ),
            width=6,
        )
        pocket = symmetric([(0, 318), (86, 320), (104, 340), (108, 420), (102, 492), (78, 506), (0, 508)])
        canvas.piece(pocket, cloth, Surface(puff=16, relief=0.5, rim=0.18, crumple=0.5, shadow=0.3))
        lay_zip(canvas, opened([(CENTER - 92, 346), (CENTER, 341), (CENTER + 92, 346)]), width=6)
        patch = rounded(CENTER - 20, 236, CENTER + 20, 268, radius=5)
        canvas.piece(patch, cloth.plain(cloth.colors[2], fabric="leather"), _PART)
        canvas.stitch(
            rounded(CENTER - 16, 240, CENTER + 16, 264, radius=4), (240, 236, 228), width=0.9, opacity=0.6
        )
        return
    if design.style == "roll-top":
        roll = symmetric([(0, 104), (92, 108), (112, 118), (114, 140), (108, 160), (0, 166)])
        canvas.piece(roll, cloth, Surface(puff=14, relief=0.56, rim=0.2, crumple=0.3, shadow=0.3))
        canvas.piece(ribbon(opened([(CENTER, 104), (CENTER + 2, 180), (CENTER, 330)]), 18), trim, _STRAP)
        lay_buckle(canvas, (CENTER, 250), (24, 20), cloth.plain(STEEL, fabric="metal"))
    else:
        flap = symmetric([(0, 108), (64, 112), (112, 146), (126, 200), (124, 268), (96, 292), (0, 298)])
        canvas.piece(flap, cloth, Surface(puff=18, relief=0.5, rim=0.18, crumple=0.4, shadow=0.34))
        for side in (-1, 1):
            line = opened([(CENTER + 54, 230), (CENTER + 54, 290), (CENTER + 54, 356)])
            canvas.piece(sided(ribbon(line, 15), side), trim, _STRAP)
            lay_buckle(canvas, (CENTER + side * 54, 316), (20, 18), cloth.plain(GOLD, fabric="metal"))
    pocket = symmetric([(0, 372), (92, 374, 1), (102, 440), (96, 498), (70, 508), (0, 510)])
    canvas.piece(pocket, cloth, Surface(puff=14, relief=0.46, rim=0.18, crumple=0.5, shadow=0.28))
    flap_edge = symmetric([(0, 366), (94, 366, 1), (97, 404), (84, 414), (0, 418)])
    canvas.piece(flap_edge, cloth, Surface(puff=8, relief=0.46, rim=0.16, crumple=0.2, shadow=0.28))
    canvas.piece(rounded(CENTER - 9, 400, CENTER + 9, 436, radius=4), trim, _STRAP)
    base = symmetric([(0, 496), (130, 486, 1), (124, 506), (98, 524), (0, 529)])
    canvas.piece(base, trim, Surface(puff=12, relief=0.46, rim=0.2, crumple=0.2, shadow=0.14))
