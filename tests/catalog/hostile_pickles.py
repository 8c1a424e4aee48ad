"""Pickles that must be refused, put together by hand from opcodes; ``pickle.load`` never sees one of them."""

from __future__ import annotations

import struct

_ARRAY = b"cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"  # empty, no state
_FLOAT = b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R"


def _call(module: str, name: str, argument: bytes = b"X\x02\x00\x00\x00id") -> bytes:
    return b"\x80\x04c" + f"{module}\n{name}\n".encode() + argument + b"\x85R."


def _long(length: int) -> bytes:
    return struct.pack("<Q", length)


_LAUGHS = b"".join(
    b"](" + b"h" + bytes([level]) + b"h" + bytes([level]) + b"eq" + bytes([level + 1]) for level in range(60)
)
_REFERENCES = b"\x80\x04](](K\x01K\x02eq\x00" + b"h\x00" * 30_000 + b"e."
_COPIES = (
    b"\x80\x02](c_codecs\nencode\nq\x00X"
    + struct.pack("<I", 20_000)
    + b"x" * 20_000
    + b"q\x01X\x06\x00\x00\x00latin1q\x02"
)

HOSTILE: dict[str, tuple[bytes, str]] = {
    "os.system": (_call("os", "system"), "os.system"),
    "posix.system by the stack": (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.", "posix.system"),
    "eval": (_call("builtins", "eval"), "builtins.eval"),
    "eval of Python 2": (_call("__builtin__", "eval"), "__builtin__.eval"),
    "getattr chain": (b"\x80\x04cbuiltins\ngetattr\ncos\n\x8c\x06system\x86R\x8c\x02id\x85R.", "builtins.getattr"),
    "import": (_call("builtins", "__import__"), "builtins.__import__"),
    "numpy.load": (_call("numpy", "load"), "numpy.load"),
    "numpy.f2py": (_call("numpy.f2py", "compile"), "numpy.f2py.compile"),
    "numpy.testing runstring": (_call("numpy.testing._private.utils", "runstring"), "runstring"),
    "numpy attribute path": (b"\x80\x04\x8c\x05numpy\x8c\x0elib.npyio.load\x93.", "numpy.lib.npyio.load"),
    "copyreg": (b"\x80\x02ccopy_reg\n_reconstructor\n.", "copy_reg._reconstructor"),
    "subprocess through INST": (b"(X\x02\x00\x00\x00idisubprocess\nPopen\n.", "INST"),
    "OBJ": (b"(cos\nsystem\nX\x02\x00\x00\x00ido.", "os.system"),
    "NEWOBJ": (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
    "NEWOBJ_EX": (b"\x80\x04cnumpy\nndarray\n)}\x92.", "dictionary"),
    "persistent id": (b"Pfile:///etc/passwd\n.", "PERSID"),
    "persistent id of the stack": (b"X\x01\x00\x00\x00aQ.", "BINPERSID"),
    "extension registry": (b"\x80\x02\x82\x01.", "EXT1"),
    "extension registry, far": (b"\x80\x02\x84\x01\x00\x00\x00.", "EXT4"),
    "buffer outside": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "buffer outside, read-only": (b"\x80\x05\x97\x98.", "NEXT_BUFFER"),
    "object array": (b"\x80\x04cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R.", "objects"),
    "structured array": (b"\x80\x04cnumpy\ndtype\nX\x03\x00\x00\x00V16\x89\x88\x87R.", "records"),
    "fields in a state": (
        b"\x80\x04"
        + _FLOAT
        + b"(K\x03X\x01\x00\x00\x00<N(X\x01\x00\x00\x00atNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.",
        "fields",
    ),
    "calls ndarray": (b"\x80\x04cnumpy\nndarray\nJ\x00\x00\x00\x7f\x85\x85R.", "numpy.ndarray"),
    "reconstruct of another class": (
        b"\x80\x04cnumpy._core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85C\x01b\x87R.",
        "NumPy does not",
    ),
    "reconstruct of a large shape": (
        b"\x80\x04cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\x00\x00\x00\x7f\x85C\x01b\x87R.",
        "NumPy does not",
    ),
    "array state of a wrong size": (
        b"\x80\x04" + _ARRAY + b"(K\x01J\x00\x00\x00\x7f\x85" + _FLOAT + b"\x89C\x04aaaatb.",
        "it takes",
    ),
    "array state with a negative side": (
        b"\x80\x04" + _ARRAY + b"(K\x01J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86" + _FLOAT + b"\x89C\x04aaaatb.",
        "shape",
    ),
    "array state of no bytes and a huge side": (
        b"\x80\x04" + _ARRAY + b"(K\x01K\x00\x8a\x08" + _long(2**60) + b"\x86" + _FLOAT + b"\x89C\x00tb.",
        "shape",
    ),
    "array state twice": (
        b"\x80\x04" + _ARRAY + b"(K\x01K\x01\x85" + _FLOAT + b"\x89C\x04aaaatq\x00bh\x00b.",
        "sets the state of an array",
    ),
    "array without a state": (b"\x80\x04" + _ARRAY + b".", "without its numbers"),
    "state of a list": (b"\x80\x04]K\x01b.", "sets the state of a list"),
    "state of a global": (b"\x80\x04cnumpy\nndarray\nN}b.", "dictionary"),
    "state of a stand-in": (b"\x80\x04cnumpy\nndarray\nNb.", "sets the state of numpy.ndarray"),
    "global as a value": (b"\x80\x04cnumpy\nndarray\n.", "numpy.ndarray"),
    "frombuffer of a wrong shape": (
        b"\x80\x05cnumpy._core.numeric\n_frombuffer\n(C\x04aaaa" + _FLOAT + b"K\x07\x85X\x01\x00\x00\x00CtR.",
        "it takes",
    ),
    "frombuffer with wrong axes": (
        b"\x80\x05cnumpy._core.numeric\n_frombuffer\n(C\x04aaaa"
        + _FLOAT
        + b"K\x01\x85X\x01\x00\x00\x00KK\x05\x85tR.",
        "axes",
    ),
    "scalar of a wrong size": (
        b"\x80\x04cnumpy._core.multiarray\nscalar\n" + _FLOAT + b"C\x00\x86R.",
        "makes a number",
    ),
    "encode with another codec": (
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.",
        "bytes of something else",
    ),
    "bytes of a number": (b"\x80\x02c__builtin__\nbytes\nJ\x00\x00\x00\x7f\x85R.", "bytes of something else"),
    "memo bomb": (b"\x80\x04](](K\x01eq\x00" + _LAUGHS + b"e.", "deep"),
    "a row referred to again and again": (_REFERENCES, "repeating"),
    "copies of one string": (_COPIES + b"h\x00h\x01h\x02\x86R" * 2_000 + b"e.", "repeating"),
    "nested 10,000 deep": (b"\x80\x04" + b"]" * 10_000 + b"a" * 9_999 + b".", "deep"),
    "tuples nested 10,000 deep": (b"\x80\x04N" + b"\x85" * 10_000 + b".", "deep"),
    "marks 10,000 deep": (b"(" * 10_000 + b"l" * 10_000 + b".", "deep"),
    "a list in itself": (b"\x80\x04]q\x00h\x00a.", "deep"),
    "30,000 values to refer to": (b"\x80\x04" + b"N\x94" * 30_000 + b".", "keeps more values"),
    "20,000 lists": (b"\x80\x04(" + b"N\x85" * 20_000 + b"l.", "more lists"),
    "BINBYTES8 of 2**60": (b"\x80\x04\x8e" + _long(2**60) + b"a.", "cut off"),
    "BYTEARRAY8 of 2**63": (b"\x80\x05\x96" + _long(2**63) + b"a.", "cut off"),
    "BINUNICODE8 of 2**60": (b"\x80\x04\x8d" + _long(2**60) + b"a.", "cut off"),
    "BINSTRING below zero": (b"T\xff\xff\xff\xffa.", "cut off"),
    "frame of 2**62": (b"\x80\x04\x95" + _long(2**62) + b"N.", "cut off"),
    "LONG4 of 1 GB": (b"\x80\x02\x8b" + struct.pack("<I", 1 << 30) + b"a.", "number of"),
    "LONG4 below zero": (b"\x80\x02\x8b\xff\xff\xff\xffa.", "number of"),
    "a number of a million digits": (b"L" + b"9" * 1_000_000 + b"L\n.", "cut off"),
    "memo place of 2**31": (b"\x80\x02Nr\xff\xff\xff\x7f0.", "takes more values than it has"),
    "takes away more than there is": (b"\x80\x02N00.", "takes more values than it has"),
    "takes away what is below a mark": (b"\x80\x02N(0.", "takes more values than it has"),
    "cut off": (b"\x80\x04]\x94(G@", "cut off"),
    "ends early": (b"\x80\x04]\x94(K\x01", "ends in the middle"),
    "nothing": (b"", "ends in the middle"),
    "more after the end": (b"\x80\x04]\x94.cos\nsystem\n", "goes on after its end"),
    "two values": (b"\x80\x04NN.", "more than one value"),
    "takes from nothing": (b"\x80\x04\x86.", "more values than it has"),
    "takes from below a mark": (b"\x80\x04N(\x85.", "more values than it has"),
    "refers to nothing": (b"\x80\x04h\x07.", "refers to"),
    "dictionary": (b"\x80\x04}.", "dictionary"),
    "set": (b"\x80\x04\x8f.", "set"),
    "protocol 6": (b"\x80\x06N.", "protocol 6"),
    "no pickle": (b"hello, world", "refers to|cut off|opcode|number"),
    "text that is no UTF-8": (b"\x80\x04\x8c\x02\xff\xfe.", "decoded"),
}
