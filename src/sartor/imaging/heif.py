"""HEIC photos, by the optional package pillow-heif; its limits are those of the call, as for the other formats.

A file may describe a picture as made of others, any number of times. Of these only what cameras write is read: one
HEVC image, or a grid of them, and one more for transparency. So the pixels that are decoded are counted before.
"""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING

from sartor.imaging.boxes import items_of
from sartor.limits import MAX_HEIC_PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.ImageFile import ImageFile

_CODED = frozenset({b"hvc1"})
_MADE_OF_OTHERS = frozenset({b"grid", b"iden"})
_MAX_DECODED = 4  # times the largest picture: transparency, and tiles that reach beyond the edge
_lock = threading.Lock()


def open_heif(file: IO[bytes]) -> ImageFile:
    """The header of a HEIC photo, upright: its own turns are made by libheif, and those of EXIF do not count.

    Raises:
        SyntaxError: It is broken.
        NotImplementedError: It is made of what cameras do not write, or of too many pixels.
    """
    import pillow_heif
    from pillow_heif import options

    _check(file.read())
    file.seek(0)
    with _lock:  # its settings are those of the process; they count while a header is read
        kept = {name: getattr(options, name) for name in _SETTINGS}
        try:
            for name, value in _SETTINGS.items():
                setattr(options, name, value)
            open_: Callable[[IO[bytes]], ImageFile] = pillow_heif.HeifImageFile
            return open_(file)
        finally:
            for name, value in kept.items():
                setattr(options, name, value)


# A thread for each photo, as for the other formats; no thumbnail in place of the picture; libheif's own limits.
_SETTINGS = {
    "DECODE_THREADS": 1,
    "THUMBNAILS": False,
    "DEPTH_IMAGES": False,
    "AUX_IMAGES": False,
    "DISABLE_SECURITY_LIMITS": False,
}


def _check(data: bytes) -> None:
    items = items_of(data)
    if items is None:
        raise SyntaxError
    decoded = items.decoded()
    kinds = {item.kind for item in decoded}
    if unread := kinds - _CODED - _MADE_OF_OTHERS:
        raise NotImplementedError(sorted(unread))
    if sum(item.pixels for item in decoded if item.kind in _CODED) > _MAX_DECODED * MAX_HEIC_PIXELS:
        raise NotImplementedError
