"""Embeddings as the two pickles of many tutorials: ``embeddings.pkl`` and ``filenames.pkl``.

They are lists, of ``(d,)`` float32 arrays and of texts, in protocol 4. NumPy 2 pickles its arrays under
``numpy._core``, which NumPy before 1.26 does not have. Every NumPy has ``numpy.core.multiarray``, where NumPy 2
keeps what such pickles need. So the opcodes are written here, an array after the other; only a page is held.

Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py (the opcodes).
"""

from __future__ import annotations

import pickle
import struct
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.pipelines.exporting.stock import Stock
    from sartor.types import Vector

EMBEDDINGS, FILENAMES = "embeddings.pkl", "filenames.pkl"

_START = pickle.PROTO + b"\x04" + pickle.EMPTY_LIST
_END = pickle.STOP
_RECONSTRUCT, _EMPTY, _VERSION, _SHAPE, _FLOAT32 = range(5)  # what is remembered, and where


def write_pickles(directory: Path, stock: Stock) -> tuple[str, ...]:
    """Write both files, and return what is lost."""
    with (directory / EMBEDDINGS).open("wb") as embeddings, (directory / FILENAMES).open("wb") as filenames:
        embeddings.write(_START + _remembered(stock.dimension))
        filenames.write(_START)
        for page in stock.embedded():
            _extend(embeddings, [_array(vector) for vector in page.vectors])
            _extend(filenames, [_text(photo.name) for photo in page.photos])
        embeddings.write(_END)
        filenames.write(_END)
    return ("product ids, titles and attributes: filenames.pkl has the photos' names only", *stock.left_out)


def _extend(file: IO[bytes], items: list[bytes]) -> None:
    file.write(pickle.MARK + b"".join(items) + pickle.APPENDS)


def _remembered(dimension: int) -> bytes:
    """What every array needs, put where it can be got again."""
    float32 = (
        _global("numpy", "dtype")
        + (_text("f4") + pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE)
        + (pickle.MARK + _int(3) + _text("<") + pickle.NONE * 3 + _int(-1) + _int(-1) + _int(0) + pickle.TUPLE)
        + pickle.BUILD
    )
    arguments = _global("numpy", "ndarray") + _int(0) + pickle.TUPLE1 + _bytes(b"b") + pickle.TUPLE3
    parts = {
        _RECONSTRUCT: _global("numpy.core.multiarray", "_reconstruct"),
        _EMPTY: arguments,
        _VERSION: _int(1),
        _SHAPE: _int(dimension) + pickle.TUPLE1,
        _FLOAT32: float32,
    }
    return b"".join(part + pickle.BINPUT + bytes([place]) + pickle.POP for place, part in parts.items())


def _array(vector: Vector) -> bytes:
    """An array as its own ``__reduce__`` has it: an empty one, then its state."""
    content = np.ascontiguousarray(vector, "<f4").tobytes()
    state = _get(_VERSION) + _get(_SHAPE) + _get(_FLOAT32) + pickle.NEWFALSE + _bytes(content)
    empty = _get(_RECONSTRUCT) + _get(_EMPTY) + pickle.REDUCE
    return empty + pickle.MARK + state + pickle.TUPLE + pickle.BUILD


def _get(place: int) -> bytes:
    return pickle.BINGET + bytes([place])


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _int(number: int) -> bytes:
    return pickle.BININT + struct.pack("<i", number)


def _text(text: str) -> bytes:
    content = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(content)) + content


def _bytes(content: bytes) -> bytes:
    return pickle.BINBYTES + struct.pack("<I", len(content)) + content
