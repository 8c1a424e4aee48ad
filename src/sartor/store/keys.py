"""The API keys of a workspace; of a key itself only its digest is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.store.records import ApiKey

if TYPE_CHECKING:
    from sartor.store.database import Database

_COLUMNS = "id, name, scope, created_s"


class Keys:
    """Adds, finds and deletes keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: ApiKey, digest: bytes) -> None:
        """Keep a key; one with the same id or the same digest is refused.

        Raises:
            WorkspaceUnusable: There is such a key already.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO api_keys (id, name, scope, digest, created_s) VALUES (?, ?, ?, ?, ?)",
                (key.id, key.name, key.scope, digest, key.created_s),
            )

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, the oldest first."""
        rows = self._database.all(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_s, id")  # noqa: S608
        return tuple(_key(*row) for row in rows)

    def with_digests(self) -> tuple[tuple[bytes, ApiKey], ...]:
        """Every key behind its digest, the oldest first."""
        rows = self._database.all(f"SELECT digest, {_COLUMNS} FROM api_keys ORDER BY created_s, id")  # noqa: S608
        return tuple((digest, _key(*row)) for digest, *row in rows)

    def by_digest(self, digest: bytes) -> ApiKey | None:
        """The key that has this digest, if there is one."""
        rows = self._database.all(f"SELECT {_COLUMNS} FROM api_keys WHERE digest = ?", digest)  # noqa: S608
        return _key(*rows[0]) if rows else None

    def delete(self, key_id: str) -> bool:
        """Forget a key; returns whether there was one."""
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM api_keys WHERE id = ?", (key_id,)).rowcount > 0


def _key(key_id: str, name: str, scope: str, created_s: float) -> ApiKey:
    return ApiKey(id=key_id, name=name, scope=scope, created_s=created_s)
