"""Between events and the columns that hold them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.events import Event, EventType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from sartor.events import Person

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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EventRows:
    """Events as columns, in the order of arrival, for whoever counts them.

    Attributes:
        number: Arrival number of the last one, to go on from; the one that was asked with where there are none.
        people: Number of who did it, a merged visitor being the user; (n,) int64, from 1.
        products: Place of the product in ``product_ids``, -1 for a search; (n,) int64.
        product_ids: The distinct products of these events.
        types: Place in ``tuple(EventType)``; (n,) int8.
        at_s: When, in seconds since 1970 UTC; (n,) float64.
        baskets: Number of the basket, 0 without one; (n,) int64.
    """

    number: int
    people: NDArray[np.int64]
    products: NDArray[np.int64]
    product_ids: tuple[str, ...]
    types: NDArray[np.int8]
    at_s: NDArray[np.float64]
    baskets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.people)


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
