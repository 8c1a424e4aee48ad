"""What was fetched by URL: versions of photos, and the bytes of those that are not in the catalog yet."""

from __future__ import annotations

import time
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING
from uuid import uuid4

from sartor.imaging.fetch import Version
from sartor.store.sqlite.database import Database, Migration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MIGRATIONS = (
    Migration(
        """
        CREATE TABLE runs (
            source TEXT PRIMARY KEY, run TEXT NOT NULL, began_s REAL NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE photos (
            url TEXT PRIMARY KEY, etag TEXT NOT NULL, last_modified TEXT NOT NULL, sha256 BLOB NOT NULL,
            source TEXT NOT NULL, run TEXT NOT NULL, seen TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX photos_of_source ON photos (source);
        CREATE TABLE contents (sha256 BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT;
        """
    ),
)


class SqliteFetched:
    """The ``FetchedNotes`` of an SQLite file, which can be deleted at any time; it is made at the first run.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: Database | None = None
        self._opening = Lock()

    def begin(self, source: str, *, max_age_s: float) -> str:
        """Begin a run of a source; one that was stopped a short while ago goes on.

        Args:
            source: The source's name in the store.
            max_age_s: How long ago the other one may have begun.

        Returns:
            The run's id.
        """
        now_s = time.time()
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT run FROM runs WHERE source = ? AND began_s BETWEEN ? AND ?",
                (source, now_s - max_age_s, now_s),
            ).fetchall()
            run = rows[0][0] if rows else uuid4().hex
            if not rows:
                connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", (source, run, now_s))
        return str(run)

    def known(self, url: str, *, run: str) -> tuple[str, Version, bool] | None:
        """SHA-256 and version of a photo, and whether this run has asked for it; None for one never fetched."""
        rows = self._database.all("SELECT sha256, etag, last_modified, run FROM photos WHERE url = ?", url)
        if not rows:
            return None
        digest, etag, last_modified, asked = rows[0]
        return digest.hex(), Version(etag=etag, last_modified=last_modified), asked == run

    def put(self, url: str, data: bytes, version: Version, *, source: str, run: str) -> str:
        """Note a photo that was fetched, and keep its bytes until ``release``; returns their SHA-256."""
        digest = sha256(data).digest()
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", (digest, data))
            connection.execute(
                "INSERT OR REPLACE INTO photos VALUES (?, ?, ?, ?, ?, ?, ?)",
                (url, version.etag, version.last_modified, digest, source, run, run),
            )
        return digest.hex()

    def see(self, url: str, *, source: str, run: str, is_current: bool) -> None:
        """Note that a source still names a photo.

        Args:
            url: The photo's URL.
            source: The source.
            run: The run that asks.
            is_current: Whether its server says that it is unchanged; else it could not be had.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE photos SET source = ?1, seen = ?2, run = iif(?3, ?2, run) WHERE url = ?4",
                (source, run, is_current, url),
            )

    def data(self, digest: str) -> bytes | None:
        """The bytes of a photo; None once they were released."""
        rows = self._database.all("SELECT data FROM contents WHERE sha256 = ?", bytes.fromhex(digest))
        return bytes(rows[0][0]) if rows else None

    def has_data(self, digest: str) -> bool:
        """Whether the bytes of a photo are kept."""
        return bool(self._database.all("SELECT 1 FROM contents WHERE sha256 = ?", bytes.fromhex(digest)))

    def release(self, digests: Iterable[str]) -> None:
        """Delete the bytes of photos that are in the catalog, or cannot be used."""
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM contents WHERE sha256 = ?", ((bytes.fromhex(digest),) for digest in digests)
            )

    def finish(self, source: str, *, run: str, is_whole: bool) -> None:
        """End a run; after a whole one, what the source does not name any more is forgotten."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM runs WHERE source = ?", (source,))
            if is_whole:
                connection.execute("DELETE FROM photos WHERE source = ? AND seen <> ?", (source, run))
            connection.execute("DELETE FROM contents WHERE sha256 NOT IN (SELECT sha256 FROM photos)")
        self._shrink()

    def keep_sources(self, sources: Iterable[str], *, max_age_s: float) -> None:
        """Forget the photos of sources that the catalog has nothing of, unless a run of them may go on."""
        if self._opened is None and not self._path.exists():
            return
        known, oldest_s = set(sources), time.time() - max_age_s
        with self._database.transaction() as connection:
            named = {row[0] for row in connection.execute("SELECT DISTINCT source FROM photos")}
            named |= {row[0] for row in connection.execute("SELECT source FROM runs")}
            running = {
                row[0] for row in connection.execute("SELECT source FROM runs WHERE began_s >= ?", (oldest_s,))
            }
            gone = [(source,) for source in named - known - running]
            connection.executemany("DELETE FROM photos WHERE source = ?", gone)
            connection.executemany("DELETE FROM runs WHERE source = ?", gone)
            if gone:
                connection.execute("DELETE FROM contents WHERE sha256 NOT IN (SELECT sha256 FROM photos)")
        self._shrink()

    def close(self) -> None:
        """Close the file; it is opened again when it is asked for."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _shrink(self) -> None:
        with self._database.reading() as connection:
            connection.executescript("PRAGMA incremental_vacuum")

    @property
    def _database(self) -> Database:
        with self._opening:
            if self._opened is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._opened = Database(self._path, migrations=_MIGRATIONS, durable=False, shrinks=True)
            return self._opened
