"""The catalog store: the source of truth for products, photos and embeddings."""

from __future__ import annotations

from sartor import own_sqlite

own_sqlite.load()  # before a module of the store imports sqlite3
