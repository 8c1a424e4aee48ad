"""SQLite files of a workspace, which many processes write: the connection, migrations, and copies."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote

from sartor import own_sqlite
from sartor.errors import WorkspaceBusy, WorkspaceReadOnly, WorkspaceTooNew, WorkspaceUnusable
from sartor.footprint import is_writable
from sartor.limits import STORE_WAIT_S
from sartor.replicas import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
    from pathlib import Path

K = TypeVar("K")
T = TypeVar("T")

_SHARED_LOG_BYTES = 64 << 10  # a file that SQLite makes beside a database in WAL mode has at least half of it
_PRAGMAS = (
    "journal_mode = WAL",
    "foreign_keys = ON",
    "cache_size = -65536",  # KiB; with the 2 MiB that SQLite takes by itself, an ingest reads its own pages again
    "wal_autocheckpoint = 8192",  # pages; many writes change the same ones, which then go into the file once
)


def copy_store(source: Path, target: Path) -> None:
    """Write all that is committed to a new file; writes that come meanwhile do not wait and are not in it.

    It holds nothing that was erased before: a store overwrites what it deletes, and the write-ahead log is copied
    as the pages that it stands for.

    Source: SQLite's online backup, https://www.sqlite.org/backup.html.

    Raises:
        OSError: The source cannot be read, or the target not written.
    """
    try:
        with closing(_open_to_read(source)) as opened, closing(sqlite3.connect(target)) as copy:
            opened.backup(copy)
            (result,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        message = f"{source.name}: {error}"
        raise OSError(message) from error
    if result != "ok":
        message = f"{source.name}: {result}"
        raise OSError(message)


def is_read_only(file: Path) -> bool:
    """Whether a store's file can only be read: where its directory cannot be written, or the file itself."""
    if file.parent.exists() and not file.parent.is_dir():
        return False  # it is no workspace at all, which opening it says
    return not is_writable(file.parent) or (file.exists() and not os.access(file, os.W_OK))


def _open_to_read(file: Path) -> sqlite3.Connection:
    """A connection that writes nothing.

    A log beside the file is read with it, also that of a process that writes it through another mount. Without
    one, all is in the file. There SQLite has to be told that nobody changes it (``immutable``), because for its
    locks it would make files beside it.

    Source: https://www.sqlite.org/wal.html#readonly
    """
    address = f"file:{quote(os.fsencode(file.resolve()))}?mode=ro"
    if is_read_only(file) and not _has_log(file):
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=STORE_WAIT_S, check_same_thread=False, isolation_level=None)


def _has_log(file: Path) -> bool:
    try:
        return file.with_name(f"{file.name}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


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


def _is_full(directory: Path) -> bool:
    """Whether not even the file by which processes share SQLite's log would fit."""
    try:
        return shutil.disk_usage(directory).free < _SHARED_LOG_BYTES
    except OSError:
        return False


class _Seen(NamedTuple):
    """A file as it was when it was opened to be read."""

    number: int
    size_bytes: int
    written_ns: int
    has_log: bool


def _seen(file: Path) -> _Seen:
    status = file.stat()
    return _Seen(status.st_ino, status.st_size, status.st_mtime_ns, _has_log(file))


class Database:
    """One connection, used by one thread at a time.

    Args:
        path: The file; created if missing.
        migrations: They make its tables.
        secure_delete: Whether deleted content is overwritten with zeros.
        durable: Whether a transaction is on disk when it is committed. One that is not may be undone by a power
            failure, but the file stays whole.
        shrinks: Whether a new file can give pages back to the disk (``PRAGMA incremental_vacuum``).

    Attributes:
        is_read_only: Whether the file can only be read.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is not a store or cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        migrations: Sequence[Migration],
        secure_delete: bool = False,
        durable: bool = True,
        shrinks: bool = False,
    ) -> None:
        self._path, self._migrations = path, migrations
        self._lock = RLock()
        self._asked_at: tuple[int, int] | None = None
        self._seen: _Seen | None = None  # of a file that is only read
        self._openings = 0
        self.is_read_only = is_read_only(path)
        if self.is_read_only:
            self._connection = self._open_read_only()
            return
        with locked(path.with_name(f"{path.name}.lock"), wait_s=STORE_WAIT_S):  # two may open a new file
            try:
                self._connection = self._open(path, migrations, secure_delete=secure_delete, shrinks=shrinks)
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @staticmethod
    def _open(
        path: Path, migrations: Sequence[Migration], *, secure_delete: bool, shrinks: bool
    ) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=STORE_WAIT_S, check_same_thread=False, isolation_level=None)
        if (lack := own_sqlite.lack(connection)) is not None:
            connection.close()
            raise WorkspaceUnusable(path.parent, reason=lack)
        try:
            if shrinks:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts before the first table only
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(f"PRAGMA secure_delete = {secure_delete:d}")
            migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_read_only(self) -> sqlite3.Connection:
        """Open the file as it is; one that is missing is an empty one in memory.

        Raises:
            WorkspaceTooNew: A newer Sartor wrote the file.
            WorkspaceUnusable: It cannot be read without writing.
        """
        if not self._path.exists():
            connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            migrate(connection, self._path, self._migrations)
            connection.execute("PRAGMA query_only = 1")
            return connection
        self._seen = _seen(self._path)
        supported = len(self._migrations)
        connection = _open_to_read(self._path)
        try:
            lack = own_sqlite.lack(connection)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("PRAGMA query_only = 1")
        except sqlite3.Error as error:
            connection.close()
            reason = (
                f"it is read-only, and {self._path.name} cannot be read ({error}); if a process was killed while "
                "it wrote, open it once where it can be written"
            )
            raise WorkspaceUnusable(self._path.parent, reason=reason) from error
        if lack is None and version < supported:
            lack = (
                f"it is read-only and of an older Sartor ({self._path.name}); open it once where it can be written"
            )
        if lack is None and version == supported:
            return connection
        connection.close()
        if lack is not None:
            raise WorkspaceUnusable(self._path.parent, reason=lack)
        raise WorkspaceTooNew(self._path.parent, found=version, supported=supported)

    def _look_again(self) -> None:
        """Open a file that is only read anew, where somebody has written it through another mount."""
        if self._seen is None or self._connection.in_transaction or _seen(self._path) == self._seen:
            return
        self._connection.close()
        self._openings += 1
        self._connection = self._open_read_only()

    def all(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for several statements; no other thread writes between them."""
        with self._lock:
            try:
                self._look_again()
                yield self._connection
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """The connection for several statements that see one state, even if another process writes."""
        with self.reading() as connection:
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection for writing; commits at the end, or rolls back after an error.

        Raises:
            WorkspaceReadOnly: The file can only be read.
        """
        if self.is_read_only:
            raise WorkspaceReadOnly(self._path.parent)
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
            return version + (self._openings << 32), connection.total_changes

    def has_changed(self) -> bool:
        """Whether a write has been committed since the last call, by any process; true at the first call."""
        before, self._asked_at = self._asked_at, self.state()
        return before != self._asked_at

    def close(self) -> None:
        """Close the file and fold the write-ahead log into it."""
        with self._lock:
            self._connection.close()

    def _unusable(self, error: sqlite3.Error) -> WorkspaceBusy | WorkspaceUnusable:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:  # or an extended code of it
            return WorkspaceBusy(self._path.parent, waited_s=STORE_WAIT_S)
        reason = "the disk is full" if _is_full(self._path.parent) else str(error)  # SQLite says "disk I/O error"
        return WorkspaceUnusable(self._path.parent, reason=f"{self._path.name}: {reason}")


class Remembered:
    """What was read from a database, until anybody writes to it.

    Args:
        database: The database.
        limit: Values that are remembered; with more, all are read again.
    """

    def __init__(self, database: Database, *, limit: int) -> None:
        self._database, self._limit = database, limit
        self._state: tuple[int, int] | None = None
        self._values: dict[Hashable, Any] = {}

    def value(self, key: Hashable, read: Callable[[], T]) -> T:
        """One value."""
        return self.values([key], lambda _: {key: read()})[key]

    def values(self, keys: Collection[K], read: Callable[[list[K]], Mapping[K, T]]) -> dict[K, T]:
        """Some values by their keys; what ``read`` does not find is left out, and read again the next time."""
        with self._database.reading() as connection:
            if connection.in_transaction:  # which may be rolled back
                return dict(read(list(keys)))
            known = self._known()
            missing = [key for key in keys if key not in known]
            if missing:
                # Whatever another process writes from here on gives the database another state.
                known.update(read(missing))
            found = {key: known[key] for key in keys if key in known}
            if len(known) > self._limit:
                self._values = {}
            return found

    def _known(self) -> dict[Any, Any]:
        state = self._database.state()
        if state != self._state:
            self._values, self._state = {}, state
        return self._values
