"""A store's file as it is at one moment, while others read and write it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


def copy_store(source: Path, target: Path) -> None:
    """Write all that is committed by now to a new file; what comes meanwhile is not in it, and does not wait.

    What was erased before is not in it either: a store overwrites what it deletes, and the write-ahead log is
    copied as the pages it stands for.

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
