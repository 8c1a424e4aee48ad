"""What is sewn on a trucker jacket: yoke, darts, flaps, collar and all its stitches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, moved, opened, rounded, sided, symmetric
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import lay_button
from tools.demo_catalog.garments.torso import Torso, hem_band
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth

_BRASS = (184, 148, 92)


def finish_trucker(canvas: Canvas, torso: Torso, cloth: Cloth) -> None:
    """Sew everything on a trucker jacket's front."""
    thread = (206, 154, 92) if cloth.fabric == "denim" else mixed(cloth.main, (30, 30, 32), 0.45)
    top, hem = torso.neck_y, torso.hem_y
    band = hem_band(torso, 22)
    canvas.piece(band, cloth, Surface(puff=5, relief=0.4, crumple=0.2, shadow=0.16))
    placket = rounded(CENTER - 13, top + 36, CENTER + 13, hem + 22, radius=2)
    canvas.piece(placket, cloth, Surface(puff=4, relief=0.36, rim=0.1, crumple=0.2, shadow=0.16))
    for x in (-10, 10):
        canvas.stitch(opened([(CENTER + x, top + 40), (CENTER + x, hem + 18)]), thread, width=1)
    for side in (-1, 1):
        yoke = opened([(CENTER + 13, top + 118), (CENTER + torso.chest - 6, top + 112)])
        canvas.seam(sided(yoke, side), depth=0.26)
        canvas.stitch(sided(moved(yoke, 0, 4), side), thread, width=1)
        flap = closed(
            [
                (CENTER + 30, top + 112, 1),
                (CENTER + 92, top + 110, 1),
                (CENTER + 91, top + 128, 1),
                (CENTER + 61, top + 142, 1),
                (CENTER + 31, top + 130, 1),
            ]
        )
        canvas.piece(sided(flap, side), cloth, Surface(puff=4, relief=0.4, rim=0.14, crumple=0.2, shadow=0.28))
        for start, end in ((40.0, 34.0), (86.0, 58.0)):
            dart = opened([(CENTER + start, top + 140), (CENTER + end, hem - 4)])
            canvas.seam(sided(dart, side), depth=0.22)
            canvas.stitch(sided(moved(dart, 3.4, 0), side), thread, width=1)
        lay_button(canvas, CENTER + side * 61, top + 132, 4, cloth.plain(_BRASS, fabric="metal"))
        s = CENTER + torso.shoulder
        cuff = closed(
            [
                (s + 73, torso.shoulder_y + 334, 1),
                (s + 46, torso.shoulder_y + 340),
                (s + 17, torso.shoulder_y + 337, 1),
                (s + 20, torso.shoulder_y + 364, 1),
                (s + 46, torso.shoulder_y + 367),
                (s + 73, torso.shoulder_y + 360, 1),
            ]
        )
        canvas.piece(sided(cuff, side), cloth, Surface(puff=5, relief=0.4, crumple=0.2, shadow=0.16))
        canvas.stitch(
            sided(opened([(s + 20, torso.shoulder_y + 342), (s + 71, torso.shoulder_y + 340)]), side),
            thread,
            width=1,
        )
    canvas.stitch(
        opened([(CENTER - torso.hem + 3, hem + 3), (CENTER, hem + 9), (CENTER + torso.hem - 3, hem + 3)]),
        thread,
        width=1,
    )
    for number in range(6):
        lay_button(
            canvas, CENTER, top + 62 + number * (hem - top - 50) / 5, 4.4, cloth.plain(_BRASS, fabric="metal")
        )
    _lay_point_collar(canvas, torso, cloth, thread)


def _lay_point_collar(canvas: Canvas, torso: Torso, cloth: Cloth, thread: tuple[int, int, int]) -> None:
    neck, top = torso.neck, torso.neck_y
    stand = symmetric(
        [
            (0, top - 7),
            (neck * 0.55, top - 11),
            (neck - 5, top - 16, 1),
            (neck, top + 3, 1),
            (neck * 0.6, top + 10),
            (0, top + 14),
        ]
    )
    canvas.piece(stand, cloth.darker(0.16), Surface(puff=5, relief=0.4, rim=0.1, crumple=0))
    for side in (-1, 1):
        leaf = closed(
            [
                (CENTER + neck - 6, top - 16, 1),
                (CENTER + neck + 9, top - 2),
                (CENTER + neck + 14, top + 24),
                (CENTER + 52, top + 82, 1),
                (CENTER + 4, top + 40, 1),
                (CENTER + neck * 0.66, top + 22),
            ]
        )
        canvas.piece(
            sided(leaf, side),
            cloth,
            Surface(puff=6, relief=0.46, rim=0.14, crumple=0.3, shadow=0.28, angle=side * 38),
        )
        edge = opened([(CENTER + 12, top + 44), (CENTER + 51, top + 76), (CENTER + neck + 10, top + 24)])
        canvas.stitch(sided(edge, side), thread, width=1)
