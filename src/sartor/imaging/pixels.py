"""The pixels of a decoded photo: upright 8-bit sRGB on white, whatever Pillow's mode was; and their fingerprint.

A fingerprint is bits by which a photo that shows the same is found, in any size and compression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PIL import ExifTags, Image

from sartor.imaging.profiles import to_srgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from PIL.ImageFile import ImageFile

    from sartor.imaging.profiles import Meaning

XMP, OLD_EXIF_OF_PNG = ("xmp", "XML:com.adobe.xmp"), "Raw profile type exif"  # Pillow's names
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


def exif_of(image: ImageFile) -> Image.Exif:
    """The EXIF block of a loaded image; empty if it cannot be read, which is no reason to reject a photo.

    An orientation that only XMP has does not count, as in browsers: programs that turn the pixels leave it. Nor
    does a block that old programs put into a text of a PNG.
    """
    set_aside = {name: image.info.pop(name) for name in (*XMP, OLD_EXIF_OF_PNG) if name in image.info}
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - a broken block fails in as many ways as a broken file
        return Image.Exif()
    finally:
        image.info.update(set_aside)


def orientation_of(exif: Image.Exif) -> int:
    """The orientation by EXIF, 1 to 8; 1 if EXIF is absent or not valid.

    Source: CIPA DC-008 (Exif 2.32), tag 0x0112.
    """
    orientation = exif.get(ExifTags.Base.Orientation)
    return orientation if orientation in _TURNS else UPRIGHT


def turn_upright(image: Image.Image, *, orientation: int) -> Image.Image:
    """Undo an EXIF orientation."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def to_rgb(
    image: Image.Image, *, meaning: Meaning = None, opacity: Image.Image | None = None, is_gray: bool = False
) -> Image.Image:
    """A loaded image of any mode as 8-bit sRGB, transparent pixels on white, without metadata.

    Args:
        image: The image.
        meaning: What its numbers mean as colors.
        opacity: That of each pixel, mode L, where the image itself does not tell it right.
        is_gray: Whether it is gray, whatever Pillow reads it as; a profile for gray then counts.
    """
    if opacity is None and image.has_transparency_data:
        image = image.convert("LA" if image.mode in {"1", "L", "LA", "La"} else "RGBA")
        opacity = image.getchannel("A")
    if is_gray and image.mode in {"RGB", "RGBA"}:
        image = image.getchannel("R")
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        image = _to_8_bits(image)
    elif image.mode in {"LAB", "HSV"}:  # a profile in such a file cannot be of what they are converted to
        image, meaning = image.convert("RGB"), None
    elif image.mode in {"1", "LA"}:
        image = image.convert("L")
    elif image.mode not in {"L", "RGB", "CMYK"}:
        image = image.convert("RGB")
    rgb = to_srgb(image, meaning)
    if opacity is not None:
        flat = Image.new("RGB", rgb.size, _WHITE)
        flat.paste(rgb, mask=opacity)
        return flat
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


_SIDE = 16
_STEP = 2  # levels of gray; smaller steps are noise of the compression
_BITS = 4 * _SIDE * _SIDE


def fingerprint(image: Image.Image) -> bytes:
    """The steps to brighter or darker of an RGB photo, from left to right and top to bottom: 128 bytes.

    Source: the difference hash of N. Krawetz, "Kind of Like That" (2013), at 16 x 16, both ways, with both signs,
    so that a flat background has no bits.
    """
    import numpy as np  # here, since pages that show photos do not need it

    gray = image.convert("L")
    across = np.diff(_shrunk(gray, _SIDE + 1, _SIDE), axis=1)
    down = np.diff(_shrunk(gray, _SIDE, _SIDE + 1), axis=0)
    steps = np.stack([across > _STEP, across < -_STEP, down > _STEP, down < -_STEP])
    return np.packbits(steps).tobytes()


def apart(ones: Sequence[bytes], others: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """Jaccard distances of the bits of n pairs of fingerprints, ``(n,)`` from 0 to 1.

    An empty fingerprint, or one without a bit, has distance 1 from all.
    """
    import numpy as np

    one, other = _words(ones), _words(others)
    both = np.bitwise_count(one & other).sum(axis=1, dtype=np.int32)
    either = np.bitwise_count(one | other).sum(axis=1, dtype=np.int32)
    return np.asarray(1 - both / np.maximum(either, 1), np.float32)


def _words(fingerprints: Sequence[bytes]) -> npt.NDArray[np.uint64]:
    import numpy as np

    size = _BITS // 8
    joined = b"".join(bits.ljust(size, b"\0") for bits in fingerprints)
    return np.frombuffer(joined, np.uint64).reshape(-1, size // 8)


def _shrunk(gray: Image.Image, width_px: int, height_px: int) -> npt.NDArray[np.int16]:
    import numpy as np

    return np.asarray(gray.resize((width_px, height_px), Image.Resampling.BOX), np.int16)
