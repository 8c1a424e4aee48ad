"""Running shoes; their toes point to the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, opened, ribbon
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.footwear import lay_laces
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth

_RUBBER = (243, 242, 238)
_SOFT = Surface(puff=9, relief=0.5, rim=0.16, crumple=0.3, shadow=0.16)


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
