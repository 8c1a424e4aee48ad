"""The embedded stores, on SQLite."""
