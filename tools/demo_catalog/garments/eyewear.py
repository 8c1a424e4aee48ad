"""Sunglasses, seen from the front."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, opened, ribbon, rounded, sided
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design

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
