"""A mask of the product on a photo: made sharp by the photo's colors, and cut into boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sartor.imaging.color import ReducedPhoto, numbered, oklab, reduced

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_BITS = 4  # of each channel, for its bin
_SAME = 0.04  # OKLab distance at which the colors of two bins stand for each other: a standard deviation
_BELIEF = 1.0  # how much a pixel's color counts beside its position
_MAX_LOG_RATIO = 2.5  # a color alone makes no pixel more than so sure
_ROUNDS = 2
_TINY = 1e-4
_MIN_REGION = 0.02  # share of the photo that a region has
_MIN_BESIDE = 0.12  # of the largest region; smaller ones are crumbs
_GAP = 0.03  # of the sides; regions that are closer are one, such as the two shoes of a pair
_MARGIN = 0.02  # of the sides, around a region


def product_mask(photo: Image.Image | ReducedPhoto, probability: Floats) -> Floats:
    """How probably each pixel of ``reduced_for_colors`` shows the product, ``(h, w)``.

    Args:
        photo: An RGB photo.
        probability: A coarse mask of all of it, of any size.
    """
    photo = reduced(photo)
    whole = Image.fromarray(probability).resize(photo.image.size, Image.Resampling.BILINEAR)
    return refined(photo.rgb, np.asarray(whole), lab=photo.lab)


def refined(rgb: npt.NDArray[np.uint8], probability: Floats, *, lab: Floats | None = None) -> Floats:
    """Let the colors of a photo sharpen its mask.

    A color that is seen mostly where the product probably is speaks for the product elsewhere, too, and one of the
    background against it.

    Args:
        rgb: The photo, ``(h, w, 3)``.
        probability: Of each pixel to be the product, ``(h, w)``.
        lab: The photo in OKLab, if that is known already.

    Returns:
        A better probability, ``(h, w)``.
    """
    from scipy import ndimage  # here, since a query by a product needs none, and it takes long to import

    height, width = probability.shape
    coarse = (rgb >> (8 - _BITS)).astype(np.int64)
    bins, counts = numbered(((coarse[..., 0] << _BITS | coarse[..., 1]) << _BITS | coarse[..., 2]).ravel())
    flat = (oklab(rgb) if lab is None else lab).reshape(-1, 3)
    means = np.stack([np.bincount(bins, flat[:, axis]) for axis in range(3)], axis=1) / counts[:, None]
    squares = (means**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * (means @ means.T)
    alike = np.exp(
        (apart * (-1 / (2 * _SAME**2))).astype(np.float32)
    )  # (b, b); in float64 it takes four times as long
    prior = np.clip(probability, _TINY, 1 - _TINY)
    logit = np.log(prior / (1 - prior))
    now = probability
    for _ in range(_ROUNDS):
        product = alike @ np.bincount(bins, now.ravel(), minlength=len(counts))
        behind = alike @ np.bincount(bins, 1 - now.ravel(), minlength=len(counts))
        ratio = np.log((product / product.sum() + _TINY) / (behind / behind.sum() + _TINY))
        belief = _BELIEF * ratio.clip(-_MAX_LOG_RATIO, _MAX_LOG_RATIO)[bins].reshape(height, width)
        smooth = ndimage.uniform_filter(belief, 3)
        now = np.asarray(1 / (1 + np.exp(-(logit + smooth))), np.float32)
    return now


def mask_boxes(mask: Floats) -> list[tuple[float, float, float, float]]:
    """The regions of a mask ``(h, w)`` that stand apart, the largest first.

    Returns:
        Left, top, width and height of each, as shares of the sides, with a small margin; empty if nothing is
        probably a product.
    """
    from scipy import ndimage  # here, since a query by a product needs none, and it takes long to import

    height, width = mask.shape
    sure = mask > 0.5  # noqa: PLR2004 - more likely than not
    near = ndimage.binary_dilation(sure, iterations=max(1, round(_GAP * max(mask.shape) / 2)))
    labels, count = ndimage.label(near)
    sizes = ndimage.sum_labels(sure, labels, np.arange(1, count + 1)) if count else np.empty(0)
    spans = ndimage.find_objects(np.where(sure, labels, 0), max_label=count)
    boxes = []
    for number in np.argsort(-sizes, kind="stable"):
        if sizes[number] < max(_MIN_REGION * mask.size, _MIN_BESIDE * sizes.max()) or spans[number] is None:
            continue
        down, across = spans[number]
        left, right = max(0.0, across.start / width - _MARGIN), min(1.0, across.stop / width + _MARGIN)
        top, bottom = max(0.0, down.start / height - _MARGIN), min(1.0, down.stop / height + _MARGIN)
        boxes.append((left, top, right - left, bottom - top))
    return boxes
