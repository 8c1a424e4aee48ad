"""Another background for a product photo: a studio's white one is found, and replaced by a wall or a floor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Pixels = npt.NDArray[np.uint8]

Texture: TypeAlias = Callable[[tuple[int, int], np.random.Generator], Image.Image]  # of a size (width, height)

_MIN_WHITE = 247  # darkest channel of a studio's background; a white shirt is mostly below
_MIN_SEAM = 222  # between background and product: soft shadows, noise of the compression
_SEAM_PX = 2
_GAP = 0.012  # of the longer side: what the background reaches only through a narrower gap is product
_MIN_WHITE_EDGE = 0.35  # share of the edge that is background, if there is one; a garment may leave the frame
_MIN_PRODUCT = 0.04  # less is a white product on white, taken for background
_SAME_COLOR = 24  # levels by which a pixel may differ from the edge's color
_UNIFORM_EDGE = 0.5
_FRAMED = 0.8  # share of each side that the photo has in a frame
_WHITE = (255, 255, 255)
_BROWNS = ((196, 160, 118), (150, 108, 72), (110, 74, 48), (176, 150, 126))
_AROUND = np.ones((3, 3), np.bool_)  # the eight neighbors of a pixel, and itself


def border_color(image: Image.Image) -> tuple[int, ...]:
    """The color of a photo's edge; white if it has several."""
    edge = _edge(np.asarray(image)).astype(np.int16)  # (e, 3)
    color = np.median(edge, axis=0)
    near = (np.abs(edge - color).max(axis=1) <= _SAME_COLOR).mean()
    return tuple(int(level) for level in color) if near >= _UNIFORM_EDGE else _WHITE


def on_background(image: Image.Image, texture: Texture, rng: np.random.Generator) -> Image.Image:
    """A photo's product on a texture; a photo without a studio's background is framed by the texture instead."""
    behind = texture(image.size, rng)
    background = studio_background(np.asarray(image))
    if background is None:
        width, height = (max(1, round(side_px * _FRAMED)) for side_px in image.size)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        behind.paste(image.resize((width, height), Image.Resampling.LANCZOS), (left, top))
        return behind
    product = Image.fromarray(np.where(background, 0, 255).astype(np.uint8))
    # A pixel less, since the outermost ones are mixed with white, and a soft seam, as a lens has.
    mask = product.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(0.7))
    return Image.composite(image, behind, mask)


def studio_background(rgb: Pixels) -> Flags | None:
    """Where near-white reaches in from the edge of a photo ``(h, w, 3)``: ``(h, w)``.

    It starts from the whole edge, not from the corners: what lies between two trouser legs touches no corner. It
    does not leak into white cloth through gaps in an outline, and ends at the product's seam.

    Returns:
        None if most of the edge is something else, or if next to nothing is left as the product.
    """
    smooth = Image.fromarray(rgb.min(axis=2)).filter(ImageFilter.MedianFilter(3))  # compression leaves specks
    darkest = np.asarray(smooth)
    white = darkest >= _MIN_WHITE
    if _edge(white).mean() < _MIN_WHITE_EDGE:
        return None
    gap_px = round(_GAP * max(white.shape))
    wide = ndimage.minimum_filter(white, 2 * gap_px + 1, mode="nearest")  # what is at least a gap wide
    reached = ndimage.binary_propagation(_on_edge(wide), mask=wide)
    background = ndimage.binary_dilation(reached, _AROUND, iterations=gap_px + _SEAM_PX, mask=darkest >= _MIN_SEAM)
    return np.asarray(background) if background.mean() <= 1 - _MIN_PRODUCT else None


def plain(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A wall or a sheet: one muted color."""
    color = rng.uniform(60, 200) + rng.uniform(-35, 35, 3)
    return Image.new("RGB", size, tuple(int(level) for level in color))


def wood(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A floor or a table: boards of slightly different browns, with a grain along them."""
    width, height = size
    color = np.array(_BROWNS[rng.integers(len(_BROWNS))])
    boards = np.repeat(rng.normal(0, 12, 5), 20)  # (100,), across the boards
    boards[19::20] -= 45  # the gaps
    grain = rng.normal(0, 14, (100, 6)) + rng.normal(0, 6, (100, 1))
    levels = (boards[:, None] + grain)[..., None] + color  # (100, 6, 3)
    small = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if rng.integers(2):
        small = small.transpose(Image.Transpose.TRANSPOSE)
    return small.resize((width, height), Image.Resampling.BICUBIC)


def _edge(pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _on_edge(flags: Flags) -> Flags:
    inner = np.zeros_like(flags)
    inner[1:-1, 1:-1] = True
    return flags & ~inner
