"""A restricted unpickler for vectors and names: its own interpreter of a few opcodes, without Python's unpickler.

It builds lists, tuples, strings, bytes, numbers, None and NumPy arrays. A global is looked up in a table of
stand-ins (``unpickled``), so nothing is imported or called by its name; a global that is not in the table is
refused.

The size of the file bounds what is built: bytes are views into it, and containers, copied bytes and repeated
references each have a budget.

Source: CPython's ``Lib/pickletools.py``, which describes every opcode of protocols 0 to 5.
"""

from __future__ import annotations

import codecs
import mmap
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.catalog.vectors.unpickled import (
    Array,
    Budget,
    DType,
    Refusal,
    Row,
    StandIn,
    Wrong,
    described,
    plain,
    set_state,
    stand_in,
    text_of,
)
from sartor.errors import UnreadableVectors, UnsafePickle
from sartor.limits import (
    MAX_PICKLE_EMPTY_LISTS,
    MAX_PICKLE_GLOBAL_CHARS,
    MAX_PICKLE_INTEGER_BYTES,
    MAX_PICKLE_LINE_BYTES,
    MAX_PICKLE_MARKS,
    MAX_PICKLE_STACK,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sartor.catalog.vectors.unpickled import Plain

_BINFLOAT = ord("G")
_FLOATS = np.dtype([("opcode", "u1"), ("number", ">f8")])  # a run of BINFLOAT
_MAX_RUN = 1000  # as many as the pickler puts into a list at once

_HIGHEST_PROTOCOL = 5
_STOP = ord(".")
_REFUSED = {
    b"i": "makes an object (INST)",
    b"o": "makes an object (OBJ)",
    b"\x81": "makes an object (NEWOBJ)",
    b"\x92": "makes an object (NEWOBJ_EX)",
    b"P": "asks for something outside of it (PERSID)",
    b"Q": "asks for something outside of it (BINPERSID)",
    b"\x82": "asks for something of the extension registry (EXT1)",
    b"\x83": "asks for something of the extension registry (EXT2)",
    b"\x84": "asks for something of the extension registry (EXT4)",
    b"\x97": "asks for a buffer outside of it (NEXT_BUFFER)",
    b"\x98": "asks for a buffer outside of it (READONLY_BUFFER)",
    b"d": "holds a dictionary",
    b"}": "holds a dictionary",
    b"\x8f": "holds a set",
    b"\x91": "holds a set",
}


class PickleReader:
    """Reads opcodes and their arguments from a pickle of ``size`` bytes; ``at`` is the next byte."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._data, self._view = data, memoryview(data)
        self.size = len(data)
        self.at = 0

    @property
    def left(self) -> int:
        """Number of bytes that are not read yet."""
        return self.size - self.at

    def opcode(self) -> int:
        """The next opcode."""
        if not self.left:
            raise Refusal(Wrong.ENDS)
        self.at += 1
        return self._view[self.at - 1]

    def take(self, size: int) -> memoryview:
        """The next bytes, as a view."""
        if not 0 <= size <= self.left:
            raise Refusal(Wrong.CUT_OFF)
        self.at += size
        return self._view[self.at - size : self.at]

    def number(self, format_: str) -> Any:
        """A number in a format of ``struct``."""
        return struct.unpack(format_, self.take(struct.calcsize(format_)))[0]

    def sized(self, length: str) -> memoryview:
        """Bytes after their length, a number in a format of ``struct``."""
        return self.take(self.number(length))

    def integer(self, size: int) -> int:
        """A signed little-endian integer of this many bytes."""
        if size > MAX_PICKLE_INTEGER_BYTES:
            raise Refusal(f"has a number of {size:,} bytes")
        return int.from_bytes(self.take(size), "little", signed=True)

    def line(self, *, maximum: int = MAX_PICKLE_LINE_BYTES) -> bytes:
        """The next line, without its end."""
        end = self._data.find(b"\n", self.at)
        if end < 0 or end - self.at > maximum:
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
        line = self.line(maximum=self.size).strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in {b"'", b'"'}:  # noqa: PLR2004
            raise Refusal(Wrong.STRING)
        try:
            return codecs.escape_decode(line[1:-1])[0]
        except ValueError as error:
            raise Refusal(Wrong.STRING) from error

    def text_line(self) -> str:
        """A string as protocol 0 writes it."""
        return _text(self.line(maximum=self.size), "raw-unicode-escape", "strict")

    def text(self, length: str) -> str:
        """A string after its length."""
        return _text(self.sized(length), "utf-8", "surrogatepass")

    def names(self) -> tuple[str, str]:
        """Module and name of a global, one line each."""
        module, name = (self.line().decode("utf-8", "backslashreplace") for _ in range(2))
        return module, name

    def floats(self) -> list[float]:
        """The float of the last opcode and those that directly follow: lists of lists have millions."""
        start, size = self.at - 1, _FLOATS.itemsize
        count = min(_MAX_RUN, (self.size - start) // size)
        if not count:
            raise Refusal(Wrong.CUT_OFF)
        run = np.frombuffer(self._view[start : start + count * size], _FLOATS)
        others = np.flatnonzero(run["opcode"] != _BINFLOAT)
        length = int(others[0]) if len(others) else count
        self.at = start + length * size
        floats: list[float] = run["number"][:length].tolist()
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


class RestrictedUnpickler:
    """Interprets one pickle."""

    def __init__(self, data: bytes | mmap.mmap, budget: Budget) -> None:
        self._reader = PickleReader(data)
        self._budget = budget
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._empty = 0

    def run(self) -> Any:
        """The value of the pickle, its containers and arrays still wrapped (see ``plain``).

        Raises:
            Refusal: It is broken, or needs something that is not admitted.
        """
        reader, stack = self._reader, self._stack
        while (opcode := reader.opcode()) != _STOP:
            step = _STEPS.get(opcode)
            if step is None:
                raise Refusal(
                    _REFUSED.get(bytes([opcode]), f"has the opcode {opcode:#04x}, which vectors need not")
                )
            step(self)
            if len(stack) > MAX_PICKLE_STACK:
                raise Refusal(Wrong.MANY_VALUES)
        value = self._pop()
        if stack or self._marks:
            raise Refusal(Wrong.SEVERAL)
        if reader.left:
            raise Refusal(f"goes on after its end, for {reader.left:,} bytes")
        return value

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise Refusal(Wrong.FEW_VALUES)
        return self._stack.pop()

    def _top(self) -> Any:
        value = self._pop()
        self._stack.append(value)
        return value

    def _mark(self) -> None:
        self._marks.append(len(self._stack))
        if len(self._marks) > MAX_PICKLE_MARKS:
            raise Refusal(Wrong.DEEP)

    def _to_mark(self) -> list[Any]:
        if not self._marks:
            raise Refusal(Wrong.FEW_VALUES)
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    def _list(self, items: list[Any]) -> None:
        self._budget.container()
        self._push(Row(items))
        self._count_empty(0 if items else 1)

    def _tuple(self, items: list[Any]) -> None:
        self._budget.container()
        self._push(Row(items, frozen=True))

    def _tuple_of(self, count: int) -> None:
        self._tuple([self._pop() for _ in range(count)][::-1])

    def _append(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is not Row or target.frozen:
            raise Refusal(f"appends to {described(target)}")
        if items and not target:
            self._count_empty(-1)
        target.put(items)

    def _count_empty(self, more: int) -> None:
        self._empty += more
        if self._empty > MAX_PICKLE_EMPTY_LISTS:
            raise Refusal(Wrong.DEEP)

    def _put(self, key: int) -> None:
        self._budget.memo()
        self._memo[key] = self._top()

    def _drop(self) -> None:
        self._pop()  # a value that was only built to be referred to, as in our own exports

    def _get(self, key: int) -> None:
        if key not in self._memo:
            raise Refusal(Wrong.REFERENCE)
        self._push(self._memo[key])

    def _protocol(self) -> None:
        version = self._reader.number("<B")
        if version > _HIGHEST_PROTOCOL:
            raise Refusal(f"has protocol {version}, which is newer than {_HIGHEST_PROTOCOL}")

    def _frame(self) -> None:
        if self._reader.number("<Q") > self._reader.left:
            raise Refusal(Wrong.CUT_OFF)

    def _named_by_stack(self) -> None:
        name, module = (text_of(self._pop(), maximum=MAX_PICKLE_GLOBAL_CHARS) for _ in range(2))
        self._push(stand_in(module, name))

    def _call(self) -> None:
        arguments, called = self._pop(), self._pop()
        if not isinstance(called, StandIn) or type(arguments) is not Row or not arguments.frozen:
            raise Refusal(f"calls {described(called)}")
        self._push(called.call(arguments, self._budget))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if not isinstance(target, Array | DType):
            raise Refusal(f"sets the state of {described(target)}")
        set_state(target, state)

    # Opcodes, by kind: constants, numbers, texts, bytes, containers, references, globals
    STEPS: dict[bytes, Callable[[RestrictedUnpickler], None]] = {  # noqa: RUF012 - never written
        b"\x80": _protocol,
        b"\x95": _frame,
        b"N": lambda self: self._push(None),
        b"\x88": lambda self: self._push(value=True),
        b"\x89": lambda self: self._push(value=False),
        b"K": lambda self: self._push(self._reader.number("<B")),
        b"M": lambda self: self._push(self._reader.number("<H")),
        b"J": lambda self: self._push(self._reader.number("<i")),
        b"I": lambda self: self._push(self._reader.integer_line()),
        b"L": lambda self: self._push(self._reader.integer_line()),
        b"\x8a": lambda self: self._push(self._reader.integer(self._reader.number("<B"))),
        b"\x8b": lambda self: self._push(self._reader.integer(self._reader.number("<I"))),
        b"F": lambda self: self._push(self._reader.float_line()),
        b"G": lambda self: self._stack.extend(self._reader.floats()),
        b"V": lambda self: self._push(self._reader.text_line()),
        b"\x8c": lambda self: self._push(self._reader.text("<B")),
        b"X": lambda self: self._push(self._reader.text("<I")),
        b"\x8d": lambda self: self._push(self._reader.text("<Q")),
        b"S": lambda self: self._push(self._reader.string_line()),
        b"U": lambda self: self._push(self._reader.sized("<B")),
        b"T": lambda self: self._push(self._reader.sized("<i")),
        b"C": lambda self: self._push(self._reader.sized("<B")),
        b"B": lambda self: self._push(self._reader.sized("<I")),
        b"\x8e": lambda self: self._push(self._reader.sized("<Q")),
        b"\x96": lambda self: self._push(self._reader.sized("<Q")),
        b"0": _drop,
        b"(": _mark,
        b"]": lambda self: self._list([]),
        b"l": lambda self: self._list(self._to_mark()),
        b"a": lambda self: self._append([self._pop()]),
        b"e": lambda self: self._append(self._to_mark()),
        b")": lambda self: self._tuple_of(0),
        b"\x85": lambda self: self._tuple_of(1),
        b"\x86": lambda self: self._tuple_of(2),
        b"\x87": lambda self: self._tuple_of(3),
        b"t": lambda self: self._tuple(self._to_mark()),
        b"p": lambda self: self._put(self._reader.integer_line()),
        b"q": lambda self: self._put(self._reader.number("<B")),
        b"r": lambda self: self._put(self._reader.number("<I")),
        b"\x94": lambda self: self._put(len(self._memo)),
        b"g": lambda self: self._get(self._reader.integer_line()),
        b"h": lambda self: self._get(self._reader.number("<B")),
        b"j": lambda self: self._get(self._reader.number("<I")),
        b"c": lambda self: self._push(stand_in(*self._reader.names())),
        b"\x93": _named_by_stack,
        b"R": _call,
        b"b": _build,
    }


_STEPS = {ord(opcode): step for opcode, step in RestrictedUnpickler.STEPS.items()}


def read_pickle(path: Path) -> Plain:
    """Read a pickle of lists, tuples, strings, bytes, numbers, None and NumPy arrays.

    Arrays are views into the file, which stays open while one of them is in use.

    Raises:
        UnsafePickle: It is broken, or needs something else.
        UnreadableVectors: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size_bytes = file.seek(0, 2)
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size_bytes else b""
    except OSError as error:
        raise UnreadableVectors(path, reason=f"it cannot be read ({error.strerror})") from error
    try:
        return loads(data)
    except Refusal as refusal:
        raise UnsafePickle(path, reason=str(refusal)) from None


def loads(data: bytes | mmap.mmap) -> Plain:
    """Read a pickle from bytes, as ``read_pickle`` does.

    Raises:
        Refusal: They are broken, or need something else.
    """
    budget = Budget.of(len(data))
    return plain(RestrictedUnpickler(data, budget).run(), budget)
