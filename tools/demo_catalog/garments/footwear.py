"""What shoes share: a pair, laces, and a rubber sole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import closed, opened, ribbon
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.shading import Surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth

_RUBBER = (243, 242, 238)


def lay_pair(
    canvas: Canvas,
    draw: Callable[[], None],
    *,
    scale: float = 0.96,
    apart: tuple[float, float] = (34, -56),
    squash: float = 1.0,
) -> None:
    """Draw a shoe twice: one behind, a little darker, one before it."""
    with canvas.placed(scale=scale * 0.95, dx=14 + apart[0], dy=20 + apart[1], squash=squash):
        draw()
    behind = canvas.region([closed([(0, 0, 1), (480, 0, 1), (480, 640, 1), (0, 640, 1)])])
    canvas.shade(behind, 0.1)
    with canvas.placed(scale=scale, dx=-4, dy=28, squash=squash):
        draw()


def lay_cup_sole(canvas: Canvas, cloth: Cloth) -> None:
    """A flat sole of white rubber that goes around the shoe."""
    sole = closed(
        [
            (38, 362, 1),
            (120, 368),
            (240, 370),
            (360, 368),
            (432, 360, 1),
            (435, 384),
            (428, 402, 1),
            (300, 404),
            (120, 404),
            (62, 402),
            (42, 388),
        ]
    )
    canvas.piece(
        sole, cloth.plain(_RUBBER, fabric="rubber"), Surface(puff=10, relief=0.46, rim=0.2, crumple=0, shadow=0.2)
    )
    canvas.shade(canvas.line(opened([(42, 377), (120, 381), (240, 382), (360, 381), (433, 376)]), 1.4), 0.16)
    canvas.lay(
        canvas.region(
            [
                closed(
                    [
                        (54, 398, 1),
                        (120, 402),
                        (300, 402),
                        (429, 398, 1),
                        (427, 406, 1),
                        (300, 408),
                        (120, 408),
                        (66, 406, 1),
                    ]
                )
            ]
        ),
        mixed(cloth.main, (96, 84, 74), 0.7),
    )


def lay_laces(
    canvas: Canvas, *, count: int, start: tuple[float, float], end: tuple[float, float], cloth: Cloth
) -> None:
    """Laces from the toe up, across the eyelets."""
    for number in range(count):
        share = number / (count - 1)
        x, y = start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
        lace = ribbon(opened([(x - 13, y - 16), (x - 2, y - 13), (x + 12, y + 6)]), 6.4)
        canvas.piece(
            lace, cloth.plain(fabric="canvas"), Surface(puff=2.4, relief=0.6, rim=0.2, crumple=0, shadow=0.3)
        )
