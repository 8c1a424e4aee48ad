"""Replicas of what is derived from a store: one directory for each process, begun from another one's copy.

An embedded index must not be shared: two processes that write one Qdrant Edge directory lose points without a
word, and Edge does not lock it. So each process claims a directory of its own, with a lock that the operating
system releases when the process ends, even by a kill. Replicas that nobody uses are taken again, the newest first.
Where all are in use, the newcomer asks for a copy, and a process that has one makes it between two writes.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sartor import own_sqlite
from sartor.errors import WorkspaceUnusable
from sartor.limits import REPLICA_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filelock import BaseFileLock

logger = logging.getLogger(__name__)

_CHOOSING = "replicas.lock"  # held while a replica is chosen or handed over
_PART, _WANTED = ".part", ".wanted"
_CHOOSING_S = 60.0  # a copy of many gigabytes takes a while
_POLL_S = 0.02
_MAX_UNUSED = 4  # kept for the next processes
_STALE = 4096  # a replica that lags by more revisions is only taken where nobody has a newer one
_CHUNK = 64 << 20


class Replica:
    """A directory that belongs to this process until ``release``.

    Attributes:
        path: The directory; it may not exist yet.
    """

    def __init__(self, replicas: Replicas, path: Path, lock: BaseFileLock) -> None:
        self.path = path
        self._replicas, self._lock = replicas, lock

    @property
    def is_wanted(self) -> bool:
        """Whether a process waits for a copy."""
        return self._replicas.is_wanted

    def share(self) -> int:
        """Copy the directory for the processes that wait for one; returns for how many.

        Everything must be on disk, and nobody may write to the directory meanwhile.
        """
        return self._replicas.hand_over(self.path)

    def release(self) -> None:
        """Let another process have the directory."""
        self._lock.release()


class Replicas:
    """The replicas in one directory: ``1/``, ``2/`` and so on, each with a lock file beside it.

    Args:
        directory: Where they are.
        revision_of: The store's revision that a replica has followed to; None for one that cannot be used.
        wait_s: How long a newcomer waits for a copy before it begins an empty replica.
    """

    def __init__(
        self, directory: Path, *, revision_of: Callable[[Path], int | None], wait_s: float = REPLICA_WAIT_S
    ) -> None:
        self._directory, self._revision_of, self._wait_s = directory, revision_of, wait_s

    def claim(self, *, revision: int) -> Replica:
        """A replica for this process: an unused one, a copy of one in use, or an empty one.

        Args:
            revision: The store's revision now.

        Raises:
            WorkspaceUnusable: The directory cannot be written, or its file system has no locks.
        """
        deadline_s = time.monotonic() + self._wait_s
        wanted: Path | None = None
        while True:
            with self._choosing():
                chosen = self._choose(revision, may_wait=time.monotonic() < deadline_s)
                if wanted is None and chosen is None:
                    wanted = self._directory / f"{self._next()}{_WANTED}"
                    wanted.touch()
                elif wanted is not None and chosen is not None:
                    wanted.unlink(missing_ok=True)
            if chosen is not None:
                return chosen
            time.sleep(_POLL_S)

    @property
    def is_wanted(self) -> bool:
        """Whether a process waits for a copy."""
        return any(each.suffix == _WANTED for each in self._directory.iterdir())

    def hand_over(self, path: Path) -> int:
        """Copy a replica for each process that waits; returns for how many."""
        started_s, copied = time.perf_counter(), 0
        with self._choosing():
            for wanted in sorted(self._directory.glob(f"*{_WANTED}")):
                part = wanted.with_suffix(_PART)
                shutil.rmtree(part, ignore_errors=True)
                shutil.copytree(path, part, copy_function=copy_file)
                part.replace(wanted.with_suffix(""))
                wanted.unlink()
                copied += 1
        seconds = time.perf_counter() - started_s
        logger.info("replica copied: from=%s copies=%d seconds=%.2f", path, copied, seconds)
        return copied

    def _choose(self, revision: int, *, may_wait: bool) -> Replica | None:
        """A replica to use now; None if it is better to wait for a copy."""
        unused, others = self._look()
        may_wait = may_wait and others > 0
        chosen: tuple[Path, BaseFileLock] | None = None
        for rank, (known, path, lock) in enumerate(unused):
            if chosen is None and (not may_wait or known >= max(0, revision - _STALE)):
                chosen = path, lock
            elif known < 0 or rank > _MAX_UNUSED:
                shutil.rmtree(path, ignore_errors=True)
                lock.release()
                _lock_file(path).unlink(missing_ok=True)  # nobody else opens it: one process chooses at a time
            else:
                lock.release()
        if chosen is None and not may_wait:
            path = self._directory / str(self._next())
            own = _try_lock(path)
            chosen = None if own is None else (path, own)
        return None if chosen is None else Replica(self, *chosen)

    def _look(self) -> tuple[list[tuple[int, Path, BaseFileLock]], int]:
        """The unused replicas, the newest first (-1 for the useless), and how many others are in use."""
        for part in self._directory.glob(f"*{_PART}"):  # of a process that was killed while it copied
            shutil.rmtree(part, ignore_errors=True)
        unused, others = [], 0
        for name in {each.stem for each in self._directory.iterdir() if each.stem.isdigit()}:
            path = self._directory / name
            if path.with_suffix(_WANTED).exists():
                continue
            lock = _try_lock(path)
            if lock is None:
                others += 1
                continue
            known = self._revision_of(path)
            unused.append((-1 if known is None else known, path, lock))
        return sorted(unused, key=lambda one: one[0], reverse=True), others

    def _next(self) -> int:
        taken = {int(each.stem) for each in self._directory.iterdir() if each.stem.isdigit()}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    @contextmanager
    def _choosing(self) -> Iterator[None]:
        """Let no other process choose or copy meanwhile."""
        with locked(self._directory / _CHOOSING, wait_s=_CHOOSING_S):
            yield


def largest_bytes(directory: Path) -> int:
    """Bytes on disk of the largest of the replicas ``MODEL/NUMBER`` in a directory; 0 without any."""
    sizes = [
        sum(file.stat().st_blocks * 512 for file in replica.rglob("*") if file.is_file())  # they have holes
        for replica in directory.glob("*/[0-9]*")
        if replica.is_dir()
    ]
    return max(sizes, default=0)


@contextmanager
def locked(file: Path, *, wait_s: float) -> Iterator[None]:
    """Hold a lock file; its directory is made if it is missing.

    Raises:
        WorkspaceUnusable: It cannot be made, its file system has no locks, or another process does not let go.
    """
    lock = _file_lock(file, wait_s)
    from filelock import Timeout

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise WorkspaceUnusable(
            file.parent, reason=f"another process holds {file.name} and does not let go"
        ) from error
    except (OSError, NotImplementedError) as error:
        raise WorkspaceUnusable(file.parent, reason=reason_of(error)) from error
    try:
        yield
    finally:
        lock.release()


def reason_of(error: OSError | NotImplementedError) -> str:
    """Why a directory cannot be used; a file system without locks, such as some NFS, is named."""
    if isinstance(error, NotImplementedError) or error.errno in {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}:
        return "its file system has no locks (NFS?); put the workspace on a local disk"
    return error.strerror or str(error)


def copy_file(source: str, target: str) -> str:
    """Copy a file to disk with its holes: an index takes much less than the length of its files."""
    with Path(source).open("rb") as read, Path(target).open("wb") as written:
        size = os.fstat(read.fileno()).st_size
        written.truncate(size)
        for start, end in _filled(read.fileno(), size):
            read.seek(start)
            written.seek(start)
            while (left := end - read.tell()) > 0:
                written.write(read.read(min(left, _CHUNK)))
        written.flush()
        os.fsync(written.fileno())
    return target


def _filled(file: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that are not holes."""
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only a hole is left
                return
            raise
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end


def _file_lock(file: Path, wait_s: float) -> BaseFileLock:
    # Another thread may release it. Without flock, filelock 4.2 falls back to files that stay behind after a kill.
    own_sqlite.load()  # filelock 4.2 imports sqlite3
    from filelock import FileLock

    return FileLock(file, timeout=wait_s, thread_local=False, fallback_to_soft=False)


def _lock_file(path: Path) -> Path:
    return path.with_suffix(".lock")


def _try_lock(path: Path) -> BaseFileLock | None:
    lock = _file_lock(_lock_file(path), 0)
    from filelock import Timeout

    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
