"""A simulation of shoppers with stable tastes, over any catalog: a log of events where there is no real one.

What it assumes is in the docstrings of ``TasteWeights``, ``Habits`` and ``Market``, and discussed in
``docs/explanation/for-you-evaluation.md``. The figures are assumptions, not measurements of a shop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.demo.browsing import Browsing
from sartor.demo.shelves import Assortment
from sartor.demo.tastes import Market, Shoppers, TasteWeights
from sartor.demo.visits import Habits, visits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.demo.simulated import SimulatedEvents
    from sartor.events import Event
    from sartor.types import Product

_UNTIL_S = 1_767_225_600.0  # 2026-01-01 UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopperSimulation:
    """Who shops, how much, and how.

    Attributes:
        people: How many.
        events_per_person: How many events each has on average, impressions not counted; some have many more.
        days: Over how many days.
        seed: Of all that is random: the same settings and products make the same events.
        until_s: When the last day ends, in seconds since 1970 UTC.
        tastes: How much tastes count.
        habits: How people shop.
        market: What attracts everybody.
    """

    people: int = 1000
    events_per_person: float = 40.0
    days: int = 90
    seed: int = 0
    until_s: float = _UNTIL_S
    tastes: TasteWeights = field(default_factory=TasteWeights)
    habits: Habits = field(default_factory=Habits)
    market: Market = field(default_factory=Market)

    def __post_init__(self) -> None:
        if self.people < 1 or self.days < 1 or self.events_per_person <= 0:
            msg = "a simulation has at least 1 person, 1 day and some events for each"
            raise ValueError(msg)


def simulate(products: Sequence[Product], settings: ShopperSimulation) -> Iterator[Event]:
    """Make the events of simulated shoppers, in order of time.

    Args:
        products: The catalog, at least one product; the order is part of what decides the outcome.
        settings: Who shops, and how.

    Raises:
        ValueError: There is no product.
    """
    return simulated(products, settings).one_by_one([product.id for product in products])


def simulated(products: Sequence[Product], settings: ShopperSimulation) -> SimulatedEvents:
    """The same events as columns: 5 million take about a minute, and a few hundred MiB."""
    if not products:
        msg = "there is no product to shop for"
        raise ValueError(msg)
    rng = np.random.default_rng(settings.seed)
    assortment = Assortment.of(products, rng)
    shoppers = Shoppers.drawn(settings.people, assortment, settings.tastes, rng)
    planned = visits(
        shoppers, settings.habits, events_per_person=settings.events_per_person, days=settings.days, rng=rng
    )
    browsing = Browsing(assortment, shoppers, habits=settings.habits, market=settings.market, rng=rng)
    return browsing.events(
        planned, days=settings.days, began_s=settings.until_s - settings.days * 86400, seed=settings.seed
    )
