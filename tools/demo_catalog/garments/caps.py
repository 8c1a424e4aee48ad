"""Caps: baseball caps turned a little to the left, beanies, bucket hats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, rounded
from tools.demo_catalog.garments.closures import thread_of
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_cap(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A baseball cap turned a little to the left, a beanie, or a bucket hat."""
    if design.style == "beanie":
        _beanie(canvas, cloth)
        return
    if design.style == "bucket":
        _bucket_hat(canvas, cloth)
        return
    brim_cloth = cloth.plain(cloth.colors[1]) if design.style == "two-tone" else cloth
    crown = closed(
        [
            (108, 384, 1),
            (112, 300),
            (150, 222),
            (222, 182),
            (300, 186),
            (364, 230),
            (394, 304),
            (398, 392, 1),
            (330, 410),
            (240, 412),
            (160, 402),
        ]
    )
    canvas.piece(crown, cloth, Surface(puff=30, relief=0.5, rim=0.2, crumple=0.4))
    for line in (
        opened([(262, 180), (206, 226), (182, 300), (178, 404)]),
        opened([(266, 180), (322, 232), (344, 310), (344, 406)]),
        opened([(258, 180), (162, 216), (124, 290), (112, 372)]),
    ):
        canvas.seam(line, depth=0.26)
        for gap in (-3.4, 3.4):
            canvas.stitch(moved(line, gap, 0), thread_of(cloth), width=0.8, opacity=0.4)
    for x, y in ((230, 252), (300, 250), (368, 290)):
        eye = ellipse(x, y, 4.4, 4.4)
        canvas.piece(
            eye, cloth.darker(0.3), Surface(puff=2, relief=0.6, crumple=0), holes=[ellipse(x, y, 1.8, 1.8)]
        )
        canvas.shade(canvas.region([ellipse(x, y, 1.8, 1.8)]), 0.7)
    canvas.piece(
        ellipse(263, 181, 11, 6.5), brim_cloth, Surface(puff=4, relief=0.6, rim=0.2, crumple=0, shadow=0.3)
    )
    brim = closed(
        [
            (118, 366, 1),
            (176, 378),
            (250, 388),
            (346, 386, 1),
            (322, 416),
            (250, 448),
            (150, 462),
            (72, 452),
            (44, 430),
            (64, 398),
        ]
    )
    canvas.piece(brim, brim_cloth, Surface(puff=16, relief=0.5, rim=0.18, crumple=0.2, shadow=0.34))
    for step in (0.2, 0.4, 0.6, 0.8):
        inner = opened(
            [
                (118 - 62 * step + 8, 368 + 58 * step),
                (176 - 30 * step, 380 + 70 * step),
                (250, 390 + 50 * step),
                (340 - 20 * step, 388 + 22 * step),
            ]
        )
        canvas.stitch(inner, thread_of(brim_cloth), width=0.8, opacity=0.4)


def _beanie(canvas: Canvas, cloth: Cloth) -> None:
    crown = closed([(104, 410, 1), (110, 300), (158, 206), (240, 176), (322, 206), (370, 300), (376, 410, 1)])
    canvas.piece(crown, cloth, Surface(puff=32, relief=0.5, rim=0.2, crumple=0.6))
    cuff = closed(
        [
            (92, 384, 1),
            (160, 372),
            (240, 369),
            (320, 372),
            (388, 384, 1),
            (392, 430),
            (384, 470, 1),
            (320, 478),
            (240, 481),
            (160, 478),
            (96, 470, 1),
            (88, 430),
        ]
    )
    canvas.piece(cuff, cloth.plain(fabric="rib"), Surface(puff=16, relief=0.5, rim=0.2, crumple=0.3, shadow=0.34))
    patch = rounded(CENTER + 44, 412, CENTER + 82, 440, radius=3)
    canvas.piece(
        patch, cloth.plain((150, 108, 72), fabric="leather"), Surface(puff=3, relief=0.5, crumple=0, shadow=0.24)
    )


def _bucket_hat(canvas: Canvas, cloth: Cloth) -> None:
    crown = closed([(142, 360, 1), (150, 260), (172, 218), (240, 206), (308, 218), (330, 260), (338, 360, 1)])
    canvas.piece(crown, cloth, Surface(puff=22, relief=0.5, rim=0.18, crumple=0.6))
    canvas.seam(opened([(158, 244), (200, 232), (240, 229), (280, 232), (322, 244)]), depth=0.26)
    brim = closed(
        [
            (140, 350, 1),
            (190, 358),
            (240, 360),
            (290, 358),
            (340, 350, 1),
            (384, 418),
            (396, 452),
            (330, 474),
            (240, 482),
            (150, 474),
            (84, 452),
            (96, 418),
        ]
    )
    canvas.piece(brim, cloth, Surface(puff=15, relief=0.5, rim=0.18, crumple=0.6, shadow=0.3))
    for step in (0.2, 0.4, 0.6, 0.8):
        y = 358 + 112 * step
        canvas.stitch(
            opened(
                [
                    (136 - 46 * step, y - 12),
                    (190 - 20 * step, y - 1),
                    (240, y + 3),
                    (290 + 20 * step, y - 1),
                    (344 + 46 * step, y - 12),
                ]
            ),
            thread_of(cloth),
            width=0.8,
            opacity=0.4,
        )
    for x in (176, 190):
        canvas.shade(canvas.region([ellipse(x, 300, 2.4, 2.4)]), 0.7)
