"""What befalls a photo between the studio and a shopper's query: cut, turned, blurred, compressed, badly lit.

A product that is found again by its damaged photo is recommended by what it is, not by how it was photographed.
Every damage takes an RGB image of any size and gives one; chance comes from the generator alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from sartor.evaluation.backgrounds import Texture, border_color, on_background, plain, wood

if TYPE_CHECKING:
    from collections.abc import Callable

_LEVELS = np.arange(256) / 255
_WARM = (1.0, 0.87, 0.66)  # gains of red, green and blue: an incandescent lamp, not balanced out


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something that is done to a photo.

    Attributes:
        name: What, such as ``rotation``.
        level: How much, in words, such as ``±10°``.
        apply: Gives the damaged photo; the same generator gives the same one.
    """

    name: str
    level: str
    apply: Callable[[Image.Image, np.random.Generator], Image.Image]


def _crop(image: Image.Image, rng: np.random.Generator, *, share: float) -> Image.Image:
    width, height = (max(1, round(side_px * share)) for side_px in image.size)
    left = int(rng.integers(image.width - width + 1))
    top = int(rng.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def _rotation(image: Image.Image, rng: np.random.Generator, *, angle_deg: float) -> Image.Image:
    """Turned by the angle, to either side; the frame stays, as that of a camera held askew."""
    turned_deg = angle_deg if rng.integers(2) else -angle_deg
    return image.rotate(turned_deg, Image.Resampling.BICUBIC, fillcolor=border_color(image))


def _blur(image: Image.Image, _rng: np.random.Generator, *, share: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(share * max(image.size)))


def _jpeg(image: Image.Image, _rng: np.random.Generator, *, quality: int) -> Image.Image:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    with Image.open(stream) as compressed:
        return compressed.convert("RGB")


def _gamma(image: Image.Image, _rng: np.random.Generator, *, gamma: float) -> Image.Image:
    return image.point(np.rint(255 * _LEVELS**gamma).astype(np.uint8).tolist() * 3)


def _cast(image: Image.Image, _rng: np.random.Generator) -> Image.Image:
    levels = np.outer(_WARM, 255 * _LEVELS).clip(0, 255)  # (3, 256)
    return image.point(np.rint(levels).astype(np.uint8).ravel().tolist())


def _background(image: Image.Image, rng: np.random.Generator, *, texture: Texture) -> Image.Image:
    return on_background(image, texture, rng)


def _small(image: Image.Image, _rng: np.random.Generator, *, longer_px: int) -> Image.Image:
    scale = min(1.0, longer_px / max(image.size))
    width, height = (max(1, round(side_px * scale)) for side_px in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


DAMAGES: tuple[Damage, ...] = (
    Damage(name="crop", level="80 % of each side", apply=partial(_crop, share=0.8)),
    Damage(name="crop", level="60 % of each side", apply=partial(_crop, share=0.6)),
    Damage(name="rotation", level="±10°", apply=partial(_rotation, angle_deg=10)),
    Damage(name="rotation", level="±25°", apply=partial(_rotation, angle_deg=25)),
    Damage(name="blur", level="radius 1 %", apply=partial(_blur, share=0.01)),
    Damage(name="blur", level="radius 2 %", apply=partial(_blur, share=0.02)),
    Damage(name="JPEG", level="quality 30", apply=partial(_jpeg, quality=30)),
    Damage(name="JPEG", level="quality 10", apply=partial(_jpeg, quality=10)),
    Damage(name="lighting", level="darker", apply=partial(_gamma, gamma=1.8)),
    Damage(name="lighting", level="brighter", apply=partial(_gamma, gamma=0.55)),
    Damage(name="lighting", level="warm", apply=_cast),
    Damage(name="background", level="plain color", apply=partial(_background, texture=plain)),
    Damage(name="background", level="wood", apply=partial(_background, texture=wood)),
    Damage(name="small", level="64 px", apply=partial(_small, longer_px=64)),
)
