"""Caps, beanies, bucket hats and sunglasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, sided
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.trims import thread_of
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
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


_Y = 318.0


def draw_sunglasses(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """Sunglasses; the first color is the frame's, the second the lenses'."""
    size = float(canvas.rng.uniform(0.94, 1.04))
    with canvas.placed(scale=size, dx=CENTER * (1 - size), dy=_Y * (1 - size)):
        _draw(canvas, design, cloth)


def _draw(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    is_wire = design.style in ("aviator", "round")
    metal = cloth.plain(cloth.main, fabric="metal" if is_wire else "patent")
    lens, rim = _lens(design.style), 3.4 if is_wire else 10.0
    for side in (-1, 1):
        temple = opened([(CENTER + 178, _Y - 34), (CENTER + 150, _Y - 66), (CENTER + 118, _Y - 84)])
        canvas.piece(
            sided(ribbon(temple, 9 if not is_wire else 4, end=5 if not is_wire else 3), side),
            metal.darker(0.2),
            Surface(puff=3, relief=0.5, crumple=0),
        )
        inner = opened([(CENTER + 118, _Y - 84), (CENTER + 96, _Y - 80), (CENTER + 84, _Y - 62)])
        canvas.piece(
            sided(ribbon(inner, 5 if not is_wire else 4, end=6), side),
            metal.darker(0.35),
            Surface(puff=3, relief=0.5, crumple=0),
        )
    for side in (-1, 1):
        _lay_lens(canvas, sided(lens, side), cloth)
    for side in (-1, 1):
        pad = opened([(CENTER + 20, _Y - 8), (CENTER + 25, _Y + 8), (CENTER + 24, _Y + 24)])
        canvas.piece(
            sided(ribbon(pad, 5, end=8), side),
            cloth.plain((214, 206, 196), fabric="patent"),
            Surface(puff=3, relief=0.5, crumple=0),
        )
        outline = sided(lens, side)
        grown = _grown(outline, rim, style=design.style)
        canvas.piece(
            grown,
            metal,
            Surface(puff=3.4 if is_wire else 5, relief=0.66, rim=0.2, crumple=0, shadow=0.3),
            holes=[outline],
        )
        hinge = rounded(CENTER + 170, _Y - 46, CENTER + 186, _Y - 30, radius=4)
        canvas.piece(sided(hinge, side), metal, Surface(puff=4, relief=0.6, rim=0.2, crumple=0, shadow=0.2))
        if not is_wire:
            canvas.piece(
                ellipse(CENTER + side * 168, _Y - 36, 2.6, 2.6),
                cloth.plain((214, 196, 150), fabric="metal"),
                Surface(puff=2, relief=0.7, crumple=0),
            )
    bridge = opened([(CENTER - 30, _Y - 18), (CENTER, _Y - 31), (CENTER + 30, _Y - 18)])
    canvas.piece(
        ribbon(bridge, 4 if is_wire else 12),
        metal,
        Surface(puff=3 if is_wire else 5, relief=0.6, rim=0.16, crumple=0),
    )
    if design.style == "aviator":
        canvas.piece(
            ribbon(opened([(CENTER - 70, _Y - 50), (CENTER, _Y - 53), (CENTER + 70, _Y - 50)]), 4),
            metal,
            Surface(puff=3, relief=0.6, crumple=0),
        )


def _lens(style: str) -> Points:
    """The right lens."""
    c = CENTER
    if style == "round":
        return ellipse(c + 96, _Y + 4, 66, 64)
    if style == "aviator":
        return closed(
            [
                (c + 30, _Y - 30),
                (c + 70, _Y - 48),
                (c + 130, _Y - 48),
                (c + 168, _Y - 26),
                (c + 164, _Y + 24),
                (c + 124, _Y + 66),
                (c + 78, _Y + 58),
                (c + 40, _Y + 18),
            ]
        )
    if style == "cat-eye":
        return closed(
            [
                (c + 32, _Y - 20),
                (c + 70, _Y - 40),
                (c + 130, _Y - 52),
                (c + 176, _Y - 62, 1),
                (c + 166, _Y - 4),
                (c + 138, _Y + 40),
                (c + 86, _Y + 44),
                (c + 46, _Y + 20),
            ]
        )
    if style == "square":
        return rounded(c + 30, _Y - 48, c + 166, _Y + 56, radius=22)
    return closed(
        [
            (c + 31, _Y - 40, 1),
            (c + 100, _Y - 48),
            (c + 168, _Y - 44, 1),
            (c + 163, _Y + 10),
            (c + 136, _Y + 50),
            (c + 96, _Y + 56),
            (c + 58, _Y + 46),
            (c + 36, _Y + 4),
        ]
    )


def _grown(outline: Points, rim: float, *, style: str) -> Points:
    """The outline of a frame around a lens, thicker at its top."""
    middle = outline.mean(axis=0)
    away = outline - middle
    size = np.abs(away).max(axis=0)
    top = np.clip(-away[:, 1:2] / size[1], 0, 1) * (0.5 if style not in ("aviator", "round") else 0.0)
    return np.asarray(middle + away * (1 + rim * (1 + top) / size))


def _lay_lens(canvas: Canvas, outline: Points, cloth: Cloth) -> None:
    """A tinted lens, darker at its top, with the light of a window on it."""
    tint = cloth.colors[1]
    region = canvas.region([outline])
    rows = np.linspace(0, 1, region.mask.shape[0], dtype=np.float32)[:, None, None]
    top, bottom = (
        np.array(each, np.float32) / 255
        for each in (mixed(tint, (16, 16, 20), 0.45), mixed(tint, (244, 240, 234), 0.28))
    )
    field = np.broadcast_to(top + (bottom - top) * rows**1.3, (*region.mask.shape, 3))
    canvas.lay(region, np.ascontiguousarray(field), opacity=0.96)
    canvas.shade(canvas.line(np.concatenate([outline, outline[:1]]), 9), 0.25, soft=4, within=region)
    low, high = outline.min(axis=0), outline.max(axis=0)
    width = high[0] - low[0]
    for start, wide, amount in ((0.2, 0.16, 0.16), (0.42, 0.06, 0.1)):
        x = low[0] + start * width
        shine = closed(
            [
                (x + 34, low[1], 1),
                (x + 34 + wide * width, low[1], 1),
                (x - 24 + wide * width, high[1], 1),
                (x - 24, high[1], 1),
            ]
        )
        canvas.shade(canvas.region([shine], pad=12), -amount, soft=1.5, within=region)
