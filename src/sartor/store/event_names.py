"""Names as numbers: people, products and baskets are named once, and every event has their numbers."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

NameTable: TypeAlias = Literal["people", "products", "baskets"]

_NAME_KEY_BYTES = 3
_EVENT_KEY_BYTES = 4


class Digests:
    """The keys by which text is found.

    Args:
        secret: Of this file.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of_name(self, name: str) -> int:
        """Key of a person, product or basket; several names may share it."""
        return self._digest(name, _NAME_KEY_BYTES)

    def of_event(self, event_id: str) -> int:
        """Key of an event; several ids may share it."""
        return self._digest(event_id, _EVENT_KEY_BYTES)

    def _digest(self, text: str, size_bytes: int) -> int:
        return int.from_bytes(blake2b(text.encode(), digest_size=size_bytes, key=self._secret).digest(), "big")


class Names:
    """The names in one table.

    Args:
        table: Which one.
        digests: Their keys.
    """

    def __init__(self, table: NameTable, digests: Digests) -> None:
        self._table = table
        self._digests = digests

    def find(self, connection: sqlite3.Connection, names: Collection[str]) -> dict[str, int]:
        """Numbers of the names that are there."""
        keys = {self._digests.of_name(name) for name in names}
        rows = connection.execute(
            # CROSS JOIN keeps SQLite to this order
            f"SELECT name, number FROM json_each(?) CROSS JOIN {self._table} AS named ON named.key = value",  # noqa: S608
            (json.dumps(list(keys)),),
        ).fetchall()
        wanted = set(names)
        return {name: number for name, number in rows if name in wanted}

    def give(self, connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
        """Numbers of names; those that are new get the next ones, in their order."""
        ordered = tuple(dict.fromkeys(names))
        numbers = self.find(connection, ordered) if ordered else {}
        new = [name for name in ordered if name not in numbers]
        if new:
            first = self._next(connection)
            numbers |= {name: number for number, name in enumerate(new, start=first)}
            connection.executemany(
                f"INSERT INTO {self._table} VALUES (?, ?, ?)",  # noqa: S608
                [(numbers[name], self._digests.of_name(name), name) for name in new],
            )
        return numbers

    def named(self, connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
        """Names of numbers."""
        rows = connection.execute(
            f"SELECT number, name FROM json_each(?) CROSS JOIN {self._table} ON number = value",  # noqa: S608
            (json.dumps(list(numbers)),),
        ).fetchall()
        return dict(rows)

    def empty(self, connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
        """Erase names; their numbers are not given again."""
        connection.executemany(
            f"UPDATE {self._table} SET key = NULL, name = NULL WHERE number = ?",  # noqa: S608
            [(number,) for number in numbers],
        )

    def _next(self, connection: sqlite3.Connection) -> int:
        ((last,),) = connection.execute(f"SELECT max(number) FROM {self._table}").fetchall()  # noqa: S608
        return (last or 0) + 1
