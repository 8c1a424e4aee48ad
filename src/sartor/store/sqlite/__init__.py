"""The embedded stores: the catalog and the events in SQLite files."""

from __future__ import annotations

from sartor import own_sqlite

own_sqlite.load()  # before a module of this package imports sqlite3
