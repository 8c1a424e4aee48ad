"""Formal shoes: oxfords, derbies, loafers, monk straps; their toes point to the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, ellipse, moved, opened, ribbon, rounded
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.footwear import lay_pair
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_GOLD = (212, 180, 112)
_SOFT = Surface(puff=7, relief=0.5, rim=0.16, crumple=0.1, shadow=0.18)


def draw_formal_shoe(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A pair of oxfords, derbies, loafers, or monk-strap shoes."""
    lay_pair(canvas, lambda: _formal(canvas, design.style, cloth), squash=0.8)


def _formal(canvas: Canvas, style: str, cloth: Cloth) -> None:
    rim = mixed(cloth.main, (16, 14, 14), 0.5)
    inside = closed([(286, 250, 1), (340, 236), (410, 222, 1), (408, 290, 1), (284, 296, 1)])
    canvas.piece(inside, cloth.plain((150, 112, 78)), Surface(puff=6, relief=0.3))
    if style in ("oxford", "derby"):
        tongue = closed([(250, 268, 1), (284, 236), (308, 228), (310, 250, 1), (270, 296, 1)])
        canvas.piece(tongue, cloth, _SOFT)
    upper = closed(
        [
            (26, 372, 1),
            (32, 346),
            (62, 326),
            (108, 316),
            (160, 306),
            (212, 288),
            (256, 262),
            (292, 240, 1),
            (318, 258),
            (364, 254),
            (396, 226),
            (412, 221, 1),
            (420, 262),
            (415, 310),
            (424, 344),
            (422, 372, 1),
            (240, 380),
        ]
    )
    folds = (
        Fold(opened([(150, 336), (170, 322), (196, 330)]), 9, -0.5),
        Fold(opened([(170, 322), (190, 310), (214, 320)]), 9, -0.4),
    )
    canvas.piece(upper, cloth, Surface(puff=17, relief=0.56, rim=0.2, crumple=0.2, shadow=0.2, folds=folds))
    canvas.shade(canvas.region([ellipse(72, 340, 22, 7, tilt=-22)], pad=20), -0.34, soft=6)
    heel_cap = closed(
        [(362, 374, 1), (370, 322), (392, 276), (411, 240, 1), (420, 266), (415, 310), (424, 344), (422, 374, 1)]
    )
    canvas.piece(heel_cap, cloth, _SOFT)
    if style in ("oxford", "derby"):
        quarter = closed(
            [(196, 300, 1), (256, 262), (292, 240, 1), (310, 256, 1), (278, 294), (236, 322), (204, 326, 1)]
        )
        canvas.piece(quarter, cloth, _SOFT)
        if style == "oxford":
            cap = opened([(104, 318), (122, 342), (126, 374)])
            canvas.seam(cap, depth=0.4)
            canvas.stitch(moved(cap, 5, 0), rim, width=1.6, opacity=0.7)
        canvas.stitch(opened([(208, 330), (238, 326), (282, 298), (314, 260)]), rim, width=1, opacity=0.7)
        for number in range(4):
            x, y = 226 + 18 * number, 302 - 13.5 * number
            canvas.piece(
                ribbon(opened([(x - 14, y - 12), (x - 2, y - 9), (x + 9, y + 5)]), 4),
                cloth.plain(rim, fabric="canvas"),
                Surface(puff=2, relief=0.7, crumple=0, shadow=0.3),
            )
    elif style == "loafer":
        canvas.seam(opened([(70, 350), (124, 306 + 26), (186, 312), (236, 300)]), depth=0.4, width=1.8)
        strap = closed(
            [(196, 288, 1), (244, 264), (268, 258, 1), (290, 318), (286, 352, 1), (250, 352, 1), (232, 308)]
        )
        canvas.piece(strap, cloth, _SOFT)
        canvas.shade(canvas.region([closed([(232, 292, 1), (254, 282, 1), (262, 298, 1), (240, 308, 1)])]), 0.55)
    else:
        strap = closed(
            [(214, 288, 1), (268, 252), (284, 250, 1), (322, 318), (318, 336, 1), (296, 338), (256, 304)]
        )
        canvas.piece(strap, cloth, _SOFT)
        canvas.piece(
            rounded(286, 300, 312, 326, radius=4),
            cloth.plain(_GOLD, fabric="metal"),
            Surface(puff=2, relief=0.7, crumple=0, shadow=0.3),
            holes=[rounded(291, 305, 307, 321, radius=2)],
        )
    canvas.seam(opened([(300, 262), (330, 276), (372, 320)]), depth=0.2, width=1)
    welt = closed(
        [
            (24, 366),
            (120, 373),
            (240, 376),
            (360, 374),
            (428, 367, 1),
            (428, 380, 1),
            (300, 386),
            (120, 386),
            (40, 382),
            (21, 375),
        ]
    )
    canvas.piece(
        welt, cloth.plain((64, 46, 36), fabric="leather"), Surface(puff=4, relief=0.4, crumple=0, shadow=0.2)
    )
    canvas.piece(
        closed([(330, 382, 1), (428, 378, 1), (424, 408, 1), (336, 408, 1)]),
        cloth.plain((44, 36, 32), fabric="leather"),
        Surface(puff=7, relief=0.4, crumple=0),
    )
