"""What all people do, in memory: item co-occurrence and popularity.

``Interactions`` follows an event store as an index follows the catalog's. It holds numbers only: no name, no id of
a person.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from threading import RLock, Thread
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sartor.errors import StoreAway
from sartor.events.model import EventType, RelationType
from sartor.limits import MAX_LEARNED_EVENTS
from sartor.recommend.weights import (
    COOCCURRENCE_SHRINKAGE,
    DAY_S,
    EVENT_WEIGHTS,
    MAX_RELATED,
    MAX_TRANSACTION_PRODUCTS,
    RELATION_SHARES,
    SESSION_GAP_S,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from sartor.store.base import EventPosition, EventRows, EventStore
    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]
    Times = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)

_CLOSENESS_BINS = 1024
_BLOCK = 2048  # products that are compared with all others at once; bounds memory
_PAGE = 200_000  # events a step; bounds memory
_AT_ONCE = 100_000  # events that are learned from within a request; more are learned from in a thread
# While there are few events it learns anew after each; later once there are many new ones, or after a while.
_FEW_EVENTS, _MANY_SHARE = 2_000, 0.02
_SOON_S, _MINUTE_S, _LATE_S, _HOUR_S = 30.0, 60.0, 600.0, 3600.0
_MONTH_S = 30 * DAY_S  # what a person does within so long is liked together

_TYPES = tuple(EventType)
_WEIGHTS = np.array([EVENT_WEIGHTS.get(type_, 0.0) for type_ in _TYPES], np.float32)
_PURCHASE = _TYPES.index(EventType.PURCHASE)
_NOTHING = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ItemCooccurrence:
    """For each item the items that it occurs with.

    The closeness of two items is ``c / (sqrt(n m) + shrinkage)``, where ``c`` transactions have both, and ``n``
    and ``m`` have each. The shrinkage keeps two that met once by chance apart.

    Source: item-to-item collaborative filtering by cosine, B. Sarwar et al., WWW 2001; the shrinkage as
    R. Bell and Y. Koren, ICDM 2007.
    """

    starts: Numbers  # where the related items of each item begin, (n_items + 1,)
    others: Numbers  # related items end to end, of each item the closest first, at most MAX_RELATED
    closeness: Vector  # how close they are, in (0, 1)
    transactions: Numbers  # number of transactions with each item, (n_items,)

    @classmethod
    def of(cls, transactions: Numbers, items: Numbers, *, count: int) -> ItemCooccurrence:
        """Learn from pairs of a transaction and an item below ``count``, ``(n,)`` each, the latest last."""
        occurs = _occurrences(transactions, items, count)
        totals = np.asarray(occurs.sum(axis=0)).ravel().astype(np.int64)
        by_item = occurs.T.tocsr()
        blocks = [
            _closest(by_item[start : start + _BLOCK] @ occurs, totals, start) for start in range(0, count, _BLOCK)
        ]
        sizes, others, closeness = (np.concatenate(part) for part in zip(_NOTHING, *blocks, strict=True))
        return cls(np.concatenate([[0], np.cumsum(sizes)]), others, closeness, totals)

    def related(self, item: int) -> tuple[Numbers, Vector]:
        """Items related to one, the closest first, and how close they are."""
        own = slice(self.starts[item], self.starts[item + 1])
        return self.others[own], self.closeness[own]

    def between(self, item: int, others: Numbers) -> Vector:
        """How close one item is to each of others, ``(n,)``."""
        near, closeness = self.related(item)
        return np.asarray((near == others[:, None]) @ closeness, np.float32)

    def with_all(self, items: Numbers, weights: Vector) -> Vector:
        """How well each item goes with several, ``(n_items,)``: the mean of closenesses, by weight."""
        total = np.zeros(len(self.transactions), np.float32)
        for item, weight in zip(items, weights / (float(weights.sum()) or 1.0), strict=True):
            others, closeness = self.related(item)
            total[others] += weight * closeness  # no other comes twice
        return total


def _occurrences(transactions: Numbers, items: Numbers, count: int) -> sparse.csr_matrix:
    """Which transactions have which items, ``(t, n_items)`` of 0 and 1; of large ones the latest items."""
    _, first = np.unique(transactions[::-1] * np.int64(max(count, 1)) + items[::-1], return_index=True)
    kept = np.sort(len(items) - 1 - first)  # of each pair the last
    transactions, items = transactions[kept], items[kept]
    names, rows, sizes = np.unique(transactions, return_inverse=True, return_counts=True)
    order = np.argsort(rows, kind="stable")
    from_end = np.empty(len(rows), np.int64)
    from_end[order] = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(rows))
    near = from_end <= MAX_TRANSACTION_PRODUCTS
    shape = (len(names), count)
    return sparse.csr_matrix((np.ones(int(near.sum()), np.float32), (rows[near], items[near])), shape=shape)


def _closest(both: sparse.csr_matrix, totals: Numbers, start: int) -> tuple[Numbers, Numbers, Vector]:
    """For items from ``start`` on: the number of their related items, which, and how close they are."""
    both = both.tocoo()
    rows, columns, roots = both.row, both.col, np.sqrt(totals).astype(np.float32)
    closeness = both.data / (roots[rows + start] * roots[columns] + COOCCURRENCE_SHRINKAGE)
    closeness[columns == rows + start] = 0  # itself
    near = _may_be_kept(rows, closeness, count=both.shape[0])
    rows, columns, closeness = rows[near], columns[near], closeness[near]
    order = np.lexsort((columns, -closeness, rows))
    rows, columns, closeness = rows[order], columns[order], closeness[order]
    sizes = np.bincount(rows, minlength=both.shape[0])
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = rank < MAX_RELATED
    return np.minimum(sizes, MAX_RELATED), columns[kept].astype(np.int64), closeness[kept]


def _may_be_kept(rows: Numbers, closeness: Vector, *, count: int) -> npt.NDArray[np.bool_]:
    """Which pairs may be among the closest of their row, ``(n,)``: counting is much faster than sorting them all.

    Each row's pairs are counted by bins of closeness; below the bin at which enough are above, none is kept.
    """
    bins = (np.sqrt(closeness) * _CLOSENESS_BINS).astype(np.int64)
    cells = rows * np.int64(_CLOSENESS_BINS) + bins
    counts = np.bincount(cells, minlength=count * _CLOSENESS_BINS).reshape(count, _CLOSENESS_BINS)
    enough = counts[:, ::-1].cumsum(axis=1) >= MAX_RELATED  # from the closest bin on
    lowest = np.where(enough[:, -1], _CLOSENESS_BINS - 1 - enough.argmax(axis=1), 0)
    return np.asarray((bins >= lowest[rows]) & (closeness > 0))


@dataclass(frozen=True, slots=True, eq=False)
class InteractionWeights:
    """How much people like items: ``n`` rows, one for each person and item."""

    items: Numbers
    weights: Vector  # of the person's strongest event with the item
    at_s: Times  # of the last one, in seconds since 1970 UTC, never falling

    @classmethod
    def of(cls, people: Numbers, items: Numbers, weights: Vector, at_s: Times) -> InteractionWeights:
        """Gather events, ``(e,)`` each, in any order."""
        order = np.lexsort((at_s, items, people))
        people, items, weights, at_s = people[order], items[order], weights[order], at_s[order]
        first = np.flatnonzero((np.diff(people, prepend=-1) != 0) | (np.diff(items, prepend=-1) != 0))
        last = np.append(first[1:], len(people))[: len(first)] - 1
        strongest = np.maximum.reduceat(weights, first) if len(first) else weights
        by_time = np.argsort(at_s[last], kind="stable")
        return cls(items[last][by_time], strongest[by_time], at_s[last][by_time])

    def popularity(self, count: int, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
        """The popularity of ``count`` items, ``(count,)``: the sum of weights, each halved by its age.

        Rows whose last event is after ``now_s``, or before the window, do not count.
        """
        start, end = np.searchsorted(self.at_s, [now_s - window_s, now_s], side="right")
        near = slice(int(start), int(end))
        left = self.weights[near] * np.exp2((self.at_s[near] - now_s) / half_life_s)
        return np.bincount(self.items[near], weights=left, minlength=count).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was learned from events."""

    cooccurrence: Mapping[RelationType, ItemCooccurrence]
    baskets: tuple[tuple[int, ...], ...]  # rows of the items of each basket with at least two
    weights: InteractionWeights
    events: int  # number of events


@dataclass(frozen=True, slots=True, eq=False)
class _CachedPopularity:
    """Popularity as it was computed once, and from what."""

    learned: Learned
    events: int
    now_s: float
    clock_s: float
    popularity: Vector


@dataclass(slots=True, eq=False)
class _Columns:
    """Events by arrival; items by the row that this process gave them."""

    people: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    items: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    types: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    at_s: Times = field(default_factory=lambda: np.empty(0, np.float64))
    baskets: Numbers = field(default_factory=lambda: np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.people)

    def followed_by(self, *others: _Columns) -> _Columns:
        """These events, then others."""
        parts = (self, *others)
        return _Columns(*(np.concatenate([getattr(part, name) for part in parts]) for name in self.__slots__))

    def since(self, row: int) -> _Columns:
        """Events from a row on."""
        return _Columns(*(getattr(self, name)[row:] for name in self.__slots__))

    def counting(self) -> _Columns:
        """Events that say something of a preference."""
        rows = np.flatnonzero((_WEIGHTS[self.types] > 0) & (self.items >= 0))
        return _Columns(*(getattr(self, name)[rows] for name in self.__slots__))

    @property
    def weights(self) -> InteractionWeights:
        """How much people like items, by these events."""
        return InteractionWeights.of(self.people, self.items, _WEIGHTS[self.types], self.at_s)


class Interactions:
    """What all people do, up to the last ``follow``; threads may share it.

    Items are products that events are about. Each has a row, from 0 in the order of arrival.
    """

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._lock = RLock()
        self._begin()

    def _begin(self) -> None:
        self._columns, self._fresh, self._taken = _Columns(), _Columns(), 0  # fresh since it last learned
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []
        self._position: EventPosition = {}
        self._erasures = self._events.erasures()
        self._learned = _learn(self._columns, 0, 0)
        self._learned_at = float("-inf")
        self._learner: Thread | None = None
        self._base: dict[tuple[float, float], _CachedPopularity] = {}
        self._cached: dict[tuple[float, float], _CachedPopularity] = {}

    def follow(self) -> None:
        """Read new events; what follows from very many is learned a little later.

        While the store is away, what was read before counts.
        """
        with self._lock:
            try:
                if self._events.erasures() != self._erasures:
                    self._begin()
                self._read()
            except StoreAway as error:
                logger.debug("cannot follow events: reason=%s", error)
            if self._learner is not None or not self._is_due():
                return
            if len(self) <= _AT_ONCE:
                self.learn()
            else:
                self._learner = Thread(target=self.learn, name="sartor-interactions", daemon=True)
                self._learner.start()

    def catch_up(self) -> None:
        """Read new events, and wait until what is due is learned."""
        self.follow()
        learner = self._learner
        if learner is not None:
            learner.join()

    def learn(self) -> None:
        """Learn from all events that were read, now."""
        with self._lock:
            self._columns = columns = self._columns.followed_by(self._fresh).since(-MAX_LEARNED_EVENTS)
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
        known, new = self._learned.events, self._taken - self._learned.events
        waited = time.monotonic() - self._learned_at
        if known <= _FEW_EVENTS:
            return new > 0
        return new > 0 and (waited >= _LATE_S or (waited >= _SOON_S and new >= _MANY_SHARE * known))

    @property
    def learned(self) -> Learned:
        """What was learned last."""
        return self._learned

    def __len__(self) -> int:
        return len(self._columns) + len(self._fresh)

    def row(self, product_id: str) -> int | None:
        """The row of a product; None for a product without events."""
        return self._rows.get(product_id)

    def product_id(self, row: int) -> str:
        """The product of a row."""
        return self._ids[row]

    def related(self, product_id: str, relation: RelationType, *, minimum: int) -> Vector:
        """How close each item is to a product by one relation, ``(n_items,)``.

        All are 0 if the product is in fewer transactions than ``minimum``.
        """
        learned, row = self._learned.cooccurrence[relation], self._rows.get(product_id, -1)
        scores = np.zeros(len(learned.transactions), np.float32)
        if 0 <= row < len(scores) and learned.transactions[row] >= minimum:
            others, closeness = learned.related(row)
            scores[others] = closeness
        return scores

    def closeness(self, product_id: str, others: Sequence[str]) -> Vector:
        """How close a product is to each of others by all relations, ``(n,)``; 0 where nothing is known."""
        learned = self._learned.cooccurrence
        count = len(learned[RelationType.SEEN].transactions)
        row, *rows = [self._rows.get(each, count) for each in (product_id, *others)]
        scores = np.zeros(len(others), np.float32)
        known = np.array([other < count for other in rows], bool)
        if row < count and known.any():
            items = np.array(rows)[known]
            scores[known] = sum(
                share * learned[relation].between(row, items) for relation, share in RELATION_SHARES.items()
            )
        return scores

    def baskets(self) -> list[tuple[str, ...]]:
        """Ids of the products of each basket with at least two."""
        return [tuple(self._ids[row] for row in basket) for basket in self._learned.baskets]

    def popularity(self, *, now_s: float, window_s: float, half_life_s: float) -> Vector:
        """How popular items are, ``(n_items,)``; each person counts once an item.

        People with events in the window before ``now_s``, in seconds since 1970 UTC, count; after the half-life
        half of a weight is left. Events since the last learning count, too; among very many, half a minute later.
        """
        key, clock_s = (window_s, half_life_s), time.monotonic()
        with self._lock:
            learned, taken, count = self._learned, self._taken, len(self._ids)
            columns, fresh = self._columns, self._fresh
            base, cached = self._base.get(key), self._cached.get(key)
        few = len(columns) + len(fresh) <= _AT_ONCE
        if cached is not None and cached.learned is learned and 0 <= now_s - cached.now_s < _MINUTE_S:
            recent = not few and clock_s - cached.clock_s < _SOON_S
            if recent or cached.events == taken:
                return cached.popularity
        lasts_s = 0 if few else _HOUR_S
        if base is None or base.learned is not learned or not 0 <= now_s - base.now_s < lasts_s:
            popularity = learned.weights.popularity(count, now_s=now_s, window_s=window_s, half_life_s=half_life_s)
            base = _CachedPopularity(learned, learned.events, now_s, clock_s, popularity)
        while_learning = max(0, taken - learned.events - len(fresh))
        came = columns.since(len(columns) - while_learning).followed_by(fresh).counting().weights
        total = came.popularity(count, now_s=now_s, window_s=window_s, half_life_s=half_life_s)
        total[: len(base.popularity)] += base.popularity * 2 ** ((base.now_s - now_s) / half_life_s)
        with self._lock:
            self._base[key], self._cached[key] = base, _CachedPopularity(learned, taken, now_s, clock_s, total)
        return total

    def _read(self) -> None:
        pages = []
        while len(events := self._events.after(self._position, limit=_PAGE)):
            pages.append(self._page(events))
            self._position = events.position
            self._taken += len(events)
        if pages:
            self._fresh = self._fresh.followed_by(*pages)

    def _page(self, events: EventRows) -> _Columns:
        rows = np.array([self._new_row(product_id) for product_id in events.product_ids] or [-1], np.int32)
        return _Columns(
            people=events.people.astype(np.int32),
            items=np.where(events.products >= 0, rows[events.products], -1).astype(np.int32),
            types=events.types,
            at_s=events.at_s,
            baskets=events.baskets.astype(np.int32),
        )

    def _new_row(self, product_id: str) -> int:
        row = self._rows.setdefault(product_id, len(self._ids))
        if row == len(self._ids):
            self._ids.append(product_id)
        return row


def _learn(columns: _Columns, taken: int, count: int) -> Learned:
    events = columns.counting()
    order = np.lexsort((events.at_s, events.people))
    people, at_s = events.people[order].astype(np.int64), events.at_s[order]
    items, bought = events.items[order].astype(np.int64), events.types[order] == _PURCHASE
    ends = (np.diff(people) != 0) | (np.diff(at_s) > SESSION_GAP_S) if len(people) else np.empty(0, bool)
    sessions = np.concatenate([np.zeros(min(1, len(people)), np.int64), np.cumsum(ends)])
    baskets = events.baskets[order].astype(np.int64)
    in_basket = np.where(baskets > 0, baskets, sessions + (baskets.max(initial=0) + 1))
    months = (at_s // _MONTH_S).astype(np.int64)
    in_month = people * (months.max(initial=0) + 1) + months
    return Learned(
        cooccurrence={
            RelationType.BOUGHT: ItemCooccurrence.of(in_basket[bought], items[bought], count=count),
            RelationType.SEEN: ItemCooccurrence.of(sessions, items, count=count),
            RelationType.LIKED: ItemCooccurrence.of(in_month, items, count=count),
        },
        baskets=_baskets(in_basket[bought], items[bought]),
        weights=events.weights,
        events=taken,
    )


def _baskets(transactions: Numbers, items: Numbers) -> tuple[tuple[int, ...], ...]:
    if not len(transactions):
        return ()
    pairs = np.unique(np.stack([transactions, items], axis=1), axis=0)
    starts = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    return tuple(tuple(part.tolist()) for part in np.split(pairs[:, 1], starts) if len(part) > 1)
