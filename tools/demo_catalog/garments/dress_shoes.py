"""Formal shoes, flats and heels, from the side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, ellipse, moved, opened, ribbon, rounded
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.sneakers import lay_pair
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
            closed([(394, 262, 1), (400, 226), (430, 200), (446, 204, 1), (452, 256, 1), (420, 270)]),
            cloth,
            _SOFT,
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
