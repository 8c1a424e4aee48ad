"""Augmentation: photos changed at random, as other cameras, rooms and light would show the same product."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from sartor.evaluation.backgrounds import wood
from sartor.training.recipe import Augmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from sartor.training.photos import Pixels

_LEVELS = np.arange(256, dtype=np.float32) / 255
_AS_A_PERSON = Augmentation(background=1.0, erase=0.0, min_crop=0.7)
_SEED = 5
_OUTSIDE = {"RGB": (255, 255, 255), "RGBA": (0, 0, 0, 0)}
_SECOND_PRODUCT = 0.25  # how often a room has two products
_SHADED = 0.6  # how often a product throws a shadow
_TEXTURED = 0.3  # how often a room is a texture although there are photos of rooms
_ROOM_LIGHT = Augmentation(lighting=0.25, white_balance=0.08, blur=0.25, jpeg=0.3, low_resolution=0.25, erase=0)


def plain_view(pixels: Pixels, *, side_px: int) -> npt.NDArray[np.uint8]:
    """A photo resized to ``(side_px, side_px, 3)``, as it is embedded later."""
    image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    return np.asarray(image.resize((side_px, side_px), Image.Resampling.BILINEAR))


def augmented_view(
    pixels: Pixels,
    how: Augmentation,
    *,
    side_px: int,
    background: Callable[[], Pixels | None],
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """A photo changed at random: ``(side_px, side_px, 3)``.

    Args:
        pixels: The photo, with the mask of its product.
        how: What may happen, and how strongly.
        side_px: Side of the result.
        background: Gives another photo to take a background from, or None.
        rng: The same generator gives the same view.
    """
    cut_out = rng.random() < how.background
    warped = _warped(pixels if cut_out else pixels[..., :3], how, side_px=side_px, rng=rng)
    if cut_out:
        behind = _background(background(), side_px=side_px, rng=rng)
        mask = warped.getchannel("A").filter(ImageFilter.MinFilter(3))  # without the white seam
        image = Image.composite(warped.convert("RGB"), behind, mask)
    else:
        image = warped
    image = _lit(image, how, rng=rng)
    return np.asarray(_photographed(image, how, rng=rng))


def as_a_person(pixels: Pixels, *, row: int, side_px: int) -> npt.NDArray[np.uint8]:
    """A product as a person might photograph it: on a floor or a bed, turned, in other light.

    Args:
        pixels: Its photo, with the mask of the product.
        row: Its number, so that each looks otherwise, and the same the next time.
        side_px: Side of the result.
    """
    rng = np.random.default_rng([_SEED, row])
    return augmented_view(pixels, _AS_A_PERSON, side_px=side_px, background=lambda: None, rng=rng)


def composed_view(
    products: Sequence[Pixels], room: Pixels | None, *, side_px: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Products cut out and put into a room: the photo ``(side_px, side_px, 3)``, and where they are.

    Args:
        products: Photos with the masks of their products; the second one is there now and then only.
        room: A photo whose edge becomes the background; None for a texture.
        side_px: Side of the result.
        rng: The same generator gives the same view.

    Returns:
        The photo, and the mask, ``(side_px, side_px)``: 255 where it shows a product.
    """
    photo = _room(room, side_px=side_px, rng=rng)
    mask = Image.new("L", photo.size)
    count = 1 + (rng.random() < _SECOND_PRODUCT)
    for product in products[:count]:
        cut_out = _scattered(product, side_px=side_px, small=count > 1, rng=rng)
        alpha = cut_out.getchannel("A").filter(ImageFilter.MinFilter(3))  # without the white seam
        if rng.random() < _SHADED:
            shadow = ImageChops.offset(alpha, *rng.integers(-5, 6, 2).tolist())
            shadow = shadow.filter(ImageFilter.GaussianBlur(rng.uniform(1, 5)))
            dark = Image.new("RGB", photo.size)
            photo = Image.composite(dark, photo, shadow.point(_scaled(rng.uniform(0.1, 0.6))))
        photo = Image.composite(cut_out.convert("RGB"), photo, alpha.filter(ImageFilter.GaussianBlur(0.5)))
        mask = ImageChops.lighter(mask, alpha)
    photo = _lit(_shaded(photo, rng=rng), _ROOM_LIGHT, rng=rng)
    photo = _photographed(photo, _ROOM_LIGHT, rng=rng)
    return np.asarray(photo), np.asarray(mask)


def _scattered(pixels: Pixels, *, side_px: int, small: bool, rng: np.random.Generator) -> Image.Image:
    """A product in any size, turn and position, RGBA; its surroundings are transparent."""
    largest = 0.8 if small else 1.25
    size = 1 / rng.uniform(0.45, largest)  # sides of the frame in sides of the photo
    sides = size * rng.uniform(0.85, 1.18, 2)
    center = 0.5 + rng.uniform(-0.5, 0.5, 2) * np.maximum(np.abs(sides - 1), 0.1) * (1.1 if small else 0.8)
    angle = math.radians(rng.normal(0, 14) if rng.random() < 0.8 else rng.uniform(-180, 180))  # noqa: PLR2004
    corners = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]) * sides
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    corners = corners @ turn + center + rng.uniform(-0.08, 0.08, (4, 2))
    if rng.random() < 0.5:  # noqa: PLR2004
        corners = corners[[3, 2, 1, 0]]
    quad = (corners * (pixels.shape[1], pixels.shape[0])).ravel().tolist()
    source = Image.fromarray(np.ascontiguousarray(pixels))
    return source.transform((side_px, side_px), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR)


def _room(photo: Pixels | None, *, side_px: int, rng: np.random.Generator) -> Image.Image:
    """A background without a product: a strip of a photo's edge, mirrored until large enough; or a texture."""
    if photo is None or rng.random() < _TEXTURED:
        is_wood = rng.random() < 0.3  # noqa: PLR2004
        return wood((side_px, side_px), rng) if is_wood else _texture(side_px=side_px, rng=rng)
    turned = np.rot90(photo[..., :3], int(rng.integers(4)))
    height, width = turned.shape[:2]
    deep, long = int(height * rng.uniform(0.1, 0.22)) + 1, int(width * rng.uniform(0.4, 1))
    left = rng.integers(width - long + 1)
    strip = turned[:deep, left : left + long]
    strip = np.concatenate([strip, strip[::-1]])
    times = -(-long // len(strip))
    whole = np.concatenate([strip] * times)[:long]
    whole = np.rot90(whole, int(rng.integers(4)))
    return Image.fromarray(np.ascontiguousarray(whole)).resize((side_px, side_px), Image.Resampling.BILINEAR)


def _shaded(image: Image.Image, *, rng: np.random.Generator) -> Image.Image:
    """Light that falls off across the photo, as from a window or a flash."""
    cells = rng.uniform(rng.uniform(0.45, 1), 1, (2, 2))
    light = Image.fromarray((cells * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(image, light.convert("RGB"))


def _scaled(share: float) -> list[int]:
    return [round(level * share) for level in range(256)]


def _warped(pixels: Pixels, how: Augmentation, *, side_px: int, rng: np.random.Generator) -> Image.Image:
    """Crop, rotation, perspective and flip in one resampling."""
    height, width, _ = pixels.shape
    sides = rng.uniform(how.min_crop, 1.05, 2) if how.min_crop < 1 else np.ones(2)
    center = 0.5 + (rng.uniform(-0.5, 0.5, 2) * np.abs(1 - sides))
    angle = math.radians(rng.uniform(-how.rotation_deg, how.rotation_deg))
    corners = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]) * sides
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    corners = corners @ turn + center + rng.uniform(-how.perspective, how.perspective, (4, 2))
    if rng.random() < how.flip:
        corners = corners[[3, 2, 1, 0]]
    quad = (corners * (width, height)).ravel().tolist()
    source = Image.fromarray(np.ascontiguousarray(pixels))
    if min(width, height) > 2 * side_px:
        source = source.resize((side_px, side_px), Image.Resampling.BOX)
    return source.transform(
        (side_px, side_px), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR, fillcolor=_OUTSIDE[source.mode]
    )


def _background(photo: Pixels | None, *, side_px: int, rng: np.random.Generator) -> Image.Image:
    if photo is None or rng.random() < 0.3:  # noqa: PLR2004
        return _texture(side_px=side_px, rng=rng)
    height, width, _ = photo.shape
    side = rng.uniform(0.25, 0.8)
    left, top = rng.uniform(0, 1 - side, 2)
    box = (left * width, top * height, (left + side) * width, (top + side) * height)
    patch = Image.fromarray(np.ascontiguousarray(photo[..., :3]))
    return patch.resize((side_px, side_px), Image.Resampling.BILINEAR, box=box)


def _texture(*, side_px: int, rng: np.random.Generator) -> Image.Image:
    """A color with soft or fine noise, like a wall, a floor or a bed."""
    cells = int(rng.integers(1, 24))
    color = rng.uniform(30, 255, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(60, 255))  # noqa: PLR2004
    noise = rng.normal(0, rng.uniform(2, 30), (cells, cells, 1)) + rng.normal(0, 4, (cells, cells, 3))
    small = Image.fromarray(np.clip(color + noise, 0, 255).astype(np.uint8))
    return small.resize((side_px, side_px), Image.Resampling.BICUBIC)


def _lit(image: Image.Image, how: Augmentation, *, rng: np.random.Generator) -> Image.Image:
    """Brightness, contrast and gamma of all channels, white balance of each, and a little saturation."""
    if how.lighting == 0 and how.white_balance == 0:
        return image
    brightness, contrast = 1 + rng.uniform(-how.lighting, how.lighting, 2)
    gamma = math.exp(rng.uniform(-how.lighting, how.lighting))
    gains = 1 + rng.uniform(-how.white_balance, how.white_balance, 3)
    base = (_LEVELS**gamma * brightness - 0.5) * contrast + 0.5
    table = np.clip(gains[:, None] * base, 0, 1) * 255
    image = image.point(table.astype(np.uint8).ravel().tolist())
    return ImageEnhance.Color(image).enhance(1 + rng.uniform(-how.lighting, how.lighting))


def _photographed(image: Image.Image, how: Augmentation, *, rng: np.random.Generator) -> Image.Image:
    side_px = image.width
    if rng.random() < how.low_resolution:
        small = int(side_px * rng.uniform(0.3, 0.7))
        image = image.resize((small, small), Image.Resampling.BOX).resize(
            (side_px, side_px), Image.Resampling.BILINEAR
        )
    if rng.random() < how.blur:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    if rng.random() < how.jpeg:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(30, 90)))
        image = Image.open(stream).convert("RGB")
    if rng.random() < how.erase:
        size = (rng.uniform(0.1, 0.35, 2) * side_px).astype(int)
        corner = (rng.uniform(0, 1, 2) * (side_px - size)).astype(int)
        image = image.copy()
        image.paste(tuple(rng.integers(0, 256, 3).tolist()), (*corner, *(corner + size)))
    return image
