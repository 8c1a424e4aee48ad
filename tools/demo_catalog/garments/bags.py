"""Handbags and backpacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, sided, symmetric
from tools.demo_catalog.garments.trims import contrast_thread, lay_buckle, lay_stud, lay_zip
from tools.demo_catalog.palette import GOLD, STEEL
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


_GOLD = (212, 178, 108)
_PART = Surface(puff=7, relief=0.5, rim=0.16, crumple=0.1, shadow=0.24)
_STRAP = Surface(puff=4, relief=0.56, rim=0.18, crumple=0, shadow=0.24)


def draw_handbag(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A tote, satchel, crossbody, bucket or shoulder bag."""
    {"tote": _tote, "satchel": _satchel, "crossbody": _crossbody, "bucket": _bucket, "hobo": _hobo}[design.style](
        canvas, cloth
    )


def _tote(canvas: Canvas, cloth: Cloth) -> None:
    arch = opened(
        [
            (CENTER - 66, 262),
            (CENTER - 60, 150),
            (CENTER - 38, 92),
            (CENTER, 78),
            (CENTER + 38, 92),
            (CENTER + 60, 150),
            (CENTER + 66, 262),
        ]
    )
    canvas.piece(ribbon(moved(arch, 0, -10), 11), cloth.darker(0.2), _STRAP)
    canvas.piece(
        symmetric([(0, 252), (150, 246, 1), (146, 300, 1), (0, 300)]),
        cloth.darker(0.4),
        Surface(puff=8, relief=0.3),
    )
    body = symmetric([(0, 262), (90, 260), (158, 250, 1), (164, 360), (148, 506), (130, 520, 1), (0, 524)])
    folds = (
        Fold(opened([(CENTER - 158, 270), (CENTER - 134, 380), (CENTER - 136, 516)]), 20, -0.4),
        Fold(opened([(CENTER + 158, 270), (CENTER + 134, 380), (CENTER + 136, 516)]), 20, -0.4),
    )
    canvas.piece(body, cloth, Surface(puff=20, relief=0.48, rim=0.18, crumple=0.7, shadow=0.14, folds=folds))
    _lay_edge(canvas, opened([(CENTER - 156, 262), (CENTER, 272), (CENTER + 156, 262)]), cloth)
    canvas.piece(ribbon(moved(arch, 0, 8), 11), cloth.plain(), _STRAP)
    for side in (-1, 1):
        x = CENTER + side * 66
        tab = closed([(x - 9, 258, 1), (x + 9, 258, 1), (x + 9, 306), (x, 316), (x - 9, 306)])
        canvas.piece(tab, cloth.plain(), _PART)
        lay_stud(canvas, x, 300, cloth)


def _satchel(canvas: Canvas, cloth: Cloth) -> None:
    arch = opened(
        [
            (CENTER - 62, 244),
            (CENTER - 54, 176),
            (CENTER - 26, 140),
            (CENTER + 26, 140),
            (CENTER + 54, 176),
            (CENTER + 62, 244),
        ]
    )
    canvas.piece(ribbon(arch, 15), cloth.plain(), _STRAP)
    body = symmetric([(0, 232), (110, 234), (134, 244), (152, 340), (168, 470), (158, 492), (130, 498), (0, 500)])
    canvas.piece(body, cloth, Surface(puff=24, relief=0.5, rim=0.2, crumple=0.3, shadow=0.16))
    for side in (-1, 1):
        gusset = opened([(CENTER + 118, 238), (CENTER + 134, 350), (CENTER + 146, 496)])
        canvas.seam(sided(gusset, side), depth=0.3)
        lay_stud(canvas, CENTER + side * 62, 248, cloth, radius=7)
    flap = symmetric([(0, 226), (112, 228), (128, 240), (132, 320), (108, 348), (0, 362)])
    canvas.piece(flap, cloth, Surface(puff=15, relief=0.5, rim=0.18, crumple=0.2, shadow=0.36))
    _lay_edge(
        canvas,
        opened(
            [
                (CENTER - 122, 246),
                (CENTER - 124, 318),
                (CENTER - 104, 340),
                (CENTER, 354),
                (CENTER + 104, 340),
                (CENTER + 124, 318),
                (CENTER + 122, 246),
            ]
        ),
        cloth,
    )
    canvas.piece(rounded(CENTER - 15, 336, CENTER + 15, 376, radius=5), cloth.plain(_GOLD, fabric="metal"), _PART)
    canvas.shade(canvas.region([ellipse(CENTER, 356, 5, 5)]), 0.4)


def _crossbody(canvas: Canvas, cloth: Cloth) -> None:
    strap = opened(
        [
            (CENTER - 118, 306),
            (CENTER - 132, 200),
            (CENTER - 70, 96),
            (CENTER, 76),
            (CENTER + 70, 96),
            (CENTER + 132, 200),
            (CENTER + 118, 306),
        ]
    )
    canvas.piece(ribbon(strap, 8), cloth.plain(), _STRAP)
    body = rounded(CENTER - 136, 290, CENTER + 136, 486, radius=34)
    canvas.piece(body, cloth, Surface(puff=24, relief=0.5, rim=0.2, crumple=0.2, shadow=0.16))
    flap = symmetric([(0, 284), (104, 286), (137, 318), (138, 372), (104, 414), (0, 432)])
    canvas.piece(flap, cloth, Surface(puff=16, relief=0.5, rim=0.18, crumple=0.2, shadow=0.36))
    _lay_edge(
        canvas,
        opened(
            [
                (CENTER - 130, 320),
                (CENTER - 130, 370),
                (CENTER - 100, 407),
                (CENTER, 424),
                (CENTER + 100, 407),
                (CENTER + 130, 370),
                (CENTER + 130, 320),
            ]
        ),
        cloth,
    )
    for side in (-1, 1):
        ring = ellipse(CENTER + side * 118, 306, 9, 9)
        canvas.piece(
            ring, cloth.plain(_GOLD, fabric="metal"), _PART, holes=[ellipse(CENTER + side * 118, 306, 5.5, 5.5)]
        )
    canvas.piece(ellipse(CENTER, 408, 12, 12), cloth.plain(_GOLD, fabric="metal"), _PART)
    canvas.piece(
        ellipse(CENTER, 408, 7, 7),
        cloth.plain(_GOLD, fabric="metal"),
        Surface(puff=3, relief=-0.5, rim=0.2, crumple=0),
    )


def _bucket(canvas: Canvas, cloth: Cloth) -> None:
    strap = opened(
        [
            (CENTER - 96, 254),
            (CENTER - 98, 150),
            (CENTER - 44, 78),
            (CENTER + 44, 78),
            (CENTER + 98, 150),
            (CENTER + 96, 254),
        ]
    )
    canvas.piece(ribbon(strap, 13), cloth.plain(), _STRAP)
    canvas.piece(ellipse(CENTER, 246, 104, 22), cloth.darker(0.45), Surface(puff=8, relief=0.3))
    rng = canvas.rng
    folds = tuple(
        Fold(
            opened([(CENTER + x, 262), (CENTER + x * 1.04 + rng.uniform(-5, 5), 320), (CENTER + x * 1.1, 400)]),
            rng.uniform(12, 18),
            0.5 if number % 2 else -0.55,
        )
        for number, x in enumerate(range(-88, 89, 22))
    )
    body = symmetric(
        [(0, 264), (60, 262), (105, 246, 1), (112, 330), (126, 440), (122, 500), (100, 514), (0, 520)]
    )
    canvas.piece(body, cloth, Surface(puff=22, relief=0.5, rim=0.2, crumple=0.3, shadow=0.14, folds=folds))
    base = symmetric([(0, 462), (127, 450, 1), (123, 500), (100, 515), (0, 521)])
    canvas.piece(base, cloth.darker(0.2), Surface(puff=12, relief=0.46, rim=0.18, crumple=0.1, shadow=0.16))
    cord = opened(
        [(CENTER - 102, 284), (CENTER - 40, 298), (CENTER, 300), (CENTER + 40, 298), (CENTER + 102, 284)]
    )
    canvas.piece(ribbon(cord, 5), cloth.darker(0.3), _STRAP)
    for x, y in ((-12, 386), (10, 400)):
        canvas.piece(
            ribbon(opened([(CENTER, 300), (CENTER + x * 1.6, 340), (CENTER + x, y)]), 5), cloth.darker(0.3), _STRAP
        )
        canvas.piece(
            ribbon(opened([(CENTER + x, y - 2), (CENTER + x * 1.1, y + 28)]), 7, end=12), cloth.darker(0.3), _STRAP
        )
    for side in (-1, 1):
        lay_stud(canvas, CENTER + side * 96, 258, cloth, radius=7)


def _hobo(canvas: Canvas, cloth: Cloth) -> None:
    strap = opened(
        [
            (CENTER - 132, 330),
            (CENTER - 112, 200),
            (CENTER - 50, 104),
            (CENTER + 50, 104),
            (CENTER + 112, 200),
            (CENTER + 132, 330),
        ]
    )
    canvas.piece(ribbon(strap, 26), cloth.plain(), Surface(puff=9, relief=0.5, rim=0.18, crumple=0.2))
    body = symmetric([(0, 372), (60, 358), (118, 312), (150, 290, 1), (166, 360), (150, 452), (96, 498), (0, 508)])
    folds = tuple(
        Fold(
            sided(opened([(CENTER + 140, 310), (CENTER + 96, 380 + 20 * n), (CENTER + 40, 400 + 30 * n)]), side),
            16,
            -0.45,
        )
        for side in (-1, 1)
        for n in range(2)
    )
    canvas.piece(body, cloth, Surface(puff=26, relief=0.52, rim=0.2, crumple=0.9, shadow=0.2, folds=folds))
    line = opened(
        [
            (CENTER - 146, 296),
            (CENTER - 112, 322),
            (CENTER - 58, 364),
            (CENTER, 378),
            (CENTER + 58, 364),
            (CENTER + 112, 322),
            (CENTER + 146, 296),
        ]
    )
    lay_zip(canvas, line, width=5)
    for side in (-1, 1):
        ring = ellipse(CENTER + side * 140, 312, 14, 17)
        canvas.piece(
            ring, cloth.plain(_GOLD, fabric="metal"), _PART, holes=[ellipse(CENTER + side * 140, 312, 9, 12)]
        )


def _lay_edge(canvas: Canvas, line: Points, cloth: Cloth) -> None:
    canvas.stitch(line, contrast_thread(cloth), width=1, opacity=0.6)


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
