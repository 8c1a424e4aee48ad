"""The socket that the workers of a service accept from, each its share of the connections."""

from __future__ import annotations

import mmap
import os
import socket
import struct
import time
from multiprocessing import reduction
from typing import TYPE_CHECKING, Any

from sartor.limits import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_COUNT = struct.Struct("<I")
_WAIT_S = 0.05  # that a worker leaves a connection to one with fewer
_PAUSE_S = 0.0005  # until it looks again
_COARSE_NS = 1_000_000_000  # file systems tell changes apart that are further from each other
_PATIENCE_S = 0.2  # for which it takes all that come, after nobody took one that it left


class Listener(socket.socket):
    """A listening TCP socket. In a worker, it accepts a connection only when no other worker has fewer.

    Without that, the kernel decides who wakes up first, and all clients of a quiet service meet the same worker.
    asyncio (3.11 to 3.14) calls ``accept`` until it raises ``BlockingIOError``, at most ``backlog`` times whenever
    it wakes up. With the backlog of 1 that the workers give it, the others have a look in between.
    """

    open_connections: OpenConnections | None = None

    def listen(self, _backlog: int = BACKLOG) -> None:
        """Let ``BACKLOG`` connections wait; asyncio would set its own number."""
        super().listen(BACKLOG)

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection.

        Raises:
            BlockingIOError: There is none, or it is another worker's.
        """
        counted = self.open_connections
        if counted is None:
            return super().accept()
        if counted.is_ahead():
            time.sleep(_PAUSE_S)  # asyncio asks again at once, as long as nobody has taken it
            raise BlockingIOError
        accepted, address = super().accept()
        connection = _Connection(self.family, self.type, self.proto, fileno=accepted.detach())
        connection.on_close = counted.remove
        counted.add()
        return connection, address

    def close(self) -> None:
        """Stop to listen, and no longer count among those that accept."""
        counted, self.open_connections = self.open_connections, None
        if counted is not None:
            counted.withdraw()
        super().close()

    def __reduce__(self) -> tuple[Any, ...]:
        """How it goes to a worker: with the same address, as ``multiprocessing`` sends a plain socket."""
        return _received, (reduction.DupFd(self.fileno()), self.family, self.type, self.proto)


class _Connection(socket.socket):
    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()
        super().close()


class OpenConnections:
    """Counts the open connections of this worker, where the others see it.

    Args:
        directory: Where each worker has a file; those that are there are the ones that accept.
        name: What the names of the files begin with; the process id follows.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self._name = directory, name
        self._own, self._count = directory / f"{name}{os.getpid()}", 0
        self._others: tuple[mmap.mmap, ...] = ()
        self._table: mmap.mmap | None = None
        self._seen_ns = 0
        self._left_at_s, self._takes_all_until_s = 0.0, 0.0

    def publish(self) -> None:
        """Let the others know this worker."""
        draft = self._directory / f"draft-{os.getpid()}"
        draft.write_bytes(_COUNT.pack(self._count))
        self._table = _mapped(draft)
        draft.replace(self._own)

    def withdraw(self) -> None:
        """Let the others no longer count this worker."""
        self._table = None
        self._own.unlink(missing_ok=True)

    def add(self) -> None:
        """Count a connection that was accepted."""
        self._change(1)

    def remove(self) -> None:
        """Count a connection that was closed."""
        self._change(-1)

    def is_ahead(self) -> bool:
        """Whether to leave the next connection to a worker that has fewer; that one has 50 ms to take it."""
        if self._table is None or self._count <= min(self._counts_of_others(), default=self._count):
            self._left_at_s = 0.0
            return False
        now_s = time.monotonic()
        if now_s < self._takes_all_until_s:
            return False
        self._left_at_s = self._left_at_s or now_s
        if now_s - self._left_at_s < _WAIT_S:
            return True
        self._left_at_s, self._takes_all_until_s = 0.0, now_s + _PATIENCE_S
        return False

    def _change(self, by: int) -> None:
        self._count += by
        self._left_at_s = 0.0
        if self._table is not None:
            _COUNT.pack_into(self._table, 0, self._count)

    def _counts_of_others(self) -> list[int]:
        changed_ns = self._directory.stat().st_mtime_ns
        if changed_ns != self._seen_ns or time.time_ns() - changed_ns < _COARSE_NS:
            self._seen_ns = changed_ns
            files = [file for file in self._directory.glob(f"{self._name}*") if file != self._own]
            self._others = tuple(table for table in map(_mapped, files) if table is not None)
        return [_COUNT.unpack_from(table)[0] for table in self._others]


def _mapped(file: Path) -> mmap.mmap | None:
    try:
        with file.open("r+b") as opened:
            return mmap.mmap(opened.fileno(), _COUNT.size)
    except (FileNotFoundError, ValueError):  # its worker is gone
        return None


def _received(duplicate: Any, family: int, kind: int, protocol: int) -> Listener:
    return Listener(family, kind, protocol, fileno=duplicate.detach())
