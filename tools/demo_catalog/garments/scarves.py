"""Scarves, laid once around."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, opened, ribbon
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.product import Design


def draw_scarf(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A scarf: laid once around with both ends hanging, or a silk square knotted."""
    is_silk = design.style == "silk"
    rng = canvas.rng
    long, short = (516, 470) if not is_silk else (476, 430)
    for side, bottom in ((1, short), (-1, long)):
        x = CENTER + side * 34
        wide = 46 if not is_silk else 38
        tail = closed(
            [
                (x - 30, 214, 1),
                (x + 30, 214, 1),
                (x + wide - 4 + side * 4, 330),
                (x + wide + side * 12, bottom, 1),
                (x + side * 12, bottom + 5),
                (x - wide + side * 12, bottom, 1),
                (x - wide + 6 + side * 4, 330),
            ]
        )
        folds = tuple(
            Fold(
                opened(
                    [
                        (x + dx * 0.5, 200),
                        (x + dx * 0.9 + rng.uniform(-4, 4), 330),
                        (x + dx * 1.1 + side * 12, bottom + 30),
                    ]
                ),
                rng.uniform(12, 18),
                depth,
            )
            for dx, depth in ((-26, 0.55), (-8, -0.6), (10, 0.5), (27, -0.5))
        )
        if not is_silk:
            _lay_fringe(canvas, cloth, x + side * 12, wide, bottom)
        canvas.piece(
            tail,
            cloth,
            Surface(puff=11, relief=0.5, rim=0.16, crumple=0.6, shadow=0.2, angle=-side * 3, folds=folds),
        )
    loop = closed(
        [
            (CENTER - 100, 150),
            (CENTER - 76, 112),
            (CENTER, 96),
            (CENTER + 76, 112),
            (CENTER + 100, 150),
            (CENTER + 78, 226),
            (CENTER, 262),
            (CENTER - 78, 226),
        ]
    )
    opening = closed(
        [
            (CENTER - 62, 138),
            (CENTER, 124),
            (CENTER + 62, 138),
            (CENTER + 40, 164),
            (CENTER, 174),
            (CENTER - 40, 164),
        ]
    )
    folds = tuple(
        Fold(
            opened(
                [
                    (CENTER - 98, 140 + 12 * n),
                    (CENTER - 60, 186 + 13 * n),
                    (CENTER, 194 + 17 * n),
                    (CENTER + 60, 186 + 13 * n),
                    (CENTER + 98, 140 + 12 * n),
                ]
            ),
            13,
            0.65 if n % 2 else -0.7,
        )
        for n in range(4)
    )
    canvas.piece(opening, cloth.darker(0.3), Surface(puff=6, relief=0.3))
    canvas.piece(
        loop,
        cloth,
        Surface(puff=15, relief=0.52, rim=0.18, crumple=0.5, shadow=0.34, folds=folds),
        holes=[opening],
    )
    if is_silk:
        canvas.piece(
            closed(
                [
                    (CENTER - 26, 222),
                    (CENTER, 212),
                    (CENTER + 27, 224),
                    (CENTER + 23, 264),
                    (CENTER, 274),
                    (CENTER - 24, 262),
                ]
            ),
            cloth,
            Surface(puff=9, relief=0.56, rim=0.2, crumple=0.6, shadow=0.34, angle=30),
        )


def _lay_fringe(canvas: Canvas, cloth: Cloth, x: float, wide: float, bottom: float) -> None:
    threads = [
        ribbon(
            opened(
                [
                    (place, bottom - 3),
                    (place + canvas.rng.uniform(-2, 2), bottom + 16),
                    (place + canvas.rng.uniform(-3, 3), bottom + 34),
                ]
            ),
            3.4,
            end=2,
        )
        for place in np.arange(x - wide + 4, x + wide - 2, 5.6)
    ]
    region = canvas.region(threads)
    canvas.lay(region, mixed(cloth.main, (30, 28, 30), 0.14))
