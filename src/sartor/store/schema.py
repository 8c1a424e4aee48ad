"""The store's tables, and the migrations that lead from one version of them to the next.

``PRAGMA user_version`` holds the version. A migration is a script, applied once, in order, in one
transaction with the change of version; what has landed is never edited, only followed by another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.errors import WorkspaceTooNew

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_VERSION_1 = """
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- A product's revision is the store's revision at its last write: what an index has to catch up with.
CREATE TABLE products (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    attributes TEXT NOT NULL,  -- JSON object
    source TEXT NOT NULL,
    revision INTEGER NOT NULL
);
CREATE INDEX products_by_revision ON products (revision);
CREATE INDEX products_by_source ON products (source);

CREATE TABLE deletions (
    product_id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deletions_by_revision ON deletions (revision);

CREATE TABLE photos (
    sha256 TEXT PRIMARY KEY,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    thumbnail TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE product_photos (
    product_id TEXT NOT NULL REFERENCES products ON DELETE CASCADE,
    position INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES photos,
    name TEXT NOT NULL,
    PRIMARY KEY (product_id, position)
) WITHOUT ROWID;
CREATE INDEX product_photos_by_photo ON product_photos (sha256);

CREATE TABLE embeddings (
    sha256 TEXT NOT NULL REFERENCES photos ON DELETE CASCADE,
    model TEXT NOT NULL,
    vector BLOB NOT NULL,  -- little-endian float32
    PRIMARY KEY (sha256, model)
);

CREATE TABLE attribute_names (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
"""

# What a photo's colors and fingerprint are does not depend on a model.
_VERSION_2 = """
ALTER TABLE photos ADD COLUMN fingerprint BLOB NOT NULL DEFAULT x'';

CREATE TABLE palettes (
    sha256 TEXT PRIMARY KEY REFERENCES photos ON DELETE CASCADE,
    colors BLOB NOT NULL  -- little-endian float32, rows of OKLab and share
) WITHOUT ROWID;
"""

MIGRATIONS = (_VERSION_1, _VERSION_2)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the tables to the newest version; data stays.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the store.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > len(migrations):
        raise WorkspaceTooNew(path.parent, found=found, supported=len(migrations))
    for version, script in enumerate(migrations[found:], start=found + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};\nCOMMIT;")
