"""The SQLite that belongs to Python, also where TensorFlow was imported before.

TensorFlow carries an SQLite without full-text search inside, and shows its functions to the whole process. What is
loaded later takes them in place of its own library, so that ``sqlite3`` would be TensorFlow's. Asked to look into
its own libraries first, it is not.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def load() -> None:
    """Import ``sqlite3``; where it was imported before, it stays as it is."""
    if "tensorflow" not in sys.modules or not hasattr(os, "RTLD_DEEPBIND"):  # Linux has it, others do not need it
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        import sqlite3  # noqa: F401 - to be loaded under these flags
    finally:
        sys.setdlopenflags(flags)


def lack(connection: sqlite3.Connection) -> str | None:
    """What the loaded SQLite lacks that the store needs, and what to do then; None where it lacks nothing."""
    modules = {row[0] for row in connection.execute("PRAGMA module_list")}
    if not modules or "fts5" in modules:  # an SQLite of before 3.30 does not tell
        return None
    if "tensorflow" in sys.modules:
        return (
            "this process has TensorFlow's SQLite, which has no full-text search; "
            "import sqlite3 or open the workspace before tensorflow"
        )
    return "Python's SQLite has no full-text search (FTS5); use a Python that was built with it"
