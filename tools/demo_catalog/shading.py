"""Light: how a flat outline becomes cloth, by the slopes of a height that is soft at edges and along folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from tools.demo_catalog.curves import lens

if TYPE_CHECKING:
    import numpy.typing as npt

    from tools.demo_catalog.curves import Points

    Floats = npt.NDArray[Any]  # of float32

_LIGHT = 0.62, 0.78  # from the upper left: what slopes up to the right and downwards is lit
_FOLD_HEIGHT = 9.0
_BLUR_OF_SMALL = 1.6  # pixels of the smaller field that smoothing it twice blurs
_LEAST_BLUR = 0.4  # pixels; less is not seen


@dataclass(frozen=True, slots=True)
class Fold:
    """A ridge (depth above 0) or a crease (below 0) along a line.

    Attributes:
        line: Where it runs, ``(n, 2)`` in the canvas's units.
        width: How wide it is in the middle.
        depth: How high, from -1 to 1.
    """

    line: Points
    width: float
    depth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """How a piece stands in the light.

    Attributes:
        puff: How far from its edge a piece is round, in units.
        relief: How much slopes are seen.
        rim: How much darker a piece is at its very edge.
        crumple: How uneven the cloth is.
        gloss: How much the lit slopes shine.
        angle: How the cloth's thread is turned, in degrees.
        shadow: How dark a shadow it throws on what is below it.
        folds: Ridges and creases.
    """

    puff: float = 16.0
    relief: float = 0.42
    rim: float = 0.2
    crumple: float = 0.6
    gloss: float = 0.0
    angle: float = 0.0
    shadow: float = 0.0
    folds: tuple[Fold, ...] = ()


def soften(field: Floats, radius: float) -> Floats:
    """A blurred field; by way of a smaller one, since a wide blur has no details."""
    if radius < _LEAST_BLUR:
        return field
    height, width = field.shape
    image = Image.fromarray(field)
    shrink = max(1, int(radius / _BLUR_OF_SMALL))
    small = np.asarray(image.reduce(shrink) if shrink > 1 else image)
    for _ in range(max(1, round((radius / shrink / _BLUR_OF_SMALL) ** 2 * 2))):
        small = _smoothed(_smoothed(small).T).T
    if shrink == 1:
        return small
    box = 0, 0, width / shrink, height / shrink
    reduced = Image.fromarray(np.ascontiguousarray(small))
    return np.asarray(reduced.resize((width, height), Image.Resampling.BICUBIC, box=box), np.float32)


def _smoothed(field: Floats) -> Floats:
    """Each row with a quarter of either neighbor's and half of its own."""
    smooth = field * np.float32(0.5)
    smooth[1:] += field[:-1] * np.float32(0.25)
    smooth[:-1] += field[1:] * np.float32(0.25)
    smooth[0] += field[0] * np.float32(0.25)
    smooth[-1] += field[-1] * np.float32(0.25)
    return smooth


def height_of(
    mask: Floats, surface: Surface, *, unit: float, folds: Floats | None, rng: np.random.Generator
) -> Floats:
    """The height of a piece, ``(h, w)`` in pixels.

    Args:
        mask: Where the piece is.
        surface: How round and how uneven it is.
        unit: Pixels of a unit.
        folds: What ``fold_heights`` gave.
        rng: For what is uneven.
    """
    radius = surface.puff * unit
    height = soften(mask, radius) * (radius * 1.1)
    if surface.crumple:
        height += surface.crumple * unit * uneven(mask.shape, unit, rng)
    if folds is not None:
        height += folds
    return height


def fold_heights(
    shape: tuple[int, int], lines: list[tuple[Points, float, float]], *, unit: float
) -> Floats | None:
    """The height of folds, ``(h, w)``: lines in pixels of the field, with their width and depth."""
    if not lines:
        return None
    total = np.zeros(shape, np.float32)
    for is_ridge in (True, False):
        chosen = [each for each in lines if (each[2] > 0) == is_ridge]
        if not chosen:
            continue
        image = Image.new("L", (shape[1], shape[0]))
        pen = ImageDraw.Draw(image)
        for points, width, depth in chosen:
            pen.polygon([tuple(point) for point in lens(points, width)], fill=min(255, round(abs(depth) * 255)))
        radius = float(np.mean([width for _, width, _ in chosen])) * 0.45
        field = np.asarray(image, np.float32) / 255
        total += (1 if is_ridge else -1) * _FOLD_HEIGHT * unit * soften(field, max(radius, 1.2 * unit))
    return total


def uneven(shape: tuple[int, int], unit: float, rng: np.random.Generator) -> Floats:
    """Soft bumps of cloth, ``(h, w)``, longer than wide; about 3 high."""
    rows, columns = int(shape[0] / (46 * unit)) + 4, int(shape[1] / (26 * unit)) + 4
    bumps = rng.standard_normal((rows, columns)).astype(np.float32) * 3
    big = round(columns * 26 * unit), round(rows * 46 * unit)
    field = np.asarray(Image.fromarray(bumps).resize(big, Image.Resampling.BICUBIC), np.float32)
    return field[: shape[0], : shape[1]]


def light_on(height: Floats, mask: Floats, surface: Surface, *, unit: float) -> Floats:
    """What the light adds, ``(h, w)``: above 0 where it falls on, below 0 in the shade."""
    rows = np.zeros_like(height)
    columns = np.zeros_like(height)
    rows[1:-1] = (height[2:] - height[:-2]) / 2
    columns[:, 1:-1] = (height[:, 2:] - height[:, :-2]) / 2
    light = surface.relief * (_LIGHT[0] * columns + _LIGHT[1] * rows)
    if surface.rim:
        inside = soften(mask, 5 * unit)
        light -= surface.rim * np.clip(1.15 - inside, 0, 1) ** 2 * 1.6
    return light


def lit(color: Floats, light: Floats, *, gloss: float) -> Floats:
    """A color field ``(h, w, 3)`` under a light ``(h, w)``: dark cloth is lifted too, and hues stay."""
    bright = np.clip(light, 0, 0.9)
    dark = np.clip(light, -0.85, 0)
    added = 0.16 * bright
    if gloss:
        added += gloss * np.clip(bright - 0.06, 0, 1) ** 1.3
    shaded = color * (1 + 0.55 * bright + 0.95 * dark)[..., None]
    shaded += added[..., None]
    return np.clip(shaded, 0, 1, out=shaded)


def halved(field: Floats) -> Floats:
    """A field half as fine, ``(ceil(h / 2), ceil(w / 2))``."""
    return np.asarray(Image.fromarray(field).reduce(2), np.float32)


def doubled(field: Floats, shape: tuple[int, int]) -> Floats:
    """A field that was halved, in its former shape."""
    size = field.shape[1] * 2, field.shape[0] * 2
    big = np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BILINEAR), np.float32)
    return big[: shape[0], : shape[1]]
