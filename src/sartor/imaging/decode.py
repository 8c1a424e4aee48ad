"""Encoded photos to pixels, with every hostile or broken file answered by one PhotoRejected.

The plugin that belongs to the content is called directly instead of through ``Image.open``, which warns above
``Image.MAX_IMAGE_PIXELS`` and fails above twice that, two settings of the whole process. So the limits here
are this call's own, and are checked on the header before any pixel is decoded.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from PIL import ExifTags, Image, features

from sartor.errors import PhotoRejected
from sartor.imaging.pixels import SIDEWAYS, UPRIGHT, orientation_of, to_rgb, turn_upright
from sartor.limits import MAX_DECODED_BYTES, MAX_JPEG_SCANS, MAX_PHOTO_PIXELS, MAX_PHOTO_SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.ImageFile import ImageFile

_HEAD_BYTES = 512

# First match wins, so AVIF stands before HEIC and both before video: all three open with an "ftyp" box.
_READ = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",  # the second header's length: "BM" alone is weak
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "AVIF": rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1).{4,64}?avi[fs])",
}
_NOT_READ = {
    "HEIC": rb".{4}ftyp(?:hei[cmsx]|hev[cx]|mif1|msf1)",
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
}
_SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "WEBP"})
_START_OF_SCAN = b"\xff\xda"
_MILLION = 1_000_000


def recognize(data: bytes, *, name: str) -> str:
    """The format in which the photo is to be decoded, by Pillow's name for it.

    Raises:
        PhotoRejected: It is no image, or a kind of image that is not read.
    """
    head = data[:_HEAD_BYTES]
    if found := _first_match(_READ, head):
        if found in _BUILT_WITH and not features.check(_BUILT_WITH[found]):
            raise PhotoRejected(name, reason=f"is a kind of image that this Pillow was built without: {found}")
        return found
    if found := _first_match(_NOT_READ, head):
        raise PhotoRejected(name, reason=f"is a kind of image that is not read: {found}")
    found = _first_match(_NO_IMAGES, head) or ("text" if _is_text(head) else None)
    raise PhotoRejected(name, reason=f"is not an image (looks like {found})" if found else "is not an image")


def _first_match(patterns: dict[str, bytes], head: bytes) -> str | None:
    return next((kind for kind, pattern in patterns.items() if re.match(pattern, head, re.DOTALL)), None)


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", errors="ignore")
    return len(text.encode()) > len(head) - 4 and all(sign.isprintable() or sign.isspace() for sign in text)


class _ThisThread(threading.local):
    """Stands where a warning filter has the pattern of a module's name, and knows who asks."""

    is_quiet = False

    def match(self, module: str) -> bool:
        return self.is_quiet and module.startswith("PIL.")


_this_thread = _ThisThread()
_FILTER = ("ignore", None, Warning, _this_thread, 0)
_lock = threading.Lock()


@contextmanager
def pillow_kept_quiet() -> Iterator[None]:
    """Drop what Pillow warns of in this thread until the block ends."""
    _put_filter_first()
    _this_thread.is_quiet = True
    try:
        yield
    finally:
        _this_thread.is_quiet = False


def _put_filter_first() -> None:
    """Make the filter the first of the process's: it stays, and matches nothing outside of the blocks above.

    The list is changed directly because ``warnings.filterwarnings`` takes a pattern only as text, and because
    it would make every warning that is shown once show again.
    """
    filters = cast("list[object]", warnings.filters)
    if filters and filters[0] is _FILTER:
        return
    with _lock:
        for position in reversed([at for at, known in enumerate(filters) if known is _FILTER]):
            del filters[position]
        filters.insert(0, _FILTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """What a photo may cost.

    Attributes:
        max_bytes: Size of the file.
        max_pixels: Width times height.
        max_side_px: Width, and height.
        max_scans: Passes over a progressive JPEG. Encoders write about ten; one of 75 bytes can take 0.05 s at
            49 megapixels, so a file of 1 MB could take ten minutes.
    """

    max_bytes: int = MAX_DECODED_BYTES
    max_pixels: int = MAX_PHOTO_PIXELS
    max_side_px: int = MAX_PHOTO_SIDE_PX
    max_scans: int = MAX_JPEG_SCANS


DEFAULT_LIMITS = DecodeLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPhoto:
    """A photo as pixels.

    Attributes:
        image: Mode RGB, upright, what was transparent on white, without metadata.
        width_px: Width of the source photo, upright; more than the image's where that is reduced.
        height_px: Height of the source photo, upright.
        format: Pillow's name of the source's format, such as ``JPEG``.
        reduced: Whether the image was decoded smaller than the source.
        web_ready: Whether the source file itself is fit for a web page: JPEG, PNG or WebP, one upright frame,
            no CMYK, and no position of where it was taken.
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
    """Decode a photo, whatever its format, color mode and orientation; safe to call from many threads.

    Args:
        data: The encoded photo; of a file with many frames, the first is decoded.
        name: What the source calls the photo; only for the message when it is rejected.
        fit_px: Let a large JPEG be decoded at 1/2, 1/4 or 1/8, as long as both sides keep this many pixels.
        limits: What the photo may cost.

    Raises:
        PhotoRejected: It is no image, a broken one, one of a kind that is not read, or beyond the limits.
    """
    if not data:
        raise PhotoRejected(name, reason="is empty")
    if len(data) > limits.max_bytes:
        reason = f"has {len(data) / _MILLION:,.1f} MB, more than {limits.max_bytes / _MILLION:g}"
        raise PhotoRejected(name, reason=reason)
    kind = recognize(data, name=name)
    try:
        with pillow_kept_quiet(), _open(data, kind) as image:
            _check_header(image, data, name=name, limits=limits)
            return _decode(image, kind=kind, fit_px=fit_px)
    except PhotoRejected:
        raise
    except Image.DecompressionBombError as error:  # some plugins look at the size before they have an image
        reason = f"has far more than {limits.max_pixels / _MILLION:g} megapixels"
        raise PhotoRejected(name, reason=reason) from error
    except Exception as error:  # on a broken file Pillow's plugins raise whatever they trip over
        raise PhotoRejected(name, reason=_reason(error, data, kind=kind)) from error


def _open(data: bytes, kind: str) -> ImageFile:
    """Read the header only. A plugin is imported when the first photo of its format comes."""
    module, plugin = _PLUGINS[kind]
    return cast("ImageFile", getattr(import_module(module), plugin)(io.BytesIO(data)))


def _check_header(image: ImageFile, data: bytes, *, name: str, limits: DecodeLimits) -> None:
    width_px, height_px = image.size
    if max(image.size) > limits.max_side_px:
        reason = f"measures {width_px} x {height_px} pixels, more than {limits.max_side_px:,} on a side"
        raise PhotoRejected(name, reason=reason)
    if width_px * height_px > limits.max_pixels:
        megapixels = f"{width_px * height_px / _MILLION:,.1f} megapixels ({width_px} x {height_px})"
        reason = f"has {megapixels}, more than {limits.max_pixels / _MILLION:g}"
        raise PhotoRejected(name, reason=reason)
    if image.format == "JPEG" and (scans := data.count(_START_OF_SCAN)) > limits.max_scans:
        raise PhotoRejected(name, reason=f"is coded in {scans:,} scans, more than {limits.max_scans}")


def _decode(image: ImageFile, *, kind: str, fit_px: int | None) -> DecodedPhoto:
    width_px, height_px = image.size
    mode = image.mode
    if fit_px is not None:
        # Only JPEG answers a draft. Measured with 320 px on 12 megapixels (2.9 MB): 55 ms instead of 165 ms, and
        # 0.75 MB of pixels instead of 48; a progressive one takes 230 ms instead of 330.
        image.draft("RGB", (fit_px, fit_px))
    reduced = image.size != (width_px, height_px)
    image.load()
    exif = _exif_of(image)  # after loading: PNG may end with it, and TIFF is turned by Pillow
    orientation = orientation_of(exif)
    is_still = not getattr(image, "is_animated", False)
    shows_as_it_is = kind in _SHOWN_BY_BROWSERS and mode != "CMYK" and orientation == UPRIGHT and is_still
    if orientation in SIDEWAYS:
        width_px, height_px = height_px, width_px
    return DecodedPhoto(
        image=turn_upright(to_rgb(image), orientation=orientation),
        width_px=width_px,
        height_px=height_px,
        format=kind,
        reduced=reduced,
        web_ready=shows_as_it_is and _tells_no_place(image, exif),
    )


def _exif_of(image: ImageFile) -> Image.Exif:
    """What the camera wrote beside the pixels; empty where it cannot be read, which is not worth a photo."""
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - a broken block fails in as many ways as a broken file
        return Image.Exif()


def _tells_no_place(image: ImageFile, exif: Image.Exif) -> bool:
    """Whether a photo does not say where it was taken, as far as its EXIF block can be read."""
    return "exif" not in image.info or (len(exif) > 0 and ExifTags.IFD.GPSInfo not in exif)


def _reason(error: Exception, data: bytes, *, kind: str) -> str:
    """Why a file failed, in a few words; Pillow's own words stay with the cause."""
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    if _is_cut_off(data, kind=kind) or (kind == "TIFF" and "truncated" in str(error)):
        return "is cut off"
    if isinstance(error, NotImplementedError) or "upported" in str(error) or "unknown" in str(error):
        return f"is damaged, or a kind of {kind} that is not read"
    return "is damaged"


def _is_cut_off(data: bytes, *, kind: str) -> bool:
    """Whether the end is missing, by the end mark or the length that a format has."""
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
        case "AVIF":
            whole = _end_of_boxes(data) <= len(data)
        case _:
            whole = True
    return not whole


def _end_of_boxes(data: bytes) -> int:
    """Where the last of a file's boxes says that it ends; source: ISO/IEC 14496-12, 4.2."""
    end = 0
    while end < len(data):
        end += max(int.from_bytes(data[end : end + 4], "big"), 8)
    return end
