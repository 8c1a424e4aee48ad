"""Encoded photos to pixels; every hostile or broken file is a ``PhotoRejected``.

Pillow's plugin for the content is called directly. ``Image.open`` would warn above ``Image.MAX_IMAGE_PIXELS`` and
fail above twice that, a setting of the whole process; the limits here belong to the call and are checked on the
header, before any pixel is decoded.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from PIL import ExifTags, Image, features

from sartor.errors import PhotoRejected
from sartor.imaging.meaning import meaning_of
from sartor.imaging.opacity import opacity_of
from sartor.imaging.pixels import (
    OLD_EXIF_OF_PNG,
    SIDEWAYS,
    UPRIGHT,
    XMP,
    exif_of,
    orientation_of,
    to_rgb,
    turn_upright,
)
from sartor.imaging.quiet import libtiff_asks_the_thread, pillow_kept_quiet
from sartor.limits import (
    MAX_DECODED_BYTES,
    MAX_HEIC_PIXELS,
    MAX_JPEG_PIXELS,
    MAX_JPEG_SCANS,
    MAX_PHOTO_PIXELS,
    MAX_PHOTO_SIDE_PX,
    MAX_PROGRESSIVE_PIXELS,
    MAX_WHOLE_PIXELS,
)

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_HEAD_BYTES = 512

# First match wins, so AVIF stands before HEIF and both before video: all three open with an "ftyp" box.
_READ = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",  # the second header's length: "BM" alone is weak
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "AVIF": rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1).{4,64}?avi[fs])",
    "HEIF": rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)",
}
_NOT_READ = {
    "ICO": rb"\x00\x00\x01\x00",
    "CUR": rb"\x00\x00\x02\x00",
    "SVG": rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg",
    "Photoshop": rb"8BPS",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "EPS": rb"%!PS|\xc5\xd0\xd3\xc6",
    "Netpbm": rb"P[1-6]\s",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "Radiance HDR": rb"#\?(?:RADIANCE|RGBE)",
    "DDS": rb"DDS ",
    "QOI": rb"qoif",
    "ICNS": rb"icns",
}
_NO_IMAGES = {
    "PDF": rb"%PDF",
    "a ZIP archive": rb"PK(?:\x03\x04|\x05\x06)",
    "a compressed archive": rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ",
    "a web page": rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?i:!doctype html|html|head)",
    "XML": rb"(?:\xef\xbb\xbf)?\s*<\?xml",
    "a Git LFS pointer": rb"version https://git-lfs",
    "a video": rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI ",
    "a sound": rb"ID3|OggS|fLaC|RIFF.{4}WAVE",
    "a program": rb"MZ|\x7fELF",
}
_BUILT_WITH = {"WEBP": "webp", "AVIF": "avif"}  # parts that a build of Pillow may lack

# JPEG has the plain plugin, not Pillow's factory: a phone's multi-picture file then is its first picture.
_PLUGINS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("sartor.imaging.heif", "open_heif"),
}
_NEEDS_PILLOW_HEIF = (
    "is HEIC, which needs the package pillow-heif; in a checkout of Sartor, install it with: pip install '.[heic]'"
)
_SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "WEBP"})
_END_MARKS = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82", "GIF": b";"}
_SEQUENTIAL, _PROGRESSIVE, _SCAN, _FILL = frozenset({0xC0, 0xC1}), 0xC2, 0xDA, 0xFF  # markers of JPEG
_WITHOUT_LENGTH = frozenset({0x00, 0x01, _FILL, *range(0xD0, 0xDA)})  # and what stands for a byte 0xFF
_NOISE = bytes(range(1, 128)) * 16
_START_OF_SCAN = b"\xff\xda"
_MILLION = 1_000_000


def recognize(data: bytes, *, name: str) -> str:
    """The format of the photo, by Pillow's name for it.

    Raises:
        PhotoRejected: It is not an image, or a kind of image that is not read.
    """
    head = data[:_HEAD_BYTES]
    if kind := _first_match(_READ, head):
        if kind == "HEIF" and find_spec("pillow_heif") is None:
            raise PhotoRejected(name, reason=_NEEDS_PILLOW_HEIF)
        if kind in _BUILT_WITH and not features.check(_BUILT_WITH[kind]):
            raise PhotoRejected(name, reason=f"is a kind of image that this Pillow was built without: {kind}")
        return kind
    if kind := _first_match(_NOT_READ, head):
        raise PhotoRejected(name, reason=f"is a kind of image that is not read: {kind}")
    kind = _first_match(_NO_IMAGES, head) or ("text" if _is_text(head) else None)
    raise PhotoRejected(name, reason=f"is not an image (looks like {kind})" if kind else "is not an image")


def _first_match(patterns: dict[str, bytes], head: bytes) -> str | None:
    return next((kind for kind, pattern in patterns.items() if re.match(pattern, head, re.DOTALL)), None)


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", errors="ignore")
    return len(text.encode()) > len(head) - 4 and all(sign.isprintable() or sign.isspace() for sign in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """Limits of a photo's file, pixels, width and height, and of the scans of a progressive JPEG.

    Encoders write about ten scans. A scan of 75 bytes can take 0.05 s at 49 megapixels, so a file of 1 MB could
    take ten minutes.

    ``max_pixels`` is the same for all formats if it is given. By default it is what decoding costs: a JPEG is
    decoded at 1/2, 1/4 or 1/8 where it has more than 50 megapixels. Measured with 200 megapixels: a process of
    44 MiB then has at most 69 MiB for a thumbnail of 640 pixels, and 141 MiB without ``fit_px``.
    """

    max_bytes: int = MAX_DECODED_BYTES
    max_pixels: int | None = None
    max_side_px: int = MAX_PHOTO_SIDE_PX
    max_scans: int = MAX_JPEG_SCANS

    def pixels_of(self, kind: str, *, progressive: bool = False) -> int:
        """The limit of a photo of this format, in pixels."""
        if self.max_pixels is not None:
            return self.max_pixels
        if kind != "JPEG":
            return MAX_HEIC_PIXELS if kind == "HEIF" else MAX_PHOTO_PIXELS
        return MAX_PROGRESSIVE_PIXELS if progressive else MAX_JPEG_PIXELS


DEFAULT_LIMITS = DecodeLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPhoto:
    """A photo as pixels.

    Attributes:
        image: Mode RGB, upright, transparent pixels on white, without metadata.
        width_px: Width of the source, upright; larger than the image's if that is reduced.
        height_px: Height of the source, upright.
        format: Pillow's name of the source's format, such as ``JPEG``.
        reduced: Whether the image was decoded smaller than the source.
        web_ready: Whether the source file can be shown on a web page: JPEG, PNG or WebP, one upright frame, no
            CMYK, and no location.
    """

    image: Image.Image
    width_px: int
    height_px: int
    format: str
    reduced: bool
    web_ready: bool = False


def decode(
    data: bytes, *, name: str, fit_px: int | None = None, limits: DecodeLimits = DEFAULT_LIMITS
) -> DecodedPhoto:
    """Decode a photo of any format, color mode and orientation; thread-safe.

    Args:
        data: The encoded photo; of several frames, the first is decoded.
        name: The photo's name for the message of a rejection.
        fit_px: A large JPEG may be decoded at 1/2, 1/4 or 1/8 if both sides keep this many pixels.
        limits: Limits of the photo.

    Raises:
        PhotoRejected: It is not an image, is broken, of a kind that is not read, or beyond the limits.
    """
    if not data:
        raise PhotoRejected(name, reason="is empty")
    if len(data) > limits.max_bytes:
        reason = f"has {len(data) / _MILLION:,.1f} MB, more than {limits.max_bytes / _MILLION:g}"
        raise PhotoRejected(name, reason=reason)
    kind = recognize(data, name=name)
    try:
        with pillow_kept_quiet():
            try:
                return _decode_checked(data, kind=kind, name=name, fit_px=fit_px, limits=limits)
            except (OSError, SyntaxError, EOFError):
                if kind not in _END_MARKS or not _is_cut_off(data, kind=kind):
                    raise
                mended = _decode_mended(data, kind=kind, name=name, fit_px=fit_px, limits=limits)
                if mended is None:
                    raise
                return mended
    except PhotoRejected:
        raise
    except Image.DecompressionBombError as error:  # some plugins check the size before they have an image
        reason = f"has far more than {limits.pixels_of(kind) / _MILLION:g} megapixels"
        raise PhotoRejected(name, reason=reason) from error
    except Exception as error:  # on a broken file Pillow's plugins raise any exception
        raise PhotoRejected(name, reason=_reason(error, data, kind=kind)) from error


def _decode_checked(
    data: bytes, *, kind: str, name: str, fit_px: int | None, limits: DecodeLimits
) -> DecodedPhoto:
    with _open(data, kind) as image:
        _check_header(image, data, name=name, limits=limits)
        return _decode(image, data, kind=kind, fit_px=fit_px)


def _decode_mended(
    data: bytes, *, kind: str, name: str, fit_px: int | None, limits: DecodeLimits
) -> DecodedPhoto | None:
    """A photo of which only the end mark is missing, as browsers show it; None if more is missing.

    The decoder of JPEG fills missing rows with gray. So it is given the photo with the mark, and once more with
    noise before it: where all rows are there, neither changes the picture. A progressive one that ends between two
    of its scans has all rows, but coarse ones, so its scans are counted, too.
    """
    mark = _END_MARKS[kind]
    begun = next((size for size in range(len(mark) - 1, 0, -1) if data.endswith(mark[:size])), 0)
    data = data[: len(data) - begun]
    photo = _decode_checked(data + mark, kind=kind, name=name, fit_px=fit_px, limits=limits)
    if kind == "JPEG":
        if not _has_all_scans(data):
            return None
        again = _decode_checked(data + _NOISE + mark, kind=kind, name=name, fit_px=fit_px, limits=limits)
        if again.image.tobytes() != photo.image.tobytes():
            return None
    return replace(photo, web_ready=False)  # a browser would wait for the rest


def _has_all_scans(data: bytes) -> bool:
    """Whether the scans of a JPEG bring every coefficient to its last bit; a sequential one has no other.

    Source: ITU-T T.81, B.2.3 and G.1.1.1: a scan has the coefficients ``Ss`` to ``Se`` of some components, without
    their last ``Al`` bits.
    """
    position, missing = 2, {}
    while (position := data.find(b"\xff", position)) >= 0 and position + 4 <= len(data):
        marker = data[position + 1]
        if marker in _WITHOUT_LENGTH:
            position += 2 if marker != _FILL else 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4])
        segment = data[position + 4 : position + 2 + length]
        if marker in _SEQUENTIAL:
            return True
        if marker == _PROGRESSIVE:
            missing = {component: set(range(64)) for component in segment[6::3]}
        elif marker == _SCAN:
            count = segment[0]
            first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
            for component in segment[1 : 1 + 2 * count : 2]:
                if bits & 0x0F == 0:
                    missing[component] -= set(range(first, last + 1))
        position += 2 + length
    return not any(missing.values())


def _open(data: bytes, kind: str) -> ImageFile:
    """Read the header; a plugin is imported with the first photo of its format."""
    module, plugin = _PLUGINS[kind]
    return cast("ImageFile", getattr(import_module(module), plugin)(io.BytesIO(data)))


def _check_header(image: ImageFile, data: bytes, *, name: str, limits: DecodeLimits) -> None:
    width_px, height_px = image.size
    if max(image.size) > limits.max_side_px:
        reason = f"measures {width_px} x {height_px} pixels, more than {limits.max_side_px:,} on a side"
        raise PhotoRejected(name, reason=reason)
    limit = limits.pixels_of(str(image.format), progressive="progressive" in image.info)
    if width_px * height_px > limit:
        megapixels = f"{width_px * height_px / _MILLION:,.1f} megapixels ({width_px} x {height_px})"
        reason = f"has {megapixels}, more than {limit / _MILLION:g}"
        raise PhotoRejected(name, reason=reason)
    if image.format == "JPEG" and (scans := data.count(_START_OF_SCAN)) > limits.max_scans:
        raise PhotoRejected(name, reason=f"is coded in {scans:,} scans, more than {limits.max_scans}")


def _decode(image: ImageFile, data: bytes, *, kind: str, fit_px: int | None) -> DecodedPhoto:
    width_px, height_px = image.size
    mode = image.mode
    if fit_px is not None:
        # Only JPEG answers a draft. Measured with 320 px on 12 megapixels (2.9 MB): 55 ms instead of 165 ms, and
        # 0.75 MB of pixels instead of 48; a progressive one takes 230 ms instead of 330.
        image.draft("RGB", (fit_px, fit_px))
    elif kind == "JPEG" and width_px * height_px > MAX_WHOLE_PIXELS:
        image.draft("RGB", (max(1, width_px // 4), max(1, height_px // 4)))
    reduced = image.size != (width_px, height_px)
    if kind == "TIFF":
        image.info.pop("xmp", None)  # Pillow turns it by this while it loads it
        libtiff_asks_the_thread()
    if getattr(image, "default_image", False):
        image.seek(1)  # an APNG may have a picture for those who do not know it; its first frame is another
    told_by_exif = kind != "PNG" or "exif" in image.info  # browsers do not look behind a PNG's pixels
    extent = image.tile[0][1] if image.tile and image.tile[0][1] else (0, 0, *image.size)
    image.load()
    exif = exif_of(image)  # after loading: TIFF is turned by Pillow
    orientation = orientation_of(exif) if told_by_exif else UPRIGHT
    is_still = not getattr(image, "is_animated", False)
    shows_as_it_is = kind in _SHOWN_BY_BROWSERS and mode != "CMYK" and orientation == UPRIGHT and is_still
    if orientation in SIDEWAYS:
        width_px, height_px = height_px, width_px
    meaning, is_gray = meaning_of(image, data, kind)
    opacity = None if image.tell() else opacity_of(image, data, kind, extent)
    rgb = to_rgb(image, meaning=meaning, opacity=opacity, is_gray=is_gray)
    return DecodedPhoto(
        image=turn_upright(rgb, orientation=orientation),
        width_px=width_px,
        height_px=height_px,
        format=kind,
        reduced=reduced,
        web_ready=shows_as_it_is and _has_no_location(image, exif),
    )


def _has_no_location(image: ImageFile, exif: Image.Exif) -> bool:
    """Whether a readable EXIF block has no location, and there is none in XMP or in a text of PNG."""
    if OLD_EXIF_OF_PNG in image.info or any("GPS" in str(image.info.get(name, "")) for name in XMP):
        return False
    return "exif" not in image.info or (len(exif) > 0 and ExifTags.IFD.GPSInfo not in exif)


def _reason(error: Exception, data: bytes, *, kind: str) -> str:
    """Why a file failed, in a few words; Pillow's own message stays with the cause."""
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    if _is_cut_off(data, kind=kind) or (kind == "TIFF" and "truncated" in str(error)):
        return "is cut off"
    if isinstance(error, NotImplementedError) or "upported" in str(error) or "unknown" in str(error):
        return f"is damaged, or a kind of {kind} that is not read"
    return "is damaged"


def _is_cut_off(data: bytes, *, kind: str) -> bool:
    """Whether the end is missing, by the format's end mark or length."""
    match kind:
        case "JPEG":
            whole = data.rstrip(b"\0").endswith(b"\xff\xd9")
        case "PNG":
            whole = b"IEND" in data[-64:]
        case "GIF":
            whole = data.rstrip(b"\0").endswith(b";")
        case "WEBP":
            whole = int.from_bytes(data[4:8], "little") + 8 <= len(data)
        case "BMP":
            whole = int.from_bytes(data[2:6], "little") <= len(data)
        case "AVIF" | "HEIF":
            whole = _end_of_boxes(data) <= len(data)
        case _:
            whole = True
    return not whole


def _end_of_boxes(data: bytes) -> int:
    """The end of a file's last box by its length; source: ISO/IEC 14496-12, 4.2."""
    end = 0
    while end < len(data):
        end += max(int.from_bytes(data[end : end + 4], "big"), 8)
    return end
