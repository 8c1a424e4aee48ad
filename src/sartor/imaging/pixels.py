"""Any of Pillow's pixel modes to upright 8-bit sRGB on white, the input of encoders. It refuses nothing."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from PIL import ExifTags, Image

if TYPE_CHECKING:
    from PIL import ImageCms

_BITS_PER_SAMPLE = 258  # TIFF 6.0
_SAMPLE_FORMAT = 339  # TIFF 6.0
_UNSIGNED = 1
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UPRIGHT = 1
SIDEWAYS = frozenset({5, 6, 7, 8})  # orientations that swap width and height
_WHITE = (255, 255, 255)


def orientation_of(exif: Image.Exif) -> int:
    """The orientation by EXIF, 1 to 8; 1 if EXIF is absent or not valid.

    Source: CIPA DC-008 (Exif 2.32), tag 0x0112.
    """
    orientation = exif.get(ExifTags.Base.Orientation)
    return orientation if orientation in _TURNS else UPRIGHT


def turn_upright(image: Image.Image, *, orientation: int) -> Image.Image:
    """Undo an EXIF orientation."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def to_rgb(image: Image.Image) -> Image.Image:
    """A loaded image of any mode as 8-bit sRGB, transparent pixels on white, without metadata."""
    profile = image.info.get("icc_profile")
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        image = _over_white(image.convert("RGBA"))
    elif image.mode not in {"RGB", "CMYK"}:
        image = image.convert("RGB")
    to_srgb = _transform_to_srgb(profile, image.mode) if isinstance(profile, bytes) else None
    rgb = to_srgb.apply(image) if to_srgb else image.convert("RGB")
    rgb.info = {}  # Pillow would write a comment back into a thumbnail
    return rgb


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Deep gray as 8-bit gray, scaled by its white level instead of cut off at 255."""
    levels = image if image.mode == "F" else image.convert("I")
    darkest, brightest = cast("tuple[float, float]", levels.getextrema())
    if darkest < 0 and _is_unsigned(image):
        return Image.frombytes("L", image.size, levels.tobytes()[3::4])  # the highest byte of each level
    if image.mode.startswith("I;16"):
        white = _white_of_16_bits(image)
    else:
        usual = (1, 255, 65535) if image.mode == "F" else (255, 65535)
        white = next((level for level in usual if brightest <= level), 2**32 - 1)
    return levels.convert("F").point(lambda level: level * (255 / white) + 0.5).convert("L")


def _is_unsigned(image: Image.Image) -> bool:
    """Whether a TIFF has unsigned 32-bit levels; Pillow reads their upper half as negative."""
    tags = getattr(image, "tag_v2", {})
    return image.mode == "I" and tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] == _UNSIGNED


def _white_of_16_bits(image: Image.Image) -> int:
    """65535, but 4095 for a 12-bit TIFF, which Pillow unpacks without scaling it."""
    tags = getattr(image, "tag_v2", {})
    bits: int = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    return (1 << bits) - 1


def _over_white(image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size, _WHITE)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


@lru_cache(maxsize=16)
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion from an embedded ICC profile; None if it is sRGB or not usable."""
    from PIL import ImageCms  # a second library that few photos need

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != mode or "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError):
        return None
