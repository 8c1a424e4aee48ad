"""How hanging cloth falls: flared, pleated, gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo_catalog.curves import CENTER, moved, opened
from tools.demo_catalog.shading import Fold

if TYPE_CHECKING:
    import numpy as np

    from tools.demo_catalog.curves import Knot


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
