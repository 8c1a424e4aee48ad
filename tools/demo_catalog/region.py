"""Regions: where on the canvas a mask lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image

    from tools.demo_catalog.curves import Points

    Floats = npt.NDArray[Any]  # of float32

FINE = 4  # masks are drawn so many times as fine as the photo


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the canvas: a mask ``(h, w)`` in [0, 1], and where its first row and column lie."""

    top: int
    left: int
    mask: Floats

    @property
    def place(self) -> tuple[slice, slice]:
        """The rows and columns of the canvas."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def trimmed(region: Region) -> tuple[Region, slice, slice]:
    """A region without the empty room around it, and where that is in it."""
    filled_rows, filled_columns = (np.flatnonzero(region.mask.any(axis=axis)) for axis in (1, 0))
    if not filled_rows.size:
        return region, slice(None), slice(None)
    rows = slice(int(filled_rows[0]), int(filled_rows[-1]) + 1)
    columns = slice(int(filled_columns[0]), int(filled_columns[-1]) + 1)
    return Region(region.top + rows.start, region.left + columns.start, region.mask[rows, columns]), rows, columns


def reduced(image: Image.Image, place: tuple[int, int, int, int]) -> Region:
    """The region of a mask that was drawn finer, at its left, top, right and bottom."""
    return Region(place[1], place[0], np.asarray(image.reduce(FINE), np.float32) / 255)


def dashes(points: Points, drawn: float, left_out: float) -> Points:
    """The ends of each stitch along a line, ``(n, 2, 2)``."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, max(reached[-1] - drawn, 0.01), drawn + left_out)
    places = starts[:, None] + np.array([0.0, drawn])
    return np.stack([np.interp(places, reached, points[:, axis]) for axis in range(2)], axis=-1)
