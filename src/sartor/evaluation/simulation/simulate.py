"""A simulation of shoppers with stable preferences, for any catalog: a log of events to use without a real one.

What it assumes is in the docstrings of ``PreferenceWeights``, ``Habits`` and ``Market``, and discussed in
``docs/explanation/for-you-evaluation.md``. The figures are assumptions, not measurements of a shop.

Shapes: e events, l looks, s sessions, c candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.evaluation.simulation.assortment import Assortment, ProductSampler
from sartor.evaluation.simulation.shoppers import Habits, Market, PreferenceWeights, Shoppers, attraction, visits
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

_PURCHASE = TYPES.index(EventType.PURCHASE)
_UNTIL_S = 1_767_225_600.0  # 2026-01-01 UTC
_DAY_S = 86400
_SESSIONS_AT_ONCE = 16384
_MAX_LOOKS = 10
_FIRST_CLICK_S, _FIRST_LOOK_S = 5.0, 30.0
_GAP_S, _MAX_GAP_S = 60.0, 140.0  # between two looks, so that a session ends within half an hour
_AFTER_S = {EventType.LIKE: 8.0, EventType.DISLIKE: 5.0, EventType.ADD_TO_CART: 20.0}
_BUYS_AFTER_S, _ALONG_S = 90.0, 30.0
_TAKEN_ALONG = 12  # candidates for what is taken along
_BRAND, _USAGE, _SEASON = 1.5, 1.0, 0.7  # what each in common adds to how well two products go together
_BASKET_UTILITY = 0.5
_MAX_PROBABILITY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopperSimulation:
    """Who shops, how much, and how.

    Attributes:
        people: Number of people.
        events_per_person: Events that each has on average, without impressions; some have many more.
        days: Length of the simulation.
        seed: The same settings and products make the same events.
        until_s: When the last day ends, in seconds since 1970 UTC.
        preferences: How much preferences count.
        habits: How people shop.
        market: What makes products attractive to everybody.
    """

    people: int = 1000
    events_per_person: float = 40.0
    days: int = 90
    seed: int = 0
    until_s: float = _UNTIL_S
    preferences: PreferenceWeights = field(default_factory=PreferenceWeights)
    habits: Habits = field(default_factory=Habits)
    market: Market = field(default_factory=Market)

    def __post_init__(self) -> None:
        if self.people < 1 or self.days < 1 or self.events_per_person <= 0:
            msg = "a simulation has at least 1 person, 1 day and some events for each"
            raise ValueError(msg)


def simulate(products: Sequence[Product], settings: ShopperSimulation) -> Iterator[Event]:
    """Make the events of simulated shoppers, in order of time.

    Args:
        products: The catalog, at least one product; their order matters.
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
    shoppers = Shoppers.drawn(settings.people, assortment, settings.preferences, rng)
    planned = visits(
        shoppers, settings.habits, events_per_person=settings.events_per_person, days=settings.days, rng=rng
    )
    return _Browsing(assortment, shoppers, settings, rng).events(planned)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedEvents:
    """What simulated shoppers did, in order of time, ``(e,)`` each.

    Attributes:
        types: Index in ``tuple(EventType)``.
        people: Number of the person from 0.
        products: Row of the product in the catalog.
        at_s: Seconds since 1970 UTC, never falling.
        baskets: Number of the basket; 0 for none.
        recommendations: Number of the answer; 0 for none.
        positions: Position in that answer from 1; 0 for none.
        prices: Price of one; NaN if nothing is bought.
        shoppers: The people: the truth behind the events.
        seed: Part of the ids of events, so that several simulations have different ones.
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
        """Each of them as an event; ``product_ids`` are those of the simulated catalog, in its order."""
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


class _EventLog:
    """Collects events of one type after the other."""

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
        """Add an event for each chosen row of ``(l,)`` columns."""
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
        """All of them in order of time; those of one moment in the order in which they were added."""
        columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        self._parts.clear()
        order = np.argsort(columns[3], kind="stable")
        types, people, products, at_s, baskets, answers, positions = (column[order] for column in columns)
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Looks:
    """Products looked at, ``(l,)`` each.

    Attributes:
        session: Row of the session in its block.
        product: Row in the catalog.
        utility: For the person, by preferences alone.
        at_s: When, in seconds since the session began.
        answer: Number of the answer it was clicked in; 0 for none.
        position: Its position there from 1; 0 for none.
    """

    session: Codes
    product: Codes
    utility: Numbers
    at_s: Numbers
    answer: Codes
    position: Codes

    def followed_by(self, other: _Looks) -> _Looks:
        """These, then the others."""
        columns = (each.name for each in fields(self))
        return _Looks(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in columns})


def _first_of_each(products: Codes) -> Flags:
    """Whether each of ``(s, c)`` is the first of its kind in its row."""
    order = np.argsort(products, axis=1, kind="stable")
    ordered = np.take_along_axis(products, order, axis=1)
    is_first = np.ones(products.shape, np.bool_)
    is_first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    result = np.empty_like(is_first)
    np.put_along_axis(result, order, is_first, axis=1)
    return result


class _Browsing:
    """Everybody's sessions, block by block."""

    def __init__(
        self, assortment: Assortment, shoppers: Shoppers, settings: ShopperSimulation, rng: np.random.Generator
    ) -> None:
        self._assortment, self._shoppers, self._settings, self._rng = assortment, shoppers, settings, rng
        self._habits = settings.habits
        self._sampler = ProductSampler(assortment)
        self._log = _EventLog()
        self._baskets = self._answers = 0

    def events(self, planned: Visits) -> SimulatedEvents:
        """Everything that happens in the sessions."""
        settings = self._settings
        for week, weights in enumerate(attraction(self._assortment, settings.market, settings.days, self._rng)):
            self._sampler.set_weights(weights)
            in_week = planned.within(7 * week, 7 * week + 7)
            for start in range(0, len(in_week.person), _SESSIONS_AT_ONCE):
                rows = np.arange(start, min(start + _SESSIONS_AT_ONCE, len(in_week.person)))
                self._block(in_week.at(rows))
        return self._log.events(self._shoppers, self._assortment, seed=settings.seed)

    def _block(self, block: Visits) -> None:
        began_s = self._settings.until_s - self._settings.days * _DAY_S
        start_s = began_s + block.day * _DAY_S  # (s,)
        looks = self._clicked(block, start_s).followed_by(self._browsed(block))
        of_session = looks.session
        person, at_s = block.person[of_session], start_s[of_session] + looks.at_s
        seen = {"person": person, "product": looks.product, "answer": looks.answer, "position": looks.position}
        self._log.add(EventType.CLICK, looks.answer > 0, at_s=at_s, **seen)
        self._log.add(EventType.VIEW, looks.answer == 0, at_s=at_s, **seen)
        habits = self._habits
        liked = self._some(habits.like, habits.decided * looks.utility)
        disliked = self._some(habits.dislike, -habits.decided * looks.utility) & ~liked
        carted = self._some(habits.cart, habits.decided * looks.utility) & ~disliked
        for type_, chosen in (
            (EventType.LIKE, liked),
            (EventType.DISLIKE, disliked),
            (EventType.ADD_TO_CART, carted),
        ):
            self._log.add(type_, chosen, at_s=at_s + _AFTER_S[type_], **seen)
        bought = carted & (self._rng.random(len(carted)) < habits.bought)
        baskets = self._basket_numbers(of_session[bought], len(block.person))
        ends_s = np.full(len(block.person), -np.inf)
        np.maximum.at(ends_s, of_session, at_s)
        pays_s = ends_s + _BUYS_AFTER_S
        self._log.add(EventType.PURCHASE, bought, at_s=pays_s[of_session], basket=baskets[of_session], **seen)
        along = np.flatnonzero(bought & (self._rng.random(len(bought)) < habits.together))
        self._take_along(
            block,
            of_session[along],
            looks.product[along],
            ends_s=ends_s,
            baskets=baskets,
        )

    def _browsed(self, block: Visits) -> _Looks:
        """Scroll through products of the kind, notice some, look at those of highest utility."""
        habits, rng = self._habits, self._rng
        offered = self._sampler.of_kind(block.gender, block.kind, habits.offered, rng)  # (s, c)
        seeking = np.flatnonzero(block.brand >= 0)
        sought = self._sampler.of_kind_and_brand(
            block.gender[seeking],
            block.kind[seeking],
            block.brand[seeking],
            count=(habits.offered + 1) // 2,
            rng=rng,
        )
        offered[seeking, ::2] = np.where(sought >= 0, sought, offered[seeking, ::2])
        utility = self._utility(block.person, offered)
        noticed = rng.random(offered.shape) < np.arange(1.0, habits.offered + 1) ** -habits.scrolling
        there = noticed & _first_of_each(offered) & (offered >= 0)
        value = np.where(there, utility + rng.gumbel(size=utility.shape), -np.inf)
        limit = min(_MAX_LOOKS, habits.offered)
        best = np.argsort(-value, axis=1)[:, :limit]
        count = 1 + rng.poisson(habits.looks - 1, len(best))
        looked = (np.arange(limit) < count[:, np.newaxis]) & np.isfinite(np.take_along_axis(value, best, axis=1))
        gaps = np.minimum(rng.exponential(_GAP_S, best.shape), _MAX_GAP_S)
        # They are looked at in the order in which they were offered, not of their utility
        best = np.where(looked, best, habits.offered)
        best.sort(axis=1)
        session, look = np.nonzero(best < habits.offered)
        at = best[session, look]
        none = np.zeros(len(session), np.int64)
        return _Looks(
            session=session,
            product=offered[session, at],
            utility=utility[session, at],
            at_s=_FIRST_LOOK_S + np.cumsum(gaps, axis=1)[session, look],
            answer=none,
            position=none,
        )

    def _clicked(self, block: Visits, start_s: Numbers) -> _Looks:
        """Begin some sessions with a recorded answer, and click some of what is examined in it."""
        habits, rng = self._habits, self._rng
        answered = np.flatnonzero(rng.random(len(block.person)) < habits.answered)
        drawn = self._sampler.of_kind(block.gender[answered], block.kind[answered], 3 * habits.answer, rng)
        new = _first_of_each(drawn) & (drawn >= 0)
        first = np.argsort(~new, axis=1, kind="stable")[:, : habits.answer]
        shown, is_shown = np.take_along_axis(drawn, first, axis=1), np.take_along_axis(new, first, axis=1)
        numbers = self._answers + 1 + np.arange(len(answered))
        self._answers += len(answered)
        row, rank = np.nonzero(is_shown)
        self._log.add(
            EventType.VIEW,
            np.ones(len(row), np.bool_),
            at_s=start_s[answered[row]],
            person=block.person[answered[row]],
            product=shown[row, rank],
            answer=numbers[row],
            position=rank + 1,
        )
        utility = self._utility(block.person[answered], shown)[row, rank]
        examined = rng.random(len(row)) < (rank + 1.0) ** -habits.examined
        clicked = examined & self._some(habits.clicked, habits.decided * utility)
        row, rank, utility = row[clicked], rank[clicked], utility[clicked]
        return _Looks(
            session=answered[row],
            product=shown[row, rank],
            utility=utility,
            at_s=_FIRST_CLICK_S + rank.astype(np.float64),
            answer=numbers[row],
            position=rank + 1,
        )

    def _take_along(
        self,
        block: Visits,
        session: Codes,
        anchor: Codes,
        *,
        ends_s: Numbers,
        baskets: Codes,
    ) -> None:
        """Look at something of another kind that goes with what was bought, and buy it too.

        Half of the candidates are of the same brand, half of a kind that the person shops for.
        """
        if not len(session):
            return
        assortment, rng, half = self._assortment, self._rng, _TAKEN_ALONG // 2
        person, gender = block.person[session], block.gender[session]
        kinds = self._shoppers.kinds[person]
        kind = kinds[np.arange(len(kinds)), rng.integers(kinds.shape[1], size=len(kinds))]
        offered = np.concatenate(
            [
                self._sampler.of_brand(gender, assortment.brand[anchor], half, rng),
                self._sampler.of_kind(gender, kind, half, rng),
            ],
            axis=1,
        )  # (b, c)
        value = _BASKET_UTILITY * self._utility(person, offered) + rng.gumbel(size=offered.shape)
        for codes, adds in ((assortment.brand, _BRAND), (assortment.usage, _USAGE), (assortment.season, _SEASON)):
            value += adds * (codes[offered] == codes[anchor, np.newaxis])
        kind = assortment.kind
        value[(offered < 0) | (kind[offered] == kind[anchor, np.newaxis])] = -np.inf
        best = value.argmax(axis=1)
        found = np.isfinite(value.max(axis=1))
        seen = {"person": person, "product": offered[np.arange(len(best)), best]}
        at_s = ends_s[session]
        self._log.add(EventType.VIEW, found, at_s=at_s + _ALONG_S, **seen)
        self._log.add(EventType.ADD_TO_CART, found, at_s=at_s + 2 * _ALONG_S, **seen)
        self._log.add(EventType.PURCHASE, found, at_s=at_s + _BUYS_AFTER_S, basket=baskets[session], **seen)

    def _utility(self, people: Codes, products: Codes) -> Numbers:
        return self._shoppers.utility(people, products, self._assortment)

    def _some(self, rate: float, scores: Numbers) -> Flags:
        """Choose a share ``rate`` of them, those with higher scores more often."""
        if not len(scores):
            return np.zeros(0, np.bool_)
        likely = np.exp(scores - scores.max())
        chosen: Flags = self._rng.random(len(scores)) < np.minimum(rate * likely / likely.mean(), _MAX_PROBABILITY)
        return chosen

    def _basket_numbers(self, sessions: Codes, count: int) -> Codes:
        """A new number for each session of a block that buys, ``(count,)``; 0 for the others."""
        numbers = np.zeros(count, np.int64)
        buying = np.unique(sessions)
        numbers[buying] = self._baskets + 1 + np.arange(len(buying))
        self._baskets += len(buying)
        return numbers
