"""Casual shoes: low court shoes, high-tops and slip-ons; their toes point to the left."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, opened, ribbon
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import thread_of
from tools.demo_catalog.garments.footwear import lay_cup_sole, lay_laces, lay_pair
from tools.demo_catalog.garments.runners import draw_runner
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_RUBBER = (243, 242, 238)
_SOFT = Surface(puff=9, relief=0.5, rim=0.16, crumple=0.3, shadow=0.16)


def draw_sneaker(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A pair of casual shoes."""
    others: dict[str, Callable[[Canvas, Cloth], None]] = {
        "runner": draw_runner,
        "slip-on": _slip_on,
        "high-top": partial(_court, high=True),
    }
    draw = others.get(design.style, _court)
    squash = {"high-top": 0.92, "slip-on": 0.74, "runner": 0.8}.get(design.style, 0.78)
    lay_pair(canvas, lambda: draw(canvas, cloth), squash=squash)


def _court(canvas: Canvas, cloth: Cloth, *, high: bool = False) -> None:
    """A flat court shoe, or a high-top; its toe points to the left."""
    trim = cloth.plain(cloth.colors[1])
    lift = 66.0 if high else 0.0
    inside = closed([(318, 214 - lift, 1), (352, 206 - lift), (402, 196 - lift, 1), (398, 260, 1), (312, 268, 1)])
    canvas.piece(inside, cloth.plain(mixed(cloth.main, (60, 56, 54), 0.45)), Surface(puff=6, relief=0.3))
    tongue = closed(
        [
            (268, 232 - lift * 0.7, 1),
            (300, 192 - lift),
            (330, 182 - lift),
            (336, 204 - lift, 1),
            (306, 262 - lift * 0.3, 1),
            (252, 292, 1),
        ]
    )
    canvas.piece(tongue, cloth, Surface(puff=8, relief=0.5, crumple=0.3))
    upper = closed(
        [
            (42, 368, 1),
            (44, 334),
            (66, 308),
            (108, 295),
            (160, 288),
            (212, 273),
            (262, 244 - lift * 0.2),
            (310 - lift * 0.1, 208 - lift, 1),
            (334, 226 - lift * 0.9),
            (364, 228 - lift * 0.95),
            (394, 200 - lift),
            (411, 197 - lift, 1),
            (418, 236 - lift * 0.5),
            (413, 290),
            (424, 336),
            (427, 372, 1),
            (240, 378),
        ]
    )
    folds = (
        Fold(opened([(140, 322), (160, 316), (176, 330)]), 10, -0.5),
        Fold(opened([(156, 312), (180, 304), (198, 318)]), 10, -0.4),
    )
    canvas.piece(upper, cloth, Surface(puff=15, relief=0.5, rim=0.16, crumple=0.5, shadow=0.2, folds=folds))
    toe = closed([(42, 370, 1), (44, 335), (66, 309), (106, 296, 1), (128, 326), (135, 374, 1)])
    toe_cloth = cloth.plain(_RUBBER, fabric="rubber") if cloth.fabric == "canvas" else cloth
    canvas.piece(toe, toe_cloth, _SOFT)
    eyestay = closed(
        [
            (206, 284, 1),
            (262, 244 - lift * 0.2),
            (309 - lift * 0.1, 207 - lift, 1),
            (326, 226 - lift * 0.9, 1),
            (288, 262 - lift * 0.4),
            (238, 304),
            (214, 306, 1),
        ]
    )
    canvas.piece(eyestay, cloth, _SOFT)
    heel = closed(
        [
            (394, 201 - lift, 1),
            (411, 198 - lift, 1),
            (418, 236 - lift * 0.5),
            (413, 290),
            (424, 336),
            (427, 372, 1),
            (384, 374, 1),
            (390, 320),
            (398, 250 - lift * 0.5),
        ]
    )
    canvas.piece(heel, trim, _SOFT)
    collar = opened(
        [
            (314 - lift * 0.1, 214 - lift),
            (336, 229 - lift * 0.9),
            (364, 231 - lift * 0.95),
            (394, 204 - lift),
            (410, 200 - lift),
        ]
    )
    canvas.piece(ribbon(collar, 9), cloth.plain(), Surface(puff=4, relief=0.5, crumple=0, shadow=0.14))
    band = ribbon(opened([(252, 356), (290, 322), (352, 300)]), 13, end=9)
    if cloth.fabric != "canvas":
        canvas.piece(band, trim, Surface(puff=4, relief=0.5, crumple=0, shadow=0.16))
    canvas.stitch(
        opened([(218, 310), (244, 306), (292, 266 - lift * 0.4), (330, 228 - lift * 0.9)]),
        thread_of(cloth),
        width=0.9,
        opacity=0.5,
    )
    canvas.stitch(opened([(110, 300), (133, 328), (140, 370)]), thread_of(cloth), width=0.9, opacity=0.5)
    lay_laces(canvas, count=8 if high else 5, start=(226, 288), end=(306 - lift * 0.1, 222 - lift), cloth=trim)
    lay_cup_sole(canvas, cloth)


def _slip_on(canvas: Canvas, cloth: Cloth) -> None:
    inside = closed([(240, 262, 1), (300, 238), (404, 214, 1), (404, 280, 1), (240, 296, 1)])
    canvas.piece(inside, cloth.plain(mixed(cloth.main, (60, 56, 54), 0.5)), Surface(puff=6, relief=0.3))
    upper = closed(
        [
            (42, 370, 1),
            (45, 330),
            (72, 302),
            (116, 288),
            (164, 277),
            (220, 260),
            (262, 240, 1),
            (300, 258),
            (352, 254),
            (396, 218),
            (411, 214, 1),
            (418, 250),
            (414, 300),
            (425, 340),
            (428, 372, 1),
            (240, 378),
        ]
    )
    canvas.piece(upper, cloth, Surface(puff=15, relief=0.5, rim=0.16, crumple=0.5, shadow=0.2))
    gore = closed([(266, 246, 1), (296, 262, 1), (284, 300), (258, 292), (252, 262, 1)])
    canvas.piece(gore, cloth.darker(0.3).plain(fabric="rib"), Surface(puff=3, relief=0.4, crumple=0, shadow=0.1))
    collar = ribbon(opened([(300, 262), (352, 258), (404, 219)]), 10)
    canvas.piece(collar, cloth.plain(), Surface(puff=4, relief=0.5, crumple=0.1, shadow=0.14))
    canvas.seam(opened([(236, 254), (190, 310), (186, 370)]), depth=0.24)
    canvas.stitch(opened([(231, 256), (185, 310), (181, 370)]), thread_of(cloth), width=0.9, opacity=0.5)
    lay_cup_sole(canvas, cloth)
