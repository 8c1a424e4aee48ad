"""The items of an AVIF or HEIC file, as its boxes describe them; no pixels.

Sources: ISO/IEC 14496-12 (boxes), 23008-12 (items and their properties).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG, _TO_THE_END = 1, 0  # lengths of a box that mean something else
_MONOCHROME = 0x10
_MAX_BOXES = 100_000
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0")


@dataclass(slots=True)
class Item:
    """An image of a file, or a part of one.

    Attributes:
        kind: How it is coded, such as ``hvc1`` or ``av01``, or made of others, such as ``grid``.
        properties: The kind and the content of each property, in the file's order.
        parts: The items that it is made of.
        alphas: The items that have its transparency.
    """

    kind: bytes
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    alphas: list[int] = field(default_factory=list)

    def property_of(self, kind: bytes) -> bytes | None:
        """The content of its first property of a kind."""
        return next((content for name, content in self.properties if name == kind), None)

    @property
    def pixels(self) -> int:
        """Width times height, by its ``ispe`` property; 0 without one."""
        size = self.property_of(b"ispe") or b""
        return int.from_bytes(size[4:8]) * int.from_bytes(size[8:12])


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a file, and the number of the one that is shown."""

    by_number: dict[int, Item]
    primary: int

    def decoded(self) -> list[Item]:
        """Each item that is decoded to show the primary one, itself included, once for each use.

        Raises:
            ValueError: They are made of each other, or without end.
        """
        found: list[Item] = []
        waiting = [self.primary]
        while waiting:
            if len(found) + len(waiting) > _MAX_BOXES:
                raise ValueError(_MAX_BOXES)
            if (item := self.by_number.get(waiting.pop())) is not None:
                found.append(item)
                waiting += item.parts + item.alphas
        return found

    def colors(self) -> dict[bytes, bytes]:
        """The color descriptions of the item that is shown, by type: ``nclx``, ``prof`` or ``rICC``.

        One that is made of others has those of the first of them if it has none of its own.
        """
        first = self.by_number.get(self.primary)
        part = self.by_number.get(first.parts[0]) if first and first.parts else None
        for item in filter(None, (first, part)):
            if found := {content[:4]: content[4:] for kind, content in item.properties if kind == b"colr"}:
                return found
        return {}

    def is_gray(self) -> bool:
        """Whether the AV1 of the item that is shown has no colors, by its configuration."""
        item = self.by_number.get(self.primary)
        coded = item.property_of(b"av1C") if item else None
        return coded is not None and len(coded) > 2 and bool(coded[2] & _MONOCHROME)  # noqa: PLR2004


def items_of(data: bytes) -> Items | None:
    """The items of a file; None if it has none, or if its boxes are broken."""
    try:
        return _items_of(data)
    except (IndexError, ValueError, KeyError):
        return None


def _items_of(data: bytes) -> Items | None:
    meta = next((content for kind, content in _boxes(data) if kind == b"meta"), None)
    if meta is None:
        return None
    boxes = dict(_boxes(meta[4:]))
    items = dict(_described(boxes[b"iinf"]))
    _add_properties(items, boxes[b"iprp"])
    _add_references(items, boxes.get(b"iref"))
    primary = boxes[b"pitm"]
    return Items(items, int.from_bytes(primary[4:8] if primary[0] else primary[4:6]))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box.

    Raises:
        ValueError: One ends outside of the data, or there are too many.
    """
    begin = 0
    for _ in range(_MAX_BOXES):
        if begin + 8 > len(data):
            return
        length, header = int.from_bytes(data[begin : begin + 4]), 8
        if length == _LONG:
            length, header = int.from_bytes(data[begin + 8 : begin + 16]), 16
        elif length == _TO_THE_END:
            length = len(data) - begin
        if length < header:
            raise ValueError(length)
        kind = data[begin + 4 : begin + 8]
        # The pixels may be cut off, or large: they are not copied.
        yield kind, b"" if kind == b"mdat" else data[begin + header : begin + length]
        begin += length
    raise ValueError(_MAX_BOXES)


def _described(content: bytes) -> Iterator[tuple[int, Item]]:
    """Number and item of each entry of an ``iinf`` box."""
    for kind, entry in _boxes(content[6:] if content[0] == 0 else content[8:]):
        if kind == b"infe" and entry[0] >= 2:  # noqa: PLR2004 - older versions describe no images
            wide = entry[0] > 2  # noqa: PLR2004
            number = int.from_bytes(entry[4:8] if wide else entry[4:6])
            yield number, Item(entry[10:14] if wide else entry[8:12])


def _add_properties(items: dict[int, Item], content: bytes) -> None:
    """Give items the properties of an ``iprp`` box."""
    known: list[tuple[bytes, bytes]] = []
    for kind, box in _boxes(content):
        if kind == b"ipco":
            known = list(_boxes(box))
        elif kind == b"ipma":
            for number, positions in _associated(box):
                if number in items:
                    items[number].properties += [
                        known[index - 1] for index in positions if 0 < index <= len(known)
                    ]


def _associated(box: bytes) -> Iterator[tuple[int, list[int]]]:
    """Number of each item of an ``ipma`` box, and the positions of its properties, from 1."""
    number_bytes, position_bytes = 4 if box[0] else 2, 2 if box[3] & 1 else 1
    at = 8
    for _ in range(int.from_bytes(box[4:8])):
        number = int.from_bytes(box[at : at + number_bytes])
        at += number_bytes
        count = box[at]
        positions = [
            int.from_bytes(box[begin : begin + position_bytes]) & (0x7FFF if position_bytes > 1 else 0x7F)
            for begin in range(at + 1, at + 1 + count * position_bytes, position_bytes)
        ]
        at += 1 + count * position_bytes
        yield number, positions


def _add_references(items: dict[int, Item], content: bytes | None) -> None:
    """Tell items what they are made of, by an ``iref`` box, and which others have their transparency."""
    if content is None:
        return
    size = 4 if content[0] else 2
    for kind, box in _boxes(content[4:]):
        numbers = [int.from_bytes(box[begin : begin + size]) for begin in range(size + 2, len(box), size)]
        number = int.from_bytes(box[:size])
        if number not in items:
            continue
        if kind == b"dimg":
            items[number].parts += numbers
        elif kind == b"auxl" and (items[number].property_of(b"auxC") or b"")[4:].startswith(_ALPHA):
            for shown in filter(items.__contains__, numbers):
                items[shown].alphas.append(number)
