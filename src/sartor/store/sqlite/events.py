"""The embedded event store: one SQLite file beside the catalog's, because events come and go on their own.

Events are added once, whatever the order and however often they come; they are committed and on disk when ``add``
returns. A visitor's events stay with the visitor's number, and a merge says whose number that is: it costs
nothing, and holds for events that come later. ``schema.py`` explains how erasing leaves no trace.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.errors import VisitorTaken, WorkspaceUnusable
from sartor.events.model import Event, EventType, Person, Taken
from sartor.store.base import EventRows
from sartor.store.sqlite.database import Database
from sartor.store.sqlite.people import Digests, Names, People
from sartor.store.sqlite.schema import EVENT_MIGRATIONS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from sartor.store.base import EventPosition


_SEQUENCE = "events"  # the only one: SQLite has one writer at a time
TYPES = tuple(EventType)
TYPE_NUMBERS = {type_: number for number, type_ in enumerate(TYPES)}


# The columns of an event, in the order in which ``event_of_row`` takes them.
EVENT_COLUMNS = (
    "events.id, type, at_s, products.name, recommendation_id, position, quantity, price, baskets.name, query"
)
EVENT_TABLES = (
    "events LEFT JOIN products ON products.number = product LEFT JOIN baskets ON baskets.number = basket"
)


COLUMNS = np.dtype([
    ("number", np.int64),
    ("person", np.int64),
    ("product", np.int64),
    ("type", np.int8),
    ("at_s", np.float64),
    ("basket", np.int64),
])  # fmt: skip


def event_of_row(person: Person, row: Iterable[Any]) -> Event:
    """An event from ``EVENT_COLUMNS``."""
    event_id, type_, at_s, product, recommendation, position, quantity, price, basket, query = row
    return Event(
        id=event_id,
        type=TYPES[type_],
        person=person,
        at_s=at_s,
        product_id=product or "",
        recommendation_id=recommendation or "",
        position=position,
        quantity=quantity,
        price=price,
        basket_id=basket or "",
        query=query or "",
    )


def numbers_of_types(types: Collection[EventType] | None) -> str:
    """The places of types as JSON, as a statement takes them; None is all."""
    return json.dumps([TYPE_NUMBERS[type_] for type_ in (TYPES if types is None else types)])


class EventWriting:
    """Adds and empties events.

    Args:
        digests: The keys of events.
        people: Who has events.
        products: Names of products.
        baskets: Names of baskets.
    """

    def __init__(self, digests: Digests, *, people: People, products: Names, baskets: Names) -> None:
        self._digests = digests
        self._people = people
        self._products = products
        self._baskets = baskets

    def add(self, connection: sqlite3.Connection, events: Sequence[Event]) -> int:
        """Write the events whose id is not there, in their order; returns how many."""
        by_id: dict[str, Event] = {}
        for event in events:
            by_id.setdefault(event.id, event)
        keys = {event_id: self._digests.of_event(event_id) for event_id in by_id}
        rows = connection.execute(
            # CROSS JOIN keeps SQLite to this order
            "SELECT events.id FROM json_each(?) CROSS JOIN events ON events.key = value",
            (json.dumps(list(set(keys.values()))),),
        ).fetchall()
        for (there,) in rows:
            by_id.pop(there, None)
        new = list(by_id.values())
        if new:
            self._write(connection, new, keys)
        return len(new)

    def empty(self, connection: sqlite3.Connection, numbers: Collection[int]) -> None:
        """Erase events, with the names of products and baskets that no other event has."""
        wanted = json.dumps(list(numbers))
        rows = connection.execute(
            "SELECT product, basket FROM json_each(?) CROSS JOIN events ON number = value", (wanted,)
        ).fetchall()
        connection.execute(
            "UPDATE events SET key = NULL, person = NULL, at_s = NULL, type = NULL, product = NULL, basket = NULL,"
            " position = NULL, quantity = NULL, price = NULL, id = NULL, recommendation_id = NULL, query = NULL"
            " WHERE number IN (SELECT value FROM json_each(?))",
            (wanted,),
        )
        connection.execute(
            "UPDATE totals SET events = events - ?, erasures = erasures + 1 WHERE ? > 0", (len(rows), len(rows))
        )
        self._uncount(connection, Counter(product for product, _ in rows if product is not None))
        baskets = {basket for _, basket in rows if basket is not None}
        self._baskets.empty(connection, baskets - _in_use(connection, baskets))

    def _write(self, connection: sqlite3.Connection, events: Sequence[Event], keys: dict[str, int]) -> None:
        people = self._people.assign(connection, [event.person for event in events])
        products = self._products.assign(connection, [event.product_id for event in events if event.product_id])
        baskets = self._baskets.assign(connection, [event.basket_id for event in events if event.basket_id])
        ((last,),) = connection.execute("SELECT max(number) FROM events").fetchall()
        connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    number,
                    keys[event.id],
                    people[event.person],
                    event.at_s,
                    TYPE_NUMBERS[event.type],
                    products.get(event.product_id),
                    baskets.get(event.basket_id),
                    event.position,
                    event.quantity,
                    event.price,
                    event.id,
                    event.recommendation_id or None,
                    event.query or None,
                )
                for number, event in enumerate(events, start=(last or 0) + 1)
            ],
        )
        connection.executemany(
            "INSERT INTO product_events VALUES (?, ?)"
            " ON CONFLICT (product) DO UPDATE SET events = events + excluded.events",
            Counter(products[event.product_id] for event in events if event.product_id).items(),
        )
        connection.execute("UPDATE totals SET events = events + ?", (len(events),))

    def _uncount(self, connection: sqlite3.Connection, counts: Counter[int]) -> None:
        connection.executemany(
            "UPDATE product_events SET events = events - ? WHERE product = ?",
            [(count, product) for product, count in counts.items()],
        )
        unused = connection.execute(
            "SELECT product FROM product_events WHERE events = 0 AND product IN (SELECT value FROM json_each(?))",
            (json.dumps(list(counts)),),
        ).fetchall()
        connection.executemany("DELETE FROM product_events WHERE product = ?", unused)
        self._products.empty(connection, [product for (product,) in unused])


def _in_use(connection: sqlite3.Connection, baskets: Iterable[int]) -> set[int]:
    rows = connection.execute(
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM events WHERE basket = value)",
        (json.dumps(list(baskets)),),
    ).fetchall()
    return {basket for (basket,) in rows}


class SqliteEventStore:
    """The ``EventStore`` of one workspace in one SQLite file.

    Raises:
        WorkspaceTooNew: A newer Sartor wrote the file.
        WorkspaceUnusable: The file is no store, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Database(path, migrations=EVENT_MIGRATIONS, secure_delete=True)
        self._reader = Database(path, migrations=EVENT_MIGRATIONS, secure_delete=True)
        ((secret,),) = self._writer.all("SELECT key FROM secrets")
        digests = Digests(secret)
        self._people = People(Names("people", digests))
        self._products = Names("products", digests)
        self._writing = EventWriting(
            digests, people=self._people, products=self._products, baskets=Names("baskets", digests)
        )
        self._sweep()  # an erasure that was killed half-way has left its text in the write-ahead log

    # Reading

    def resolve(self, person: Person) -> Person:
        with self._reader.snapshot() as connection:
            numbers = self._people.numbers(connection, person)
            return self._people.named(connection, numbers[:1])[0] if numbers else person

    def holds(self, person: Person) -> bool:
        with self._reader.snapshot() as connection:
            return self._people.number(connection, person) is not None

    def visitors(self, person: Person) -> tuple[str, ...]:
        with self._reader.snapshot() as connection:
            numbers = self._people.numbers(connection, person)
            return tuple(visitor.id for visitor in self._people.named(connection, numbers[1:]))

    def history(self, person: Person) -> list[Event]:
        with self._reader.snapshot() as connection:
            numbers = self._people.numbers(connection, person)
            if not numbers:
                return []
            (who,) = self._people.named(connection, numbers[:1])
            rows = connection.execute(
                f"SELECT {EVENT_COLUMNS} FROM {EVENT_TABLES}"  # noqa: S608
                " WHERE person IN (SELECT value FROM json_each(?)) ORDER BY at_s, events.number",
                (json.dumps(numbers),),
            ).fetchall()
        return [event_of_row(who, row) for row in rows]

    def recent(
        self,
        person: Person,
        *,
        limit: int,
        until_s: float | None = None,
        types: Collection[EventType] | None = None,
    ) -> list[Event]:
        with self._reader.snapshot() as connection:
            numbers = self._people.numbers(connection, person)
            if not numbers:
                return []
            (who,) = self._people.named(connection, numbers[:1])
            rows = [
                row
                for number in numbers
                for row in connection.execute(
                    f"SELECT at_s, events.number, {EVENT_COLUMNS} FROM {EVENT_TABLES} WHERE person = ?"  # noqa: S608
                    " AND at_s <= ? AND type IN (SELECT value FROM json_each(?))"
                    " ORDER BY at_s DESC, events.number DESC LIMIT ?",
                    (number, np.inf if until_s is None else until_s, numbers_of_types(types), limit),
                ).fetchall()
            ]
        rows.sort(key=lambda row: row[:2], reverse=True)
        return [event_of_row(who, row[2:]) for row in rows[:limit]]

    def products_of(self, person: Person, types: Collection[EventType]) -> set[str]:
        with self._reader.snapshot() as connection:
            rows = connection.execute(
                "SELECT name FROM products WHERE number IN (SELECT product FROM events"
                " WHERE person IN (SELECT value FROM json_each(?)) AND type IN (SELECT value FROM json_each(?)))",
                (json.dumps(self._people.numbers(connection, person)), numbers_of_types(types)),
            ).fetchall()
        return {name for (name,) in rows}

    def counts(self) -> tuple[int, int]:
        ((events, people),) = self._reader.all(
            "SELECT events, (SELECT count(*) FROM people WHERE key IS NOT NULL) - (SELECT count(*) FROM merges)"
            " FROM totals"
        )
        return events, people

    def product_counts(self) -> dict[str, int]:
        return dict(self._reader.all("SELECT name, events FROM product_events JOIN products ON number = product"))

    def after(self, position: EventPosition, *, limit: int) -> EventRows:
        number = position.get(_SEQUENCE, 0)
        with self._reader.snapshot() as connection:
            cursor = connection.execute(
                "SELECT number, coalesce(user, person), coalesce(product, 0), type, at_s, coalesce(basket, 0)"
                " FROM events LEFT JOIN merges ON visitor = person"
                " WHERE number > ? AND person IS NOT NULL"
                " AND NOT (type = ? AND recommendation_id IS NOT NULL AND position IS NOT NULL)"
                " ORDER BY number LIMIT ?",
                (number, TYPE_NUMBERS[EventType.VIEW], limit),
            )
            rows = np.fromiter(cursor, dtype=COLUMNS)
            products, places = np.unique(rows["product"], return_inverse=True)
            names = self._products.named(connection, products.tolist())
        searches = int(products.size > 0 and products[0] == 0)  # 0, if there, comes first
        return EventRows(
            position={_SEQUENCE: int(rows["number"][-1])} if rows.size else position,
            people=rows["person"].copy(),
            products=places.astype(np.int64) - searches,
            product_ids=tuple(names[product] for product in products.tolist() if product),
            types=rows["type"].copy(),
            at_s=rows["at_s"].copy(),
            baskets=rows["basket"].copy(),
        )

    def erasures(self) -> int:
        ((erasures,),) = self._reader.all("SELECT erasures FROM totals")
        return int(erasures)

    # Writing

    def add(self, events: Sequence[Event]) -> Taken:
        with self._writer.transaction() as connection:
            added = self._writing.add(connection, events)
        return Taken(added=added, duplicates=len(events) - added)

    def merge(self, visitor_id: str, *, into: str) -> int:
        visitor, user = Person.visitor(visitor_id), Person.user(into)
        with self._writer.transaction() as connection:
            numbers = self._people.assign(connection, [user, visitor])
            before = self._people.user(connection, numbers[visitor])
            if before == numbers[user]:
                return 0
            if before is not None:
                raise VisitorTaken(visitor_id, user_id=into)
            self._people.merge(connection, numbers[visitor], into=numbers[user])
            ((moved,),) = connection.execute(
                "SELECT count(*) FROM events WHERE person = ?", (numbers[visitor],)
            ).fetchall()
            connection.execute("UPDATE totals SET erasures = erasures + 1 WHERE ? > 0", (moved,))
        return int(moved)

    def withdraw(self, person: Person, type: EventType, product_id: str) -> int:  # noqa: A002 - the field's word
        with self._writer.transaction() as connection:
            rows = connection.execute(
                "SELECT events.number FROM events JOIN products ON products.number = product"
                " WHERE person IN (SELECT value FROM json_each(?)) AND type = ? AND name = ?",
                (json.dumps(self._people.numbers(connection, person)), TYPE_NUMBERS[type], product_id),
            ).fetchall()
            self._writing.empty(connection, [number for (number,) in rows])
        if rows:
            self._sweep()
        return len(rows)

    def forget(self, person: Person) -> int:
        with self._writer.transaction() as connection:
            numbers = self._people.numbers(connection, person)
            rows = connection.execute(
                "SELECT number FROM events WHERE person IN (SELECT value FROM json_each(?))",
                (json.dumps(numbers),),
            ).fetchall()
            self._writing.empty(connection, [number for (number,) in rows])
            self._people.empty(connection, numbers)
        if not self._sweep():
            reason = f"another process reads {self._path.name}, and its log keeps what was erased; do it once more"
            raise WorkspaceUnusable(self._path.parent, reason=reason)
        return len(rows)

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def _sweep(self) -> bool:
        """Fold the write-ahead log into the file and cut it to nothing; False when another process prevents it."""
        ((busy, _, _),) = self._writer.all("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy
