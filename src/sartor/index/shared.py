"""An embedded index that the processes of one host share: one process has it and answers the others on a socket.

A replica for each process is faster, since no vector travels. Where the replicas would not fit into memory beside
each other, one ``IndexServer`` has the index, and follows the store, and every other process asks it.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from copy import copy
from multiprocessing.connection import Connection
from queue import Empty, LifoQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from sartor.errors import IndexAway
from sartor.limits import SERVER_CALL_S, SERVER_CONNECT_S
from sartor.types import EVERYTHING, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from sartor.index.base import VectorIndex
    from sartor.types import FacetValue, Matrix, Neighbor, Vector, Where

logger = logging.getLogger(__name__)

_RETRY_S = 0.05
_BACKLOG = 64
_REVISION = "revision"  # asks for nothing else
_READS = frozenset({_REVISION, "search", "find", "entries", "passing", "some", "facets", "entry_keys", "__len__"})


class IndexServer:
    """Answers the processes of this host for the indexes of a workspace, a thread for each connection.

    What travels is pickled, so the socket's directory must be closed to other users.

    Args:
        address: File of the socket; a server that had it before gets no new connections.
        index_of: The index of a model, by the model's id; it follows the store by itself.

    Raises:
        PermissionError: Other users may enter the directory.
        OSError: The file cannot be made.
    """

    def __init__(self, address: Path, index_of: Callable[[str], VectorIndex]) -> None:
        if address.parent.stat().st_mode & 0o077:
            msg = f"{address.parent} is open to other users, who could run code here"
            raise PermissionError(msg)
        self._index_of = index_of
        self._listener = socket.socket(socket.AF_UNIX)
        draft = address.with_suffix(f".{os.getpid()}")
        self._listener.bind(str(draft))
        self._listener.listen(_BACKLOG)
        self._thread = Thread(target=self._accept, name="sartor-index-server", daemon=True)
        self._thread.start()
        draft.replace(address)

    def close(self) -> None:
        """Accept nobody any more; who is connected is answered until this process ends."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # at the end
            while True:
                connection = Connection(self._listener.accept()[0].detach())
                Thread(target=self._answer, args=(connection,), name="sartor-index-answer", daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        with connection, suppress(EOFError, OSError):
            while True:
                model, metric, method, args, options = connection.recv()
                try:
                    index = self._index_of(model).by(metric)
                    revision = index.revision  # before: what is found may be newer, never older
                    found = None if method == _REVISION else getattr(index, _read(method))(*args, **options)
                except Exception as error:
                    logger.exception("index: no answer: model=%s method=%s", model, method)
                    connection.send((None, f"{type(error).__name__}: {error}"))
                else:
                    connection.send((revision, found))


class SharedIndex:
    """The ``VectorIndex`` of a model that an ``IndexServer`` has.

    Args:
        address: File of the server's socket.
        model: Id of the model.
        metric: The metric of the scores.

    Raises:
        IndexAway: The server does not answer.
    """

    writer = None

    def __init__(self, address: Path, *, model: str, metric: Metric = Metric.COSINE) -> None:
        self.metric, self._server = metric, _Connected(address, model)
        self.refresh()

    @property
    def revision(self) -> int:
        return self._server.revision

    def by(self, metric: Metric) -> Self:
        other = copy(self)
        other.metric = metric
        return other

    def refresh(self) -> None:
        self._ask(_REVISION)

    def search(
        self,
        vector: Vector,
        *,
        k: int,
        where: Where = EVERYTHING,
        without: Collection[str] = (),
        exact: bool = False,
    ) -> list[Neighbor]:
        found: list[Neighbor] = self._ask("search", vector, k=k, where=where, without=tuple(without), exact=exact)
        return found

    def find(
        self, vectors: Matrix, *, k: int, where: Where = EVERYTHING, without: Collection[str] = ()
    ) -> list[str]:
        found: list[str] = self._ask("find", vectors, k=k, where=where, without=tuple(without))
        return found

    def entries(self, product_ids: Collection[str]) -> list[Neighbor]:
        found: list[Neighbor] = self._ask("entries", tuple(product_ids))
        return found

    def passing(self, where: Where, *, of: Collection[str]) -> set[str]:
        found: set[str] = self._ask("passing", where, of=tuple(of))
        return found

    def some(self, *, where: Where = EVERYTHING, limit: int) -> list[str]:
        found: list[str] = self._ask("some", where=where, limit=limit)
        return found

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, limit: int
    ) -> dict[str, list[FacetValue]]:
        found: dict[str, list[FacetValue]] = self._ask("facets", tuple(attributes), where=where, limit=limit)
        return found

    def entry_keys(self) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = self._ask("entry_keys")
        return found

    def __len__(self) -> int:
        return int(self._ask("__len__"))

    def close(self) -> None:
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, method: str, *args: object, **options: object) -> Any:
        return self._server.ask(self.metric, method, args, options)


class _Connected:
    """Connections to the server, of which each serves one thread at a time."""

    def __init__(self, address: Path, model: str) -> None:
        self._address, self._model = address, model
        self._idle: LifoQueue[Connection] = LifoQueue()
        self.revision = 0

    def ask(self, metric: Metric, method: str, args: tuple[object, ...], options: dict[str, object]) -> object:
        """What a method of the index returns.

        Raises:
            IndexAway: The server is not there, does not answer in time, or failed.
        """
        question = self._model, metric, method, args, options
        deadline_s = time.monotonic() + SERVER_CONNECT_S
        while True:
            try:
                connection = self._connection()
                connection.send(question)
                if not connection.poll(SERVER_CALL_S):
                    connection.close()  # its answer would be taken for that of the next question
                    raise self._away(f"no answer in {SERVER_CALL_S:.0f} s")
                revision, found = connection.recv()
            except (OSError, EOFError) as error:  # a new server answers as well: every question only reads
                if time.monotonic() > deadline_s:
                    raise self._away(getattr(error, "strerror", None) or "it ended") from error
                time.sleep(_RETRY_S)
                continue
            self._idle.put(connection)
            if revision is None:
                raise self._away(found)
            self.revision = revision
            return found

    def close(self) -> None:
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def _connection(self) -> Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            with socket.socket(socket.AF_UNIX) as connected:
                connected.connect(str(self._address))
                return Connection(connected.detach())

    def _away(self, reason: str) -> IndexAway:
        return IndexAway("the process that has the index", reason=reason)


def _read(method: str) -> str:
    if method not in _READS:
        raise AttributeError(method)
    return method
