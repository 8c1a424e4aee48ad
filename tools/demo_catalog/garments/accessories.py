"""Belts, scarves and watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, closed, ellipse, moved, opened, ribbon, rounded, turned
from tools.demo_catalog.fabric import mixed
from tools.demo_catalog.garments.trims import contrast_thread
from tools.demo_catalog.palette import is_dark
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth, Rgb
    from tools.demo_catalog.product import Design


def draw_belt(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    """A belt rolled up, its buckle to the front."""
    size = float(canvas.rng.uniform(0.96, 1.05))
    with canvas.placed(scale=size, dx=CENTER * (1 - size)):
        _draw(canvas, design, cloth)


def _draw(canvas: Canvas, design: Design, cloth: Cloth) -> None:
    metal = cloth.plain(cloth.colors[2], fabric="metal")
    band = 54.0 if design.gender == "Men" else 40.0
    outer, inner = _Roll(168, 62, 300), _Roll(142, 48, 302)
    _lay_roll(canvas, cloth.darker(0.3), outer, band, back=True)
    _lay_roll(canvas, cloth.darker(0.18), inner, band, back=True)
    _lay_roll(canvas, cloth, inner, band, back=False)
    _lay_roll(canvas, cloth, outer, band, back=False)
    end = closed(
        [
            (CENTER - 30, 356, 1),
            (CENTER + 60, 350),
            (CENTER + 138, 322),
            (CENTER + 160, 330),
            (CENTER + 158, 324 + band),
            (CENTER + 100, 346 + band),
            (CENTER - 30, 358 + band, 1),
        ]
    )
    canvas.piece(end, cloth, Surface(puff=8, relief=0.5, rim=0.2, crumple=0, shadow=0.34))
    for x in (CENTER + 40, CENTER + 64, CENTER + 88, CENTER + 112):
        y = 352 + band / 2 - 0.0035 * (x - CENTER) ** 2 + 2
        canvas.shade(canvas.region([ellipse(x, y, 3, 3)]), 0.75)
    size = band + 22
    frame = rounded(
        CENTER - 62,
        357 + band / 2 - size / 2,
        CENTER + 2,
        357 + band / 2 + size / 2,
        radius=9 if design.style != "plate" else 4,
    )
    hole = rounded(
        CENTER - 51, 357 + band / 2 - size / 2 + 11, CENTER - 9, 357 + band / 2 + size / 2 - 11, radius=4
    )
    if design.style == "round":
        frame, hole = ellipse(CENTER - 30, 357 + band / 2, 40, 40), ellipse(CENTER - 30, 357 + band / 2, 29, 29)
    look = Surface(puff=4, relief=0.7, rim=0.3, crumple=0, shadow=0.36)
    canvas.piece(frame, metal, look, holes=[] if design.style == "plate" else [hole])
    if design.style != "plate":
        canvas.piece(
            ribbon(
                opened(
                    [(CENTER - 58, 357 + band / 2), (CENTER - 20, 355 + band / 2), (CENTER + 4, 357 + band / 2)]
                ),
                6,
                end=5,
            ),
            metal,
            look,
        )
    keeper = rounded(CENTER + 14, 352, CENTER + 28, 360 + band, radius=3)
    canvas.piece(keeper, cloth, Surface(puff=4, relief=0.56, rim=0.2, crumple=0, shadow=0.36))


@dataclass(frozen=True, slots=True)
class _Roll:
    """One turn of a belt: half width, half depth, and the height of its middle."""

    rx: float
    ry: float
    y: float


def _lay_roll(canvas: Canvas, cloth: Cloth, roll: _Roll, band: float, *, back: bool) -> None:
    start, stop = (np.pi, 2 * np.pi) if back else (0.0, np.pi)
    turn = np.linspace(start, stop, 60)
    edge = np.stack([CENTER + roll.rx * np.cos(turn), roll.y + roll.ry * np.sin(turn)], axis=1)
    outline = np.concatenate([edge, moved(edge, 0, band)[::-1]])
    canvas.piece(outline, cloth, Surface(puff=9, relief=0.5, rim=0.2, crumple=0, shadow=0.2))
    if back:
        return
    for inset in (5.0, band - 5):
        canvas.stitch(moved(edge[2:-2], 0, inset), contrast_thread(cloth), width=1, opacity=0.6)


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
                    (left, bottom - 3),
                    (left + canvas.rng.uniform(-2, 2), bottom + 16),
                    (left + canvas.rng.uniform(-3, 3), bottom + 34),
                ]
            ),
            3.4,
            end=2,
        )
        for left in np.arange(x - wide + 4, x + wide - 2, 5.6)
    ]
    region = canvas.region(threads)
    canvas.lay(region, mixed(cloth.main, (30, 28, 30), 0.14))


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
            center = CENTER + x * radius, _Y + y * radius
            sub = mixed(cloth.colors[1], (255, 255, 255) if dark else (40, 40, 44), 0.12)
            canvas.piece(
                ellipse(*center, radius * 0.22, radius * 0.22),
                cloth.plain(sub, fabric="metal"),
                Surface(puff=3, relief=-0.4, rim=0.2, crumple=0),
            )
            canvas.tint(canvas.region([_hand(center, 40 + 100 * x, radius * 0.16, 1.8)]), ink)
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
