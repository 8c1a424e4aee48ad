"""Sneakers and running shoes, and what all shoes share: the pair, the soles, the laces."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, opened, ribbon
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.trims import thread_of
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


_RUBBER = (243, 242, 238)


def lay_pair(
    canvas: Canvas,
    draw: Callable[[], None],
    *,
    scale: float = 0.96,
    apart: tuple[float, float] = (34, -56),
    squash: float = 1.0,
) -> None:
    """Draw a shoe twice: one behind, a little darker, one before it."""
    with canvas.placed(scale=scale * 0.95, dx=14 + apart[0], dy=20 + apart[1], squash=squash):
        draw()
    behind = canvas.region([closed([(0, 0, 1), (480, 0, 1), (480, 640, 1), (0, 640, 1)])])
    canvas.shade(behind, 0.1)
    with canvas.placed(scale=scale, dx=-4, dy=28, squash=squash):
        draw()


def lay_cup_sole(canvas: Canvas, cloth: Cloth) -> None:
    """A flat sole of white rubber that goes around the shoe."""
    sole = closed(
        [
            (38, 362, 1),
            (120, 368),
            (240, 370),
            (360, 368),
            (432, 360, 1),
            (435, 384),
            (428, 402, 1),
            (300, 404),
            (120, 404),
            (62, 402),
            (42, 388),
        ]
    )
    canvas.piece(
        sole, cloth.plain(_RUBBER, fabric="rubber"), Surface(puff=10, relief=0.46, rim=0.2, crumple=0, shadow=0.2)
    )
    canvas.shade(canvas.line(opened([(42, 377), (120, 381), (240, 382), (360, 381), (433, 376)]), 1.4), 0.16)
    canvas.lay(
        canvas.region(
            [
                closed(
                    [
                        (54, 398, 1),
                        (120, 402),
                        (300, 402),
                        (429, 398, 1),
                        (427, 406, 1),
                        (300, 408),
                        (120, 408),
                        (66, 406, 1),
                    ]
                )
            ]
        ),
        mixed(cloth.main, (96, 84, 74), 0.7),
    )


def lay_laces(
    canvas: Canvas, *, count: int, start: tuple[float, float], end: tuple[float, float], cloth: Cloth
) -> None:
    """Laces from the toe up, across the eyelets."""
    for number in range(count):
        share = number / (count - 1)
        x, y = start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
        lace = ribbon(opened([(x - 13, y - 16), (x - 2, y - 13), (x + 12, y + 6)]), 6.4)
        canvas.piece(
            lace, cloth.plain(fabric="canvas"), Surface(puff=2.4, relief=0.6, rim=0.2, crumple=0, shadow=0.3)
        )


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


def draw_runner(canvas: Canvas, cloth: Cloth) -> None:
    """A running-style shoe with a thick sculpted sole."""
    trim = cloth.plain(cloth.colors[1])
    other = cloth.plain(cloth.colors[2], fabric="rubber")
    inside = closed([(316, 226, 1), (356, 214), (404, 192, 1), (404, 262, 1), (312, 272, 1)])
    canvas.piece(inside, cloth.plain(mixed(cloth.main, (46, 46, 50), 0.6)), Surface(puff=6, relief=0.3))
    tongue = closed([(262, 246, 1), (296, 200), (330, 184), (340, 204, 1), (308, 262, 1), (250, 292, 1)])
    canvas.piece(tongue, cloth.plain(fabric="mesh"), Surface(puff=8, relief=0.5, crumple=0.2))
    upper = closed(
        [
            (38, 362, 1),
            (42, 328),
            (66, 303),
            (110, 291),
            (162, 282),
            (218, 265),
            (266, 240),
            (312, 212, 1),
            (336, 233),
            (368, 230),
            (398, 195),
            (414, 190, 1),
            (420, 228),
            (414, 288),
            (426, 330),
            (430, 358, 1),
            (240, 372),
        ]
    )
    canvas.piece(
        upper, cloth.plain(fabric="mesh"), Surface(puff=16, relief=0.52, rim=0.16, crumple=0.3, shadow=0.2)
    )
    canvas.piece(
        closed([(38, 364, 1), (42, 329), (66, 304), (100, 293, 1), (110, 328), (130, 368, 1)]),
        cloth.plain(mixed(cloth.main, (20, 20, 24), 0.2), fabric="suede"),
        _SOFT,
    )
    canvas.piece(
        closed([(352, 364, 1), (358, 318), (380, 276), (418, 250, 1), (414, 288), (426, 330), (430, 360, 1)]),
        cloth.plain(mixed(cloth.main, (20, 20, 24), 0.2), fabric="suede"),
        _SOFT,
    )
    eyestay = closed(
        [(200, 280, 1), (262, 240), (311, 212, 1), (328, 232, 1), (290, 262), (244, 302), (212, 304, 1)]
    )
    canvas.piece(eyestay, trim, _SOFT)
    for x in (0.0, 44.0):
        swoop = ribbon(opened([(232 + x, 360), (262 + x, 316), (306 + x * 0.7, 262 + x * 0.3)]), 16, end=8)
        canvas.piece(swoop, trim, Surface(puff=4, relief=0.5, crumple=0, shadow=0.18))
    lay_laces(canvas, count=5, start=(224, 284), end=(306, 226), cloth=other)
    midsole = closed(
        [
            (34, 356, 1),
            (120, 364),
            (240, 362),
            (350, 350),
            (436, 342, 1),
            (446, 368),
            (440, 392, 1),
            (330, 398),
            (180, 402),
            (80, 398),
            (44, 382),
        ]
    )
    canvas.piece(
        midsole,
        cloth.plain(_RUBBER, fabric="rubber"),
        Surface(puff=13, relief=0.5, rim=0.2, crumple=0, shadow=0.22),
    )
    canvas.piece(
        ribbon(opened([(250, 382), (330, 372), (438, 362)]), 4, end=10),
        other,
        Surface(puff=3, relief=0.4, crumple=0),
    )
    outsole = closed(
        [
            (56, 392, 1),
            (120, 400),
            (240, 401),
            (340, 397),
            (440, 390, 1),
            (434, 402, 1),
            (340, 408),
            (120, 409),
            (72, 405, 1),
        ]
    )
    canvas.piece(
        outsole,
        cloth.plain(mixed(cloth.colors[2], (40, 40, 44), 0.5), fabric="rubber"),
        Surface(puff=4, relief=0.4, crumple=0),
    )
