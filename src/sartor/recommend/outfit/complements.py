"""Complements: what shoppers buy together, learned from their baskets.

Pairs of products are counted, and the same pairs by kind and color, which tell something of new products too. How
often a pair was bought is compared with chance.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from sartor.recommend.outfit.garments import Garment, main_color
from sartor.recommend.outfit.rules import Slot, clash
from sartor.recommend.weights import KINDS_SHARE, MAX_BASKET_PIECES, MIN_BASKETS, PRIOR_PAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.recommend.outfit.garments import GarmentReader
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix

    Rows = npt.NDArray[np.int64]

logger = logging.getLogger(__name__)

_PAGE = 1000  # products a step; bounds memory, as each comes with its embedding
_AT_ONCE = 20_000  # baskets that are learned from within a request; more are learned from in a thread
_RELEARN_AFTER_S = 600.0
_MAX_CHANGES = 10_000  # of the catalog that are looked through; after more, all products are read again

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairCounts(Generic[Item]):
    """Counted pairs of n items; a stratum is a slot and a gender, and there are s of them."""

    rows: Mapping[Item, int]
    counts: Any  # how often two were bought together, a symmetric sparse (n, n)
    strata: Rows  # stratum of each item, (n,)
    beside: Matrix  # number of pairs of each item with a stratum, (n, s)
    totals: Matrix  # number of pairs of two strata, (s, s)

    @classmethod
    def of(cls, rows: Mapping[Item, int], counts: Any, strata: Rows) -> PairCounts[Item]:
        """Add up counts by stratum."""
        from scipy.sparse import csr_array

        items = np.arange(len(strata))
        shape = (len(strata), int(strata.max(initial=-1)) + 1)
        stratum = csr_array((np.ones(len(strata), np.float32), (items, strata)), shape=shape)
        beside = (counts @ stratum).toarray()
        return cls(rows=rows, counts=counts, strata=strata, beside=beside, totals=stratum.T @ beside)

    def among(self, items: Sequence[Item | None]) -> tuple[Matrix, Matrix]:
        """Pairs counted and expected by chance among m items, ``(m, m)`` each; 0 for what was never bought."""
        rows = np.array([-1 if item is None else self.rows.get(item, -1) for item in items], np.int64)
        known = np.flatnonzero(rows >= 0)
        rows, inner = rows[known], np.ix_(known, known)
        strata = self.strata[rows]
        beside = self.beside[rows][:, strata]  # of each row's item with the stratum of each column's
        counted = np.zeros((len(items), len(items)), np.float32)
        expected = np.zeros_like(counted)
        counted[inner] = self.counts[rows][:, rows].toarray()
        expected[inner] = beside * beside.T / np.maximum(self.totals[strata][:, strata], 1)
        return counted, expected

    def beside_any(self, items: Sequence[Item]) -> tuple[Rows, Matrix]:
        """Rows of all that was bought with any of these items, and how often, ``(k,)`` each."""
        pairs = self.counts[[self.rows[item] for item in items if item in self.rows]]
        rows, positions = np.unique(pairs.indices.astype(np.int64), return_inverse=True)
        return rows, np.bincount(positions, weights=pairs.data, minlength=len(rows)).astype(np.float32)


def count_products(baskets: Sequence[Sequence[str]], garments: Mapping[str, Garment]) -> PairCounts[str]:
    """Count pairs of products that can be in one look; baskets have distinct products, all among the garments."""
    from scipy.sparse import csr_array

    rows = {name: row for row, name in enumerate(garments)}
    columns = np.array([rows[product_id] for basket in baskets for product_id in basket], np.int64)
    ends = np.cumsum([0, *map(len, baskets)])
    filled = csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(len(baskets), len(rows)))
    pairs = (filled.T @ filled).tocoo()
    slots = list(Slot)
    slot = np.array([slots.index(garment.slot) for garment in garments.values()], np.int64)
    beside = np.array([[not clash(one, other) for other in slots] for one in slots])
    kept = beside[slot[pairs.row], slot[pairs.col]]
    counts = csr_array((pairs.data[kept], (pairs.row[kept], pairs.col[kept])), shape=pairs.shape)
    return PairCounts.of(rows, counts, _strata(garments.values()))


def count_kinds(products: PairCounts[str], garments: Mapping[str, Garment]) -> PairCounts[Garment]:
    """The same pairs, counted by kinds and colors; ``garments`` as the products were counted by."""
    from scipy.sparse import csr_array

    rows = {garment: row for row, garment in enumerate(dict.fromkeys(garments.values()))}
    kinds = np.array([rows[garment] for garment in garments.values()], np.int64)
    ones = np.ones(len(kinds), np.float32)
    member = csr_array((ones, (np.arange(len(kinds)), kinds)), shape=(len(kinds), len(rows)))
    counts = (member.T @ products.counts @ member).tocsr()
    return PairCounts.of(rows, counts, _strata(rows))


def _strata(garments: Iterable[Garment]) -> Rows:
    numbers: dict[tuple[Slot, str], int] = {}
    return np.array(
        [numbers.setdefault((garment.slot, garment.gender), len(numbers)) for garment in garments], np.int64
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What baskets say of two products."""

    score: float  # lift / (1 + lift): 0.5 if they are bought together as often as by chance, toward 1 if more
    confidence: float  # how much the score counts, from 0, nothing is known, toward 1
    together: int  # baskets with both
    alike: int  # pairs of their kinds and colors in baskets


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weights:
    """What baskets say of all pairs of n products: the attributes of ``Weight``, ``(n, n)`` each, symmetric."""

    rows: Mapping[str, int]
    score: Matrix
    confidence: Matrix
    together: Matrix
    alike: Matrix

    def between(self, one: str, other: str) -> Weight:
        """The weight of two of the products."""
        pair = self.rows[one], self.rows[other]
        return Weight(
            score=float(self.score[pair]),
            confidence=float(self.confidence[pair]),
            together=int(self.together[pair]),
            alike=int(self.alike[pair]),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Complements:
    """What was learned from baskets."""

    baskets: int
    products: PairCounts[str] = field(repr=False)
    kinds: PairCounts[Garment] = field(repr=False)  # the same pairs by kind and color
    names: tuple[str, ...] = field(repr=False)  # products that were bought, sorted
    garments: Mapping[str, Garment] = field(repr=False)

    @classmethod
    def of(cls, baskets: Iterable[Sequence[str]], garments: Mapping[str, Garment]) -> Complements | None:
        """Learn from baskets; None if they are too few, which leaves looks to the rules.

        Only pairs that can be in one look are counted; products without a garment are not worn. Neither order nor
        repeated ids in baskets matter.
        """
        worn = ({name for name in basket if name in garments} for basket in baskets)
        usable = [sorted(names) for names in worn if _has_pair(names, garments)]
        if len(usable) < MIN_BASKETS:
            return None
        names = tuple(sorted({name for basket in usable for name in basket}))
        bought = {name: garments[name] for name in names}
        products = count_products(usable, bought)
        kinds = count_kinds(products, bought)
        return cls(baskets=len(usable), products=products, kinds=kinds, names=names, garments=bought)

    def weights(self, product_ids: Sequence[str], garments: Sequence[Garment | None]) -> Weights:
        """What baskets say of all pairs of products; of a new one, what they say of its kind and color."""
        together, expected = self.products.among(product_ids)
        alike, alike_expected = self.kinds.among(garments)
        of_kinds = (alike + PRIOR_PAIRS) / (alike_expected + PRIOR_PAIRS)
        lift = (together + PRIOR_PAIRS * of_kinds) / (expected + PRIOR_PAIRS)
        doubt = (1 - _evidence(together, expected)) * (1 - KINDS_SHARE * _evidence(alike, alike_expected))
        return Weights(
            rows={name: row for row, name in enumerate(product_ids)},
            score=lift / (1 + lift),
            confidence=1 - doubt,
            together=together,
            alike=alike,
        )

    def partners(self, product_ids: Sequence[str], slot: Slot, *, limit: int) -> list[str]:
        """The products of a slot that were most often bought with any of these, the most frequent first."""
        rows, counts = self.products.beside_any(product_ids)
        bought = ((self.names[row], count) for row, count in zip(rows, counts, strict=True))
        of_slot = [(name, count) for name, count in bought if self.garments[name].slot is slot]
        return [name for name, _ in sorted(of_slot, key=lambda pair: (-pair[1], pair[0]))[:limit]]


def _has_pair(basket: Collection[str], garments: Mapping[str, Garment]) -> bool:
    """Whether two products of a basket can be in one look, and it is no reseller's."""
    return 1 < len(basket) <= MAX_BASKET_PIECES and _go_together(
        frozenset([garments[name].slot for name in basket])
    )


@cache
def _go_together(slots: frozenset[Slot]) -> bool:
    return any(not clash(*pair) for pair in combinations(slots, 2))


def _evidence(counted: Matrix, expected: Matrix) -> Matrix:
    """How much is known of pairs, in [0, 1): they were seen often, or never where chance would have them."""
    pairs = np.maximum(counted, expected)
    return np.asarray(pairs / (pairs + PRIOR_PAIRS), np.float32)


class ComplementsLearner:
    """Learns complements when baskets change; threads may share it.

    What products are is cached; when the catalog changes, only what changed is read again.
    """

    def __init__(
        self, store: CatalogStore, garments: GarmentReader, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._reader, self._clock = store, garments, clock
        self._lock = Lock()
        self._closed = Event()
        self._source: object = None
        self._again_at = float("-inf")
        self._thread: Thread | None = None
        self._learned: Complements | None = None
        self._revision = 0
        self._garments: dict[str, Garment | None] = {}  # None for a product that is not worn

    def now(self, source: object, baskets: Callable[[], Sequence[tuple[str, ...]]]) -> Complements | None:
        """What baskets say; None if they are too few.

        It learns anew if the source is another object than the last time. From very many it learns in a thread,
        and not again for a while; until then callers get what was learned before.
        """
        with self._lock:
            if source is self._source or self._thread is not None or self._clock() < self._again_at:
                return self._learned
            self._source, new = source, baskets()
            if len(new) <= _AT_ONCE:
                self._learned = self._learn(new)
            else:
                self._thread = Thread(
                    target=self._learn_in_thread, args=(new,), name="sartor-complements", daemon=True
                )
                self._thread.start()
            return self._learned

    def close(self) -> None:
        """Wait for the thread; what it learns is dropped."""
        self._closed.set()
        if (thread := self._thread) is not None:
            thread.join()

    def _learn_in_thread(self, baskets: Sequence[tuple[str, ...]]) -> None:
        learned = self._learned
        try:
            learned = self._learn(baskets)
        finally:
            with self._lock:
                self._learned, self._thread = learned, None
                self._again_at = self._clock() + _RELEARN_AFTER_S

    def _learn(self, baskets: Sequence[tuple[str, ...]]) -> Complements | None:
        if len(baskets) < MIN_BASKETS:
            return None
        start = time.perf_counter()
        bought = {product_id for basket in baskets for product_id in basket}
        learned = Complements.of(baskets, self._garments_of(bought))
        logger.info("learned from baskets: baskets=%d seconds=%.2f", len(baskets), time.perf_counter() - start)
        return learned

    def _garments_of(self, product_ids: Collection[str]) -> Mapping[str, Garment]:
        revision = self._store.revision
        changes = self._store.changes(since=self._revision, limit=_MAX_CHANGES) if self._garments else []
        if len(changes) == _MAX_CHANGES:
            self._garments = {}
        for change in changes:
            self._garments.pop(change.product_id, None)
        self._revision = revision
        missing = sorted(product_id for product_id in product_ids if product_id not in self._garments)
        for start in range(0, len(missing), _PAGE):
            if self._closed.is_set():
                break
            photos = self._reader.main_photos(missing[start : start + _PAGE])
            attributes_of = self._reader.features.attributes_of(list(photos.values()))
            for photo, attributes in zip(photos.values(), attributes_of, strict=True):
                self._garments[photo.product_id] = Garment.of(attributes, main_color(photo))
        known = {product_id: self._garments.get(product_id) for product_id in product_ids}
        return {product_id: garment for product_id, garment in known.items() if garment is not None}
