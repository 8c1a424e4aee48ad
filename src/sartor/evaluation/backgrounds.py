"""Another background for a product photo: a studio's white one is found, and exchanged for a wall or a floor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Pixels = npt.NDArray[np.uint8]

Texture: TypeAlias = Callable[[tuple[int, int], np.random.Generator], Image.Image]  # of a size (width, height)

_WHITE_FROM = 247  # the least channel of a studio's background; a white shirt is mostly below
_SEAM_FROM = 222  # of what lies between background and product: soft shadows, noise of the compression
_SEAM_PX = 2
_GAP = 0.012  # of the longer side: what is connected with the background through a narrower gap is product
_WHITE_EDGE = 0.35  # of the photo's edge is background, where there is one; a garment may leave the frame
_LEAST_PRODUCT = 0.04  # less is a white product on white, taken for background
_SAME_COLOR = 24  # levels within which a pixel of the edge is of the edge's color
_UNIFORM_EDGE = 0.5
_FRAMED = 0.8  # of each side is the photo itself, in a frame
_WHITE = (255, 255, 255)
_BROWNS = ((196, 160, 118), (150, 108, 72), (110, 74, 48), (176, 150, 126))


def border_color(image: Image.Image) -> tuple[int, ...]:
    """The color of a photo's edge; white where it has several."""
    edge = _edge(np.asarray(image)).astype(np.int16)  # (e, 3)
    color = np.median(edge, axis=0)
    near = (np.abs(edge - color).max(axis=1) <= _SAME_COLOR).mean()
    return tuple(int(level) for level in color) if near >= _UNIFORM_EDGE else _WHITE


def on_background(image: Image.Image, texture: Texture, rng: np.random.Generator) -> Image.Image:
    """A photo's product on a texture; a photo without a studio's background is framed by the texture instead."""
    behind = texture(image.size, rng)
    background = studio_background(np.asarray(image))
    if background is None:
        return _framed(image, behind)
    product = Image.fromarray(np.where(background, 0, 255).astype(np.uint8))
    # A pixel less, since the outermost ones are mixed with white, and a soft seam, as a lens has.
    mask = product.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(0.7))
    return Image.composite(image, behind, mask)


def studio_background(rgb: Pixels) -> Flags | None:
    """Where near-white reaches in from the edge of a photo ``(h, w, 3)``: ``(h, w)``.

    From all of the edge rather than the corners, as what is between two trouser legs touches no corner. It is
    kept from leaking into white cloth through gaps in an outline, then taken up to the product's seam.

    Returns:
        None where most of the edge is of something else, or hardly anything is left for a product.
    """
    least = _without_specks(rgb.min(axis=2))
    white = least >= _WHITE_FROM
    if _edge(white).mean() < _WHITE_EDGE:
        return None
    gap_px = round(_GAP * max(white.shape))
    wide = _shrunk(white, gap_px)
    flooded = _flooded(_on_edge(wide), wide)
    background = _crept(flooded, least >= _SEAM_FROM, by_px=gap_px + _SEAM_PX)
    return background if background.mean() <= 1 - _LEAST_PRODUCT else None


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


def _framed(image: Image.Image, behind: Image.Image) -> Image.Image:
    width, height = (max(1, round(side_px * _FRAMED)) for side_px in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    behind.paste(image.resize((width, height), Image.Resampling.LANCZOS), (left, top))
    return behind


def _edge(pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _on_edge(flags: Flags) -> Flags:
    inner = np.zeros_like(flags)
    inner[1:-1, 1:-1] = True
    return flags & ~inner


def _crept(flags: Flags, passable: Flags, *, by_px: int) -> Flags:
    """Grown pixel by pixel, across passable ones only."""
    for _ in range(by_px):
        flags = flags | (_grown(flags, 1) & passable)
    return flags


def _without_specks(levels: Pixels) -> Pixels:
    """Without what the compression leaves around an outline."""
    return np.asarray(Image.fromarray(levels).filter(ImageFilter.MedianFilter(3)))


def _shrunk(flags: Flags, by_px: int) -> Flags:
    return ~_grown(~flags, by_px)


def _grown(flags: Flags, by_px: int) -> Flags:
    for _ in range(by_px):
        tall = flags.copy()
        tall[1:] |= flags[:-1]
        tall[:-1] |= flags[1:]
        flags = tall.copy()
        flags[:, 1:] |= tall[:, :-1]
        flags[:, :-1] |= tall[:, 1:]
    return flags


def _flooded(reached: Flags, passable: Flags) -> Flags:
    """All that is connected with what is reached, across passable pixels."""
    while True:
        further = _along_rows(_along_rows(reached, passable).T, passable.T).T
        if further.sum() == reached.sum():
            return reached
        reached = further


def _along_rows(reached: Flags, passable: Flags) -> Flags:
    """Each run of passable pixels in a row, whole, if one of them is reached."""
    closed = ~passable
    runs = np.cumsum(closed, axis=1)  # the pixels of a run have the same number; a closed one begins the next
    runs += np.arange(len(runs))[:, None] * (closed.shape[1] + 1)
    hit = np.zeros(runs.max() + 1, np.bool_)
    hit[runs[reached]] = True
    return np.asarray(hit[runs] & passable)
