"""People, products and baskets of events as numbers, and which visitors are which user."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, TypeAlias

from sartor.events.model import Person, PersonKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence


NameTable: TypeAlias = Literal["people", "products", "baskets"]

_NAME_KEY_BYTES = 3
_EVENT_KEY_BYTES = 4


class Digests:
    """The keys by which text is found: the first bytes of its digest under the file's secret."""

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
    """The names in one table, each with its number."""

    def __init__(self, table: NameTable, digests: Digests) -> None:
        self._table = table
        self._digests = digests

    def find(self, connection: sqlite3.Connection, names: Collection[str]) -> dict[str, int]:
        """Numbers by name; unknown names are left out."""
        keys = {self._digests.of_name(name) for name in names}
        rows = connection.execute(
            # CROSS JOIN keeps SQLite to this order
            f"SELECT name, number FROM json_each(?) CROSS JOIN {self._table} AS named ON named.key = value",  # noqa: S608
            (json.dumps(list(keys)),),
        ).fetchall()
        asked = set(names)  # names of the same key are in the rows too
        return {name: number for name, number in rows if name in asked}

    def assign(self, connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
        """Numbers by name; new names get the next ones, in their order."""
        ordered = tuple(dict.fromkeys(names))
        numbers = self.find(connection, ordered) if ordered else {}
        new = [name for name in ordered if name not in numbers]
        if new:
            ((last,),) = connection.execute(f"SELECT max(number) FROM {self._table}").fetchall()  # noqa: S608
            numbers |= {name: number for number, name in enumerate(new, start=(last or 0) + 1)}
            connection.executemany(
                f"INSERT INTO {self._table} VALUES (?, ?, ?)",  # noqa: S608
                [(numbers[name], self._digests.of_name(name), name) for name in new],
            )
        return numbers

    def named(self, connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
        """Names by number."""
        rows = connection.execute(
            f"SELECT number, name FROM json_each(?) CROSS JOIN {self._table} ON number = value",  # noqa: S608
            (json.dumps(list(numbers)),),
        ).fetchall()
        return dict(rows)

    def empty(self, connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
        """Erase names; their numbers are not assigned again."""
        connection.executemany(
            f"UPDATE {self._table} SET key = NULL, name = NULL WHERE number = ?",  # noqa: S608
            [(number,) for number in numbers],
        )


class People:
    """Finds and merges people; the caller holds the connection."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def number(self, connection: sqlite3.Connection, person: Person) -> int | None:
        """A person's own number; None if unknown."""
        name = _name(person)
        return self._names.find(connection, [name]).get(name)

    def assign(self, connection: sqlite3.Connection, people: Iterable[Person]) -> dict[Person, int]:
        """Own numbers by person; new people get the next ones."""
        named = {person: _name(person) for person in people}
        numbers = self._names.assign(connection, named.values())
        return {person: numbers[name] for person, name in named.items()}

    def user(self, connection: sqlite3.Connection, visitor: int) -> int | None:
        """Number of the user that a visitor was merged into, if any."""
        rows = connection.execute("SELECT user FROM merges WHERE visitor = ?", (visitor,)).fetchall()
        return rows[0][0] if rows else None

    def numbers(self, connection: sqlite3.Connection, person: Person) -> list[int]:
        """All numbers of a person: first the user's, then those of visitors merged into it; empty if unknown."""
        number = self.number(connection, person)
        if number is None:
            return []
        user = self.user(connection, number)
        owner = number if user is None else user
        rows = connection.execute(
            "SELECT visitor FROM merges WHERE user = ? ORDER BY visitor", (owner,)
        ).fetchall()
        return [owner, *(visitor for (visitor,) in rows)]

    def named(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Person]:
        """People by their numbers, in the same order."""
        names = self._names.named(connection, numbers)
        return [person_of_name(names[number]) for number in numbers]

    def merge(self, connection: sqlite3.Connection, visitor: int, *, into: int) -> None:
        """Record that a visitor is a user."""
        connection.execute("INSERT INTO merges VALUES (?, ?)", (visitor, into))

    def empty(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        """Erase people and their merges."""
        connection.executemany("DELETE FROM merges WHERE visitor = ?", [(number,) for number in numbers])
        self._names.empty(connection, numbers)


def _name(person: Person) -> str:
    return f"{person.kind}:{person.id}"


def person_of_name(name: str) -> Person:
    """The person of a stored name."""
    kind, _, person_id = name.partition(":")
    return Person(PersonKind(kind), person_id)
