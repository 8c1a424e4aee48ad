"""SQLite files of a workspace: the connection, migrations, copies, and the lock of the workspace."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote

from filelock import FileLock, Timeout

from sartor.errors import WorkspaceBusy, WorkspaceTooNew, WorkspaceUnusable
from sartor.store.sqlite import own_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LOCK_FILE = "workspace.lock"
_HOLDER_FILE = "holder.json"

_BUSY_TIMEOUT_S = 5.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",  # KiB; with the 2 MiB that SQLite takes by itself, an ingest reads its own pages again
    "wal_autocheckpoint = 8192",  # pages; many writes change the same ones, which then go into the file once
)


class WorkspaceLock:
    """Holds a workspace until it is released or the process ends, even by a kill.

    Raises:
        WorkspaceBusy: Another process holds it.
        WorkspaceUnusable: The directory cannot be written.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = FileLock(home / _LOCK_FILE, thread_local=False)  # another thread may release it
        try:
            home.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._write_holder()
        except Timeout:
            raise WorkspaceBusy(home, holder=_holder(home / _HOLDER_FILE)) from None
        except OSError as error:
            raise WorkspaceUnusable(home, reason=error.strerror or str(error)) from error

    def release(self) -> None:
        """Let another process have the workspace."""
        (self._home / _HOLDER_FILE).unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _write_holder(self) -> None:
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        holder = {"pid": os.getpid(), "command": command, "since": since}
        (self._home / _HOLDER_FILE).write_text(json.dumps(holder), encoding="utf-8")


def _holder(file: Path) -> str:
    try:
        holder = json.loads(file.read_bytes())
        return f"{holder['command']!r} (process {holder['pid']}, since {holder['since']})"
    except (OSError, ValueError, KeyError):  # it is just starting, or just done
        return "another process"


def copy_store(source: Path, target: Path) -> None:
    """Write all that is committed to a new file; writes that come meanwhile do not wait and are not in it.

    It holds nothing that was erased before: a store overwrites what it deletes, and the write-ahead log is copied
    as the pages that it stands for.

    Source: SQLite's online backup, https://www.sqlite.org/backup.html.

    Raises:
        OSError: The source cannot be read, or the target not written.
    """
    address = f"file:{quote(str(source.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as opened, closing(sqlite3.connect(target)) as copy:
            opened.backup(copy)
            (result,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        message = f"{source.name}: {error}"
        raise OSError(message) from error
    if result != "ok":
        message = f"{source.name}: {result}"
        raise OSError(message)


class Migration(NamedTuple):
    """Leads to one version by an SQL script; ``fill`` then fills derived tables in the same transaction."""

    script: str
    fill: Callable[[sqlite3.Connection], None] | None = None


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring the tables to the newest version; data stays.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
    """
    (current,) = connection.execute("PRAGMA user_version").fetchone()
    if current > len(migrations):
        raise WorkspaceTooNew(path.parent, found=current, supported=len(migrations))
    for version, migration in enumerate(migrations[current:], start=current + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{migration.script}")
            if migration.fill is not None:
                migration.fill(connection)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


class Database:
    """One connection, used by one thread at a time.

    Args:
        path: The file; created if missing.
        migrations: They make its tables.
        secure_delete: Whether deleted content is overwritten with zeros.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is not a store or cannot be opened.
    """

    def __init__(self, path: Path, *, migrations: Sequence[Migration], secure_delete: bool = False) -> None:
        self._path = path
        self._lock = RLock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
            )
            if (lack := own_sqlite.lack(self._connection)) is not None:
                self._connection.close()
                raise WorkspaceUnusable(path.parent, reason=lack)
            for pragma in _PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute(f"PRAGMA secure_delete = {secure_delete:d}")
            migrate(self._connection, path, migrations)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def all(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for several statements; no other thread writes between them."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """The connection for several statements that see one state, even if another connection writes."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection for writing; commits at the end, or rolls back after an error."""
        with self.reading() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def state(self) -> tuple[int, int]:
        """A value that changes with every write, by this connection or another one."""
        with self.reading() as connection:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            return version, connection.total_changes

    def close(self) -> None:
        """Close the file and fold the write-ahead log into it."""
        with self._lock:
            self._connection.close()

    def _unusable(self, error: sqlite3.Error) -> WorkspaceUnusable:
        return WorkspaceUnusable(self._path.parent, reason=f"{self._path.name}: {error}")
