"""Jeans and trousers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, ellipse, moved, opened, ribbon, rounded, sided
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import lay_button
from tools.demo_catalog.garments.legs import half_waist, lay_fly, lay_legs, lay_waistband
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

_TOP = 52.0
_THREAD = (206, 154, 92)
_KNEE_HEM = {  # half widths of a leg at the knee and at the hem, and how far the hem's middle is from the center
    "skinny": (31.0, 23.0, 62.0),
    "slim": (36.0, 29.0, 66.0),
    "straight": (42.0, 40.0, 70.0),
    "wide": (54.0, 66.0, 82.0),
    "flared": (35.0, 58.0, 76.0),
    "jogger": (40.0, 25.0, 64.0),
}


def draw_jeans(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """Jeans: skinny, slim, straight, wide or flared, with a faded front."""
    legs = lay_legs(canvas, design, cloth, bottom=598)
    for side in (-1, 1):
        fade = sided(ellipse(CENTER + 56, 300, 19, 108, tilt=3), side)
        canvas.shade(canvas.region([fade], pad=40), -0.2, soft=17)
        thread_line = sided(
            opened([(CENTER + half_waist(design) - 3, _TOP + 26), (CENTER + half_waist(design) + 8, 190)]), side
        )
        canvas.stitch(moved(thread_line, -side * 5.0, 0.0), _THREAD, width=0.9, opacity=0.4)
        pocket = opened(
            [(CENTER + 40, _TOP + 25), (CENTER + 54, _TOP + 60), (CENTER + half_waist(design) + 4, _TOP + 72)]
        )
        canvas.seam(sided(pocket, side), depth=0.34)
        for gap in (3.0, 6.0):
            canvas.stitch(sided(moved(pocket, -gap * 0.8, gap * 0.7), side), _THREAD, width=1)
        lay_button(
            canvas, CENTER + side * (half_waist(design) + 1), _TOP + 69, 2.2, cloth.plain(_THREAD, fabric="metal")
        )
    lay_fly(canvas, _THREAD)
    lay_waistband(canvas, design, cloth, thread=_THREAD)
    lay_button(canvas, CENTER, _TOP + 12, 5, cloth.plain((186, 150, 96), fabric="metal"))
    for line in legs:
        canvas.stitch(line, _THREAD, width=1)


def draw_trousers(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """Trousers: chinos, pressed ones, wide ones, or joggers."""
    legs = lay_legs(canvas, design, cloth, bottom=598, crease=design.style not in ("jogger", "slim"))
    for side in (-1, 1):
        pocket = opened(
            [(CENTER + half_waist(design) - 22, _TOP + 24), (CENTER + half_waist(design) + 6, _TOP + 96)]
        )
        canvas.seam(sided(pocket, side), depth=0.3)
    if design.style == "jogger":
        for side in (-1, 1):
            hem = _KNEE_HEM["jogger"][2]
            band = rounded(CENTER + hem - 25, 574, CENTER + hem + 25, 604, radius=4)
            canvas.piece(
                sided(band, side), cloth.plain(fabric="rib"), Surface(puff=6, relief=0.5, crumple=0.1, shadow=0.2)
            )
        lay_waistband(canvas, design, cloth.plain(fabric="rib"), loops=False)
        for side in (-1, 1):
            cord = opened([(CENTER + 6, _TOP + 18), (CENTER + 9, _TOP + 50), (CENTER + 7, _TOP + 84 + 6 * side)])
            canvas.piece(
                sided(ribbon(cord, 3.6), side),
                cloth.plain(mixed(cloth.main, (248, 246, 240), 0.8), fabric="canvas"),
                Surface(puff=2, relief=0.6, crumple=0, shadow=0.3),
            )
        return
    lay_fly(canvas, mixed(cloth.main, (24, 24, 28), 0.4))
    lay_waistband(canvas, design, cloth)
    lay_button(canvas, CENTER + 4, _TOP + 12, 3.6, cloth)
    for line in legs:
        canvas.seam(line, depth=0.14, width=1)
