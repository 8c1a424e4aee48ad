"""What the columns of the catalog hold: vectors, palettes, photos, attributes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from sartor.types import Palette, Photo

if TYPE_CHECKING:
    from sartor.types import Attributes, Guesses, Vector

_LITTLE_ENDIAN = "<f4"


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


def guesses_text(guesses: Guesses) -> str:
    """Predictions as JSON."""
    return json.dumps({name: [value, round(probability, 4)] for name, (value, probability) in guesses.items()})


def load_guesses(text: str | None) -> Guesses:
    """Stored predictions; none for None."""
    return (
        {}
        if text is None
        else {name: (value, probability) for name, (value, probability) in json.loads(text).items()}
    )


def load_attributes(text: str) -> Attributes:
    """Stored attributes; lists become tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}
