"""Flats: ballerinas, pointed flats, loafers, flat sandals; their toes point to the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, ellipse, opened, ribbon, rounded
from tools.demo_catalog.garments.footwear import lay_pair
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_GOLD = (212, 180, 112)
_SOFT = Surface(puff=7, relief=0.5, rim=0.16, crumple=0.1, shadow=0.18)


def draw_flat(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A pair of ballerinas, pointed flats, loafers or flat sandals."""
    lay_pair(canvas, lambda: _flat(canvas, design.style, cloth), scale=0.94, squash=0.86)


def _flat(canvas: Canvas, style: str, cloth: Cloth) -> None:
    sole = closed(
        [
            (36, 375),
            (120, 384),
            (240, 386),
            (360, 384),
            (434, 376, 1),
            (432, 398, 1),
            (300, 402),
            (120, 402),
            (56, 397),
            (36, 386),
        ]
    )
    if style == "sandal":
        canvas.piece(
            closed([(40, 372), (120, 362), (240, 362), (360, 358), (432, 362), (430, 382), (240, 386), (60, 386)]),
            cloth.plain((190, 150, 110), fabric="leather"),
            _SOFT,
        )
        _lay_sandal_straps(canvas, cloth)
    else:
        nose = 22.0 if style == "pointed" else 40.0
        inside = closed([(150, 330, 1), (240, 306), (330, 290), (416, 258, 1), (424, 350, 1), (180, 372, 1)])
        canvas.piece(inside, cloth.plain((206, 178, 148), fabric="leather"), Surface(puff=8, relief=0.3))
        upper = closed(
            [
                (nose, 380, 1),
                (nose + 20, 350),
                (nose + 64, 324),
                (152, 310, 1),
                (198, 340),
                (270, 346),
                (350, 318),
                (416, 256, 1),
                (430, 300),
                (432, 382, 1),
                (240, 390),
            ]
        )
        canvas.piece(upper, cloth, Surface(puff=15, relief=0.54, rim=0.18, crumple=0.2, shadow=0.2))
        canvas.piece(
            ribbon(opened([(153, 313), (198, 343), (270, 349), (350, 321), (415, 260)]), 4),
            cloth.darker(0.2),
            Surface(puff=2, relief=0.6, crumple=0),
        )
        if style == "bow":
            for side in (-1, 1):
                canvas.piece(
                    closed(
                        [(150, 318, 1), (150 + side * 28, 300), (150 + side * 32, 318), (150 + side * 26, 334)]
                    ),
                    cloth,
                    _SOFT,
                )
            canvas.piece(ellipse(150, 319, 7, 8), cloth, _SOFT)
        if style == "loafer":
            canvas.piece(
                closed([(136, 306, 1), (176, 316), (214, 350), (206, 384, 1), (170, 386, 1), (150, 344)]),
                cloth,
                _SOFT,
            )
            canvas.piece(
                rounded(154, 330, 190, 342, radius=5),
                cloth.plain(_GOLD, fabric="metal"),
                Surface(puff=2, relief=0.7, crumple=0, shadow=0.3),
                holes=[rounded(159, 333, 185, 339, radius=2)],
            )
    canvas.piece(
        sole,
        cloth.plain((60, 46, 38) if style != "sandal" else (112, 82, 58), fabric="leather"),
        Surface(puff=5, relief=0.4, crumple=0, shadow=0.2),
    )


def _lay_sandal_straps(canvas: Canvas, cloth: Cloth) -> None:
    look = Surface(puff=7, relief=0.5, rim=0.18, crumple=0.1, shadow=0.26)
    inside = Surface(puff=5, relief=0.3, crumple=0)
    canvas.piece(
        ribbon(opened([(352, 362), (356, 262), (394, 212), (424, 250), (430, 360)]), 15), cloth.darker(0.3), inside
    )
    canvas.piece(
        closed([(386, 366, 1), (392, 300), (408, 246), (424, 240, 1), (432, 300), (434, 368, 1)]), cloth, look
    )
    canvas.piece(
        closed(
            [
                (62, 374, 1),
                (84, 338),
                (122, 316),
                (158, 312, 1),
                (196, 340),
                (204, 378, 1),
                (168, 378),
                (150, 352),
                (128, 344),
                (104, 356),
                (92, 376, 1),
            ]
        ),
        cloth,
        look,
    )
    canvas.piece(
        closed(
            [
                (150, 312, 1),
                (196, 282),
                (240, 262, 1),
                (262, 276, 1),
                (268, 330),
                (272, 378, 1),
                (238, 378),
                (226, 330),
                (208, 316),
                (180, 330, 1),
            ]
        ),
        cloth,
        look,
    )
    canvas.piece(ribbon(opened([(248, 270), (300, 250), (352, 252), (410, 262)]), 13), cloth, look)
    buckle = rounded(338, 240, 360, 266, radius=4)
    canvas.piece(
        buckle,
        cloth.plain(_GOLD, fabric="metal"),
        Surface(puff=2, relief=0.7, crumple=0, shadow=0.3),
        holes=[rounded(343, 245, 355, 261, radius=2)],
    )
