"""Thumbnails of a workspace in one SQLite file: many are on disk after one transaction.

A file for each thumbnail costs a call of fsync each, which takes longer than to decode the photo.
"""

from __future__ import annotations

import math
import time
from threading import Lock
from typing import TYPE_CHECKING

from sartor.errors import WorkspaceReadOnly
from sartor.store.sqlite.database import Database, Migration

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# A digest in bytes takes half of its text. Contents have a table of their own, so that a new age changes one page
# and not the chain of pages that the content takes.
_MIGRATIONS = (
    Migration(
        """
        CREATE TABLE contents (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
        CREATE TABLE files (
            sha256 BLOB NOT NULL, suffix TEXT NOT NULL, kept_s REAL NOT NULL, content INTEGER NOT NULL,
            PRIMARY KEY (sha256, suffix)
        ) STRICT, WITHOUT ROWID;
        """
    ),
)
_PAGE = 400  # names of a statement, each with two parameters; SQLite before 3.32 takes 999
_MIN_FREE_PAGES = 1024  # 4 MiB; fewer wait in the file for the next thumbnails
_NAMES = 4096  # read at once


class SqlitePack:
    """The ``Bucket`` of an SQLite file that many processes write; it is made when the first thumbnail comes.

    A thumbnail that was put is on disk when ``put_all`` returns. A new age and a deletion need not be: after a
    power failure, no process is left that was about to name one, and what belongs to no photo is deleted again.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        # Two connections, so that a page's picture does not wait until many thumbnails are on disk.
        self._opened: dict[bool, Database] = {}  # by whether it is durable
        self._opening = Lock()

    def require_writable(self) -> None:
        """Check that thumbnails can be put.

        Raises:
            WorkspaceReadOnly: The file can only be read.
        """
        if self._writer.is_read_only:
            raise WorkspaceReadOnly(self._path.parent)

    def put_all(self, contents: Mapping[str, bytes]) -> None:
        """Write thumbnails in one transaction; of those that are there already, only the age begins anew."""
        with self._writer.transaction() as connection:
            kept = _renewed(connection, contents)
            for name in contents.keys() - kept:
                content = connection.execute("INSERT INTO contents (data) VALUES (?)", (contents[name],)).lastrowid
                connection.execute("INSERT INTO files VALUES (?, ?, ?, ?)", (*_key(name), time.time(), content))

    def read(self, name: str) -> bytes | None:
        """The bytes of a thumbnail; None if there is none."""
        if not self._is_there:
            return None
        rows = self._reader.all(
            "SELECT data FROM files JOIN contents ON id = content WHERE sha256 = ? AND suffix = ?", *_key(name)
        )
        return bytes(rows[0][0]) if rows else None

    def keep_all(self, names: Iterable[str]) -> set[str]:
        """Those of the names that are kept; their age begins anew."""
        names = set(names)
        if not names or not self._is_there:
            return set()
        with self._reader.transaction() as connection:
            return _renewed(connection, names)

    def age_s(self, name: str) -> float:
        """Seconds since a thumbnail was put or kept last; infinity if there is none."""
        if not self._is_there:
            return math.inf
        rows = self._reader.all("SELECT kept_s FROM files WHERE sha256 = ? AND suffix = ?", *_key(name))
        return time.time() - float(rows[0][0]) if rows else math.inf

    def names(self) -> Iterator[str]:
        """Names of all thumbnails, sorted; read page by page, so that a write waits for none of it."""
        after = (b"", "")
        while self._is_there:
            rows = self._reader.all(
                "SELECT sha256, suffix FROM files WHERE (sha256, suffix) > (?, ?) ORDER BY sha256, suffix LIMIT ?",
                *after,
                _NAMES,
            )
            if not rows:
                return
            yield from (f"{sha256.hex()}.{suffix}" for sha256, suffix in rows)
            after = rows[-1]

    def delete(self, name: str, *, min_age_s: float = 0.0) -> bool:
        """Delete a thumbnail that was put or kept at least so many seconds ago; returns whether it is gone."""
        if self.age_s(name) == math.inf:
            return True
        youngest_s = time.time() - min_age_s if min_age_s else math.inf
        with self._reader.transaction() as connection:
            rows = connection.execute(
                "DELETE FROM files WHERE sha256 = ? AND suffix = ? AND kept_s <= ? RETURNING content",
                (*_key(name), youngest_s),
            ).fetchall()
            connection.executemany("DELETE FROM contents WHERE id = ?", rows)
        return bool(rows) or self.age_s(name) == math.inf

    def remove_leftovers(self, *, min_age_s: float) -> int:  # noqa: ARG002 - a transaction leaves nothing half-written
        """Give the disk back what deleted thumbnails took; a killed process leaves nothing behind."""
        if self._is_there and not self._reader.is_read_only:
            with self._reader.reading() as connection:
                ((free,),) = connection.execute("PRAGMA freelist_count").fetchall()
                if free >= _MIN_FREE_PAGES:
                    connection.executescript("PRAGMA incremental_vacuum")  # ``execute`` would free one page
        return 0

    def damage(self) -> list[str]:
        """What is wrong with the file, in sentences; empty when all is well."""
        if not self._is_there:
            return []
        found = [str(row[0]) for row in self._reader.all("PRAGMA integrity_check") if row[0] != "ok"]
        ((lost,),) = self._reader.all(
            "SELECT count(*) FROM files LEFT JOIN contents ON id = content WHERE id IS NULL"
        )
        return [*found, *([f"{lost} thumbnails have no content"] if lost else [])]

    def close(self) -> None:
        """Close the file; it is opened again when it is asked for."""
        with self._opening:
            while self._opened:
                self._opened.popitem()[1].close()

    @property
    def _is_there(self) -> bool:
        return bool(self._opened) or self._path.exists()

    @property
    def _writer(self) -> Database:
        return self._connection(durable=True)

    @property
    def _reader(self) -> Database:
        return self._connection(durable=False)

    def _connection(self, *, durable: bool) -> Database:
        with self._opening:
            if durable not in self._opened:
                self._opened[durable] = Database(self._path, migrations=_MIGRATIONS, durable=durable, shrinks=True)
            return self._opened[durable]


def _key(name: str) -> tuple[bytes, str]:
    sha256, _, suffix = name.partition(".")
    return bytes.fromhex(sha256), suffix


def _renewed(connection: sqlite3.Connection, names: Iterable[str]) -> set[str]:
    """Those of the names that are kept; their age begins anew."""
    keys, kept, now_s = [_key(name) for name in names], set(), time.time()
    for start in range(0, len(keys), _PAGE):
        page = keys[start : start + _PAGE]
        rows = connection.execute(
            f"UPDATE files SET kept_s = ? WHERE (sha256, suffix) IN (VALUES {', '.join(['(?, ?)'] * len(page))}) "  # noqa: S608 - of placeholders alone
            "RETURNING sha256, suffix",
            (now_s, *(part for key in page for part in key)),
        )
        kept |= {f"{sha256.hex()}.{suffix}" for sha256, suffix in rows}
    return kept
