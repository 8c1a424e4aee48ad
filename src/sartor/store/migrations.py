"""How a file's tables are led from one version of them to the next.

``PRAGMA user_version`` holds the version. A migration is applied once, in order, in one transaction with the
change of version; what has landed is never edited, only followed by another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sartor.errors import WorkspaceTooNew

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Migration(NamedTuple):
    """What leads to one version.

    Attributes:
        script: Statements of SQL.
        fill: Fills tables that follow from others, in the same transaction.
    """

    script: str
    fill: Callable[[sqlite3.Connection], None] | None = None


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring the tables to the newest version; data stays.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > len(migrations):
        raise WorkspaceTooNew(path.parent, found=found, supported=len(migrations))
    for version, migration in enumerate(migrations[found:], start=found + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{migration.script}")
            if migration.fill is not None:
                migration.fill(connection)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
