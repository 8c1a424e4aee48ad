"""Buttons, zips and pockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, closed, ellipse, opened, rounded
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.palette import GOLD, is_dark
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.palette import Rgb


def lay_button(canvas: Canvas, x: float, y: float, radius: float, cloth: Cloth) -> None:
    """A round button."""
    dark = is_dark(cloth.main)
    tone = mixed(cloth.main, (120, 118, 118) if dark else (250, 248, 244), 0.3 if dark else 0.55)
    canvas.piece(
        ellipse(x, y, radius, radius),
        cloth.plain(tone, fabric="rubber"),
        Surface(puff=2, relief=0.8, rim=0.3, crumple=0, shadow=0.35),
    )
    for dx, dy in ((-1.0, -1.0), (1.0, 1.0)):
        canvas.shade(canvas.region([ellipse(x + dx, y + dy, 0.7, 0.7)]), 0.5)


def lay_zip(canvas: Canvas, points: Points, *, width: float = 5.0) -> None:
    """A zip with its puller at the top."""
    canvas.lay(canvas.line(points, width), (52, 52, 56))
    canvas.tint(canvas.line(points, width * 0.5, dash=(1.6, 1.6)), (206, 208, 212), opacity=0.9)
    x, y = float(points[0][0]), float(points[0][1])
    puller = closed([(x - 2.6, y + 4, 1), (x + 2.6, y + 4, 1), (x + 3.4, y + 20), (x, y + 24), (x - 3.4, y + 20)])
    canvas.cast(canvas.region([puller], pad=8), strength=0.3, reach=3)
    canvas.lay(canvas.region([puller]), (188, 190, 194))


def lay_chest_pocket(canvas: Canvas, cloth: Cloth, *, flap: bool = False) -> None:
    """A patch pocket on the wearer's left."""
    x, y = CENTER + 28, 232
    outline = closed([(x, y, 1), (x + 50, y, 1), (x + 50, y + 46, 1), (x + 25, y + 58, 1), (x, y + 46, 1)])
    canvas.piece(outline, cloth, Surface(puff=5, relief=0.3, rim=0.12, crumple=0.2, shadow=0.14))
    canvas.seam(opened([(x, y + 9), (x + 50, y + 9)]), depth=0.16, width=1)
    if flap:
        canvas.piece(
            closed(
                [
                    (x - 2, y - 6, 1),
                    (x + 52, y - 6, 1),
                    (x + 52, y + 10, 1),
                    (x + 25, y + 20, 1),
                    (x - 2, y + 10, 1),
                ]
            ),
            cloth,
            Surface(puff=4, relief=0.3, rim=0.14, crumple=0.1, shadow=0.2),
        )
        lay_button(canvas, x + 25, y + 12, 3, cloth)


def lay_buckle(canvas: Canvas, place: tuple[float, float], size: tuple[float, float], metal: Cloth) -> None:
    """A small frame around a strap."""
    (x, y), (width, height) = place, size
    outer = rounded(x - width / 2, y - height / 2, x + width / 2, y + height / 2, radius=3)
    inner = rounded(x - width / 2 + 4, y - height / 2 + 4, x + width / 2 - 4, y + height / 2 - 4, radius=2)
    canvas.piece(outer, metal, Surface(puff=2, relief=0.7, crumple=0, shadow=0.3), holes=[inner])


def lay_stud(canvas: Canvas, x: float, y: float, cloth: Cloth, *, radius: float = 4.0) -> None:
    """A golden stud."""
    look = Surface(puff=3, relief=0.7, rim=0.3, crumple=0, shadow=0.3)
    canvas.piece(ellipse(x, y, radius, radius), cloth.plain(GOLD, fabric="metal"), look)


def thread_of(cloth: Cloth) -> Rgb:
    """The color of a quiet thread: a little darker than the cloth, or lighter on dark cloth."""
    return mixed(cloth.main, (205, 205, 208) if is_dark(cloth.main) else (18, 18, 22), 0.38)


def contrast_thread(cloth: Cloth) -> Rgb:
    """The color of a thread that is to be seen, as on leather."""
    return mixed(cloth.main, (248, 242, 232) if is_dark(cloth.main, below=0.5) else (60, 46, 36), 0.48)
