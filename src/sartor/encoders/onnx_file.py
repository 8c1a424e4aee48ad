"""What an ONNX file says of itself, read from its protobuf without loading the weights.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IR_VERSION, _GRAPH, _OPSET, _METADATA, _FUNCTION = 1, 7, 8, 14, 25  # of a model
_DOMAIN, _VERSION = 1, 2  # of a set of operators
_NODE, _INITIALIZER = 1, 5  # of a graph
_FUNCTION_NODE = 7  # of a function
_OP_TYPE, _ATTRIBUTE = 4, 5  # of a node
_NAME, _INTEGER, _STRING, _SUBGRAPH, _SUBGRAPHS = 1, 3, 4, 6, 11  # of an attribute
_EXTERNAL_DATA, _KEY, _VALUE = 13, 1, 2
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5

# Of a Resize, OpenVINO 2026.4 computes as if these were not there: https://onnx.ai/onnx/operators/onnx__Resize.html
_SWITCHES, _POLICY = (b"antialias", b"exclude_outside"), b"keep_aspect_ratio_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkHeader:
    """What a network is written in, and what OpenVINO does not heed.

    Attributes:
        ir_version: Version of the file format; 0 if it does not say.
        opset: Version of ONNX's own operators; 0 if it does not say.
        ignored: What a Resize in it asks for that OpenVINO ignores, such as ``antialias=1``.
    """

    ir_version: int = 0
    opset: int = 0
    ignored: tuple[str, ...] = ()


def external_files(network: Path) -> tuple[str, ...]:
    """Names of the files beside a network that hold its weights; empty if it is not an ONNX file."""
    try:
        with network.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return tuple(sorted(set(_locations(content))))
    except (IndexError, ValueError):
        return ()  # the runtime reports the error


def metadata_of(network: Path) -> dict[str, str]:
    """What the exporter of a network wrote into it, by name; empty if it is not an ONNX file."""
    try:
        with network.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            pairs = [
                [
                    content[slice(*span)].decode()
                    for number in (_KEY, _VALUE)
                    for span in _fields(content, entry, number)
                ]
                for entry in _fields(content, (0, len(content)), _METADATA)
            ]
    except (IndexError, ValueError):
        return {}  # the runtime reports the error
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - a name and a value


def header_of(network: Path) -> NetworkHeader:
    """What an ONNX file says of itself; nothing if it is not one."""
    try:
        with network.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            whole = (0, len(content))
            opsets = [
                version
                for opset in _fields(content, whole, _OPSET)
                if not any(content[slice(*span)] for span in _fields(content, opset, _DOMAIN))
                for version in _numbers(content, opset, _VERSION)
            ]
            graphs = [
                *((span, _NODE) for span in _fields(content, whole, _GRAPH)),
                *((span, _FUNCTION_NODE) for span in _fields(content, whole, _FUNCTION)),
            ]
            ignored = {name for span, node in graphs for name in _ignored(content, span, node)}
            return NetworkHeader(
                ir_version=max(_numbers(content, whole, _IR_VERSION), default=0),
                opset=max(opsets, default=0),
                ignored=tuple(sorted(ignored)),
            )
    except (IndexError, ValueError, RecursionError):
        return NetworkHeader()  # the runtime reports the error


def _ignored(content: mmap.mmap, graph: tuple[int, int], node: int) -> Iterator[str]:
    """What the nodes of a graph, and of the graphs inside them, ask for that OpenVINO ignores."""
    for span in _fields(content, graph, node):
        is_resize = any(content[slice(*each)] == b"Resize" for each in _fields(content, span, _OP_TYPE))
        for attribute in _fields(content, span, _ATTRIBUTE):
            for inner in (_SUBGRAPH, _SUBGRAPHS):
                for each in _fields(content, attribute, inner):
                    yield from _ignored(content, each, _NODE)
            if is_resize:
                (name, *_) = *(content[slice(*each)] for each in _fields(content, attribute, _NAME)), b""
                if name in _SWITCHES and any(_numbers(content, attribute, _INTEGER)):
                    yield f"{name.decode()}=1"
                for each in _fields(content, attribute, _STRING) if name == _POLICY else ():
                    if (policy := content[slice(*each)]) not in {b"", b"stretch"}:
                        yield f"{name.decode()}={policy.decode()}"


def _locations(content: mmap.mmap) -> Iterator[str]:
    for graph in _fields(content, (0, len(content)), _GRAPH):
        for weight in _fields(content, graph, _INITIALIZER):
            for entry in _fields(content, weight, _EXTERNAL_DATA):
                key, value = (
                    content[slice(*span)].decode()
                    for number in (_KEY, _VALUE)
                    for span in _fields(content, entry, number)
                )
                if key == "location":
                    yield value


def _fields(content: mmap.mmap, span: tuple[int, int], field: int) -> Iterator[tuple[int, int]]:
    """The spans of all fields of one number in a protobuf message between two offsets."""
    return (
        (start, end)
        for number, kind, start, end in _all_fields(content, span)
        if (number, kind) == (field, _BYTES)
    )


def _numbers(content: mmap.mmap, span: tuple[int, int], field: int) -> list[int]:
    """The integers of one number in a protobuf message."""
    found = (start for number, kind, start, _ in _all_fields(content, span) if (number, kind) == (field, _VARINT))
    return [_varint(content, start)[0] for start in found]


def _all_fields(content: mmap.mmap, span: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Number, kind, start and end of each field of a protobuf message between two offsets."""
    at, end = span
    while at < end:
        tag, at = _varint(content, at)
        kind, start = tag & 7, at
        if kind == _VARINT:
            _, at = _varint(content, at)
        elif kind in {_FIXED_64, _FIXED_32}:
            at += 8 if kind == _FIXED_64 else 4
        elif kind == _BYTES:
            length, start = _varint(content, at)
            at = start + length
            if at > end:
                raise ValueError
        else:
            raise ValueError
        yield tag >> 3, kind, start, at


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the highest bit marks that the number goes on
            return number, at
