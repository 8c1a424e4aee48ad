"""Simulated events as columns, which millions of them need, and as events one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.events import Event, EventType, Person

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from sartor.demo.shelves import Assortment, Codes, Numbers
    from sartor.demo.tastes import Shoppers

TYPES = tuple(EventType)
SIMULATED = "simulated-"  # begins all ids of simulated people, events, answers and baskets


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedEvents:
    """What simulated shoppers did, in order of time.

    Attributes:
        types: Place in ``tuple(EventType)``, ``(e,)`` int8.
        people: Number of the person from 0, ``(e,)`` int32.
        products: Row of the product in the catalog, ``(e,)`` int32.
        at_s: Seconds since 1970 UTC, ``(e,)`` float64, never falling.
        baskets: Number of the basket, ``(e,)`` int32; 0 for none.
        recommendations: Number of the answer, ``(e,)`` int32; 0 for none.
        positions: Place in that answer from 1, ``(e,)`` int16; 0 for none.
        prices: What one costs, ``(e,)`` float64; NaN where nothing is bought.
        shoppers: Who they are: the truth behind the events.
        seed: Stands in the ids of events, so that those of several simulations are apart.
    """

    types: npt.NDArray[np.int8]
    people: npt.NDArray[np.int32]
    products: npt.NDArray[np.int32]
    at_s: npt.NDArray[np.float64]
    baskets: npt.NDArray[np.int32]
    recommendations: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int16]
    prices: npt.NDArray[np.float64]
    shoppers: Shoppers
    seed: int

    def __len__(self) -> int:
        return len(self.types)

    def person(self, number: int) -> Person:
        """The person with a number: a user, or a visitor."""
        if self.shoppers.anonymous[number]:
            return Person.visitor(f"{SIMULATED}{number}")
        return Person.user(f"{SIMULATED}{number}")

    def one_by_one(self, product_ids: Sequence[str]) -> Iterator[Event]:
        """Each of them as an event.

        Args:
            product_ids: Of the catalog, in the order in which it was simulated.
        """
        for row in range(len(self)):
            answer, position = int(self.recommendations[row]), int(self.positions[row])
            basket, price = int(self.baskets[row]), float(self.prices[row])
            yield Event(
                id=f"{SIMULATED}{self.seed}-{row}",
                type=TYPES[self.types[row]],
                person=self.person(int(self.people[row])),
                at_s=float(self.at_s[row]),
                product_id=product_ids[self.products[row]],
                recommendation_id=f"{SIMULATED}{self.seed}-{answer}" if answer else "",
                position=position or None,
                price=None if np.isnan(price) else price,
                basket_id=f"{SIMULATED}{self.seed}-{basket}" if basket else "",
            )


class Columns:
    """Gathers events of one type after the other."""

    def __init__(self) -> None:
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []

    def add(  # noqa: PLR0913 - each is a column
        self,
        type_: EventType,
        chosen: npt.NDArray[np.bool_],
        *,
        person: Codes,
        product: Codes,
        at_s: Numbers,
        basket: Codes | None = None,
        answer: Codes | None = None,
        position: Codes | None = None,
    ) -> None:
        """Add an event for each row that is chosen; all are ``(l,)``."""
        rows = np.flatnonzero(chosen)
        none = np.zeros(len(rows), np.int32)
        self._parts.append(
            (
                np.full(len(rows), TYPES.index(type_), np.int8),
                person[rows].astype(np.int32),
                product[rows].astype(np.int32),
                at_s[rows],
                none if basket is None else basket[rows].astype(np.int32),
                none if answer is None else answer[rows].astype(np.int32),
                (none if position is None else position[rows]).astype(np.int16),
            )
        )

    def events(self, shoppers: Shoppers, assortment: Assortment, *, seed: int) -> SimulatedEvents:
        """All of them in order of time, what is at one time in the order in which it came."""
        joined = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        self._parts.clear()
        order = np.argsort(joined[3], kind="stable")
        types, people, products, at_s, baskets, answers, positions = (column[order] for column in joined)
        return SimulatedEvents(
            types=types,
            people=people,
            products=products,
            at_s=at_s,
            baskets=baskets,
            recommendations=answers,
            positions=positions,
            prices=np.where(types == _PURCHASE, assortment.price[products], np.nan),
            shoppers=shoppers,
            seed=seed,
        )


_PURCHASE = TYPES.index(EventType.PURCHASE)
