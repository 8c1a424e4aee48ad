"""What tops, dresses and jackets share: the torso with its neckline, sleeves, folds and wavy hems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, beside, closed, moved, opened, sided, symmetric
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas, Region
    from tools.demo_catalog.curves import Knot, Points
    from tools.demo_catalog.fabric import Cloth


_NECK_DROPS = {"Crew Neck": 36.0, "V-Neck": 84.0, "Scoop Neck": 66.0, "Boat Neck": 22.0, "Square Neck": 62.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Torso:
    """Half widths of a torso, and the heights where they are."""

    neck: float = 49.0
    neck_y: float = 98.0
    shoulder: float = 130.0
    shoulder_y: float = 130.0
    chest: float = 121.0
    chest_y: float = 230.0
    waist: float = 118.0
    waist_y: float = 360.0
    hem: float = 121.0
    hem_y: float = 508.0
    hem_bow: float = 6.0


def neckline(torso: Torso, neck: str) -> Points:
    """The front neckline from the left shoulder to the right one."""
    width, top, drop = torso.neck, torso.neck_y, _NECK_DROPS.get(neck, 36.0)
    half: list[Knot]
    if neck == "V-Neck":
        half = [(0, top + drop, 1), (width * 0.62, top + drop * 0.42), (width, top)]
    elif neck == "Square Neck":
        half = [(0, top + drop), (width * 0.86, top + drop - 2, 1), (width, top)]
    else:
        half = [
            (0, top + drop),
            (width * 0.55, top + drop * 0.84),
            (width * 0.93, top + drop * 0.36),
            (width, top),
        ]
    left: list[Knot] = [(CENTER - knot[0], *knot[1:]) for knot in reversed(half[1:])]
    right: list[Knot] = [(CENTER + knot[0], *knot[1:]) for knot in half]
    return opened(left + right)


def lay_back(canvas: Canvas, torso: Torso, cloth: Cloth, *, label: bool = True) -> None:
    """The inside of the back, seen through the neck."""
    outline = symmetric(
        [
            (0, torso.neck_y + 9),
            (torso.neck * 0.7, torso.neck_y + 5),
            (torso.neck + 1, torso.neck_y - 1, 1),
            (torso.neck + 12, torso.neck_y + 60, 1),
            (0, torso.neck_y + 118),
        ]
    )
    inside = canvas.piece(outline, cloth.darker(0.3), Surface(puff=10, relief=0.2, rim=0.1))
    canvas.shade(inside, 0.2)
    if label:
        tag = symmetric([(0, torso.neck_y + 17), (11, torso.neck_y + 16, 1), (11, torso.neck_y + 27, 1)])
        canvas.lay(canvas.region([tag]), (236, 233, 226), opacity=0.8)


def body_outline(torso: Torso, front: Points) -> Points:
    """The front below a neckline."""
    knots: list[Knot] = [
        (torso.neck, torso.neck_y, 1),
        (torso.shoulder, torso.shoulder_y, 1),
        (torso.shoulder - 9, (torso.shoulder_y + torso.chest_y) / 2),
        (torso.chest, torso.chest_y, 1),
        ((torso.chest + torso.waist) / 2 - 1.5, (torso.chest_y + torso.waist_y) / 2),
        (torso.waist, torso.waist_y),
        (torso.hem, torso.hem_y, 1),
        (torso.hem * 0.5, torso.hem_y + torso.hem_bow * 0.75),
    ]
    lower = symmetric([*knots, (0, torso.hem_y + torso.hem_bow)])
    return np.concatenate([front[:-1], lower[:-11]])  # less the way back across the neck


def body_folds(torso: Torso, rng: np.random.Generator, *, strength: float = 1.0) -> tuple[Fold, ...]:
    """How a front falls: from the armpits inwards, and down from the chest."""
    folds = []
    for side in (-1, 1):
        x, y = torso.chest, torso.chest_y
        for number in range(2):
            reach, fall = rng.uniform(38, 62), rng.uniform(-14, 30) + 34 * number
            line = opened(
                [
                    (CENTER + x - 5, y + 4 + 8 * number),
                    (CENTER + x - reach * 0.6, y + fall * 0.35 + 12),
                    (CENTER + x - reach, y + fall + 26),
                ]
            )
            folds.append(Fold(sided(line, side), rng.uniform(12, 20), -0.26 * strength))
        top = rng.uniform(40, 110)
        inner = x * rng.uniform(0.42, 0.7)
        line = opened(
            [
                (CENTER + inner, y + top),
                (CENTER + inner + rng.uniform(2, 12), y + top + 90),
                (CENTER + inner + rng.uniform(-2, 12), torso.hem_y - rng.uniform(4, 40)),
            ]
        )
        folds.append(Fold(sided(line, side), rng.uniform(24, 36), 0.34 * strength))
        low = rng.uniform(0.55, 0.8)
        start = torso.waist_y * (1 - low) + torso.hem_y * low
        line = opened(
            [
                (CENTER + torso.waist - 3, start),
                (CENTER + torso.waist * 0.7, start + 10),
                (CENTER + torso.waist * 0.5, start + rng.uniform(22, 36)),
            ]
        )
        folds.append(Fold(sided(line, side), rng.uniform(10, 16), -0.24 * strength))
    sway = rng.uniform(-20, 20)
    line = opened(
        [
            (CENTER + sway, torso.chest_y + 70),
            (CENTER + sway + 8, torso.waist_y + 20),
            (CENTER + sway * 0.6, torso.hem_y - 30),
        ]
    )
    folds.append(Fold(line, 30, -0.22 * strength))
    return tuple(folds)


def lay_neck_rib(canvas: Canvas, front: Points, cloth: Cloth, *, width: float = 11.0) -> None:
    """The ribbed band of a neckline."""
    outer = beside(front, width)
    outer[:, 1] = np.maximum(outer[:, 1], front[:, 1].min() + 1)
    canvas.piece(
        np.concatenate([front, outer[::-1]]),
        cloth.plain(fabric="rib"),
        Surface(puff=4, relief=0.5, rim=0.12, crumple=0, shadow=0.12),
    )


def lay_band(canvas: Canvas, outline: Points, cloth: Cloth, *, angle: float = 0.0) -> Region:
    """A ribbed band, as at cuffs and hems of sweatshirts."""
    return canvas.piece(
        outline,
        cloth.plain(fabric="rib"),
        Surface(puff=6, relief=0.5, rim=0.16, crumple=0.2, angle=angle, shadow=0.14),
    )


def hem_band(torso: Torso, depth: float) -> Points:
    """The outline of a band below the hem, drawn in a little."""
    return symmetric(
        [
            (0, torso.hem_y + torso.hem_bow - 2),
            (torso.hem * 0.55, torso.hem_y + torso.hem_bow * 0.7 - 2),
            (torso.hem - 1, torso.hem_y - 2, 1),
            (torso.hem - 9, torso.hem_y + depth, 1),
            (torso.hem * 0.5, torso.hem_y + depth + torso.hem_bow * 0.7),
            (0, torso.hem_y + depth + torso.hem_bow),
        ]
    )


def sleeve_outline(torso: Torso, length: str, *, wide: float = 0.0) -> Points:
    """The right sleeve, from below the shoulder's seam."""
    s, sy, c, cy = torso.shoulder, torso.shoulder_y, torso.chest, torso.chest_y
    head: list[Knot] = [(s - 30, sy - 4, 1), (s - 6, sy - 2, 1)]
    pit: list[Knot] = [(c - 3, cy + 9, 1), (c - 26, cy - 12, 1)]
    arm: list[Knot]
    if length == "Short":
        arm = [
            (s + 22, sy + 16),
            (s + 42, sy + 58),
            (s + 58 + wide, sy + 104, 1),
            (s + 34, sy + 120),
            (s + 6, sy + 126, 1),
        ]
    elif length == "Three-Quarter":
        arm = [
            (s + 24, sy + 24),
            (s + 42, sy + 110),
            (s + 58 + wide, sy + 240, 1),
            (s + 36, sy + 248),
            (s + 13 - wide * 0.4, sy + 246, 1),
            (s + 4, sy + 160),
        ]
    elif length == "Cap":
        arm = [(s + 18, sy + 18), (s + 30, sy + 52, 1), (s + 10, sy + 74), (s - 8, sy + 84, 1)]
    else:
        arm = [
            (s + 23, sy + 22),
            (s + 41, sy + 110),
            (s + 55 + wide * 0.5, sy + 220),
            (s + 62 + wide, sy + 352, 1),
            (s + 44, sy + 358),
            (s + 24 - wide * 0.3, sy + 356, 1),
            (s + 14, sy + 240),
            (s + 2, sy + 160),
        ]
    return _closed([*head, *arm, *pit])


def cuff_line(torso: Torso, length: str, *, up: float, wide: float = 0.0) -> Points:
    """The line of the right sleeve's hem, or one that is so far above it."""
    s, sy = torso.shoulder, torso.shoulder_y
    ends = {
        "Short": ((s + 58 + wide, sy + 104), (s + 34, sy + 120), (s + 6, sy + 126), (-0.42, -0.9)),
        "Cap": ((s + 30, sy + 52), (s + 10, sy + 74), (s - 8, sy + 84), (-0.6, -0.8)),
        "Three-Quarter": (
            (s + 58 + wide, sy + 240),
            (s + 36, sy + 248),
            (s + 13 - wide * 0.4, sy + 246),
            (-0.08, -1.0),
        ),
    }
    outer, middle, inner, (dx, dy) = ends.get(
        length, ((s + 62 + wide, sy + 352), (s + 44, sy + 358), (s + 24 - wide * 0.3, sy + 356), (-0.05, -1.0))
    )
    line = opened(
        [(CENTER + outer[0] + 2, outer[1]), (CENTER + middle[0], middle[1]), (CENTER + inner[0] - 3, inner[1])]
    )
    return np.asarray(moved(line, dx * up, dy * up))


def lay_sleeves(  # noqa: PLR0913 -- a sleeve is said by its torso, length and width
    canvas: Canvas, torso: Torso, cloth: Cloth, length: str, *, wide: float = 0.0, surface: Surface | None = None
) -> tuple[Region, ...]:
    """Both sleeves, to be laid before the front; nothing without a length."""
    if length in ("", "Sleeveless"):
        return ()
    rng = canvas.rng
    laid = []
    for side in (-1, 1):
        outline = sided(sleeve_outline(torso, length, wide=wide), side)
        look = surface or Surface(puff=15, relief=0.46, crumple=0.8)
        angle = side * (24.0 if length in ("Short", "Cap") else 9.0)
        folds = _sleeve_folds(torso, length, side, rng)
        laid.append(
            canvas.piece(
                outline,
                cloth,
                Surface(
                    puff=look.puff,
                    relief=look.relief,
                    rim=look.rim,
                    crumple=look.crumple,
                    gloss=look.gloss,
                    angle=angle,
                    folds=(*look.folds, *folds),
                ),
            )
        )
        inner = opened(
            [
                (CENTER + torso.chest + 2, torso.chest_y - 60),
                (CENTER + torso.chest + 4, torso.chest_y + 4),
                (CENTER + torso.chest + 8, torso.chest_y + 90),
            ]
        )
        canvas.shade(canvas.line(sided(inner, side), 12), 0.3, soft=6, within=laid[-1])
    return tuple(laid)


def cuff_band(torso: Torso, *, depth: float, wide: float = 0.0) -> Points:
    """The outline of a band below a long right sleeve."""
    s, y = torso.shoulder + CENTER, torso.shoulder_y
    return _absolute(
        [
            (s + 60 + wide, y + 351, 1),
            (s + 44, y + 357),
            (s + 25 - wide * 0.3, y + 355, 1),
            (s + 28 - wide * 0.3, y + 355 + depth, 1),
            (s + 44, y + 357 + depth),
            (s + 59 + wide * 0.7, y + 352 + depth, 1),
        ]
    )


def _absolute(knots: list[Knot]) -> Points:
    return _closed([(knot[0] - CENTER, *knot[1:]) for knot in knots])


def _closed(knots: list[Knot]) -> Points:
    return closed([(knot[0] + CENTER, *knot[1:]) for knot in knots])


def _sleeve_folds(torso: Torso, length: str, side: int, rng: np.random.Generator) -> tuple[Fold, ...]:
    s, sy = CENTER + torso.shoulder, torso.shoulder_y
    lines = []
    if length in ("Short", "Cap"):
        lines.append((opened([(s + 2, sy + 30), (s + 20, sy + 70), (s + 26, sy + 112)]), 14.0, -0.34))
        lines.append((opened([(s + 16, sy + 30), (s + 34, sy + 66), (s + 44, sy + 104)]), 14.0, 0.3))
    else:
        for start in (130, 168, 205):
            y = sy + start + rng.uniform(-12, 12)
            lines.append(
                (
                    opened([(s + 6, y), (s + 22, y + 10), (s + 42, y + rng.uniform(0, 14))]),
                    rng.uniform(9, 14),
                    -0.4,
                )
            )
        lines.append((opened([(s + 10, sy + 40), (s + 22, sy + 100), (s + 26, sy + 150)]), 18.0, 0.34))
        lines.append((opened([(s + 36, sy + 225), (s + 42, sy + 280), (s + 40, sy + 335)]), 14.0, 0.34))
    return tuple(Fold(sided(line, side), width, depth) for line, width, depth in lines)


def flare_folds(
    rng: np.random.Generator,
    *,
    top: tuple[float, float],
    bottom: tuple[float, float],
    count: int,
    strength: float = 1.0,
) -> tuple[Fold, ...]:
    """Folds that widen from a waist to a hem, each given as its height and half width."""
    folds = []
    (top_y, top_half), (bottom_y, bottom_half) = top, bottom
    for number in range(count):
        share = (number + 0.5) / count * 2 - 1 + rng.uniform(-0.5, 0.5) / count
        start = top_y + rng.uniform(-0.05, 0.3) * (bottom_y - top_y)
        ratio = (start - top_y) / (bottom_y - top_y)
        x_start = CENTER + share * (top_half + (bottom_half - top_half) * ratio) * 0.94
        x_end = CENTER + share * bottom_half * 0.96
        line = opened(
            [
                (x_start, start),
                ((x_start + x_end) / 2 + rng.uniform(-4, 4), (start + bottom_y) / 2),
                (x_end, bottom_y + 40),
            ]
        )
        width = bottom_half * 2 / count
        folds.append(Fold(line, width * rng.uniform(0.8, 1.1), 0.62 * strength))
        folds.append(Fold(moved(line, width * 0.55, 0), width * rng.uniform(0.5, 0.8), -0.55 * strength))
    return tuple(folds)


def wavy_hem(rng: np.random.Generator, *, y: float, half: float, waves: int, depth: float) -> list[Knot]:
    """The right half of a hem in waves, from its outer end to the center."""
    count = waves * 2
    knots: list[Knot] = []
    for number in range(1, count + 1):
        x = half * (1 - number / count)
        bow = 9 * (1 - (x / half) ** 2)
        sway = depth * (1 if number % 2 else -1) * rng.uniform(0.2, 1.0)
        knots.append((x, y + bow + (sway if number < count else 0)))
    return knots
