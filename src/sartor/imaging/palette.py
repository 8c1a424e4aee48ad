"""The colors of a product: a few, with how much of it each one covers.

A photo's background is not the product's color, and a model's skin is not either. A background that is one
color at the photo's edges is left out; where there is none, as in a person's own photo, the middle counts most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sartor.imaging.oklab import oklab
from sartor.types import Palette

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Flags = npt.NDArray[np.bool_]

COLORS = 5

_SIDE_PX = 64
_BACKGROUND = 0.06  # OKLab distance within which a pixel is of the background's color
_EDGE_SHARE = 0.5  # of the edge's pixels that have one color, where there is a background
_LEAST_PRODUCT = 0.04  # a mask that leaves less has taken the product with it
_MOST_SKIN = 0.6  # of the product's pixels: above it, the product itself has such a color
_CB, _CR = (77, 127), (133, 173)
_MIDDLE = 0.3  # standard deviation of the middle's weight, in sides of the photo
_QUANTIZED = 10
_SAME = 0.045  # OKLab distance within which two colors of a palette are one
_LEAST_COLOR = 0.07  # less is a seam where a color meets another, mixed by the reduction


def palette_of_color(rgb: tuple[int, int, int]) -> Palette:
    """The palette of one sRGB color."""
    return Palette(oklab(np.array([rgb], np.uint8)), np.ones(1, np.float32))


def palette_of(image: Image.Image) -> Palette:
    """The colors of the product on an RGB photo."""
    if max(image.size) > _SIDE_PX:
        scale = _SIDE_PX / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    rgb = np.asarray(image)
    weights = _weights(rgb, oklab(rgb))
    skin = _skin(image)
    if weights[skin].sum() <= _MOST_SKIN * weights.sum():
        weights = weights * ~skin
    chosen = weights > 0
    return _summary(rgb[chosen], weights[chosen])


def _weights(rgb: npt.NDArray[np.uint8], lab: Floats) -> Floats:
    """How much each pixel counts, ``(h, w)``: 0 or 1 before a background, else most in the middle."""
    background = _background(lab)
    if background.any() and background.mean() <= 1 - _LEAST_PRODUCT:
        return np.asarray(~background, np.float32)
    height, width = rgb.shape[:2]
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    return np.asarray(np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * _MIDDLE**2)), np.float32)


def _background(lab: Floats) -> Flags:
    """Where the edge's one color reaches in from the edge, ``(h, w)``; nowhere if the edge has several."""
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    near = _distance(lab, np.median(edge, axis=0)) < _BACKGROUND
    if np.concatenate([near[0], near[-1], near[:, 0], near[:, -1]]).mean() < _EDGE_SHARE:
        return np.zeros_like(near)
    reach = np.logical_and.accumulate
    return (
        reach(near, axis=0)
        | reach(near[::-1], axis=0)[::-1]
        | reach(near, axis=1)
        | reach(near[:, ::-1], axis=1)[:, ::-1]
    )


def _distance(lab: Floats, color: Floats) -> Floats:
    return np.asarray(np.sqrt(((lab - color) ** 2).sum(axis=-1)), np.float32)


def _skin(image: Image.Image) -> Flags:
    """Where a photo has the color of skin, ``(h, w)``.

    Source of the bounds: D. Chai and K. Ngan, "Face segmentation using skin-color map" (1999).
    """
    ycbcr = np.asarray(image.convert("YCbCr"))
    cb, cr = ycbcr[..., 1], ycbcr[..., 2]
    return np.asarray((cb >= _CB[0]) & (cb <= _CB[1]) & (cr >= _CR[0]) & (cr <= _CR[1]))


def _summary(rgb: npt.NDArray[np.uint8], weights: Floats) -> Palette:
    """The colors of pixels ``(n, 3)`` that count ``(n,)``."""
    strip = Image.fromarray(rgb[None]).quantize(_QUANTIZED, Image.Quantize.MEDIANCUT, kmeans=1)
    groups = np.asarray(strip)[0]  # (n,)
    lab = oklab(rgb)
    shares = np.bincount(groups, weights, minlength=_QUANTIZED)
    sums = np.stack([np.bincount(groups, weights * lab[:, axis], minlength=_QUANTIZED) for axis in range(3)], 1)
    colors: list[Floats] = []
    covered: list[float] = []
    for group in np.argsort(-shares, kind="stable"):
        if shares[group] == 0:
            break
        color = sums[group] / shares[group]
        same = [place for place, known in enumerate(colors) if np.linalg.norm(known - color) < _SAME]
        if same:
            place = same[0]
            whole = covered[place] + shares[group]
            colors[place] = (colors[place] * covered[place] + color * shares[group]) / whole
            covered[place] = whole
        else:
            colors.append(color)
            covered.append(float(shares[group]))
    order = np.argsort(-np.array(covered), kind="stable")[:COLORS]
    kept = [place for place in order if covered[place] >= _LEAST_COLOR * sum(covered)] or [order[0]]
    found = np.array([covered[place] for place in kept], np.float32)
    return Palette(np.array([colors[place] for place in kept], np.float32), found / found.sum())
