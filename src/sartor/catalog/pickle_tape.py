"""The bytes of a pickle, read in order; nothing is taken that the file does not have."""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.catalog.pickle_values import Refusal, Wrong

if TYPE_CHECKING:
    import mmap

_LONGEST_NUMBER = 16  # bytes of an integer
_LONGEST_LINE = 256  # of a number or a global, as text
_BINFLOAT = ord("G")
_FLOATS = np.dtype([("opcode", "u1"), ("number", ">f8")])  # a run of BINFLOAT
_RUN = 1000  # as many as the pickler puts into a list at once


class Tape:
    """Reads what follows opcodes.

    Attributes:
        at: Where it is.
        size: Bytes of the pickle.
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._data, self._view = data, memoryview(data)
        self.size = len(data)
        self.at = 0

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return self.size - self.at

    def opcode(self) -> int:
        """The next opcode."""
        if not self.left:
            raise Refusal(Wrong.ENDS)
        self.at += 1
        return self._view[self.at - 1]

    def take(self, size: int) -> memoryview:
        """So many bytes, as a view."""
        if not 0 <= size <= self.left:
            raise Refusal(Wrong.CUT_OFF)
        self.at += size
        return self._view[self.at - size : self.at]

    def number(self, format_: str) -> Any:
        """A number of a format of ``struct``."""
        return struct.unpack(format_, self.take(struct.calcsize(format_)))[0]

    def sized(self, length: str) -> memoryview:
        """As many bytes as the number before them says."""
        return self.take(self.number(length))

    def integer(self, size: int) -> int:
        """An integer of so many bytes."""
        if size > _LONGEST_NUMBER:
            raise Refusal(f"has a number of {size:,} bytes")
        return int.from_bytes(self.take(size), "little", signed=True)

    def line(self, *, most: int = _LONGEST_LINE) -> bytes:
        """Up to the end of a line, without it."""
        end = self._data.find(b"\n", self.at)
        if end < 0 or end - self.at > most:
            raise Refusal(Wrong.CUT_OFF)
        line = bytes(self._view[self.at : end])
        self.at = end + 1
        return line

    def integer_line(self) -> int:
        """An integer as text, or a flag as protocol 0 writes it."""
        line = self.line().removesuffix(b"L")
        flags = {b"00": False, b"01": True}
        return flags[line] if line in flags else int(_parsed(int, line))

    def float_line(self) -> float:
        """A float as text."""
        return _parsed(float, self.line())

    def string_line(self) -> bytes:
        """A string of Python 2, in its quotes."""
        line = self.line(most=self.size).strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in {b"'", b'"'}:  # noqa: PLR2004
            raise Refusal(Wrong.STRING)
        try:
            return codecs.escape_decode(line[1:-1])[0]
        except ValueError as error:
            raise Refusal(Wrong.STRING) from error

    def text_line(self) -> str:
        """A string as protocol 0 writes it."""
        return _text(self.line(most=self.size), "raw-unicode-escape", "strict")

    def text(self, length: str) -> str:
        """A string behind its length."""
        return _text(self.sized(length), "utf-8", "surrogatepass")

    def names(self) -> tuple[str, str]:
        """Module and name of a global, a line each."""
        module, name = (self.line().decode("utf-8", "backslashreplace") for _ in range(2))
        return module, name

    def floats(self) -> list[float]:
        """The float of the opcode before, and those that follow at once: lists of lists have millions."""
        start, size = self.at - 1, _FLOATS.itemsize
        count = min(_RUN, (self.size - start) // size)
        if not count:
            raise Refusal(Wrong.CUT_OFF)
        run = np.frombuffer(self._view[start : start + count * size], _FLOATS)
        others = np.flatnonzero(run["opcode"] != _BINFLOAT)
        same = int(others[0]) if len(others) else count
        self.at = start + same * size
        floats: list[float] = run["number"][:same].tolist()
        return floats


def _parsed(kind: type[int] | type[float], line: bytes) -> int | float:
    try:
        return kind(line)
    except ValueError as error:
        raise Refusal(Wrong.NUMBER) from error


def _text(raw: bytes | memoryview, encoding: str, errors: str) -> str:
    try:
        return str(raw, encoding, errors)
    except UnicodeDecodeError as error:
        raise Refusal(Wrong.STRING) from error
