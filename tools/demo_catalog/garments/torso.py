"""What all garments of the upper body share: a torso, its neckline, its bands, and how its cloth falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.demo_catalog.curves import CENTER, beside, opened, sided, symmetric
from tools.demo_catalog.shading import Fold, Surface

if TYPE_CHECKING:
    from tools.demo_catalog.canvas import Canvas
    from tools.demo_catalog.curves import Knot, Points
    from tools.demo_catalog.fabric import Cloth
    from tools.demo_catalog.region import Region

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
