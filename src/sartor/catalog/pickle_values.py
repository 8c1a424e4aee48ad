"""What a pickle may hold while it is read, the budgets that bound it, and what it is in plain Python.

A small file can ask for a lot: lists that refer to one list a thousand times each, or one string that is copied
again and again. Every such multiplication is charged here against the size of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

MAX_DEPTH = 4  # a list of rows, each a list of one list of numbers: no tutorial nests deeper
_FREE = 1000  # so that a file of a few bytes is not held to its size
_BYTES_PER_CONTAINER = 4  # the fewest that a list of one small number takes
_BYTES_PER_MEMO = 3

Plain: TypeAlias = "list[Any] | tuple[Any, ...] | str | bytes | float | np.generic[Any] | npt.NDArray[Any] | None"


class Refusal(Exception):
    """Why a pickle is not read on, in words that go on after "it"; UnsafePickle says of which file."""


class Wrong(StrEnum):
    """The reasons that have no value in them."""

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
    STATE = "gives an array a state that is none"
    SHAPE = "gives an array a shape that is none"
    AXES = "gives an array axes that it does not have"
    ARRAY = "makes an array in a way that NumPy does not"
    SCALAR = "makes a number in a way that NumPy does not"
    FIELDS = "gives a type of numbers fields, or a state that is none"
    NO_TYPE = "makes a type of numbers of nothing"
    NO_BYTES = "makes bytes of something else"
    CALLED = "calls numpy.ndarray"


class Row(list[Any]):
    """A list or a tuple of the pickle.

    Attributes:
        depth: How many containers lie in one another below it, as far as it was known when they were put in.
        frozen: Whether it is a tuple.
    """

    __slots__ = ("depth", "frozen")

    def __init__(self, items: list[Any] | None = None, *, frozen: bool = False) -> None:
        super().__init__()
        self.depth = 0
        self.frozen = frozen
        if items:
            self.put(items)

    def put(self, items: list[Any]) -> None:
        """Append items, unless they are nested too deep."""
        deepest = max((item.depth + 1 for item in items if type(item) is Row), default=0)
        if deepest > MAX_DEPTH:
            raise Refusal(Wrong.DEEP)
        self.depth = max(self.depth, deepest)
        self.extend(items)


@dataclass(slots=True)
class Budget:
    """How much may still be made, for a file of a size."""

    containers: int
    memos: int
    copied_bytes: int
    plain: int  # values and bytes of arrays, each time that they are reached

    @classmethod
    def of(cls, size_bytes: int) -> Budget:
        """What a file of this size may ask for."""
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
        """Charge something that is kept to be referred to."""
        self.memos -= 1
        if self.memos < 0:
            raise Refusal(Wrong.MANY_MEMOS)

    def copy(self, size_bytes: int) -> None:
        """Charge bytes that are no view into the file."""
        self.copied_bytes -= size_bytes
        if self.copied_bytes < 0:
            raise Refusal(Wrong.TOO_MUCH)

    def reach(self, size: int) -> None:
        """Charge a value that is part of the result, once for each place where it is."""
        self.plain -= size
        if self.plain < 0:
            raise Refusal(Wrong.TOO_MUCH)


class Array:
    """A NumPy array that a pickle makes: empty first, then with its state."""

    __slots__ = ("value",)

    def __init__(self, value: npt.NDArray[Any] | None = None) -> None:
        self.value = value


def plain(value: Any, budget: Budget, *, depth: int = 0) -> Plain:
    """A value of the machine in plain Python and NumPy.

    Raises:
        Refusal: It is nested too deep, is larger than the file by repetition, or is no value.
    """
    budget.reach(1)
    if type(value) is Row:
        if depth > MAX_DEPTH:
            raise Refusal(Wrong.DEEP)
        budget.reach(len(value))
        items = [each if type(each) is float else plain(each, budget, depth=depth + 1) for each in value]
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
    """What a value is, in words for a message."""
    if type(value) is Row:
        return "a tuple" if value.frozen else "a list"
    words = {Array: "an array", str: "a string", bytes: "bytes", memoryview: "bytes", type(None): "None"}
    return words.get(type(value)) or str(getattr(value, "name", "a number"))


def text_of(value: Any, *, most: int = 64) -> str:
    """A short string, which Python 2 wrote as bytes.

    Raises:
        Refusal: It is none.
    """
    if isinstance(value, bytes | memoryview) and len(value) <= most:
        return bytes(value).decode("latin1")
    if isinstance(value, str) and len(value) <= most:
        return value
    raise Refusal(f"gives {described(value)} where a word should be")
