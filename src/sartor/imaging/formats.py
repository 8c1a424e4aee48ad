"""Which kind of file some bytes are, told from their content and never from their name.

Kept apart from decoding because a refusal has to be understood by a person: a PDF, a saved web page or an
iPhone's HEIC is named for what it is.
"""

from __future__ import annotations

import re

from PIL import features

from sartor.errors import PhotoRejected

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
