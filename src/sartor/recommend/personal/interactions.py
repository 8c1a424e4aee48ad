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
from scipy import sparse

from sartor.events.model import EventType, RelationType
from sartor.recommend.weights import (
    DAY_S,
    EVENT_WEIGHTS,
    OCCASION_SHARES,
    SESSION_GAP_S,
    TOGETHER_KEPT,
    TOGETHER_LARGEST,
    TOGETHER_SHRINKAGE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.store.base import EventRows, EventStore
    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]
    Times = npt.NDArray[np.float64]


_STEPS = 1024  # of closeness, as finely as it has to be parted for few to be left
_BLOCK = 2048  # products that are compared with all others at once; bounds memory


@dataclass(frozen=True, slots=True, eq=False)
class ItemCooccurrence:
    """For each product those that go with it.

    The closeness of two products is ``c / (sqrt(n m) + shrinkage)``: on ``c`` occasions there were both, on ``n``
    and ``m`` each; so that two that met once by chance are not close.

    Source: item-to-item collaborative filtering by cosine, B. Sarwar et al., WWW 2001; the shrinkage as
    R. Bell and Y. Koren, ICDM 2007.

    Attributes:
        starts: Where the others of each product begin, ``(p + 1,)``.
        others: Those of all products end to end, of each the closest first, at most ``TOGETHER_KEPT``.
        closeness: How close they are, in (0, 1).
        occasions: On how many there was each product, ``(p,)``.
    """

    starts: Numbers
    others: Numbers
    closeness: Vector
    occasions: Numbers

    @classmethod
    def of(cls, occasions: Numbers, products: Numbers, *, count: int) -> ItemCooccurrence:
        """Learn from pairs.

        Args:
            occasions: A number for each pair's occasion, ``(n,)``: a basket, a session.
            products: The product that there was, ``(n,)``, below ``count``; the latest come last.
            count: How many products there are.
        """
        there = _there(occasions, products, count)
        often = np.asarray(there.sum(axis=0)).ravel().astype(np.int64)
        by_product = there.T.tocsr()
        blocks = [
            _closest(by_product[start : start + _BLOCK] @ there, often, start) for start in range(0, count, _BLOCK)
        ]
        sizes, others, closeness = (np.concatenate(part) for part in zip(_NOTHING, *blocks, strict=True))
        return cls(np.concatenate([[0], np.cumsum(sizes)]), others, closeness, often)

    def beside(self, product: int) -> tuple[Numbers, Vector]:
        """Products that go with one, the closest first, and how close they are."""
        own = slice(self.starts[product], self.starts[product + 1])
        return self.others[own], self.closeness[own]

    def between(self, product: int, others: Numbers) -> Vector:
        """How close one product is to each of others, ``(n,)``."""
        near, closeness = self.beside(product)
        return np.asarray((near == others[:, None]) @ closeness, np.float32)

    def with_all(self, products: Numbers, weights: Vector) -> Vector:
        """How well each product goes with several, ``(p,)``: the mean of closenesses, by weight."""
        found = np.zeros(len(self.occasions), np.float32)
        for product, weight in zip(products, weights / (float(weights.sum()) or 1.0), strict=True):
            others, closeness = self.beside(product)
            found[others] += weight * closeness  # no other comes twice
        return found


def _there(occasions: Numbers, products: Numbers, count: int) -> sparse.csr_matrix:
    """Which products there were on which occasions, ``(o, p)`` of 0 and 1; of large ones the latest products."""
    _, first = np.unique(occasions[::-1] * np.int64(max(count, 1)) + products[::-1], return_index=True)
    kept = np.sort(len(products) - 1 - first)  # of each pair the last
    occasions, products = occasions[kept], products[kept]
    names, numbers, sizes = np.unique(occasions, return_inverse=True, return_counts=True)
    order = np.argsort(numbers, kind="stable")
    from_end = np.empty(len(numbers), np.int64)
    from_end[order] = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(numbers))
    near = from_end <= TOGETHER_LARGEST
    shape = (len(names), count)
    return sparse.csr_matrix((np.ones(int(near.sum()), np.float32), (numbers[near], products[near])), shape=shape)


def _closest(both: sparse.csr_matrix, often: Numbers, start: int) -> tuple[Numbers, Numbers, Vector]:
    """Of the products from one on: how many others each has, which, and how close they are."""
    both = both.tocoo()
    rows, columns, roots = both.row, both.col, np.sqrt(often).astype(np.float32)
    closeness = both.data / (roots[rows + start] * roots[columns] + TOGETHER_SHRINKAGE)
    closeness[columns == rows + start] = 0  # itself
    near = _may_be_kept(rows, closeness, count=both.shape[0])
    rows, columns, closeness = rows[near], columns[near], closeness[near]
    order = np.lexsort((columns, -closeness, rows))
    rows, columns, closeness = rows[order], columns[order], closeness[order]
    sizes = np.bincount(rows, minlength=both.shape[0])
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = place < TOGETHER_KEPT
    return np.minimum(sizes, TOGETHER_KEPT), columns[kept].astype(np.int64), closeness[kept]


def _may_be_kept(rows: Numbers, closeness: Vector, *, count: int) -> npt.NDArray[np.bool_]:
    """Which pairs may be among the closest of their row, ``(n,)``: counting is much faster than sorting them all.

    Each row's pairs are counted by steps of closeness; below the step at which enough are above, none is kept.
    """
    steps = (np.sqrt(closeness) * _STEPS).astype(np.int64)
    counts = np.bincount(rows * np.int64(_STEPS) + steps, minlength=count * _STEPS).reshape(count, _STEPS)
    enough = counts[:, ::-1].cumsum(axis=1) >= TOGETHER_KEPT  # from the closest step on
    lowest = np.where(enough[:, -1], _STEPS - 1 - enough.argmax(axis=1), 0)
    return np.asarray((steps >= lowest[rows]) & (closeness > 0))


_NOTHING = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class InteractionWeights:
    """Who likes what: a row for each person and product.

    Attributes:
        products: ``(n,)``.
        weights: Of the strongest thing that the person did with the product, ``(n,)``.
        at_s: Of the last thing, in seconds since 1970 UTC, never falling, ``(n,)``.
    """

    products: Numbers
    weights: Vector
    at_s: Times

    @classmethod
    def of(cls, people: Numbers, products: Numbers, weights: Vector, at_s: Times) -> InteractionWeights:
        """Gather what people did, ``(e,)`` each, in any order."""
        order = np.lexsort((at_s, products, people))
        people, products, weights, at_s = people[order], products[order], weights[order], at_s[order]
        first = np.flatnonzero((np.diff(people, prepend=-1) != 0) | (np.diff(products, prepend=-1) != 0))
        last = np.append(first[1:], len(people))[: len(first)] - 1
        strongest = np.maximum.reduceat(weights, first) if len(first) else weights
        by_time = np.argsort(at_s[last], kind="stable")
        return cls(products[last][by_time], strongest[by_time], at_s[last][by_time])

    def amounts(self, count: int, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
        """How much each of ``count`` products is liked, ``(count,)``: the sum of weights, each halved by its age.

        Args:
            count: How many products there are.
            now_s: Now; who did something later does not count.
            window_s: Nor does who did nothing within so many seconds.
            half_life_s: After so many seconds half is left.
        """
        start, end = np.searchsorted(self.at_s, [now_s - window_s, now_s], side="right")
        near = slice(int(start), int(end))
        left = self.weights[near] * np.exp2((self.at_s[near] - now_s) / half_life_s)
        return np.bincount(self.products[near], weights=left, minlength=count).astype(np.float32)


logger = logging.getLogger(__name__)


_PAGE = 200_000  # events a step; bounds memory
_MOST = 5_000_000  # events that are looked at, the latest
_AT_ONCE = 100_000  # events that are learned from within a request; of more, beside the requests
# It is learned anew after every event while there are few, then once there are many new ones, or after a while.
_FEW, _MANY_SHARE = 2_000, 0.02
_LATER_S, _MINUTE_S, _LONG_S, _HOUR_S = 30.0, 60.0, 600.0, 3600.0
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
        likings: Who likes what.
        taken: How many events had come by then.
    """

    together: Mapping[RelationType, ItemCooccurrence]
    baskets: tuple[tuple[int, ...], ...]
    likings: InteractionWeights
    taken: int


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """How much people like each product, as it was found once, and by what."""

    learned: Learned
    taken: int
    now_s: float
    clock_s: float
    amounts: Vector


@dataclass(slots=True, eq=False)
class _Columns:
    """Events by arrival; products by the place that this process gave them."""

    people: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    products: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    types: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    at_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    baskets: Numbers = field(default_factory=lambda: np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.people)

    def and_then(self, *pieces: _Columns) -> _Columns:
        """These, and those that came after them."""
        parts = (self, *pieces)
        return _Columns(*(np.concatenate([getattr(part, name) for part in parts]) for name in self.__slots__))

    def since(self, row: int) -> _Columns:
        """Those from a row on."""
        return _Columns(*(getattr(self, name)[row:] for name in self.__slots__))

    def counting(self) -> _Columns:
        """Those that say something of a liking."""
        rows = np.flatnonzero((_WEIGHTS[self.types] > 0) & (self.products >= 0))
        return _Columns(*(getattr(self, name)[rows] for name in self.__slots__))

    @property
    def likings(self) -> InteractionWeights:
        """Who likes what, by these."""
        return InteractionWeights.of(self.people, self.products, _WEIGHTS[self.types], self.at_s)


class Interactions:
    """All people together; may be asked from several threads."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._lock = RLock()
        self._begin()

    def _begin(self) -> None:
        self._columns, self._fresh, self._taken = _Columns(), _Columns(), 0  # fresh since it was last learned
        self._places: dict[str, int] = {}
        self._ids: list[str] = []
        self._number, self._erasures = 0, self._events.erasures()
        self._learned = _learn(self._columns, 0, 0)
        self._learned_at = float("-inf")
        self._learner: Thread | None = None
        self._base: dict[tuple[float, float], _Kept] = {}
        self._kept: dict[tuple[float, float], _Kept] = {}

    def follow(self) -> None:
        """Take in what people did since the last time; what follows from very many events comes a little later."""
        with self._lock:
            if self._events.erasures() != self._erasures:
                self._begin()
            self._read()
            if self._learner is not None or not self._is_due():
                return
            if len(self) <= _AT_ONCE:
                self.learn()
            else:
                self._learner = Thread(target=self.learn, name="sartor-crowd", daemon=True)
                self._learner.start()

    def catch_up(self) -> None:
        """Take in what people did since the last time, and wait until it is learned from, as far as it is due."""
        self.follow()
        learner = self._learner
        if learner is not None:
            learner.join()

    def learn(self) -> None:
        """Learn from all that was taken in, now."""
        with self._lock:
            self._columns = columns = self._columns.and_then(self._fresh).since(-_MOST)
            self._fresh = _Columns()
            taken, count, erasures = self._taken, len(self._ids), self._erasures
        start = time.perf_counter()
        learned = _learn(columns, taken, count)
        with self._lock:
            self._learner = None
            if erasures == self._erasures:
                self._learned, self._learned_at = learned, time.monotonic()
        logger.info("learned from events: events=%d seconds=%.2f", taken, time.perf_counter() - start)

    def _is_due(self) -> bool:
        known, new = self._learned.taken, self._taken - self._learned.taken
        waited = time.monotonic() - self._learned_at
        if known <= _FEW:
            return new > 0
        return new > 0 and (waited >= _LONG_S or (waited >= _LATER_S and new >= _MANY_SHARE * known))

    @property
    def learned(self) -> Learned:
        """What was learned the last time."""
        return self._learned

    def __len__(self) -> int:
        return len(self._columns) + len(self._fresh)

    def place(self, product_id: str) -> int | None:
        """The place of a product; None where nobody did anything with it."""
        return self._places.get(product_id)

    def id(self, place: int) -> str:
        """The product at a place."""
        return self._ids[place]

    def beside(self, product_id: str, occasion: RelationType, *, least: int) -> Vector:
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
        count = len(learned[RelationType.SEEN].occasions)
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

        What came since it was learned is counted beside; among very many events, up to half a minute later.

        Args:
            now_s: Now, in seconds since 1970 UTC; who did something later does not count.
            window_s: Nor does who did nothing within so many seconds.
            half_life_s: After so many seconds half of a liking is left.
        """
        key, clock_s = (window_s, half_life_s), time.monotonic()
        with self._lock:
            learned, taken, count = self._learned, self._taken, len(self._ids)
            columns, fresh = self._columns, self._fresh
            base, kept = self._base.get(key), self._kept.get(key)
        few = len(columns) + len(fresh) <= _AT_ONCE
        if kept is not None and kept.learned is learned and 0 <= now_s - kept.now_s < _MINUTE_S:
            late = not few and clock_s - kept.clock_s < _LATER_S
            if late or kept.taken == taken:
                return kept.amounts
        lasts_s = 0 if few else _HOUR_S
        if base is None or base.learned is not learned or not 0 <= now_s - base.now_s < lasts_s:
            amounts = learned.likings.amounts(count, now_s=now_s, window_s=window_s, half_life_s=half_life_s)
            base = _Kept(learned, learned.taken, now_s, clock_s, amounts)
        while_learning = max(0, taken - learned.taken - len(fresh))
        came = columns.since(len(columns) - while_learning).and_then(fresh).counting().likings
        found = came.amounts(count, now_s=now_s, window_s=window_s, half_life_s=half_life_s)
        found[: len(base.amounts)] += base.amounts * 2 ** ((base.now_s - now_s) / half_life_s)
        with self._lock:
            self._base[key], self._kept[key] = base, _Kept(learned, taken, now_s, clock_s, found)
        return found

    def _read(self) -> None:
        pieces = []
        while len(rows := self._events.after(self._number, limit=_PAGE)):
            pieces.append(self._piece(rows))
            self._number = rows.number
            self._taken += len(rows)
        if pieces:
            self._fresh = self._fresh.and_then(*pieces)

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


def _learn(columns: _Columns, taken: int, count: int) -> Learned:
    told = columns.counting()
    order = np.lexsort((told.at_s, told.people))
    people, at_s = told.people[order].astype(np.int64), told.at_s[order]
    products, bought = told.products[order].astype(np.int64), told.types[order] == _PURCHASE
    ends = (np.diff(people) != 0) | (np.diff(at_s) > SESSION_GAP_S) if len(people) else np.empty(0, bool)
    sessions = np.concatenate([np.zeros(min(1, len(people)), np.int64), np.cumsum(ends)])
    baskets = told.baskets[order].astype(np.int64)
    in_basket = np.where(baskets > 0, baskets, sessions + (baskets.max(initial=0) + 1))
    months = (at_s // _TASTE_S).astype(np.int64)
    tastes = people * (months.max(initial=0) + 1) + months
    return Learned(
        together={
            RelationType.BOUGHT: ItemCooccurrence.of(in_basket[bought], products[bought], count=count),
            RelationType.SEEN: ItemCooccurrence.of(sessions, products, count=count),
            RelationType.LIKED: ItemCooccurrence.of(tastes, products, count=count),
        },
        baskets=_baskets(in_basket[bought], products[bought]),
        likings=told.likings,
        taken=taken,
    )


def _baskets(occasions: Numbers, products: Numbers) -> tuple[tuple[int, ...], ...]:
    if not len(occasions):
        return ()
    pairs = np.unique(np.stack([occasions, products], axis=1), axis=0)
    starts = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    return tuple(tuple(part.tolist()) for part in np.split(pairs[:, 1], starts) if len(part) > 1)
