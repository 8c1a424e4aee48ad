"""Embeddings as NumPy files, pickles, and indexes of other libraries.

Next to an index is ``ids.json``, which has the product id and the photo of each item.
"""

from __future__ import annotations

import json
import pickle
import struct
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING
from zipfile import ZipFile

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sartor.ingest.export.source import ExportSource
    from sartor.types import Matrix, Vector


EMBEDDINGS, FILENAMES = "embeddings.pkl", "filenames.pkl"
ANNOY, FAISS, SHARD = "embeddings.ann", "embeddings.faiss", "shard"
IDS = "ids.json"

_BLOCK = 65_536  # texts at a time
_COPIED_BYTES = 2**20
_PICKLE_PROTOCOL = 4
_RECONSTRUCT, _EMPTY, _VERSION, _SHAPE, _FLOAT32 = range(5)  # keys of the memo of a pickle


def write_npz(path: Path, source: ExportSource) -> tuple[str, ...]:
    """Write the embeddings, and return what is lost.

    Their number comes first in the file, so vectors wait in a temporary file; ids and names are kept in memory.
    """
    ids: list[str] = []
    photos: list[str] = []
    with TemporaryFile(dir=path.parent) as vectors:
        for page in source.embedded():
            ids += [product.id for product in page.products]
            photos += [photo.name for photo in page.photos]
            vectors.write(np.ascontiguousarray(page.vectors, "<f4").data)
        with ZipFile(path, "w", allowZip64=True) as archive:
            _write_texts(archive, "ids", ids)
            _write_texts(archive, "photos", photos)
            _write_vectors(archive, vectors, (len(ids), source.dimension))
    return ("titles and attributes", *source.left_out)


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


def write_pickles(directory: Path, source: ExportSource) -> tuple[str, ...]:
    """Write a list of arrays and a list of the photos' names, and return what is lost.

    The arrays are written opcode by opcode: ``pickle.dump`` would need all of them in memory at once, and from
    NumPy 2 on it names modules that NumPy 1 does not have.
    """
    names: list[str] = []
    with (directory / EMBEDDINGS).open("wb") as file:
        file.write(pickle.PROTO + bytes([_PICKLE_PROTOCOL]) + pickle.EMPTY_LIST + _memo(source.dimension))
        for page in source.embedded():
            names += [photo.name for photo in page.photos]
            file.write(pickle.MARK + b"".join(map(_array, page.vectors)) + pickle.APPENDS)
        file.write(pickle.STOP)
    with (directory / FILENAMES).open("wb") as file:
        pickle.dump(names, file, protocol=_PICKLE_PROTOCOL)
    return ("product ids, titles and attributes: filenames.pkl has the photos' names only", *source.left_out)


def _memo(dimension: int) -> bytes:
    """The parts that all arrays share, put into the memo of the pickle."""
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
    return b"".join(part + pickle.BINPUT + bytes([key]) + pickle.POP for key, part in parts.items())


def _array(vector: Vector) -> bytes:
    """An array as its ``__reduce__`` describes it: an empty array, then its state."""
    content = np.ascontiguousarray(vector, "<f4").tobytes()
    state = _get(_VERSION) + _get(_SHAPE) + _get(_FLOAT32) + pickle.NEWFALSE + _bytes(content)
    empty = _get(_RECONSTRUCT) + _get(_EMPTY) + pickle.REDUCE
    return empty + pickle.MARK + state + pickle.TUPLE + pickle.BUILD


def _get(key: int) -> bytes:
    return pickle.BINGET + bytes([key])


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _int(number: int) -> bytes:
    return pickle.BININT + struct.pack("<i", number)


def _text(text: str) -> bytes:
    content = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(content)) + content


def _bytes(content: bytes) -> bytes:
    return pickle.BINBYTES + struct.pack("<I", len(content)) + content


def write_annoy(directory: Path, source: ExportSource) -> tuple[str, ...]:
    """Write an Annoy index by angle, which ranks like the cosine; return what is lost."""
    from sartor.index.files import write_annoy_index

    file = directory / ANNOY
    _write_index(directory, source, lambda vectors: write_annoy_index(file, vectors, source.dimension))
    return (
        "Annoy: exact neighbors, it approximates; its distance is sqrt(2 - 2 cosine)",
        "titles and attributes: ids.json has the id and the photo of each item",
        *source.left_out,
    )


def write_faiss(directory: Path, source: ExportSource) -> tuple[str, ...]:
    """Write a FAISS index by inner product, which is the cosine of unit vectors; return what is lost."""
    from sartor.index.files import write_faiss_index

    file = directory / FAISS
    _write_index(directory, source, lambda vectors: write_faiss_index(file, vectors, source.dimension))
    return ("titles and attributes: ids.json has the id and the photo of each row", *source.left_out)


def write_edge(directory: Path, source: ExportSource) -> tuple[str, ...]:
    """Write a shard that Qdrant Edge opens, with the attributes as payload; return what is lost."""
    from sartor.index.files import EdgePoint, write_edge_shard

    def points() -> Iterator[list[EdgePoint]]:
        for page in source.embedded():
            rows = zip(page.products, page.photos, page.vectors, strict=True)
            yield [EdgePoint(product=product, photo=photo, vector=vector) for product, photo, vector in rows]

    write_edge_shard(directory / SHARD, points(), source.dimension)
    return (
        "Qdrant: a server does not restore a shard of Qdrant Edge; scroll it, and upsert its points there",
        "photos: only their names and SHA-256",
        *source.left_out,
    )


def _write_index(directory: Path, source: ExportSource, write: Callable[[Iterator[Matrix]], None]) -> None:
    ids: list[str] = []
    photos: list[str] = []

    def vectors() -> Iterator[Matrix]:
        for page in source.embedded():
            ids.extend(product.id for product in page.products)
            photos.extend(photo.name for photo in page.photos)
            yield page.vectors

    write(vectors())
    with (directory / IDS).open("w", encoding="utf-8") as file:
        json.dump({"ids": ids, "photos": photos}, file, ensure_ascii=False)
