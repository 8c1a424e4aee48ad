"""Who is who: people as numbers, and which visitors are which user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.events import Person, PersonKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from sartor.store.event_names import Names


class People:
    """Finds and merges people, within the caller's hold of the connection.

    Args:
        names: Their names.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def number(self, connection: sqlite3.Connection, person: Person) -> int | None:
        """Number of a person's own, None when nothing is held."""
        name = _name(person)
        return self._names.find(connection, [name]).get(name)

    def give(self, connection: sqlite3.Connection, people: Iterable[Person]) -> dict[Person, int]:
        """Numbers of people's own; those that are new get the next ones."""
        named = {person: _name(person) for person in people}
        numbers = self._names.give(connection, named.values())
        return {person: numbers[name] for person, name in named.items()}

    def user(self, connection: sqlite3.Connection, visitor: int) -> int | None:
        """Number of the user whom a visitor was merged into, if any."""
        rows = connection.execute("SELECT user FROM merges WHERE visitor = ?", (visitor,)).fetchall()
        return rows[0][0] if rows else None

    def numbers(self, connection: sqlite3.Connection, person: Person) -> list[int]:
        """All numbers of a person: first who it is by now, then the visitors merged into that; none unheld."""
        number = self.number(connection, person)
        if number is None:
            return []
        user = self.user(connection, number)
        who = number if user is None else user
        rows = connection.execute("SELECT visitor FROM merges WHERE user = ? ORDER BY visitor", (who,)).fetchall()
        return [who, *(visitor for (visitor,) in rows)]

    def named(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Person]:
        """The people who have these numbers, in their order."""
        names = self._names.named(connection, numbers)
        return [_person(names[number]) for number in numbers]

    def merge(self, connection: sqlite3.Connection, visitor: int, *, into: int) -> None:
        """Make a visitor a user's."""
        connection.execute("INSERT INTO merges VALUES (?, ?)", (visitor, into))

    def empty(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        """Erase people, and what they were merged into."""
        connection.executemany("DELETE FROM merges WHERE visitor = ?", [(number,) for number in numbers])
        self._names.empty(connection, numbers)


def _name(person: Person) -> str:
    return f"{person.kind}:{person.id}"


def _person(name: str) -> Person:
    kind, _, person_id = name.partition(":")
    return Person(PersonKind(kind), person_id)
