"""The canvas: pieces with soft shading, laid over one another.

A canvas has no background. Its units are those of 480 by 640 pixels, whatever its size in pixels. Outlines are
drawn four times as fine as the photo and then reduced, so edges are smooth. Shading is soft anyway and is computed
at the photo's own size.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from tools.demo_catalog.curves import moved, ribbon
from tools.demo_catalog.shading import Surface, doubled, fold_heights, halved, height_of, light_on, lit, soften

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from tools.demo_catalog.curves import Points
    from tools.demo_catalog.fabric import Cloth

    Floats = npt.NDArray[Any]  # of float32
    Rgb = tuple[int, int, int]


FINE = 4  # masks are drawn so many times as fine as the photo


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the canvas: a mask ``(h, w)`` in [0, 1], and where its first row and column lie."""

    top: int
    left: int
    mask: Floats

    @property
    def window(self) -> tuple[slice, slice]:
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


def reduced(image: Image.Image, frame: tuple[int, int, int, int]) -> Region:
    """The region of a mask that was drawn finer, at its left, top, right and bottom."""
    return Region(frame[1], frame[0], np.asarray(image.reduce(FINE), np.float32) / 255)


def dashes(points: Points, drawn: float, left_out: float) -> Points:
    """The ends of each stitch along a line, ``(n, 2, 2)``."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, max(reached[-1] - drawn, 0.01), drawn + left_out)
    positions = starts[:, None] + np.array([0.0, drawn])
    return np.stack([np.interp(positions, reached, points[:, axis]) for axis in range(2)], axis=-1)


WIDTH, HEIGHT = 480, 640
_FOOT = 400.0  # the height that a squash leaves where it is
_SOFT_PX = 7.0  # a piece that is round so far from its edge has no finer shading
_PLAIN = Surface()


class Canvas:
    """What is drawn, premultiplied: ``rgb`` is ``(h, w, 3)`` and ``alpha`` ``(h, w)``, both in [0, 1].

    Args:
        rng: For what is uneven in cloth.
        width_px: Of the photo; the height follows.
    """

    def __init__(self, *, rng: np.random.Generator, width_px: int = WIDTH) -> None:
        self.rng = rng
        self._unit = width_px / WIDTH
        shape = round(HEIGHT * self._unit), width_px
        self.rgb: Floats = np.zeros((*shape, 3), np.float32)
        self.alpha: Floats = np.zeros(shape, np.float32)
        self._frame = 1.0, 0.0, 0.0
        self._squash = 1.0

    @contextmanager
    def placed(
        self, *, scale: float = 1.0, dx: float = 0.0, dy: float = 0.0, squash: float = 1.0
    ) -> Iterator[None]:
        """Draw smaller or larger, elsewhere, and squashed towards the canvas's foot."""
        before = self._frame, self._squash
        self._frame, self._squash = (scale, dx, dy), squash
        try:
            yield
        finally:
            self._frame, self._squash = before

    def piece(
        self, outline: Points, cloth: Cloth, surface: Surface = _PLAIN, *, holes: Sequence[Points] = ()
    ) -> Region:
        """Lay a piece of cloth over what is there."""
        region = self.region([outline], holes=holes, pad=2.4 * surface.puff)
        if surface.shadow:
            self.cast(region, strength=surface.shadow)
        height, light = self._relief(region, surface, patterned=bool(cloth.motif))
        bare, rows, columns = trimmed(region)
        across, along = self._grid(bare, surface.angle)
        color = cloth.color_at(across, along, height[rows, columns] if cloth.motif else height)
        light = light[rows, columns] + cloth.grain_at(across, along)
        self.lay(bare, lit(color, light, gloss=surface.gloss + cloth.gloss))
        return bare

    def _relief(self, region: Region, surface: Surface, *, patterned: bool) -> tuple[Floats, Floats]:
        """The height of a piece in units, and the light on it, ``(h, w)`` each; the height is 0 for plain cloth.

        What is softly round is made half as fine, which nobody sees and which takes a third of the time.
        """
        fine = 0.5 if surface.puff * self._unit * self._frame[0] >= _SOFT_PX else 1.0
        unit = self._unit * self._frame[0] * fine
        mask = region.mask if fine == 1 else halved(region.mask)
        lines = [
            ((self._pixels(fold.line) - (region.left, region.top)) * fine, fold.width * unit, fold.depth)
            for fold in surface.folds
        ]
        folds = fold_heights(mask.shape, lines, unit=unit)
        height = height_of(mask, surface, unit=unit, folds=folds, rng=self.rng)
        light = light_on(height, mask, surface, unit=unit)
        height = height / unit if patterned else np.zeros((1, 1), np.float32)
        if fine != 1:
            light = doubled(light, region.mask.shape)
            height = doubled(height, region.mask.shape) if patterned else height
        return height, light

    def lay(self, region: Region, color: Floats | Rgb, *, opacity: float = 1.0) -> None:
        """Paint a region with a color, or with a field of colors ``(h, w, 3)``."""
        paint = np.asarray(color, np.float32) / 255 if isinstance(color, tuple) else color
        cover = region.mask * np.float32(opacity)
        rows, columns = region.window
        self.rgb[rows, columns] += (paint - self.rgb[rows, columns]) * cover[..., None]
        self.alpha[rows, columns] += (1 - self.alpha[rows, columns]) * cover

    def tint(self, region: Region, color: Rgb, *, opacity: float = 1.0, within: Region | None = None) -> None:
        """Color what is there, and nothing beside it."""
        cover = (self._clipped(region, within) * np.float32(opacity))[..., None]
        rows, columns = region.window
        paint = np.asarray(color, np.float32) / 255 * self.alpha[rows, columns, None]
        self.rgb[rows, columns] += (paint - self.rgb[rows, columns]) * cover

    def shade(self, region: Region, amount: float, *, soft: float = 0.0, within: Region | None = None) -> None:
        """Darken what is there (above 0), or brighten it (below 0)."""
        if soft:
            region = Region(region.top, region.left, soften(region.mask, soft * self._unit * self._frame[0]))
        cover = (self._clipped(region, within) * np.float32(abs(amount)))[..., None]
        rows, columns = region.window
        there = self.rgb[rows, columns]
        there += ((0 if amount > 0 else self.alpha[rows, columns, None]) - there) * cover

    def cast(self, region: Region, *, strength: float, reach: float = 5.0) -> None:
        """Throw a region's shadow on what is there, to the lower right."""
        unit = self._unit * self._frame[0]
        shift = max(1, round(reach * 0.55 * unit))
        blurred = soften(region.mask, reach * unit)
        moved = np.zeros_like(blurred)
        moved[shift:, shift // 2 :] = blurred[:-shift, : blurred.shape[1] - shift // 2]
        self.shade(Region(region.top, region.left, np.clip(moved, 0, 1)), strength)

    def center(self) -> None:
        """Move what is drawn to the middle."""
        rows, columns = np.flatnonzero(self.alpha.any(axis=1)), np.flatnonzero(self.alpha.any(axis=0))
        if not rows.size:
            return
        height, width = self.alpha.shape
        shift = (height - 1 - rows[0] - rows[-1]) // 2, (width - 1 - columns[0] - columns[-1]) // 2
        self.rgb = np.roll(self.rgb, shift, axis=(0, 1))
        self.alpha = np.roll(self.alpha, shift, axis=(0, 1))

    def region(self, outlines: Sequence[Points], *, holes: Sequence[Points] = (), pad: float = 2.0) -> Region:
        """Where outlines are, with some room around them."""
        solid = [self._pixels(outline) for outline in outlines]
        frame = self._box(solid, pad=pad)
        image = self._fine_image(frame)
        pen = ImageDraw.Draw(image)
        for points, fill in [*((each, 255) for each in solid), *((self._pixels(each), 0) for each in holes)]:
            pen.polygon(((points - frame[:2]) * FINE).ravel().tolist(), fill=fill)
        return reduced(image, frame)

    def _box(self, solid: Sequence[Points], *, pad: float) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of outlines in pixels, with some room around them, on the canvas."""
        pad_px = int(pad * self._unit * self._frame[0]) + 2
        low = np.min([points.min(axis=0) for points in solid], axis=0).astype(int) - pad_px
        high = np.max([points.max(axis=0) for points in solid], axis=0).astype(int) + pad_px + 1
        left, top = (int(each) for each in np.clip(low, 0, [self.alpha.shape[1] - 3, self.alpha.shape[0] - 3]))
        right, bottom = (int(each) for each in np.minimum(high, self.alpha.shape[::-1]))
        right, bottom = max(right, left + 3), max(bottom, top + 3)
        return left, top, right, bottom

    def _fine_image(self, frame: tuple[int, int, int, int]) -> Image.Image:
        left, top, right, bottom = frame
        return Image.new("L", ((right - left) * FINE, (bottom - top) * FINE))

    def line(self, points: Points, width: float, *, dash: tuple[float, float] | None = None) -> Region:
        """A line, or with a dash ``(drawn, left out)`` a row of stitches."""
        if dash is None:
            return self.region([ribbon(points, width)])
        ends = dashes(points, *dash)
        half = np.array([width / 2, width / 2])
        box = np.array([ends.min(axis=(0, 1)) - half, ends.max(axis=(0, 1)) + half])
        frame = self._box([self._pixels(box)], pad=2)
        image = self._fine_image(frame)
        pen = ImageDraw.Draw(image)
        fine_px = max(1, round(width * self._unit * self._frame[0] * FINE))
        for start, end in (self._pixels(ends.reshape(-1, 2)) - frame[:2]).reshape(-1, 2, 2) * FINE:
            pen.line([tuple(start), tuple(end)], 255, fine_px)
        return reduced(image, frame)

    def seam(
        self, points: Points, *, depth: float = 0.3, width: float = 1.3, within: Region | None = None
    ) -> None:
        """A groove: a dark line with a light one below it."""
        self.shade(self.line(points, width), depth, within=within)
        self.shade(self.line(moved(points, 0.9, 1.1), width * 0.9), -0.22 * depth, within=within)

    def stitch(self, points: Points, color: Rgb, *, width: float = 1.1, opacity: float = 0.75) -> None:
        """A row of stitches."""
        run = self.line(points, width, dash=(4.2, 2.6))
        self.shade(Region(run.top, run.left, run.mask), 0.12, soft=1.0)
        self.tint(run, color, opacity=opacity)

    def _pixels(self, points: Points) -> Points:
        scale, dx, dy = self._frame
        foot = (0.0, _FOOT * (1 - self._squash))
        return ((points * (1.0, self._squash) + foot) * scale + (dx, dy)) * self._unit

    def _grid(self, region: Region, angle: float) -> tuple[Floats, Floats]:
        """Across and along the thread at each pixel, in units, ``(h, w)`` each."""
        scale, dx, dy = self._frame
        rows, columns = region.window
        x = ((np.arange(columns.start, columns.stop, dtype=np.float32) / self._unit - dx) / scale)[None, :]
        y = ((np.arange(rows.start, rows.stop, dtype=np.float32) / self._unit - dy) / scale)[:, None]
        cos, sin = np.float32(np.cos(np.deg2rad(angle))), np.float32(np.sin(np.deg2rad(angle)))
        return x * cos + y * sin, y * cos - x * sin

    def _clipped(self, region: Region, within: Region | None) -> Floats:
        if within is None:
            return region.mask
        full = np.zeros_like(self.alpha)
        full[within.window] = within.mask
        return region.mask * full[region.window]
