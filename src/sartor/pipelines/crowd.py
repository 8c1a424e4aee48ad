"""What all people did, in memory and up to date: what goes with what, and what is liked lately.

It follows an event store as an index follows the catalog's, and holds numbers only: no name, no id of a person.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from threading import RLock, Thread
from typing import TYPE_CHECKING

import numpy as np

from sartor.events import EventType, Occasion
from sartor.recommend.together import Together
from sartor.recommend.tuning import DAY_S, EVENT_WEIGHTS, OCCASION_SHARES, SESSION_GAP_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.store.event_rows import EventRows
    from sartor.store.events import EventStore
    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]

logger = logging.getLogger(__name__)

_PAGE = 200_000  # events a step; bounds memory
_MOST = 5_000_000  # events that are looked at, the latest
_AT_ONCE = 100_000  # events that are learned from within a request; of more, beside the requests
_AGAIN_AFTER_S, _AGAIN_SHARE = (
    30.0,
    0.02,
)  # or so many new events: then it is learned anew
_TASTE_S = 30 * DAY_S  # what a person likes within so long is liked together

_TYPES = tuple(EventType)
_WEIGHTS = np.array([EVENT_WEIGHTS.get(type_, 0.0) for type_ in _TYPES], np.float32)
_PURCHASE = _TYPES.index(EventType.PURCHASE)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was learned from events.

    Attributes:
        together: By the occasion.
        baskets: Products of each basket with at least two, by their places.
        number: Arrival number of the last event that it was learned from.
        events: How many these were.
    """

    together: Mapping[Occasion, Together]
    baskets: tuple[tuple[int, ...], ...]
    number: int
    events: int


@dataclass(slots=True, eq=False)
class _Columns:
    """Events by arrival; products by the place that this process gave them."""

    people: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    products: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    types: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    at_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    baskets: Numbers = field(default_factory=lambda: np.empty(0, np.int32))

    def extended(self, pieces: list[_Columns]) -> _Columns:
        def joined(name: str) -> npt.NDArray[np.generic]:
            return np.concatenate([getattr(each, name) for each in (self, *pieces)])[-_MOST:]

        return _Columns(*(joined(name) for name in self.__slots__))  # type: ignore[arg-type]


class Crowd:
    """All people together; may be asked from several threads."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._lock = RLock()
        self._begin()

    def _begin(self) -> None:
        self._columns = _Columns()
        self._places: dict[str, int] = {}
        self._ids: list[str] = []
        self._number, self._erasures = 0, self._events.erasures()
        self._learned = _learn(self._columns, 0, 0)
        self._learned_at = float("-inf")
        self._learner: Thread | None = None
        self._popularity: dict[tuple[float, float, int], tuple[int, Vector]] = {}

    def follow(self) -> None:
        """Take in what people did since the last time; what follows from very many events comes a little later."""
        with self._lock:
            if self._events.erasures() != self._erasures:
                self._begin()
            self._read()
            new = self._number - self._learned.number
            waited = time.monotonic() - self._learned_at
            if not new or self._learner is not None:
                return
            if self._learned.events and waited < _AGAIN_AFTER_S and new < _AGAIN_SHARE * self._learned.events:
                return
            if len(self._columns.people) <= _AT_ONCE:
                self.learn()
            else:
                self._learner = Thread(target=self.learn, name="sartor-crowd", daemon=True)
                self._learner.start()

    def learn(self) -> None:
        """Learn from all that was taken in, now."""
        with self._lock:
            columns, number, count = self._columns, self._number, len(self._ids)
            erasures = self._erasures
        start = time.perf_counter()
        learned = _learn(columns, number, count)
        with self._lock:
            self._learner = None
            if erasures == self._erasures:
                self._learned, self._learned_at = learned, time.monotonic()
        logger.info("learned from events: events=%d seconds=%.2f", learned.events, time.perf_counter() - start)

    @property
    def learned(self) -> Learned:
        """What was learned the last time."""
        return self._learned

    def __len__(self) -> int:
        return len(self._columns.people)

    def place(self, product_id: str) -> int | None:
        """The place of a product; None where nobody did anything with it."""
        return self._places.get(product_id)

    def id(self, place: int) -> str:
        """The product at a place."""
        return self._ids[place]

    def beside(self, product_id: str, occasion: Occasion, *, least: int) -> Vector:
        """How close each product is to one by one occasion, by its place, ``(p,)``.

        Args:
            product_id: The one.
            occasion: On what they met.
            least: On fewer occasions the product says nothing.
        """
        learned, place = self._learned.together[occasion], self._places.get(product_id, -1)
        found = np.zeros(len(learned.occasions), np.float32)
        if 0 <= place < len(found) and learned.occasions[place] >= least:
            others, closeness = learned.beside(place)
            found[others] = closeness
        return found

    def closeness(self, product_id: str, others: Sequence[str]) -> Vector:
        """How close one product is to each of others by what people did, ``(n,)``; 0 where nothing is known."""
        learned = self._learned.together
        count = len(learned[Occasion.SEEN].occasions)
        places = [self._places.get(each, count) for each in (product_id, *others)]
        found = np.zeros(len(others), np.float32)
        known = np.array([place < count for place in places[1:]], bool)
        if places[0] < count and known.any():
            there = np.array(places[1:])[known]
            found[known] = sum(
                share * learned[occasion].between(places[0], there) for occasion, share in OCCASION_SHARES.items()
            )
        return found

    def baskets(self) -> list[tuple[str, ...]]:
        """Ids of the products of each basket with at least two."""
        return [tuple(self._ids[place] for place in basket) for basket in self._learned.baskets]

    def popularity(self, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
        """How much people like each product lately, by its place; each person counts once a product.

        A person's liking is the weight of the strongest event; half of it is left after the half-life.

        Args:
            now_s: Now, in seconds since 1970 UTC; what comes later does not count.
            window_s: Nor does what is older than this.
            half_life_s: In seconds.
        """
        minute = int(now_s // 60)
        with self._lock:
            columns, number = self._columns, self._number
            kept = self._popularity.get((window_s, half_life_s, minute))
            if kept is not None and kept[0] == number:
                return kept[1]
            count = len(self._ids)
        found = _popularity(columns, count, now_s=now_s, window_s=window_s, half_life_s=half_life_s)
        with self._lock:
            self._popularity = {key: value for key, value in self._popularity.items() if key[2] == minute}
            self._popularity[window_s, half_life_s, minute] = number, found
        return found

    def _read(self) -> None:
        pieces = []
        while len(rows := self._events.after(self._number, limit=_PAGE)):
            pieces.append(self._piece(rows))
            self._number = rows.number
        if pieces:
            self._columns = self._columns.extended(pieces)

    def _piece(self, rows: EventRows) -> _Columns:
        places = np.array([self._give(product_id) for product_id in rows.product_ids] or [-1], np.int32)
        return _Columns(
            people=rows.people.astype(np.int32),
            products=np.where(rows.products >= 0, places[rows.products], -1).astype(np.int32),
            types=rows.types,
            at_s=rows.at_s,
            baskets=rows.baskets.astype(np.int32),
        )

    def _give(self, product_id: str) -> int:
        place = self._places.setdefault(product_id, len(self._ids))
        if place == len(self._ids):
            self._ids.append(product_id)
        return place


def _learn(columns: _Columns, number: int, count: int) -> Learned:
    counting = np.flatnonzero((_WEIGHTS[columns.types] > 0) & (columns.products >= 0))
    people, at_s = columns.people[counting].astype(np.int64), columns.at_s[counting]
    order = np.lexsort((at_s, people))
    counting, people, at_s = counting[order], people[order], at_s[order]
    products, types = columns.products[counting].astype(np.int64), columns.types[counting]
    baskets = columns.baskets[counting].astype(np.int64)
    ends = (np.diff(people) != 0) | (np.diff(at_s) > SESSION_GAP_S) if len(people) else np.empty(0, bool)
    sessions = np.concatenate([np.zeros(min(1, len(people)), np.int64), np.cumsum(ends)])
    bought = types == _PURCHASE
    in_basket = np.where(baskets > 0, baskets, sessions + (baskets.max(initial=0) + 1))
    months = (at_s // _TASTE_S).astype(np.int64)
    tastes = people * (months.max(initial=0) + 1) + months
    return Learned(
        together={
            Occasion.BOUGHT: Together.of(in_basket[bought], products[bought], count=count),
            Occasion.SEEN: Together.of(sessions, products, count=count),
            Occasion.LIKED: Together.of(tastes, products, count=count),
        },
        baskets=_baskets(in_basket[bought], products[bought]),
        number=number,
        events=len(columns.people),
    )


def _baskets(occasions: Numbers, products: Numbers) -> tuple[tuple[int, ...], ...]:
    if not len(occasions):
        return ()
    pairs = np.unique(np.stack([occasions, products], axis=1), axis=0)
    starts = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    return tuple(tuple(part.tolist()) for part in np.split(pairs[:, 1], starts) if len(part) > 1)


def _popularity(columns: _Columns, count: int, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
    weights = _WEIGHTS[columns.types]
    near = np.flatnonzero(
        (columns.at_s <= now_s) & (columns.at_s > now_s - window_s) & (columns.products >= 0) & (weights > 0)
    )
    liking = weights[near] * np.exp2((columns.at_s[near] - now_s) / half_life_s)
    pairs = columns.people[near].astype(np.int64) * max(count, 1) + columns.products[near]
    order = np.lexsort((-liking, pairs))
    first = np.diff(pairs[order], prepend=-1) != 0
    strongest = order[first]
    found = np.bincount(columns.products[near][strongest], weights=liking[strongest], minlength=count)
    return np.asarray(found, np.float32)
