"""What every store shares: the connection to a SQLite file of the workspace, its lock, and how errors are told."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

from sartor.errors import WorkspaceUnusable
from sartor.store import own_sqlite
from sartor.store.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sartor.store.migrations import Migration

_BUSY_TIMEOUT_S = 5.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",  # KiB; with the 2 MiB that SQLite takes by itself, an ingest reads its own pages again
    "wal_autocheckpoint = 8192",  # pages; many writes change the same ones, which then go into the file once
)


class Database:
    """One connection, used by one thread at a time.

    Args:
        path: The file; made when missing.
        migrations: What its tables are made by.
        secure_delete: Whether what is deleted is overwritten with zeros.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is no store, or cannot be opened.
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
        """Every row that a statement gives."""
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for several statements, between which nothing is written."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """The connection for several statements that see one state, whatever another connection writes."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection for writing; committed at the end, or nothing of it is."""
        with self.reading() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def state(self) -> tuple[int, int]:
        """Something that is another after every write, of this connection or of another one."""
        with self.reading() as connection:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            return version, connection.total_changes

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        with self._lock:
            self._connection.close()

    def _unusable(self, error: sqlite3.Error) -> WorkspaceUnusable:
        return WorkspaceUnusable(self._path.parent, reason=f"{self._path.name}: {error}")
