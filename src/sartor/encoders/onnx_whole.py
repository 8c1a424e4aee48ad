"""ONNX networks whose weights lie in further files: found out without the onnx package, and made one file with it.

A card vouches for one file by its SHA-256, so a network is one file here.

Source: ``onnx.proto`` for the numbers of the fields, and the encoding of Protocol Buffers.
"""

from __future__ import annotations

import mmap
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sartor.errors import MissingExtra, UnusableModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GRAPH, _INITIALIZER, _EXTERNAL_DATA, _KEY, _VALUE = 7, 5, 13, 1, 2
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5


def as_one_file(network: Path, directory: Path) -> Path:
    """The network itself where it is whole, else a copy in the directory that holds all its weights.

    Raises:
        MissingExtra: It is not whole, and the onnx package is not installed.
        UnusableModel: A file with its weights is missing, or all of them are too much for one file.
    """
    files = external_files(network)
    if not files:
        return network
    missing = [name for name in files if not (network.parent / name).is_file()]
    if missing:
        raise UnusableModel(network, reason=f"its weights lie in {missing[0]}, which is not beside it")
    package = "onnx"
    if find_spec(package) is None:
        raise MissingExtra(package, extra="keras")
    import onnx

    whole = directory / network.name
    try:
        onnx.save_model(onnx.load_model(network), whole)
    except Exception as error:
        raise UnusableModel(
            network,
            reason=f"its weights in {files[0]} cannot be brought into one file, which holds 2 GB at most; "
            "export a smaller one, such as float16",
        ) from error
    return whole


def external_files(network: Path) -> tuple[str, ...]:
    """Names of the files beside a network that hold its weights; none for what is no ONNX file."""
    try:
        with network.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return tuple(sorted(set(_locations(content))))
    except (IndexError, ValueError):
        return ()  # the runtime says what is wrong with it


def _locations(content: mmap.mmap) -> Iterator[str]:
    for graph in _fields(content, (0, len(content)), _GRAPH):
        for weight in _fields(content, graph, _INITIALIZER):
            for entry in _fields(content, weight, _EXTERNAL_DATA):
                key, value = (
                    content[slice(*span)].decode()
                    for wanted in (_KEY, _VALUE)
                    for span in _fields(content, entry, wanted)
                )
                if key == "location":
                    yield value


def _fields(content: mmap.mmap, span: tuple[int, int], wanted: int) -> Iterator[tuple[int, int]]:
    """Where the fields of one number lie in a message that lies between two places."""
    at, end = span
    while at < end:
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(content, at)
        elif kind in {_FIXED_64, _FIXED_32}:
            at += 8 if kind == _FIXED_64 else 4
        elif kind == _BYTES:
            length, at = _varint(content, at)
            if at + length > end:
                raise ValueError
            if tag >> 3 == wanted:
                yield at, at + length
            at += length
        else:
            raise ValueError


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that the number goes on
            return number, at
