"""Watches, seen from the front: round or square, on leather, steel mesh or links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, turned
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.closures import contrast_thread
from tools.demo_catalog.palette import is_dark
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth, Rgb
    from tools.demo_catalog.product import Design

_Y = 318.0


def draw_watch(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A watch; the first color is the strap's, the second the dial's, the third the case's."""
    is_square = design.style == "square"
    metal = cloth.plain(cloth.colors[2], fabric="metal")
    big = 96.0 if design.gender in ("Men", "Boys") else 82.0
    _lay_strap(canvas, design, cloth, big)
    case = (
        rounded(CENTER - big * 0.9, _Y - big, CENTER + big * 0.9, _Y + big, radius=26)
        if is_square
        else ellipse(CENTER, _Y, big, big)
    )
    crown = rounded(CENTER + big * (0.88 if is_square else 0.98), _Y - 9, CENTER + big + 12, _Y + 9, radius=3)
    canvas.piece(crown, metal, Surface(puff=4, relief=0.7, rim=0.3, crumple=0))
    if design.style == "chronograph":
        for y in (-46, 46):
            canvas.piece(
                rounded(CENTER + big * 0.84, _Y + y - 7, CENTER + big + 7, _Y + y + 7, radius=3),
                metal,
                Surface(puff=4, relief=0.7, rim=0.3, crumple=0),
            )
    canvas.piece(case, metal, Surface(puff=9, relief=0.7, rim=0.34, crumple=0, shadow=0.3))
    inner = (case - (CENTER, _Y)) * 0.86 + (CENTER, _Y)
    canvas.shade(canvas.region([(case - (CENTER, _Y)) * 0.9 + (CENTER, _Y)]), 0.35)
    dial = canvas.piece(
        inner, cloth.plain(cloth.colors[1], fabric="metal"), Surface(puff=5, relief=-0.3, rim=0.16, crumple=0)
    )
    radius = big * 0.86 * (0.86 if is_square else 1.0)
    _lay_dial(canvas, design, cloth, radius)
    shine = closed(
        [
            (CENTER - radius, _Y - radius, 1),
            (CENTER + radius * 0.5, _Y - radius, 1),
            (CENTER - radius * 0.5, _Y + radius, 1),
            (CENTER - radius, _Y + radius, 1),
        ]
    )
    canvas.shade(canvas.region([shine]), -0.07, within=dial)


def _lay_dial(canvas: Canvas, design: Design, cloth: Cloth, radius: float) -> None:
    dark = is_dark(cloth.colors[1], below=0.5)
    ink: Rgb = (238, 238, 236) if dark else (44, 44, 48)
    marks: list[Points] = []
    minutes: list[Points] = []
    for hour in range(60):
        is_hour = hour % 5 == 0
        length, width = ((0.16, 4.2) if hour % 15 == 0 else (0.11, 3.0)) if is_hour else (0.035, 1.2)
        mark = np.array([[0, -radius * 0.92], [0, -radius * (0.92 - length)]])
        (marks if is_hour else minutes).append(moved(turned(ribbon(mark, width), hour * 6), CENTER, _Y))
    canvas.tint(canvas.region(minutes), ink, opacity=0.5)
    canvas.tint(canvas.region(marks), cloth.colors[2] if design.style == "classic" else ink, opacity=0.95)
    if design.style == "chronograph":
        for x, y in ((-0.4, 0.0), (0.4, 0.0), (0.0, 0.42)):
            place = CENTER + x * radius, _Y + y * radius
            sub = mixed(cloth.colors[1], (255, 255, 255) if dark else (40, 40, 44), 0.12)
            canvas.piece(
                ellipse(*place, radius * 0.22, radius * 0.22),
                cloth.plain(sub, fabric="metal"),
                Surface(puff=3, relief=-0.4, rim=0.2, crumple=0),
            )
            canvas.tint(canvas.region([_hand(place, 40 + 100 * x, radius * 0.16, 1.8)]), ink)
    elif design.style in ("classic", "square"):
        window = rounded(CENTER + radius * 0.52, _Y - 7, CENTER + radius * 0.72, _Y + 7, radius=1)
        canvas.tint(canvas.region([window]), (248, 248, 246) if dark else (226, 226, 224), opacity=1)
    middle = CENTER, _Y
    hands = [_hand(middle, 305, radius * 0.5, 5.4), _hand(middle, 58, radius * 0.76, 4.2)]
    for hand in hands:
        region = canvas.region([hand], pad=10)
        canvas.cast(region, strength=0.3, reach=3)
        canvas.lay(region, ink)
    canvas.lay(
        canvas.region([_hand(middle, 190, radius * 0.8, 1.5)]),
        (196, 64, 52) if design.style != "classic" else cloth.colors[2],
    )
    canvas.lay(canvas.region([ellipse(*middle, 5, 5)]), ink)


def _hand(middle: tuple[float, float], degrees: float, length: float, width: float) -> Points:
    line = np.array([[0.0, length * 0.18], [0.0, -length]])
    return turned(ribbon(line, width, end=width * 0.5), degrees) + middle


def _lay_strap(canvas: Canvas, design: Design, cloth: Cloth, big: float) -> None:
    strap = cloth.plain(cloth.main)
    wide = big * 0.56
    for way in (-1, 1):
        near, far = _Y + way * big * 0.8, _Y + way * 262
        outline = closed(
            [
                (CENTER - wide, near, 1),
                (CENTER - wide * 0.9, _Y + way * 180),
                (CENTER - wide * 0.78, far, 1),
                (CENTER, far + way * 6),
                (CENTER + wide * 0.78, far, 1),
                (CENTER + wide * 0.9, _Y + way * 180),
                (CENTER + wide, near, 1),
            ]
        )
        piece = canvas.piece(outline, strap, Surface(puff=13, relief=0.56, rim=0.2, crumple=0.1))
        canvas.shade(
            canvas.region([ellipse(CENTER, far + way * 22, wide * 1.5, 60)], pad=40), 0.34, soft=16, within=piece
        )
        if design.fabric == "metal":
            for step in range(9):
                y = near + way * (16 + step * 20)
                canvas.seam(opened([(CENTER - wide * 1.1, y), (CENTER + wide * 1.1, y)]), depth=0.5, width=1.6)
            for x in (-0.36, 0.36):
                canvas.seam(
                    opened([(CENTER + x * wide, near), (CENTER + x * wide * 0.78, far)]), depth=0.4, width=1.4
                )
        elif design.fabric == "leather":
            for side in (-1, 1):
                edge = opened(
                    [
                        (CENTER + side * (wide - 6), near),
                        (CENTER + side * (wide * 0.9 - 6), _Y + way * 180),
                        (CENTER + side * (wide * 0.78 - 6), far - way * 4),
                    ]
                )
                canvas.stitch(edge, contrast_thread(cloth), width=1.1, opacity=0.7)
        for side in (-1, 1):
            lug = closed(
                [
                    (CENTER + side * (wide - 6), _Y + way * big * 0.7, 1),
                    (CENTER + side * (wide + 9), _Y + way * big * 0.66, 1),
                    (CENTER + side * (wide + 6), _Y + way * big * 1.1),
                    (CENTER + side * (wide - 3), _Y + way * big * 1.12),
                ]
            )
            canvas.piece(
                lug,
                cloth.plain(cloth.colors[2], fabric="metal"),
                Surface(puff=4, relief=0.7, rim=0.3, crumple=0, shadow=0.2),
            )
