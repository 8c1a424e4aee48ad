"""Embeddings as a NumPy ``.npz`` file with ``ids``, ``photos`` and ``embeddings``, as ``sartor embed`` writes."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING
from zipfile import ZipFile

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sartor.pipelines.exporting.stock import Stock

_BLOCK = 65_536  # texts at a time
_COPIED_BYTES = 2**20


def write_npz(path: Path, stock: Stock) -> tuple[str, ...]:
    """Write the embeddings, and return what is lost.

    The number of rows stands before them, so vectors wait in a file beside the output; ids and names are held.
    """
    ids: list[str] = []
    photos: list[str] = []
    with TemporaryFile(dir=path.parent) as vectors:
        for page in stock.embedded():
            ids += [product.id for product in page.products]
            photos += [photo.name for photo in page.photos]
            vectors.write(np.ascontiguousarray(page.vectors, "<f4").data)
        with ZipFile(path, "w", allowZip64=True) as archive:
            _write_texts(archive, "ids", ids)
            _write_texts(archive, "photos", photos)
            _write_vectors(archive, vectors, (len(ids), stock.dimension))
    return ("titles and attributes", *stock.left_out)


def _write_texts(archive: ZipFile, name: str, texts: Sequence[str]) -> None:
    longest = max(map(len, texts), default=1) or 1
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        _write_header(file, f"<U{longest}", (len(texts),))
        for start in range(0, len(texts), _BLOCK):
            file.write(np.array(texts[start : start + _BLOCK], f"<U{longest}").tobytes())


def _write_vectors(archive: ZipFile, vectors: IO[bytes], shape: tuple[int, int]) -> None:
    vectors.seek(0)
    with archive.open("embeddings.npy", "w", force_zip64=True) as file:
        _write_header(file, "<f4", shape)
        while block := vectors.read(_COPIED_BYTES):
            file.write(block)


def _write_header(file: IO[bytes], dtype: str, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
