"""Values of the restricted unpickler: containers, budgets, and stand-ins for the globals of NumPy 1 and 2.

A stand-in is never the function of its name. It checks its arguments itself, and an array is a view into bytes of
the file, so it cannot be larger than they are.

Source: ``numpy/_core/src/multiarray/methods.c`` (``array_reduce``, ``array_setstate``) and ``descriptor.c``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sartor.limits import MAX_PICKLE_AXES, MAX_PICKLE_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable

_FREE = 1000  # so that a file of a few bytes is not held to its size
_BYTES_PER_CONTAINER = 4  # the fewest that a list of one small number takes
_BYTES_PER_MEMO = 3

Plain: TypeAlias = "list[Any] | tuple[Any, ...] | str | bytes | float | np.generic[Any] | npt.NDArray[Any] | None"

_NUMBERS = re.compile(r"[<>|=]?(?:f[248]|[iu][1248]|b1|[SU][0-9]{1,4})")
_ORDERS = frozenset("<>|=")
_DTYPE_STATE = 8  # version, byte order, sub-array, names, fields, size, alignment, flags
_ARRAY_STATE = 5  # version, shape, dtype, whether in Fortran's order, bytes


class Refusal(Exception):
    """Why a pickle is not read, in words that follow "it"; ``UnsafePickle`` adds the file."""


class Wrong(StrEnum):
    """The reasons without a value in them."""

    ENDS = "ends in the middle"
    CUT_OFF = "is cut off, or announces more than it has"
    STRING = "is broken: a string cannot be decoded"
    NUMBER = "is broken: a number cannot be read"
    REFERENCE = "is broken: it refers to what it does not have"
    FEW_VALUES = "is broken: it takes more values than it has"
    SEVERAL = "is broken: it leaves more than one value"
    DEEP = "nests lists deeper than vectors are"
    MANY_VALUES = "stacks more values than vectors need"
    MANY_LISTS = "makes more lists than vectors need"
    MANY_MEMOS = "keeps more values to refer to than vectors need"
    TOO_MUCH = "unpacks to more than the file holds, by repeating itself"
    NO_STATE = "leaves an array without its numbers"
    STATE = "gives an array a state that NumPy does not write"
    SHAPE = "gives an array a shape that NumPy does not write"
    AXES = "gives an array axes that it does not have"
    ARRAY = "makes an array in a way that NumPy does not"
    SCALAR = "makes a number in a way that NumPy does not"
    FIELDS = "gives a type of numbers fields, or a state that NumPy does not write"
    NO_TYPE = "makes a type of numbers of nothing"
    NO_BYTES = "makes bytes of something else"
    CALLED = "calls numpy.ndarray"


class Row(list[Any]):
    """A list of the pickle, or a tuple if it is ``frozen``; ``depth`` counts the nested containers put into it."""

    __slots__ = ("depth", "frozen")

    def __init__(self, items: list[Any] | None = None, *, frozen: bool = False) -> None:
        super().__init__()
        self.depth = 0
        self.frozen = frozen
        if items:
            self.put(items)

    def put(self, items: list[Any]) -> None:
        """Append items; refuse those nested too deep."""
        deepest = max((item.depth + 1 for item in items if type(item) is Row), default=0)
        if deepest > MAX_PICKLE_DEPTH:
            raise Refusal(Wrong.DEEP)
        self.depth = max(self.depth, deepest)
        self.extend(items)


@dataclass(slots=True)
class Budget:
    """How much may still be built from a file of a size."""

    containers: int
    memos: int
    copied_bytes: int
    plain: int  # values and bytes of arrays, each time they are reached

    @classmethod
    def of(cls, size_bytes: int) -> Budget:
        """The budget of a file of this size."""
        return cls(
            containers=_FREE + size_bytes // _BYTES_PER_CONTAINER,
            memos=_FREE + size_bytes // _BYTES_PER_MEMO,
            copied_bytes=_FREE + size_bytes,
            plain=_FREE + 2 * size_bytes,  # a 'U' array and its list of names have both their share
        )

    def container(self) -> None:
        """Charge a list or a tuple."""
        self.containers -= 1
        if self.containers < 0:
            raise Refusal(Wrong.MANY_LISTS)

    def memo(self) -> None:
        """Charge a value that can be referred to."""
        self.memos -= 1
        if self.memos < 0:
            raise Refusal(Wrong.MANY_MEMOS)

    def copy(self, size_bytes: int) -> None:
        """Charge bytes that are not a view into the file."""
        self.copied_bytes -= size_bytes
        if self.copied_bytes < 0:
            raise Refusal(Wrong.TOO_MUCH)

    def reach(self, size: int) -> None:
        """Charge a value of the result, once for each reference to it."""
        self.plain -= size
        if self.plain < 0:
            raise Refusal(Wrong.TOO_MUCH)


class Array:
    """A NumPy array that a pickle makes: empty first, then with its state."""

    __slots__ = ("value",)

    def __init__(self, value: npt.NDArray[Any] | None = None) -> None:
        self.value = value


def plain(value: Any, budget: Budget, *, depth: int = 0) -> Plain:
    """A value of the unpickler in plain Python and NumPy.

    Raises:
        Refusal: It is nested too deep, is larger than the file by repetition, or is not a value.
    """
    budget.reach(1)
    if type(value) is Row:
        if depth > MAX_PICKLE_DEPTH:
            raise Refusal(Wrong.DEEP)
        budget.reach(len(value))
        items = [item if type(item) is float else plain(item, budget, depth=depth + 1) for item in value]
        return tuple(items) if value.frozen else items
    if isinstance(value, Array):
        if value.value is None:
            raise Refusal(Wrong.NO_STATE)
        budget.reach(value.value.nbytes)
        return value.value
    if isinstance(value, str | bytes | memoryview):
        budget.reach(len(value))
        return bytes(value) if isinstance(value, memoryview) else value
    if value is None or isinstance(value, int | float | np.generic):
        return value
    raise Refusal(f"holds {described(value)} where a value should be")


def described(value: Any) -> str:
    """The kind of a value, in words for a message."""
    if type(value) is Row:
        return "a tuple" if value.frozen else "a list"
    words = {Array: "an array", str: "a string", bytes: "bytes", memoryview: "bytes", type(None): "None"}
    return words.get(type(value)) or str(getattr(value, "name", "a number"))


def text_of(value: Any, *, maximum: int = 64) -> str:
    """A string of at most ``maximum`` characters, which Python 2 wrote as bytes.

    Raises:
        Refusal: It is not such a string.
    """
    if isinstance(value, bytes | memoryview) and len(value) <= maximum:
        return bytes(value).decode("latin1")
    if isinstance(value, str) and len(value) <= maximum:
        return value
    raise Refusal(f"gives {described(value)} where a word should be")


@dataclass(frozen=True, slots=True)
class StandIn:
    """Stands for a global while a pickle is read: its ``name``, and a ``call`` that checks the arguments."""

    name: str
    call: Callable[[Row, Budget], Any]


class DType:
    """The type of an array's numbers; its byte order comes with its state."""

    __slots__ = ("has_state", "value")
    name = "a type of numbers"

    def __init__(self, value: np.dtype[Any]) -> None:
        self.value = value
        self.has_state = False


def stand_in(module: str, name: str) -> StandIn:
    """The stand-in for a global.

    Raises:
        Refusal: Vectors do not need it.
    """
    admitted = _ADMITTED.get((module, name))
    if admitted is None:
        raise Refusal(f"asks for {_shown(module)}.{_shown(name)}")
    return admitted


def set_state(target: Any, state: Any) -> None:
    """Set the state of an array or of its type, as ``__setstate__`` does.

    Raises:
        Refusal: The target is neither or has a state already, or the state is not valid.
    """
    if isinstance(target, Array) and target.value is None:
        target.value = _array_of_state(state)
    elif isinstance(target, DType) and not target.has_state:
        target.value = _ordered(target.value, state)
        target.has_state = True
    else:
        raise Refusal(f"sets the state of {described(target)}")


def _array_of_state(state: Any) -> npt.NDArray[Any]:
    is_state = type(state) is Row and len(state) == _ARRAY_STATE and state[0] == 1
    if not is_state or not isinstance(state[3], bool | int):
        raise Refusal(Wrong.STATE)
    return _array(state[4], state[2], state[1], order="F" if state[3] else "C")


def _array(raw: Any, dtype: Any, shape: Any, *, order: str) -> npt.NDArray[Any]:
    """A view of bytes as an array; refused unless it takes exactly these bytes."""
    if not isinstance(raw, bytes | memoryview) or not isinstance(dtype, DType):
        raise Refusal(f"makes an array of {described(raw)}")
    sides = _shape(shape)
    needed = math.prod(sides) * dtype.value.itemsize
    if needed != len(raw) or not needed:
        raise Refusal(f"gives an array of shape {tuple(sides)} {len(raw)} bytes, it takes {_number(needed)}")
    return np.ndarray(tuple(sides), dtype.value, buffer=raw, order="F" if order == "F" else "C")


def _shape(shape: Any) -> list[int]:
    """The sides of an array; Python writes a shape as a tuple of ints."""
    if type(shape) is not Row or len(shape) > MAX_PICKLE_AXES:
        raise Refusal(Wrong.SHAPE)
    for side in shape:
        if type(side) is not int or not 0 <= side < 1 << 48:
            raise Refusal(Wrong.SHAPE)
    return list(shape)


def _ordered(dtype: np.dtype[Any], state: Any) -> np.dtype[Any]:
    if type(state) is not Row or len(state) != _DTYPE_STATE or any(part is not None for part in state[2:5]):
        raise Refusal(Wrong.FIELDS)
    order = text_of(state[1])
    if order not in _ORDERS:
        raise Refusal(f"gives a type of numbers the byte order {_shown(order)!r}")
    return dtype if order in "|=" else dtype.newbyteorder(order)  # type: ignore[arg-type]


def _dtype(arguments: Row, budget: Budget) -> DType:  # noqa: ARG001
    if not arguments or any(not isinstance(flag, bool | int) for flag in arguments[1:]):
        raise Refusal(Wrong.NO_TYPE)
    code = text_of(arguments[0])
    if not _NUMBERS.fullmatch(code):
        kind = {"O": "objects", "V": "records"}.get(code.lstrip("<>|=")[:1], _shown(code))
        raise Refusal(f"holds an array of {kind}, not of numbers or text")
    return DType(np.dtype(code))


def _reconstruct(arguments: Row, budget: Budget) -> Array:  # noqa: ARG001
    if len(arguments) != 3 or arguments[0] is not _NDARRAY or list(_shape(arguments[1])) != [0]:  # noqa: PLR2004
        raise Refusal(Wrong.ARRAY)
    return Array()


def _scalar(arguments: Row, budget: Budget) -> Any:
    if len(arguments) != 2:  # noqa: PLR2004
        raise Refusal(Wrong.SCALAR)
    dtype, raw = arguments
    if not isinstance(dtype, DType) or not isinstance(raw, bytes | memoryview) or len(raw) != dtype.value.itemsize:
        raise Refusal(Wrong.SCALAR)
    budget.copy(len(raw))
    return np.frombuffer(raw, dtype.value)[0] if len(raw) else dtype.value.type()


def _frombuffer(arguments: Row, budget: Budget) -> Array:  # noqa: ARG001
    if len(arguments) not in {4, 5}:
        raise Refusal(Wrong.ARRAY)
    raw, dtype, shape, order, *axes = arguments
    word = text_of(order)
    if word == "K" and axes and axes[0] is not None:
        permutation = _shape(axes[0])
        if sorted(permutation) != list(range(len(_shape(shape)))):
            raise Refusal(Wrong.AXES)
        return Array(_array(raw, dtype, shape, order="C").transpose(permutation))
    if word not in {"C", "F"}:
        raise Refusal(f"gives an array the order {_shown(word)!r}")
    return Array(_array(raw, dtype, shape, order=word))


def _encode(arguments: Row, budget: Budget) -> bytes:
    """``codecs.encode(text, "latin1")``, as protocols 0 to 2 write bytes."""
    if len(arguments) != 2 or not isinstance(arguments[0], str) or text_of(arguments[1]) != "latin1":  # noqa: PLR2004
        raise Refusal(Wrong.NO_BYTES)
    budget.copy(len(arguments[0]))
    return arguments[0].encode("latin1")


def _bytes(arguments: Row, budget: Budget) -> bytes:  # noqa: ARG001
    """``bytes()``, as protocols 0 to 2 write empty bytes."""
    if arguments:
        raise Refusal(Wrong.NO_BYTES)
    return b""


def _not_called(arguments: Row, budget: Budget) -> Any:  # noqa: ARG001
    raise Refusal(Wrong.CALLED)


def _shown(word: str) -> str:
    """A word of the file, shortened, on one line."""
    return word[:80].encode("ascii", "backslashreplace").decode() if word.isprintable() else repr(word[:80])


def _number(size: int) -> str:
    return f"{size:,}" if size < 1 << 62 else "more than there is"


_NDARRAY = StandIn("numpy.ndarray", _not_called)
_IN_CORE = {
    ("multiarray", "_reconstruct"): _reconstruct,
    ("multiarray", "scalar"): _scalar,
    ("numeric", "_frombuffer"): _frombuffer,
}
_ADMITTED = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): StandIn("numpy.dtype", _dtype),
    ("_codecs", "encode"): StandIn("_codecs.encode", _encode),
    ("__builtin__", "bytes"): StandIn("bytes", _bytes),
    ("builtins", "bytes"): StandIn("bytes", _bytes),
} | {
    (f"numpy.{core}.{module}", name): StandIn(f"numpy.{core}.{module}.{name}", call)
    for core in ("core", "_core")  # NumPy 1, and 2
    for (module, name), call in _IN_CORE.items()
}
