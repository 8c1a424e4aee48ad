"""The opcodes of pickle that build lists, tuples, strings, bytes and numbers; all others are refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sartor.catalog.pickle_tape import Tape
from sartor.catalog.pickle_values import Array, Budget, Refusal, Row, Wrong, described, text_of
from sartor.catalog.pickled_numpy import DType, StandIn, set_state, stand_in

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

_HIGHEST_PROTOCOL = 5
_MOST_EMPTY = 8  # lists that nothing was put in yet; a pickle fills one before it begins another at its side
_MOST_STACKED = 4_000_000  # a tuple of so many names
_MOST_MARKS = 64
_LONGEST_GLOBAL = 256
_STOP = ord(".")


class Machine:
    """Runs one pickle."""

    def __init__(self, data: bytes | mmap.mmap, budget: Budget) -> None:
        self._tape = Tape(data)
        self._budget = budget
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._empty = 0

    def run(self) -> Any:
        """What the pickle makes, not yet plain.

        Raises:
            Refusal: It is broken, or asks for something that is not admitted.
        """
        tape, stack = self._tape, self._stack
        while (opcode := tape.opcode()) != _STOP:
            step = _STEPS.get(opcode)
            if step is None:
                raise Refusal(
                    _REFUSED.get(bytes([opcode]), f"has the opcode {opcode:#04x}, which vectors need not")
                )
            step(self)
            if len(stack) > _MOST_STACKED:
                raise Refusal(Wrong.MANY_VALUES)
        value = self._pop()
        if stack or self._marks:
            raise Refusal(Wrong.SEVERAL)
        if tape.left:
            raise Refusal(f"goes on after its end, for {tape.left:,} bytes")
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
        if len(self._marks) > _MOST_MARKS:
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
        if self._empty > _MOST_EMPTY:
            raise Refusal(Wrong.DEEP)

    def _put(self, place: int) -> None:
        self._budget.memo()
        self._memo[place] = self._top()

    def _drop(self) -> None:
        self._pop()  # what was only built to be put; an export of ours does so

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise Refusal(Wrong.REFERENCE)
        self._push(self._memo[place])

    def _protocol(self) -> None:
        version = self._tape.number("<B")
        if version > _HIGHEST_PROTOCOL:
            raise Refusal(f"has protocol {version}, which is newer than {_HIGHEST_PROTOCOL}")

    def _frame(self) -> None:
        if self._tape.number("<Q") > self._tape.left:
            raise Refusal(Wrong.CUT_OFF)

    def _named_by_stack(self) -> None:
        name, module = (text_of(self._pop(), most=_LONGEST_GLOBAL) for _ in range(2))
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
    STEPS: dict[bytes, Callable[[Machine], None]] = {  # noqa: RUF012 - never written
        b"\x80": _protocol,
        b"\x95": _frame,
        b"N": lambda self: self._push(None),
        b"\x88": lambda self: self._push(value=True),
        b"\x89": lambda self: self._push(value=False),
        b"K": lambda self: self._push(self._tape.number("<B")),
        b"M": lambda self: self._push(self._tape.number("<H")),
        b"J": lambda self: self._push(self._tape.number("<i")),
        b"I": lambda self: self._push(self._tape.integer_line()),
        b"L": lambda self: self._push(self._tape.integer_line()),
        b"\x8a": lambda self: self._push(self._tape.integer(self._tape.number("<B"))),
        b"\x8b": lambda self: self._push(self._tape.integer(self._tape.number("<I"))),
        b"F": lambda self: self._push(self._tape.float_line()),
        b"G": lambda self: self._stack.extend(self._tape.floats()),
        b"V": lambda self: self._push(self._tape.text_line()),
        b"\x8c": lambda self: self._push(self._tape.text("<B")),
        b"X": lambda self: self._push(self._tape.text("<I")),
        b"\x8d": lambda self: self._push(self._tape.text("<Q")),
        b"S": lambda self: self._push(self._tape.string_line()),
        b"U": lambda self: self._push(self._tape.sized("<B")),
        b"T": lambda self: self._push(self._tape.sized("<i")),
        b"C": lambda self: self._push(self._tape.sized("<B")),
        b"B": lambda self: self._push(self._tape.sized("<I")),
        b"\x8e": lambda self: self._push(self._tape.sized("<Q")),
        b"\x96": lambda self: self._push(self._tape.sized("<Q")),
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
        b"p": lambda self: self._put(self._tape.integer_line()),
        b"q": lambda self: self._put(self._tape.number("<B")),
        b"r": lambda self: self._put(self._tape.number("<I")),
        b"\x94": lambda self: self._put(len(self._memo)),
        b"g": lambda self: self._get(self._tape.integer_line()),
        b"h": lambda self: self._get(self._tape.number("<B")),
        b"j": lambda self: self._get(self._tape.number("<I")),
        b"c": lambda self: self._push(stand_in(*self._tape.names())),
        b"\x93": _named_by_stack,
        b"R": _call,
        b"b": _build,
    }


_STEPS = {ord(opcode): step for opcode, step in Machine.STEPS.items()}
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
