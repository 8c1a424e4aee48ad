"""One process has an index and answers others: the answers are the same, and every failure is told in time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sartor.errors import IndexAway
from sartor.index.edge import EdgeIndex
from sartor.index.shared import IndexServer, SharedIndex
from sartor.types import AnyOf, IndexEntry, Metric, Where

DIMENSION = 8
RED = Where((AnyOf(attribute="color", values=("red",)),))


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[EdgeIndex]:
    random = np.random.default_rng(1)
    with EdgeIndex(tmp_path / "index", model="m", dimension=DIMENSION) as index:
        vectors = random.normal(size=(50, DIMENSION)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        entries = [
            IndexEntry(
                product_id=f"p{row:02}",
                sha256=f"{row:064x}",
                vector=vector,
                attributes={"color": "red" if row % 3 else "blue"},
                is_main=True,
            )
            for row, vector in enumerate(vectors)
        ]
        index.replace([one.product_id for one in entries], entries, revision=50)
        index.advance(50, changed=50)
        yield index


@pytest.fixture
def address(tmp_path: Path) -> Path:
    directory = tmp_path / "s"
    directory.mkdir(mode=0o700)
    return directory / "index.sock"


@pytest.fixture
def shared(edge: EdgeIndex, address: Path) -> Iterator[SharedIndex]:
    server = IndexServer(address, lambda model: {"m": edge}[model])
    with SharedIndex(address, model="m") as index:
        yield index
    server.close()


def axis(number: int) -> np.ndarray:
    return np.eye(DIMENSION, dtype=np.float32)[number]


@pytest.mark.parametrize("metric", list(Metric))
def test_every_question_has_the_answer_of_the_index_itself(
    edge: EdgeIndex, shared: SharedIndex, metric: Metric
) -> None:
    own, other = edge.by(metric), shared.by(metric)
    for number in range(DIMENSION):
        for options in ({}, {"where": RED}, {"without": {"p01", "p02"}}, {"exact": True}):
            expected = own.search(axis(number), k=5, **options)
            found = other.search(axis(number), k=5, **options)
            assert [(one.product_id, one.sha256, one.score) for one in found] == [
                (one.product_id, one.sha256, one.score) for one in expected
            ]
            assert all(np.array_equal(a.vector, b.vector) for a, b in zip(found, expected, strict=True))
    queries = np.stack([axis(0), axis(3)])
    assert other.find(queries, k=4, where=RED, without=["p04"]) == own.find(
        queries, k=4, where=RED, without=["p04"]
    )
    assert [one.product_id for one in other.entries(["p03", "nobody"])] == ["p03"]
    assert other.passing(RED, of=["p00", "p01"]) == {"p01"}
    assert other.some(where=RED, limit=3) == own.some(where=RED, limit=3)
    assert other.facets(["color", "size"], limit=5) == own.facets(["color", "size"], limit=5)
    assert other.entry_keys() == own.entry_keys()
    assert len(other) == len(own) == 50
    assert other.revision == 50
    assert other.writer is None


def test_what_the_server_has_taken_in_is_noticed_by_a_refresh_or_any_question(
    edge: EdgeIndex, shared: SharedIndex
) -> None:
    edge.replace(["p00"], [], revision=51)
    edge.advance(51, changed=1)
    assert shared.revision == 50
    shared.refresh()
    assert shared.revision == 51
    edge.advance(52, changed=0)
    assert len(shared) == 49
    assert shared.revision == 52


def test_many_threads_ask_at_once(shared: SharedIndex) -> None:
    found: list[tuple[int, str]] = []

    def ask(number: int) -> None:
        found.extend((number, shared.search(axis(number), k=1)[0].product_id) for _ in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(DIMENSION)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 160
    assert len(set(found)) == DIMENSION  # each thread got the answers to its own questions


def test_another_server_at_the_same_address_takes_over(edge: EdgeIndex, address: Path) -> None:
    first = IndexServer(address, lambda _: edge)
    index = SharedIndex(address, model="m")
    second = IndexServer(address, lambda _: edge)
    first.close()
    index.close()  # its connection; the next question opens another one
    assert index.search(axis(0), k=1)
    second.close()


def test_no_server_is_one_line(address: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.index.shared.SERVER_CONNECT_S", 0.1)
    with pytest.raises(IndexAway, match=r"does not answer \(No such file or directory\)"):
        SharedIndex(address, model="m")


def test_a_server_that_hangs_is_given_up(
    edge: EdgeIndex, shared: SharedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()
    monkeypatch.setattr("sartor.index.shared.SERVER_CALL_S", 0.1)
    monkeypatch.setattr(EdgeIndex, "some", lambda *_, **__: going_on.wait(20))
    with pytest.raises(IndexAway, match=r"no answer in"):
        shared.some(limit=3)
    going_on.set()
    assert len(shared) == 50  # on another connection


def test_a_failure_of_the_index_is_told_and_the_next_question_answered(shared: SharedIndex) -> None:
    with pytest.raises(IndexAway, match="KeyError"):
        SharedIndex(shared._server._address, model="nobody's")
    with pytest.raises(IndexAway, match="AttributeError"):
        shared._ask("clear")  # the server reads only
    assert len(shared) == 50


def test_a_directory_that_others_may_enter_is_refused(edge: EdgeIndex, address: Path) -> None:
    address.parent.chmod(0o755)
    with pytest.raises(PermissionError, match="open to other users"):
        IndexServer(address, lambda _: edge)
