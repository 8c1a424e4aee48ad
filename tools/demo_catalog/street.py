"""Street photos: a product as a shopper might photograph it at home, on wood, a bed sheet, tiles or concrete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFilter

from tools.demo_catalog.canvas import WIDTH
from tools.demo_catalog.drawing import cut_out
from tools.demo_catalog.shading import soften

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from tools.demo_catalog.product import DemoProduct

    Floats = npt.NDArray[Any]  # of float32


_PORE = 2.9  # deviations of noise that make a hole in concrete


def _noise(shape: tuple[int, int], rng: np.random.Generator, *, across: float, along: float) -> Floats:
    """Soft noise of deviation about 1, with bumps of a width and a height in pixels."""
    size = max(3, int(shape[1] / across) + 2), max(3, int(shape[0] / along) + 2)
    small = rng.standard_normal((size[1], size[0])).astype(np.float32)
    big = Image.fromarray(small).resize((shape[1] + 8, shape[0] + 8), Image.Resampling.BICUBIC)
    return np.asarray(big, np.float32)[4:-4, 4:-4] * 1.3


def _colored(rgb: tuple[int, int, int], light: Floats) -> Floats:
    return np.asarray(np.clip(np.array(rgb, np.float32) / 255 * (1 + light[..., None]), 0, 1))


def _wood(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Planks from left to right, with their grain."""
    tone = ((196, 160, 120), (150, 112, 80), (214, 190, 158))[int(rng.integers(3))]
    plank = shape[0] / rng.uniform(4.5, 6.5)
    rows = np.arange(shape[0], dtype=np.float32)[:, None] + np.zeros(shape, np.float32)
    number = np.floor((rows + rng.uniform(0, plank)) / plank).astype(int)
    sway = _noise(shape, rng, across=170, along=40) * 5
    shift = rng.uniform(0, 90, number.max() + 1).astype(np.float32)[number]
    rings = np.sin((rows + sway + shift) * 0.55 + 2.2 * np.sin((rows + sway * 2.2 + shift) * 0.12))
    fibers = _noise(shape, rng, across=60, along=1.6)
    light = 0.045 * rings + 0.04 * fibers + rng.normal(0, 0.05, number.max() + 1).astype(np.float32)[number]
    gap = np.abs((rows + 0.0) % plank - plank / 2) > plank / 2 - 1.2
    return _colored(tone, light - 0.35 * soften(gap.astype(np.float32), 0.8))


def _sheet(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """A linen bed sheet with soft creases."""
    tone = ((226, 221, 212), (200, 206, 212), (214, 204, 190))[int(rng.integers(3))]
    height = _noise(shape, rng, across=120, along=150) * 16 + _noise(shape, rng, across=44, along=90) * 4
    turn = rng.uniform(0.4, 1.1)
    slope = np.gradient(height)
    light = 0.16 * (turn * slope[0] + slope[1])
    weave = 0.02 * _noise(shape, rng, across=1.4, along=9) + 0.02 * _noise(shape, rng, across=9, along=1.4)
    return _colored(tone, light + weave)


def _tiles(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """A tiled floor with its joints."""
    tone = ((206, 204, 200), (176, 168, 158), (150, 156, 162))[int(rng.integers(3))]
    side = rng.uniform(150, 210)
    angle = np.deg2rad(rng.uniform(-14, 14))
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    u, v = x * np.cos(angle) + y * np.sin(angle) + 900, y * np.cos(angle) - x * np.sin(angle) + 900
    joint = np.maximum(np.abs(u % side - side / 2), np.abs(v % side - side / 2)) > side / 2 - 2.4
    number = (np.floor(u / side) * 7 + np.floor(v / side) * 13).astype(int) % 31
    light = rng.normal(0, 0.03, 31).astype(np.float32)[number] + 0.03 * _noise(shape, rng, across=30, along=34)
    return _colored(tone, light - 0.22 * soften(joint.astype(np.float32), 1.0))


def _concrete(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Bare concrete, cloudy, with pores."""
    tone = ((168, 167, 164), (140, 140, 141), (190, 187, 180))[int(rng.integers(3))]
    clouds = 0.05 * _noise(shape, rng, across=110, along=120) + 0.03 * _noise(shape, rng, across=24, along=24)
    fine = 0.025 * rng.standard_normal(shape).astype(np.float32)
    pores = soften((_noise(shape, rng, across=4, along=4) > _PORE).astype(np.float32), 0.8)
    return _colored(tone, clouds + fine - 0.25 * pores)


SURFACES: dict[str, Callable[[tuple[int, int], np.random.Generator], Floats]] = {
    "wood": _wood,
    "sheet": _sheet,
    "tiles": _tiles,
    "concrete": _concrete,
}


_MOST_TURN = 13.0  # degrees
_SPREAD = 0.86  # of the photo is filled by a product that is small on its packshot
_MOST_CAST = 0.05  # warmer or cooler light; more would give a color another name


def chosen(products: Sequence[DemoProduct], *, limit: int) -> tuple[DemoProduct, ...]:
    """Products to take street photos of: one of each type before a second of any."""
    turns: dict[str, int] = {}
    ranked = []
    for rank, product in enumerate(products):
        turn = turns.get(product.article_type, 0)
        turns[product.article_type] = turn + 1
        ranked.append((turn, rank, product))
    return tuple(product for _, _, product in sorted(ranked, key=lambda each: each[:2])[:limit])


def street_photo(product: DemoProduct, *, surface: str, rng: np.random.Generator) -> Image.Image:
    """A product on a surface: turned, in another light, a little cropped, blurred and noisy.

    Args:
        product: What lies there.
        surface: A name of ``surfaces.SURFACES``.
        rng: Decides how it was taken.
    """
    canvas = cut_out(product)
    layer = np.concatenate([canvas.rgb, canvas.alpha[..., None]], axis=2)
    moved = _placed(layer, rng)
    ground = SURFACES[surface](moved.shape[:2], rng)
    alpha = moved[..., 3]
    photo = ground * (1 - _shadow(alpha, rng))[..., None]
    photo = photo * (1 - alpha[..., None]) + moved[..., :3]
    photo *= _light(moved.shape[:2], rng)
    warmth = rng.uniform(-_MOST_CAST, _MOST_CAST)
    photo *= np.array([1 + warmth, 1, 1 - warmth], np.float32)
    photo += rng.normal(0, 0.013, photo.shape).astype(np.float32)
    image = Image.fromarray((np.clip(photo, 0, 1) * 255 + 0.5).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.0))))


def _placed(layer: Floats, rng: np.random.Generator) -> Floats:
    """The canvas ``(h, w, 4)`` turned, larger and shifted."""
    height, width = layer.shape[:2]
    angle = np.deg2rad(rng.choice([-1, 1]) * rng.uniform(3, _MOST_TURN))
    zoom = rng.uniform(1.02, 1.16)
    rows, columns = np.flatnonzero(layer[..., 3].any(axis=1)), np.flatnonzero(layer[..., 3].any(axis=0))
    spread = max((rows[-1] - rows[0]) / height, (columns[-1] - columns[0]) / width)
    zoom *= min(1.5, max(1.0, _SPREAD / spread))
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    x, y = width / 2 + rng.uniform(-14, 14), height / 2 + rng.uniform(-18, 18)
    matrix = (cos, sin, width / 2 - cos * x - sin * y, -sin, cos, height / 2 + sin * x - cos * y)
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(layer[..., channel])).transform(
                (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
            ),
            np.float32,
        )
        for channel in range(4)
    ]
    return np.stack(channels, axis=-1)


def _shadow(alpha: Floats, rng: np.random.Generator) -> Floats:
    """Harder and longer than in a studio, to a side that the room decides."""
    unit = alpha.shape[1] / WIDTH
    down, right = rng.uniform(5, 13) * unit, rng.uniform(-11, 11) * unit
    near = _shifted(soften(alpha, 3 * unit), round(down * 0.4), round(right * 0.4))
    wide = _shifted(soften(alpha, 10 * unit), round(down), round(right))
    return np.clip(0.34 * near + 0.24 * wide, 0, 0.6)


def _shifted(field: Floats, down: int, right: int) -> Floats:
    reach = abs(down) + abs(right)
    padded = np.pad(field, reach, mode="edge")
    rows, columns = field.shape
    return padded[reach - down : reach - down + rows, reach - right : reach - right + columns]


def _light(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """A lamp or a window at one side, ``(h, w, 1)`` around 1."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    turn = rng.uniform(0, 2 * np.pi)
    slope = rng.uniform(0.05, 0.13) * (np.cos(turn) * x + np.sin(turn) * y)
    corner = -0.09 * np.clip(x**2 + y**2 - 0.7, 0, None)
    return np.asarray((rng.uniform(0.93, 1.04) + slope + corner)[..., None], np.float32)
