"""The sessions of this host's processes, so that the transaction of a process that was killed can be ended.

MongoDB keeps a transaction whose client is gone, with its locks, for a minute. So each process notes its sessions
in a file. The operating system releases the file's lock when the process ends, and another process of the host
that opens the store, or waits for its turn, ends them.

Source: https://www.mongodb.com/docs/manual/reference/parameters/, ``transactionLifetimeLimitSeconds``.
"""

from __future__ import annotations

import secrets
from threading import Lock
from typing import TYPE_CHECKING, Any

from bson import decode_all, encode
from bson.errors import InvalidBSON
from filelock import FileLock, Timeout

from sartor.errors import WorkspaceUnusable
from sartor.replicas import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_NOTES, _LOCK = ".sessions", ".lock"


class Sessions:
    """The sessions of this process, and of those that ended without ending theirs.

    Args:
        directory: For all processes of this host; it is made if it is missing.

    Raises:
        WorkspaceUnusable: The directory cannot be written, or its file system has no locks.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / f"{secrets.token_hex(8)}{_NOTES}"
        self._known: set[bytes] = set()
        self._writing = Lock()
        self._lock = _lock(self._file)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except (OSError, NotImplementedError) as error:
            raise WorkspaceUnusable(directory, reason=reason_of(error)) from error

    def note(self, session_id: Mapping[str, Any]) -> None:
        """Note a session, before its first transaction."""
        noted = encode(session_id)
        with self._writing:
            if noted not in self._known:
                with self._file.open("ab") as file:
                    file.write(noted)
                self._known.add(noted)

    def end_lost(self, end: Callable[[Sequence[Mapping[str, Any]]], None]) -> None:
        """Call ``end`` with the sessions of each process that is gone."""
        for file in self._directory.glob(f"*{_NOTES}"):
            if file == self._file:
                continue
            lock = _lock(file)
            try:
                with lock:
                    end(_noted(file))
                    file.unlink(missing_ok=True)
                    file.with_suffix(_LOCK).unlink(missing_ok=True)
            except Timeout:
                continue  # its process lives

    def close(self) -> None:
        """Forget the sessions of this process."""
        self._file.unlink(missing_ok=True)
        self._file.with_suffix(_LOCK).unlink(missing_ok=True)
        self._lock.release()


def _noted(file: Path) -> list[Mapping[str, Any]]:
    try:
        return list(decode_all(file.read_bytes()))
    except (FileNotFoundError, InvalidBSON):  # another process was faster, or the last note is torn
        return []


def _lock(file: Path) -> FileLock:
    return FileLock(file.with_suffix(_LOCK), timeout=0, thread_local=False, fallback_to_soft=False)
