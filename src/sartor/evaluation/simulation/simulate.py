"""A simulation of shoppers with stable tastes, over any catalog: a log of events where there is no real one.

What it assumes is in the docstrings of ``TasteWeights``, ``Habits`` and ``Market``, and discussed in
``docs/explanation/for-you-evaluation.md``. The figures are assumptions, not measurements of a shop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.evaluation.simulation.assortment import Assortment, Looks, Shelves, first_of_each, joined
from sartor.evaluation.simulation.shoppers import Habits, Market, Shoppers, TasteWeights, attraction, visits
from sartor.events.model import Event, EventType, Person

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from sartor.evaluation.simulation.assortment import Codes, Numbers
    from sartor.evaluation.simulation.shoppers import Visits
    from sartor.types import Product

    Flags = npt.NDArray[np.bool_]


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


_DAY_S = 86400.0
_SESSIONS_AT_ONCE = 16384
_MOST_LOOKS = 10
_FIRST_CLICK_S, _FIRST_LOOK_S = 5.0, 30.0
_GAP_S, _LONGEST_GAP_S = 60.0, 140.0  # between two looks, so that a session ends within half an hour
_AFTER_S = {EventType.LIKE: 8.0, EventType.DISLIKE: 5.0, EventType.ADD_TO_CART: 20.0}
_BUYS_AFTER_S, _ALONG_S = 90.0, 30.0
_TAKEN_ALONG = 12  # candidates for what is taken along
_BRAND, _USAGE, _SEASON = 1.5, 1.0, 0.7  # what having it in common adds to what goes together
_BASKET_TASTE = 0.5
_MOST_LIKELY = 0.9


class Browsing:
    """Everybody's sessions, block by block."""

    def __init__(
        self,
        assortment: Assortment,
        shoppers: Shoppers,
        *,
        habits: Habits,
        market: Market,
        rng: np.random.Generator,
    ) -> None:
        self._assortment, self._shoppers, self._habits, self._market = assortment, shoppers, habits, market
        self._shelves = Shelves(assortment)
        self._rng = rng
        self._baskets = self._answers = 0

    def events(self, planned: Visits, *, days: int, began_s: float, seed: int) -> SimulatedEvents:
        """All that happens in the sessions.

        Args:
            planned: The sessions.
            days: How long the simulation lasts.
            began_s: When it begins, in seconds since 1970 UTC.
            seed: Tells the ids of events apart from those of other simulations.
        """
        written = Columns()
        for week, weights in enumerate(attraction(self._assortment, self._market, days, self._rng)):
            self._shelves.attract(weights)
            in_week = planned.within(7 * week, 7 * week + 7)
            for start in range(0, len(in_week.person), _SESSIONS_AT_ONCE):
                rows = np.arange(start, min(start + _SESSIONS_AT_ONCE, len(in_week.person)))
                self._block(in_week.at(rows), began_s, written)
        return written.events(self._shoppers, self._assortment, seed=seed)

    def _block(self, block: Visits, began_s: float, written: Columns) -> None:
        start_s = began_s + block.day * _DAY_S  # (s,)
        looks = joined(self._clicked(block, start_s, written), self._browsed(block))
        of_session = looks.session
        person, at_s = block.person[of_session], start_s[of_session] + looks.at_s
        seen = {"person": person, "product": looks.product, "answer": looks.answer, "position": looks.position}
        written.add(EventType.CLICK, looks.answer > 0, at_s=at_s, **seen)
        written.add(EventType.VIEW, looks.answer == 0, at_s=at_s, **seen)
        habits = self._habits
        liked = self._some(habits.like, habits.decided * looks.worth)
        disliked = self._some(habits.dislike, -habits.decided * looks.worth) & ~liked
        carted = self._some(habits.cart, habits.decided * looks.worth) & ~disliked
        for type_, chosen in (
            (EventType.LIKE, liked),
            (EventType.DISLIKE, disliked),
            (EventType.ADD_TO_CART, carted),
        ):
            written.add(type_, chosen, at_s=at_s + _AFTER_S[type_], **seen)
        bought = carted & (self._rng.random(len(carted)) < habits.bought)
        baskets = self._basket_numbers(of_session[bought], len(block.person))
        ends_s = np.full(len(block.person), -np.inf)
        np.maximum.at(ends_s, of_session, at_s)
        pays_s = ends_s + _BUYS_AFTER_S
        written.add(EventType.PURCHASE, bought, at_s=pays_s[of_session], basket=baskets[of_session], **seen)
        along = np.flatnonzero(bought & (self._rng.random(len(bought)) < habits.together))
        self._take_along(
            block,
            of_session[along],
            looks.product[along],
            ends_s=ends_s,
            baskets=baskets,
            written=written,
        )

    def _browsed(self, block: Visits) -> Looks:
        """Scroll through a shelf, notice some, look at those worth most."""
        habits, rng = self._habits, self._rng
        offered = self._shelves.of_kind(block.gender, block.kind, habits.offered, rng)  # (s, c)
        seeking = np.flatnonzero(block.brand >= 0)
        sought = self._shelves.of_kind_and_brand(
            block.gender[seeking],
            block.kind[seeking],
            block.brand[seeking],
            count=(habits.offered + 1) // 2,
            rng=rng,
        )
        offered[seeking, ::2] = np.where(sought >= 0, sought, offered[seeking, ::2])
        worth = self._worth(block.person, offered)
        noticed = rng.random(offered.shape) < np.arange(1.0, habits.offered + 1) ** -habits.scrolling
        there = noticed & first_of_each(offered) & (offered >= 0)
        value = np.where(there, worth + rng.gumbel(size=worth.shape), -np.inf)
        most = min(_MOST_LOOKS, habits.offered)
        best = np.argsort(-value, axis=1)[:, :most]
        wanted = 1 + rng.poisson(habits.looks - 1, len(best))
        looked = (np.arange(most) < wanted[:, np.newaxis]) & np.isfinite(np.take_along_axis(value, best, axis=1))
        gaps = np.minimum(rng.exponential(_GAP_S, best.shape), _LONGEST_GAP_S)
        # In the order in which they stood on the shelf, not of their worth
        best = np.where(looked, best, habits.offered)
        best.sort(axis=1)
        session, place = np.nonzero(best < habits.offered)
        at = best[session, place]
        none = np.zeros(len(session), np.int64)
        return Looks(
            session=session,
            product=offered[session, at],
            worth=worth[session, at],
            at_s=_FIRST_LOOK_S + np.cumsum(gaps, axis=1)[session, place],
            answer=none,
            position=none,
        )

    def _clicked(self, block: Visits, start_s: Numbers, written: Columns) -> Looks:
        """Begin some sessions with a recorded answer, of which some of what is examined is clicked."""
        habits, rng = self._habits, self._rng
        answered = np.flatnonzero(rng.random(len(block.person)) < habits.answered)
        drawn = self._shelves.of_kind(block.gender[answered], block.kind[answered], 3 * habits.answer, rng)
        new = first_of_each(drawn) & (drawn >= 0)
        first = np.argsort(~new, axis=1, kind="stable")[:, : habits.answer]
        shown, is_shown = np.take_along_axis(drawn, first, axis=1), np.take_along_axis(new, first, axis=1)
        numbers = self._answers + 1 + np.arange(len(answered))
        self._answers += len(answered)
        row, place = np.nonzero(is_shown)
        written.add(
            EventType.VIEW,
            np.ones(len(row), np.bool_),
            at_s=start_s[answered[row]],
            person=block.person[answered[row]],
            product=shown[row, place],
            answer=numbers[row],
            position=place + 1,
        )
        worth = self._worth(block.person[answered], shown)[row, place]
        examined = rng.random(len(row)) < (place + 1.0) ** -habits.examined
        clicked = examined & self._some(habits.clicked, habits.decided * worth)
        row, place, worth = row[clicked], place[clicked], worth[clicked]
        return Looks(
            session=answered[row],
            product=shown[row, place],
            worth=worth,
            at_s=_FIRST_CLICK_S + place.astype(np.float64),
            answer=numbers[row],
            position=place + 1,
        )

    def _take_along(  # noqa: PLR0913 - what was bought, and where it goes
        self,
        block: Visits,
        session: Codes,
        anchor: Codes,
        *,
        ends_s: Numbers,
        baskets: Codes,
        written: Columns,
    ) -> None:
        """Look at something of another kind that goes with what was bought, and buy it too.

        Half of the candidates are of the same brand, half of a kind that the person shops for.
        """
        if not len(session):
            return
        of, rng, half = self._assortment, self._rng, _TAKEN_ALONG // 2
        person, gender = block.person[session], block.gender[session]
        kinds = self._shoppers.kinds[person]
        kind = kinds[np.arange(len(kinds)), rng.integers(kinds.shape[1], size=len(kinds))]
        offered = np.concatenate(
            [
                self._shelves.of_brand(gender, of.brand[anchor], half, rng),
                self._shelves.of_kind(gender, kind, half, rng),
            ],
            axis=1,
        )  # (b, c)
        value = _BASKET_TASTE * self._worth(person, offered) + rng.gumbel(size=offered.shape)
        for codes, adds in ((of.brand, _BRAND), (of.usage, _USAGE), (of.season, _SEASON)):
            value += adds * (codes[offered] == codes[anchor, np.newaxis])
        value[(offered < 0) | (of.kind[offered] == of.kind[anchor, np.newaxis])] = -np.inf
        best = value.argmax(axis=1)
        found = np.isfinite(value.max(axis=1))
        seen = {"person": person, "product": offered[np.arange(len(best)), best]}
        at_s = ends_s[session]
        written.add(EventType.VIEW, found, at_s=at_s + _ALONG_S, **seen)
        written.add(EventType.ADD_TO_CART, found, at_s=at_s + 2 * _ALONG_S, **seen)
        written.add(EventType.PURCHASE, found, at_s=at_s + _BUYS_AFTER_S, basket=baskets[session], **seen)

    def _worth(self, people: Codes, products: Codes) -> Numbers:
        return self._shoppers.worth(people, products, self._assortment)

    def _some(self, rate: float, scores: Numbers) -> Flags:
        """Choose a share ``rate`` of all, those with higher scores more often."""
        if not len(scores):
            return np.zeros(0, np.bool_)
        likely = np.exp(scores - scores.max())
        chosen: Flags = self._rng.random(len(scores)) < np.minimum(rate * likely / likely.mean(), _MOST_LIKELY)
        return chosen

    def _basket_numbers(self, sessions: Codes, count: int) -> Codes:
        """A new number for each session of a block that buys, ``(count,)``; 0 for the others."""
        numbers = np.zeros(count, np.int64)
        buying = np.unique(sessions)
        numbers[buying] = self._baskets + 1 + np.arange(len(buying))
        self._baskets += len(buying)
        return numbers


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
