"""Values of Python and Arrow as the catalog holds them, and the pictures among them.

A data frame has numbers of NumPy, several kinds of missing values, timestamps, decimals, lists and structs. Here
each becomes what a cell of a JSON file would be. A picture is bytes of an image file, an open image of Pillow, an
array of pixels, or the struct ``{bytes, path}`` of Hugging Face's data sets.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sartor.catalog.formats import Row, cells_of
from sartor.catalog.source import Case
from sartor.errors import PhotoRejected
from sartor.limits import MAX_PHOTO_BYTES
from sartor.types import SourcePhoto
from sartor.values import storable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sartor.catalog.source import Findings

_PICTURE_KEYS = frozenset({"bytes", "path"})
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*", b"BM")
_HEADER_BYTES = 12
_SOUNDS = (b"ID3", b"fLaC", b"OggS", b"\xff\xfb")  # of the same struct, in data sets of sounds
_PIXEL_AXES, _MAX_CHANNELS = (2, 3), 4
_MAX_NUMBERS = 32  # in a list that is an attribute; a longer one of floats is a vector
_MIDNIGHT = time(0)
_NAME_CHARS = 16


class NotACell(Exception):
    """A value that no cell can hold, such as a vector."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a cell.

    Attributes:
        digest: Hex digest of its bytes or pixels, by which it is named where it has no path.
        read: Returns the bytes of an image file; any thread may call it.
        path: Where it came from; may be empty.
    """

    digest: str
    read: Callable[[], bytes]
    path: str = ""


class RowMaker:
    """Makes the rows of one table, and names its pictures.

    Args:
        images: Columns that hold photos by their names.
        labels: The texts that the numbers of a column stand for, by column.
        findings: Where values that cannot be kept are counted.
    """

    def __init__(
        self,
        findings: Findings,
        *,
        images: Collection[str] = (),
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._findings, self._images, self._labels = findings, frozenset(images), labels or {}
        self._digests: dict[str, str] = {}  # of the pictures with a path, by path
        self._not_kept: set[str] = set()  # columns with values that no cell can hold

    def row(self, location: str, pairs: Iterable[tuple[str, Any]]) -> Row:
        """The row of some columns and their values."""
        told: list[tuple[str, Any]] = []
        photos: dict[str, tuple[SourcePhoto, ...]] = {}
        for column, value in pairs:
            names = self._labels.get(column)
            named = value if names is None else _label(value, names)
            try:
                cell = plain(named, is_image=column in self._images)
            except NotACell:
                cell = None
                if column not in self._not_kept:
                    self._not_kept.add(column)
                    self._findings.add(Case.SPARE_ARRAYS, f"{column} (from {location} on)")
            if isinstance(cell, Picture):
                photos[column] = (*photos.get(column, ()), self._photo(cell))
                continue
            if isinstance(cell, list) and (shown := [each for each in cell if isinstance(each, Picture)]):
                photos[column] = (*photos.get(column, ()), *map(self._photo, shown))
                cell = [each for each in cell if not isinstance(each, Picture)]
                if not cell:
                    continue
            told.append((column, cell))
        return Row(location=location, cells=cells_of(told), photos=photos)

    def _photo(self, picture: Picture) -> SourcePhoto:
        """A picture with a name: its path unless another picture has that, else its digest."""
        name = picture.path or picture.digest[:_NAME_CHARS]
        if picture.path and self._digests.setdefault(picture.path, picture.digest) != picture.digest:
            stem, suffix = os.path.splitext(picture.path)  # noqa: PTH122 - it need not be a path of this host
            name = f"{stem}-{picture.digest[:_NAME_CHARS]}{suffix}"
        return SourcePhoto(name=storable(name), read=partial(_read, picture, name))


def _read(picture: Picture, name: str) -> bytes:
    content = picture.read()
    if len(content) > MAX_PHOTO_BYTES:
        raise PhotoRejected(name, reason=f"is larger than {MAX_PHOTO_BYTES // 2**20} MiB")
    return content


def plain(value: Any, *, is_image: bool = False) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case each
    """A value as JSON has it, or a ``Picture``, or a list with pictures; None where it is missing.

    Args:
        value: Any value.
        is_image: Whether its column is one of photos, so that bytes are a photo even if they do not look like one.

    Raises:
        NotACell: It is a vector, sound, or something that has no text.

    Example:
        >>> import numpy as np
        >>> days = np.datetime64("2026-03-04")
        >>> [plain(value) for value in (np.int64(3), np.nan, days, Decimal("9.90"), b"id-1")]
        [3, None, '2026-03-04', '9.90', 'id-1']
    """
    if value is None or isinstance(value, bool) or type(value).__name__ in {"NAType", "NaTType"}:
        return value if isinstance(value, bool) else None
    if isinstance(value, Enum):
        return plain(value.value, is_image=is_image)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(_of_numpy(value), is_image=is_image)
    if isinstance(value, bytes | bytearray | memoryview):
        return _of_bytes(bytes(value), is_image=is_image)
    if isinstance(value, Mapping):
        return _of_mapping(value, is_image=is_image)
    if isinstance(value, Image.Image):
        return Picture(sha256(value.tobytes()).hexdigest(), partial(_encoded, value), _file_of(value))
    if isinstance(value, np.ndarray):
        return _of_array(value, is_image=is_image)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return _of_list(value, is_image=is_image)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, datetime):
        is_day = value.tzinfo is None and value.time() == _MIDNIGHT
        return value.date().isoformat() if is_day else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, timedelta):
        return str(value)
    if _has_no_text(type(value)):
        raise NotACell
    return str(value)


def _has_no_text(kind: type) -> bool:
    """Whether the text of such an object is only its address in memory."""
    return all(getattr(kind, name) is getattr(object, name) for name in ("__str__", "__repr__"))


def is_picture(content: bytes) -> bool:
    """Whether bytes begin as those of an image file do."""
    start = content[:_HEADER_BYTES]
    is_webp = start.startswith(b"RIFF") and start[8:12] == b"WEBP"
    return is_webp or start[4:8] == b"ftyp" or start.startswith(_STARTS)


def _label(value: Any, names: Sequence[str]) -> Any:
    """The text that a number stands for; -1 is none."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return names[int(value)] if 0 <= value < len(names) else None
    return value


def _of_numpy(value: np.generic) -> Any:
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    if isinstance(value, np.timedelta64):
        return value.astype("timedelta64[us]").item()
    if isinstance(value, np.float16 | np.float32):
        return float(str(value))  # 0.1 is not 0.10000000149011612
    if isinstance(value, np.void):
        raise NotACell
    return value.item()


def _of_bytes(content: bytes, *, is_image: bool, path: str = "") -> Any:
    if is_picture(content):
        return Picture(sha256(content).hexdigest(), partial(bytes, content), path)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and text.isprintable():
        return text or None
    if is_image:
        return Picture(sha256(content).hexdigest(), partial(bytes, content), path)
    if text is None:
        raise NotACell
    return text


def _of_mapping(value: Mapping[Any, Any], *, is_image: bool) -> Any:
    if value.keys() <= _PICTURE_KEYS and value:
        content, path = value.get("bytes"), value.get("path")
        if content is None:
            return plain(path)
        content = bytes(content)
        if content.startswith(_SOUNDS) or (content.startswith(b"RIFF") and content[8:12] == b"WAVE"):
            raise NotACell
        return Picture(sha256(content).hexdigest(), partial(bytes, content), str(path or ""))
    found = {str(key): plain(inner, is_image=is_image) for key, inner in value.items()}
    _require_text(found.values())
    return found


def _of_list(value: Sequence[Any], *, is_image: bool) -> list[Any]:
    if len(value) > _MAX_NUMBERS and all(isinstance(each, float | np.floating) for each in value):
        raise NotACell
    items = [plain(each, is_image=is_image) for each in value]
    for each in items:
        if isinstance(each, list):
            _require_text(each)
    return items


def _require_text(values: Iterable[Any]) -> None:
    """Refuse a picture deep inside of another value."""
    for each in values:
        if isinstance(each, Picture):
            raise NotACell
        if isinstance(each, list):
            _require_text(each)


def _of_array(value: np.ndarray[Any, Any], *, is_image: bool) -> Any:
    is_pixels = value.dtype == np.uint8 and value.ndim in _PIXEL_AXES and min(value.shape, default=0)
    if is_pixels and (value.ndim == _PIXEL_AXES[0] or value.shape[2] <= _MAX_CHANNELS):
        pixels = value[:, :, 0] if value.ndim == _PIXEL_AXES[1] and value.shape[2] == 1 else value
        if is_image or value.ndim == _PIXEL_AXES[1]:
            return plain(Image.fromarray(np.ascontiguousarray(pixels)))
    if value.ndim != 1:
        raise NotACell
    return _of_list(value.tolist() if value.dtype.kind not in "Mm" else list(value), is_image=is_image)


def _file_of(image: Image.Image) -> str:
    """The file that an image was opened from; empty if it was not."""
    name = getattr(image, "filename", "")
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""


def _encoded(image: Image.Image) -> bytes:
    """An open image as PNG, without loss, with its color profile and its orientation."""
    stream = io.BytesIO()
    kept = image if image.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} else image.convert("RGB")
    exif = image.getexif()
    options = {"exif": exif} if len(exif) else {}
    kept.save(stream, "PNG", compress_level=1, **options)
    return stream.getvalue()
