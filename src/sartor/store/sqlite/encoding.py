"""Places in a listing, as text that a client hands back: the key of the last product that it has seen.

A place is a key and not a count, so a product that comes or goes before it moves nothing.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import math
from base64 import b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sartor.errors import BadCursor
from sartor.types import Palette, Photo
from sartor.values import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.store.base import ListingQuery
    from sartor.types import Attributes, Vector

_LITTLE_ENDIAN = "<f4"

Key: TypeAlias = str | int | float | None

_DIGEST_BYTES = 6
_INTEGERS = range(-(2**63), 2**63)  # SQLite's


def photo_of(  # noqa: PLR0913, PLR0917 - the columns, in their order
    sha256: str, name: str, width_px: int, height_px: int, thumbnail: str, fingerprint: bytes
) -> Photo:
    """A photo from its columns."""
    return Photo(
        sha256=sha256,
        name=name,
        width_px=width_px,
        height_px=height_px,
        thumbnail=thumbnail,
        fingerprint=fingerprint,
    )


def vector_bytes(vector: Vector) -> bytes:
    """An embedding as little-endian float32."""
    return vector.astype(_LITTLE_ENDIAN).tobytes()


def load_vector(blob: bytes) -> Vector:
    """The embedding that was stored; ``(d,)`` float32."""
    return np.frombuffer(blob, _LITTLE_ENDIAN).astype(np.float32)


def palette_bytes(palette: Palette) -> bytes:
    """Colors as rows of OKLab and share, little-endian float32."""
    return np.column_stack([palette.colors, palette.shares]).astype(_LITTLE_ENDIAN).tobytes()


def load_palette(blob: bytes) -> Palette:
    """The colors that were stored."""
    rows = load_vector(blob).reshape(-1, 4)
    return Palette(rows[:, :3], rows[:, 3])


def load_attributes(text: str) -> Attributes:
    """The attributes that were stored; lists are tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}


def write_cursor(query: ListingQuery, place: Sequence[Key]) -> str:
    """The text for a place; it serves only the same query, of any page size."""
    text = json.dumps([_digest(query), *place], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(query: ListingQuery, *kinds: tuple[type, ...]) -> list[Any] | None:
    """The place where a query goes on, its parts of these kinds; None for its beginning.

    Raises:
        BadCursor: The text is no place, or one of another query.
    """
    if query.after is None:
        return None
    try:
        padded = query.after + "=" * (-len(query.after) % 4)
        place = json.loads(b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not isinstance(place, list) or len(place) != 1 + len(kinds) or place[0] != _digest(query):
        raise BadCursor
    if not all(type(part) in kind and _can_be_asked(part) for part, kind in zip(place[1:], kinds, strict=True)):
        raise BadCursor
    return place[1:]


def _digest(query: ListingQuery) -> str:
    asked = repr((query.where, query.words, query.sort.value))
    return hashlib.blake2b(asked.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _can_be_asked(part: Key) -> bool:
    if isinstance(part, int):
        return part in _INTEGERS
    if isinstance(part, float):
        return math.isfinite(part)
    return part is None or storable(part) == part
