"""What the columns of the catalog hold (vectors, palettes, attributes), and the cursors of its listings.

A cursor is the key of the last product of a page and not a count, so that writes before it move nothing.
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
    """A stored embedding; ``(d,)`` float32."""
    return np.frombuffer(blob, _LITTLE_ENDIAN).astype(np.float32)


def palette_bytes(palette: Palette) -> bytes:
    """Colors as rows of OKLab and share, little-endian float32."""
    return np.column_stack([palette.colors, palette.shares]).astype(_LITTLE_ENDIAN).tobytes()


def load_palette(blob: bytes) -> Palette:
    """A stored palette."""
    rows = load_vector(blob).reshape(-1, 4)
    return Palette(rows[:, :3], rows[:, 3])


def load_attributes(text: str) -> Attributes:
    """Stored attributes; lists become tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}


def write_cursor(query: ListingQuery, key: Sequence[Key]) -> str:
    """The cursor that goes on after a key; valid for the same query with any page size."""
    text = json.dumps([_digest(query), *key], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(query: ListingQuery, *kinds: tuple[type, ...]) -> list[Any] | None:
    """The key that a query goes on after, its parts of these types; None for the first page.

    Raises:
        BadCursor: The text is not a cursor of this query.
    """
    if query.after is None:
        return None
    try:
        padded = query.after + "=" * (-len(query.after) % 4)
        key = json.loads(b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not isinstance(key, list) or len(key) != 1 + len(kinds) or key[0] != _digest(query):
        raise BadCursor
    if not all(type(part) in kind and _is_parameter(part) for part, kind in zip(key[1:], kinds, strict=True)):
        raise BadCursor
    return key[1:]


def _digest(query: ListingQuery) -> str:
    text = repr((query.where, query.words, query.sort.value))
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _is_parameter(part: Key) -> bool:
    """Whether SQLite takes a part as a parameter."""
    if isinstance(part, int):
        return part in _INTEGERS
    if isinstance(part, float):
        return math.isfinite(part)
    return part is None or storable(part) == part
