"""Reads pickled lists of vectors and names, and runs nothing: a machine of its own for a few of pickle's opcodes.

It knows how to put lists, tuples, strings, bytes, numbers, None and NumPy arrays together, and nothing else.
Python's unpickler takes no part. A global is looked up in a table of stand-ins (``pickled_numpy``), so nothing is
imported or called by its name; whatever is not in the table is refused by that name.

What is built is bounded by the size of the file: bytes are views into it, and the counts of containers, of copied
bytes and of what a reference can repeat each have a budget (``pickle_values``).

Source: CPython's ``Lib/pickletools.py``, which describes every opcode of protocols 0 to 5.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from sartor.catalog.pickle_machine import Machine
from sartor.catalog.pickle_values import Budget, Refusal, plain
from sartor.errors import UnreadableVectors, UnsafePickle

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.catalog.pickle_values import Plain


def read_pickle(path: Path) -> Plain:
    """What a pickle holds, in lists, tuples, strings, bytes, numbers, None and NumPy arrays.

    Arrays are views into the file, which stays open as long as one of them is there.

    Raises:
        UnsafePickle: It is broken, or asks for something else.
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
    """The same of bytes.

    Raises:
        Refusal: They are broken, or ask for something else.
    """
    budget = Budget.of(len(data))
    return plain(Machine(data, budget).run(), budget)
