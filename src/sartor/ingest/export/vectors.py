"""Embeddings as the index of another library: its file, and ``ids.json``, which says what each item is."""

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


_BLOCK = 65_536  # texts at a time
_COPIED_BYTES = 2**20


def write_npz(path: Path, stock: ExportSource) -> tuple[str, ...]:
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


EMBEDDINGS, FILENAMES = "embeddings.pkl", "filenames.pkl"


_START = pickle.PROTO + b"\x04" + pickle.EMPTY_LIST
_END = pickle.STOP
_RECONSTRUCT, _EMPTY, _VERSION, _SHAPE, _FLOAT32 = range(5)  # what is remembered, and where


def write_pickles(directory: Path, stock: ExportSource) -> tuple[str, ...]:
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


IDS = "ids.json"
ANNOY, FAISS, SHARD = "embeddings.ann", "embeddings.faiss", "shard"


def write_annoy(directory: Path, stock: ExportSource) -> tuple[str, ...]:
    """Write an Annoy index by angle, which ranks as the cosine does; return what is lost."""
    from sartor.index.files import write_annoy_index

    _write(directory, stock, lambda vectors: write_annoy_index(directory / ANNOY, vectors, stock.dimension))
    return (
        "Annoy: exact neighbors, it approximates; its distance is sqrt(2 - 2 cosine)",
        "titles and attributes: ids.json has the id and the photo of each item",
        *stock.left_out,
    )


def write_faiss(directory: Path, stock: ExportSource) -> tuple[str, ...]:
    """Write a FAISS index by inner product, which is the cosine of unit vectors; return what is lost."""
    from sartor.index.files import write_faiss_index

    _write(directory, stock, lambda vectors: write_faiss_index(directory / FAISS, vectors, stock.dimension))
    return ("titles and attributes: ids.json has the id and the photo of each row", *stock.left_out)


def write_edge(directory: Path, stock: ExportSource) -> tuple[str, ...]:
    """Write a shard that Qdrant Edge opens, with all that the catalog tells as payload; return what is lost."""
    from sartor.index.files import EdgePoint, write_edge_shard

    def points() -> Iterator[list[EdgePoint]]:
        for page in stock.embedded():
            rows = zip(page.products, page.photos, page.vectors, strict=True)
            yield [EdgePoint(product=product, photo=photo, vector=vector) for product, photo, vector in rows]

    write_edge_shard(directory / SHARD, points(), stock.dimension)
    return (
        "Qdrant: a server does not restore a shard of Qdrant Edge; scroll it, and upsert its points there",
        "photos: only their names and SHA-256",
        *stock.left_out,
    )


def _write(directory: Path, stock: ExportSource, write: Callable[[Iterator[Matrix]], None]) -> None:
    ids: list[str] = []
    photos: list[str] = []

    def vectors() -> Iterator[Matrix]:
        for page in stock.embedded():
            ids.extend(product.id for product in page.products)
            photos.extend(photo.name for photo in page.photos)
            yield page.vectors

    write(vectors())
    with (directory / IDS).open("w", encoding="utf-8") as file:
        json.dump({"ids": ids, "photos": photos}, file, ensure_ascii=False)
