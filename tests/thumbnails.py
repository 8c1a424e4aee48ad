"""The thumbnails in a workspace's pack, as a test finds, loses and ages them beside the workspace."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sartor.store.sqlite.pack import SqlitePack

if TYPE_CHECKING:
    from pathlib import Path

PACK = "media.sqlite3"


def thumbnails(home: Path) -> list[str]:
    """Their names, sorted."""
    with closing(SqlitePack(home / PACK)) as pack:
        return list(pack.names())


def lose_thumbnails(home: Path, *names: str) -> None:
    """Delete the named ones, or all."""
    with closing(SqlitePack(home / PACK)) as pack:
        for name in names or tuple(pack.names()):
            assert pack.delete(name)


def age_thumbnails(home: Path) -> None:
    """Make all of them older than any limit."""
    with closing(sqlite3.connect(home / PACK)) as connection, connection:
        connection.execute("UPDATE files SET kept_s = 0")
