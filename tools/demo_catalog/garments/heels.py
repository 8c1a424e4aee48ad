"""Heels: pumps, slingbacks, strappy sandals, block heels; their toes point to the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, ellipse, opened, ribbon, rounded
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.footwear import lay_pair
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_GOLD = (212, 180, 112)
_SOFT = Surface(puff=7, relief=0.5, rim=0.16, crumple=0.1, shadow=0.18)


def draw_heel(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A pair of pumps, slingbacks, strappy sandals, or block-heeled shoes."""
    lay_pair(canvas, lambda: _heel(canvas, design.style, cloth), scale=0.86, apart=(60, -66))


def _heel(canvas: Canvas, style: str, cloth: Cloth) -> None:
    is_block = style == "block"
    sole = cloth.plain((176, 140, 108), fabric="leather")
    stem = closed(
        [
            (398, 268, 1),
            (446, 250, 1),
            (444, 320),
            (438 if not is_block else 448, 436, 1),
            (426 if not is_block else 398, 436, 1),
            (420 if not is_block else 400, 340),
        ]
    )
    canvas.piece(stem, cloth, Surface(puff=8, relief=0.56, rim=0.2, crumple=0, shadow=0.2))
    bed = closed(
        [
            (40, 424),
            (60, 412),
            (140, 404),
            (210, 380),
            (300, 306),
            (380, 254),
            (440, 232, 1),
            (450, 256, 1),
            (400, 278),
            (320, 330),
            (232, 404),
            (170, 432),
            (100, 438),
            (54, 436),
        ]
    )
    canvas.piece(bed, sole, Surface(puff=6, relief=0.4, crumple=0))
    if style == "sandal":
        for line, width in (
            ([(92, 428), (104, 384), (148, 372), (178, 402), (184, 424)], 17.0),
            ([(138, 424), (160, 366), (206, 352), (226, 382), (222, 404)], 15.0),
        ):
            canvas.piece(ribbon(opened([(x, y) for x, y in line]), width), cloth, _SOFT)
        ankle = opened([(410, 252), (388, 206), (344, 176), (330, 196), (372, 232), (420, 250)])
        canvas.piece(ribbon(ankle, 9), cloth, _SOFT)
        canvas.piece(
            closed([(394, 262, 1), (400, 226), (430, 200), (446, 204, 1), (452, 256, 1), (420, 270)]), cloth, _SOFT
        )
        canvas.piece(
            rounded(352, 170, 366, 188, radius=3),
            cloth.plain(_GOLD, fabric="metal"),
            Surface(puff=2, relief=0.7, crumple=0, shadow=0.3),
            holes=[rounded(355, 173, 363, 185, radius=2)],
        )
        return
    inside = closed(
        [(176, 372, 1), (250, 322), (340, 252), (432, 184, 1), (440, 246, 1), (330, 310, 1), (220, 398, 1)]
    )
    canvas.piece(inside, cloth.plain((206, 178, 148), fabric="leather"), Surface(puff=8, relief=0.3))
    if style == "slingback":
        canvas.piece(ribbon(opened([(318, 300), (372, 236), (430, 196), (440, 232)]), 9), cloth, _SOFT)
        front = closed(
            [
                (30, 428, 1),
                (62, 398),
                (120, 374),
                (168, 356, 1),
                (214, 360),
                (262, 330),
                (300, 296, 1),
                (330, 316, 1),
                (250, 390),
                (190, 428, 1),
                (110, 434),
            ]
        )
    else:
        front = closed(
            [
                (30, 428, 1),
                (62, 398),
                (120, 374),
                (166, 352, 1),
                (214, 366),
                (270, 330),
                (350, 256),
                (432, 182, 1),
                (446, 214),
                (450, 258, 1),
                (400, 282),
                (322, 332),
                (240, 402),
                (186, 430, 1),
                (110, 436),
            ]
        )
    canvas.piece(front, cloth, Surface(puff=16, relief=0.58, rim=0.18, crumple=0.1, shadow=0.2))
    canvas.shade(canvas.region([ellipse(88, 402, 24, 7, tilt=-24)], pad=20), -0.36, soft=6)
    if style == "bow":
        for side in (-1, 1):
            canvas.piece(
                closed([(166, 360, 1), (166 + side * 30, 340), (166 + side * 34, 362), (166 + side * 28, 380)]),
                cloth,
                _SOFT,
            )
        canvas.piece(ellipse(166, 362, 8, 8), cloth, _SOFT)
    edge = opened([(30, 431), (110, 437), (186, 432), (240, 405), (322, 335), (400, 285)])
    canvas.lay(canvas.line(edge, 4), mixed(cloth.main, (30, 24, 20), 0.6))
