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

from sartor.errors import StoreAway, WorkspaceError
from sartor.events.model import EventType, RelationType
from sartor.limits import MAX_LEARNED_EVENTS
from sartor.recommend.personal.learned import InteractionWeights, ItemCooccurrence, Learned
from sartor.recommend.personal.published import Publication
from sartor.recommend.weights import DAY_S, EVENT_WEIGHTS, RELATION_SHARES, SESSION_GAP_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from sartor.recommend.personal.published import SharedLearning
    from sartor.store.base import EventPosition, EventRows, EventStore
    from sartor.types import Vector

    Numbers = npt.NDArray[np.int64]
    Times = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)

_PAGE = 200_000  # events a step; bounds memory
_AT_ONCE = 100_000  # events that are learned from within a request; more are learned from in a thread
# While there are few events it learns anew after each; later once there are many new ones, or after a while.
_FEW_EVENTS, _MANY_SHARE = 2_000, 0.02
_SOON_S, _MINUTE_S, _LATE_S, _HOUR_S = 30.0, 60.0, 600.0, 3600.0
_LOOK_S = 5.0  # between two looks at whether another process has learned
_MONTH_S = 30 * DAY_S  # what a person does within so long is liked together

_TYPES = tuple(EventType)
_WEIGHTS = np.array([EVENT_WEIGHTS.get(type_, 0.0) for type_ in _TYPES], np.float32)
_PURCHASE = _TYPES.index(EventType.PURCHASE)


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

    Items are products that events are about. Each has a row, from 0 in the order of arrival. From very many events
    one process learns, and publishes it; the others read only the events since then.

    Args:
        events: What people did.
        shared: What the processes of a workspace learn for each other; None for this one alone.
    """

    def __init__(self, events: EventStore, *, shared: SharedLearning | None = None) -> None:
        self._events, self._shared = events, shared
        self._lock = RLock()
        self._begin()

    def _begin(self) -> None:
        self._columns, self._fresh, self._taken = _Columns(), _Columns(), 0  # fresh since it last learned
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []
        self._position: EventPosition = {}
        self._learned_position: EventPosition = {}
        self._erasures = self._events.erasures()
        self._learned = _learn(self._columns, 0, 0)
        self._learned_at = float("-inf")
        self._learner: Thread | None = None
        self._base: dict[tuple[float, float], _CachedPopularity] = {}
        self._cached: dict[tuple[float, float], _CachedPopularity] = {}
        self._is_whole = True  # whether the columns have every event, and not only those since a publication
        self._looked_at = float("-inf")  # for a publication
        if self._shared is not None:
            self._adopt(self._shared.newest(erasures=self._erasures, after=0))

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
            if self._taken <= _AT_ONCE:
                self.learn()
            elif self._shared is None or time.monotonic() - self._looked_at >= _LOOK_S:
                self._looked_at = time.monotonic()
                self._learner = Thread(target=self._learn_for_all, name="sartor-interactions", daemon=True)
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
            position = self._position
        start = time.perf_counter()
        learned = _learn(columns, taken, count)
        with self._lock:
            if erasures == self._erasures:
                self._learned, self._learned_at = learned, time.monotonic()
                self._learned_position = position
        logger.info("learned from events: events=%d seconds=%.2f", taken, time.perf_counter() - start)

    def _learn_for_all(self) -> None:
        """Take what another process has learned, or learn and publish it if that is this process's turn."""
        try:
            if self._shared is None:
                self.learn()
                return
            known, erasures = self._learned.events, self._erasures
            is_turn = self._shared.is_turn()
            if (newer := self._shared.newest(erasures=erasures, after=known)) is not None:
                with self._lock:
                    self._adopt(newer)
            elif is_turn:
                self._complete()
                self.learn()
                with self._lock:
                    publication = Publication(
                        product_ids=tuple(self._ids[: self._learned.items]),
                        learned=self._learned,
                        position=self._learned_position,
                        erasures=self._erasures,
                    )
                self._shared.publish(publication)
                if self._events.erasures() != publication.erasures:  # nothing of what was erased may stay
                    self._shared.clear()
        except StoreAway as error:
            logger.debug("cannot learn for all: reason=%s", error)
        except WorkspaceError as error:  # nothing can be published, as in a read-only workspace
            logger.info("learned for this process alone: reason=%s", error)
            self._complete()
            self.learn()
        finally:
            self._learner = None

    def _adopt(self, publication: Publication | None) -> None:
        """Go on from what another process has learned; the rows of this process stay as they are."""
        if publication is None or publication.erasures != self._erasures:
            return
        if publication.learned.events > self._events.counts()[0]:
            logger.warning("a publication is from other events, and is left alone: name=%s", publication.name)
            return
        rows = np.array([self._new_row(product_id) for product_id in publication.product_ids], np.int64)
        self._learned = publication.learned.renumbered(rows, count=len(self._ids))
        self._learned_at = time.monotonic()
        self._columns, self._fresh, self._is_whole = _Columns(), _Columns(), False
        self._position, self._taken = publication.position, publication.learned.events
        self._read()
        logger.info("learned by another process: events=%d", publication.learned.events)

    def _complete(self) -> None:
        """Read the events before the publication that was adopted, which this process learns from now."""
        with self._lock:
            if self._is_whole:
                return
            self._columns, self._fresh, self._is_whole = _Columns(), _Columns(), True
            self._position, self._taken = {}, 0
            self._read()

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
        few = taken <= _AT_ONCE
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
