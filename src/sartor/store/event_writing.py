"""Writing and erasing events, within a transaction of the caller, with the names and counts that go with them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from sartor.store.event_rows import TYPE_NUMBERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from sartor.events import Event
    from sartor.store.event_names import Digests, Names
    from sartor.store.event_people import People


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
        people = self._people.give(connection, {event.person for event in events})
        products = self._products.give(connection, [event.product_id for event in events if event.product_id])
        baskets = self._baskets.give(connection, [event.basket_id for event in events if event.basket_id])
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
