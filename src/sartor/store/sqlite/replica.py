"""A replica of a catalog whose truth is on a server: the same SQLite file, read by the same code.

It is filled page by page, each in one transaction, at the revisions and numbers that the server gave. It can be
made again at any time, so nothing is lost with it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from sartor.replicas import Replicas
from sartor.store.sqlite.catalog import (
    SqliteCatalogStore,
    add_attribute_names,
    delete_products,
    insert_key,
    replace_settings,
    write_products,
    write_rows,
)
from sartor.store.sqlite.database import Database
from sartor.store.sqlite.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from sartor.store.base import ApiKey, Write
    from sartor.store.sqlite.catalog import ProductRow
    from sartor.types import Photo

logger = logging.getLogger(__name__)

_FILE = "catalog.sqlite3"
_WAIT_S = 2.0  # for a copy of another process's replica
_TABLES = (
    "settings",
    "api_keys",
    "products",
    "deletions",
    "photos",
    "attribute_names",
    "predictions",
    "predicted",
)  # the others follow from them
_FOLLOWED = """
CREATE TABLE IF NOT EXISTS followed (
    workspace TEXT NOT NULL,
    revision INTEGER NOT NULL,
    drops INTEGER NOT NULL,
    settings INTEGER NOT NULL,
    is_whole INTEGER NOT NULL
)
"""


_SELECT_FOLLOWED = "SELECT workspace, revision, drops, settings, is_whole FROM followed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How far a replica has followed its workspace.

    Attributes:
        workspace: Id of the workspace.
        revision: Every product is as it was at this revision.
        drops: How often unused photos have been dropped.
        settings: How often settings or keys have changed.
        is_whole: Whether it also has the photos that no product shows.
    """

    workspace: str
    revision: int = 0
    drops: int = 0
    settings: int = 0
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaPhoto:
    """A photo with all that was computed of it.

    Attributes:
        photo: The photo; its name does not matter.
        embeddings: Little-endian float32 by model.
        palette: The same of its palette, if it has one.
    """

    photo: Photo
    embeddings: Mapping[str, bytes]
    palette: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaPage:
    """Changes that lead a replica to a later state.

    Attributes:
        followed: The state after the page.
        products: Written products, each with its revision and its number.
        deletions: Revisions of deletions by product.
        photos: All photos of these products, and perhaps others.
        attribute_names: New names of attributes.
        dropped: Photos that were dropped.
        settings: All settings, if any changed.
        keys: All API keys behind their digests, if any changed.
    """

    followed: Followed
    products: Sequence[ProductRow] = ()
    deletions: Mapping[str, int] = field(default_factory=dict)
    photos: Sequence[ReplicaPhoto] = ()
    attribute_names: Collection[str] = ()
    dropped: Collection[str] = ()
    settings: Mapping[str, str] | None = None
    keys: Sequence[tuple[bytes, ApiKey]] | None = None


class CatalogReplica:
    """The replica of this process, in a directory that is its own until ``close``.

    It writes on a connection of its own, so that reads do not wait for it.

    Args:
        directory: Where the replicas of all processes of this host are.
        workspace: Id of the workspace; a replica of another one is begun anew.
        revision: The workspace's revision now.

    Attributes:
        store: Reads it.
    """

    def __init__(self, directory: Path, *, workspace: str, revision: int) -> None:
        self._workspace = workspace
        replicas = Replicas(directory, revision_of=lambda path: _revision_in(path, workspace), wait_s=_WAIT_S)
        self._replica = replicas.claim(revision=revision)
        try:
            path = self._replica.path
            if path.exists() and _revision_in(path, workspace) is None:
                logger.warning("replica begun anew: path=%s", path)
                shutil.rmtree(path)
            path.mkdir(exist_ok=True)
            self._database = Database(path / _FILE, migrations=MIGRATIONS, durable=False)
            with self._database.transaction() as connection:
                connection.execute(_FOLLOWED)
            self.followed = _followed(self._database, workspace)
            self.store = SqliteCatalogStore(path / _FILE)
        except BaseException:
            self._replica.release()
            raise

    def apply(self, page: ReplicaPage) -> None:
        """Take in a page of changes in one transaction."""
        with self._database.transaction() as connection:
            _write_photos(connection, page.photos)
            if page.products:
                write_rows(connection, page.products)
            if page.deletions:
                delete_products(connection, page.deletions)
            add_attribute_names(connection, page.attribute_names)
            connection.executemany("DELETE FROM photos WHERE sha256 = ?", [(sha256,) for sha256 in page.dropped])
            if page.settings is not None:
                connection.execute("DELETE FROM settings")
                replace_settings(connection, page.settings)
            if page.keys is not None:
                connection.execute("DELETE FROM api_keys")
                for digest, key in page.keys:
                    insert_key(connection, key, digest)
            _remember(connection, page.followed)
        self.followed = page.followed

    def write(self, write: Write, rows: Sequence[ProductRow], followed: Followed) -> None:
        """Take in a write of this process; nothing that others wrote may be missing before it."""
        with self._database.transaction() as connection:
            write_products(connection, write, rows)
            _remember(connection, followed)
        self.followed = followed

    def clear(self) -> None:
        """Forget everything: the server holds an older state than this."""
        followed = Followed(workspace=self._workspace)
        with self._database.transaction() as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            connection.execute("DELETE FROM attribute_values")
            _remember(connection, followed)
        self.followed = followed

    def unused_photos(self) -> list[str]:
        """Photos that no product shows, sorted."""
        rows = self._database.all(
            "SELECT sha256 FROM photos WHERE sha256 NOT IN (SELECT sha256 FROM product_photos) ORDER BY sha256"
        )
        return [sha256 for (sha256,) in rows]

    def missing_photos(self, sha256s: Collection[str]) -> list[str]:
        """Those of these photos that the replica does not have, sorted."""
        rows = self._database.all(
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT sha256 FROM photos) ORDER BY value",
            json.dumps(list(sha256s)),
        )
        return [sha256 for (sha256,) in rows]

    def share(self) -> None:
        """Give a copy to each process of this host that waits for one; nothing may be applied meanwhile."""
        if self._replica.is_wanted:
            self._replica.share()

    def close(self) -> None:
        """Let another process have it."""
        self.store.close()
        self._database.close()
        self._replica.release()


def _write_photos(connection: sqlite3.Connection, photos: Sequence[ReplicaPhoto]) -> None:
    connection.executemany(
        "INSERT INTO photos VALUES (?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE"
        " SET (width_px, height_px, thumbnail, fingerprint)"
        " = (excluded.width_px, excluded.height_px, excluded.thumbnail, excluded.fingerprint)",
        [
            (photo.sha256, photo.width_px, photo.height_px, photo.thumbnail, photo.fingerprint)
            for photo in (each.photo for each in photos)
        ],
    )
    digests = json.dumps([each.photo.sha256 for each in photos])
    connection.execute("DELETE FROM embeddings WHERE sha256 IN (SELECT value FROM json_each(?))", (digests,))
    connection.execute("DELETE FROM palettes WHERE sha256 IN (SELECT value FROM json_each(?))", (digests,))
    connection.executemany(
        "INSERT INTO embeddings VALUES (?, ?, ?)",
        [(each.photo.sha256, model, vector) for each in photos for model, vector in each.embeddings.items()],
    )
    connection.executemany(
        "INSERT INTO palettes VALUES (?, ?)",
        [(each.photo.sha256, each.palette) for each in photos if each.palette is not None],
    )


def _remember(connection: sqlite3.Connection, followed: Followed) -> None:
    connection.execute("DELETE FROM followed")
    connection.execute(
        "INSERT INTO followed VALUES (?, ?, ?, ?, ?)",
        (followed.workspace, followed.revision, followed.drops, followed.settings, followed.is_whole),
    )


def _followed(database: Database, workspace: str) -> Followed:
    for found, revision, drops, settings, is_whole in database.all(_SELECT_FOLLOWED):
        return Followed(
            workspace=found, revision=revision, drops=drops, settings=settings, is_whole=bool(is_whole)
        )
    return Followed(workspace=workspace)


def _revision_in(path: Path, workspace: str) -> int | None:
    """The revision of the replica in a directory; None if it is of another workspace or version, or damaged."""
    try:
        with closing(sqlite3.connect(f"file:{quote(os.fsencode(path / _FILE))}?mode=rw", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            ((found, revision, *_),) = connection.execute(_SELECT_FOLLOWED)
    except (sqlite3.Error, ValueError):
        return None
    return int(revision) if (found, version) == (workspace, len(MIGRATIONS)) else None
