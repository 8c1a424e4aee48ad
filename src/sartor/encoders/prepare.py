"""From a decoded photo to the pixels that a network takes: size and shape; scaling is the runtime's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from sartor.encoders.choices import ResizePolicy

if TYPE_CHECKING:
    from sartor.encoders.card import ModelCard
    from sartor.encoders.card_parts import Resizing
    from sartor.encoders.runtime import Pixels

# Bilinear in Pillow averages over the source pixels when it shrinks, so nothing aliases; a gap of 2 lets it
# shrink large photos by whole factors first, at no visible difference.
_RESAMPLING = Image.Resampling.BILINEAR
_REDUCING_GAP = 2.0
_WHITE = (255, 255, 255)
_LONGEST = 8  # times its shorter side, up to which all of a photo is resized to cut its center out


def prepare(image: Image.Image, card: ModelCard) -> Pixels:
    """Resize an RGB photo as the card says; returns ``(h, w, 3)`` uint8."""
    height_px, width_px = card.size_px
    size = (width_px, height_px)
    if card.resizing is not None:
        return np.asarray(_center(image, card.resizing, size))
    if image.size == size:
        return np.asarray(image)
    match card.resize:
        case ResizePolicy.STRETCH:
            resized = image.resize(size, _RESAMPLING, reducing_gap=_REDUCING_GAP)
        case ResizePolicy.CROP:
            resized = ImageOps.fit(image, size, _RESAMPLING)
        case ResizePolicy.PAD:
            resized = ImageOps.pad(image, size, _RESAMPLING, color=_WHITE)
    return np.asarray(resized)


def _center(image: Image.Image, resizing: Resizing, size: tuple[int, int]) -> Image.Image:
    """Resize, then cut the center out."""
    whole = _whole_size(image.size, resizing.to_px)
    resampling = Image.Resampling[resizing.resampling.name]
    starts = [(all_ - part) // 2 for all_, part in zip(whole, size, strict=True)]
    ends = [start + part for start, part in zip(starts, size, strict=True)]
    if max(whole) <= _LONGEST * min(whole):
        (left_px, top_px), (right_px, bottom_px) = starts, ends
        return image.resize(whole, resampling).crop((left_px, top_px, right_px, bottom_px))
    # The whole of a photo like a thread would be gigabytes. Pillow goes about a part of it in another order, which
    # differs by a quarter of a level of 255.
    factors = [own / all_ for own, all_ in zip(image.size, whole, strict=True)]
    left, top = (start * factor for start, factor in zip(starts, factors, strict=True))
    right, bottom = (min(end * factor, own) for end, factor, own in zip(ends, factors, image.size, strict=True))
    return image.resize(size, resampling, box=(left, top, right, bottom))


def _whole_size(size: tuple[int, int], to_px: int | tuple[int, int]) -> tuple[int, int]:
    """Width and height of the whole photo, resized."""
    if not isinstance(to_px, int):
        return to_px[1], to_px[0]
    width, height = size
    if width <= height:
        return to_px, int(to_px * height / width)  # rounded down, as torchvision and transformers do
    return int(to_px * width / height), to_px
