from __future__ import annotations

import pickle
import re
import resource
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sartor.catalog.vectors.unpickle import loads, read_pickle
from sartor.catalog.vectors.unpickled import Refusal
from sartor.errors import UnreadableVectors, UnsafePickle
from tests.catalog.hostile_pickles import HOSTILE

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
FLAT_BYTES = 8 << 20


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_in_seconds_with_memory_flat(name: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[name]
    file = tmp_path / "embeddings.pkl"
    file.write_bytes(content)
    started_s = time.thread_time()
    with pytest.raises(UnsafePickle) as refused:
        read_pickle(file)
    took_s = time.thread_time() - started_s
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    with pytest.raises(Refusal):
        loads(content)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert re.search(reason, str(refused.value))
    assert "\n" not in str(refused.value)
    assert took_s < 5  # what they are made for takes minutes, or for ever
    assert most < FLAT_BYTES + 24 * len(content)
    assert grown_kib < 64 << 10


def test_a_refused_pickle_imports_nothing() -> None:
    sys.modules.pop("antigravity", None)
    with pytest.raises(Refusal, match=re.escape("asks for antigravity.fly")):
        loads(b"\x80\x04cantigravity\nfly\n.")
    assert "antigravity" not in sys.modules


def _same(read: Any, written: Any) -> bool:
    if isinstance(written, list | tuple):
        return (
            type(read) is type(written)
            and len(read) == len(written)
            and all(_same(one, other) for one, other in zip(read, written, strict=True))
        )
    if isinstance(written, np.ndarray):
        return read.dtype == written.dtype and np.array_equal(read, written, equal_nan=written.dtype.kind == "f")
    return bool(type(read) is type(written) and (read == written or np.isnan(read)))


def _as_numpy_1(content: bytes) -> bytes:
    """The same pickle, with the names of modules that NumPy 1 wrote."""
    for name in (b"numpy._core.multiarray", b"numpy._core.numeric"):
        old = name.replace(b"_core", b"core")
        content = content.replace(b"\x8c" + bytes([len(name)]) + name, b"\x8c" + bytes([len(old)]) + old)
        content = content.replace(b"c" + name, b"c" + old)
    return re.sub(rb"\x95.{8}", b"", content, count=1, flags=re.DOTALL) if content[2:3] == b"\x95" else content


numbers = arrays.arrays(
    st.sampled_from(["<f2", "<f4", "<f8", ">f4", ">f8", "i8", "u1", "?"]),
    arrays.array_shapes(min_dims=1, max_dims=3, max_side=5),
)
words = st.text(st.characters(codec="utf-8"), max_size=30)
plain = st.one_of(
    words, st.binary(max_size=30), st.floats(), st.integers(-(2**100), 2**100), st.none(), st.booleans()
)
values = st.one_of(
    numbers,
    st.lists(numbers, max_size=6),
    st.lists(st.lists(st.floats(), min_size=1, max_size=12), max_size=6),
    st.lists(st.tuples(words, plain), max_size=6),
    st.lists(plain, max_size=12),
    numbers.map(lambda array: list(array.ravel())),
    numbers.map(np.asfortranarray),
    numbers.map(lambda array: array.transpose()),
)


@settings(max_examples=60, deadline=None)
@given(values, st.sampled_from(PROTOCOLS), st.booleans())
def test_what_the_pickler_writes_of_numbers_and_names_is_read_back(written: Any, protocol: int, old: bool) -> None:
    content = pickle.dumps(written, protocol)
    assert _same(loads(content), written)
    if old:
        assert _same(loads(_as_numpy_1(content)), written)
    assert _same(loads(pickle._dumps(written, protocol)), written)  # the pickler in Python, which differs a little


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_embeddings_as_three_other_projects_write_them_are_read(kind: str, protocol: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(7, 64)).astype(kind)
    for written in (matrix, list(matrix), matrix.tolist(), [list(row) for row in matrix]):
        content = _as_numpy_1(pickle.dumps(written, protocol))
        assert np.array_equal(np.array(loads(content)), matrix)


def test_a_pickle_of_python_2_is_read() -> None:
    assert loads(b"(lp1\nS'images/a.jpg'\np2\naS'b\\x2ejpg'\np3\na.") == [b"images/a.jpg", b"b.jpg"]
    assert loads(b"\x80\x02]q\x01(U\x05a.jpgq\x02U\x05b.jpgq\x03e.") == [b"a.jpg", b"b.jpg"]


def test_an_array_is_a_view_into_the_file(tmp_path: Path) -> None:
    file = tmp_path / "embeddings.pkl"
    file.write_bytes(pickle.dumps(np.ones((1000, 1000)), 4))
    tracemalloc.start()
    read = read_pickle(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(read, np.ndarray)
    assert read.sum() == 1_000_000
    assert most < 1 << 20


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVectors, match="cannot be imported: it cannot be read"):
        read_pickle(tmp_path / "none.pkl")
