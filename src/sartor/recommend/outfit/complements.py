"""Complements kept up to date with what people buy, for looks.

What products are is read by the page and remembered; of a changed catalog, only what changed is read again.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from sartor.imaging.color import color_name
from sartor.recommend.features import color_family
from sartor.recommend.outfit.rules import Slot, clash, gender_of, slot_of
from sartor.recommend.weights import KINDS_SHARE, LARGEST_BASKET, LEAST_BASKETS, PRIOR_PAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from sartor.recommend.base import Wardrobe
    from sartor.store.base import CatalogStore
    from sartor.types import Attributes, Matrix, Vector

    Places = npt.NDArray[np.int64]


# Attributes that may tell a product's kind.
KINDS = (
    "product_type",
    "articleType",
    "google_product_category",
    "category",
    "type",
    "subCategory",
    "masterCategory",
)
GENDER, COLOR = "gender", "color"


@dataclass(frozen=True, slots=True)
class Garment:
    """What a product is.

    Attributes:
        slot: Where it is worn.
        gender: For whom, such as ``men``; empty where nobody tells.
        kind: The narrowest word for its kind, such as ``casual shoes``.
        color: The family of its color, such as ``brown``; empty where nothing is known of it.
    """

    slot: Slot
    gender: str
    kind: str
    color: str

    @classmethod
    def of(cls, attributes: Attributes, color: Vector | None) -> Garment | None:
        """What a product with these attributes is; None for what is not worn.

        Args:
            attributes: What is told or predicted of it.
            color: Its main color, OKLab ``(3,)``; counts where the attributes name none.
        """
        kinds = (_text(attributes, name) for name in KINDS)
        kind = next((kind for kind in kinds if slot_of(kind)), "")
        slot = slot_of(kind)
        if slot is None:
            return None
        named = _text(attributes, COLOR) or ("" if color is None else color_name(color))
        return cls(
            slot=slot,
            gender=gender_of(_text(attributes, GENDER)),
            kind=re.split(r"[>/|]", kind)[-1].strip().lower(),
            color=color_family(named),
        )


def _text(attributes: Attributes, name: str) -> str:
    value = attributes.get(name, "")
    return str(value[0] if value else "") if isinstance(value, tuple) else str(value)


Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairCounts(Generic[Thing]):
    """Counted pairs of n things, in s strata.

    Attributes:
        places: Row of each thing.
        counts: How often two were bought together, a symmetric sparse ``(n, n)``.
        strata: ``(n,)`` slot and gender of each, by number.
        beside: ``(n, s)`` in how many pairs each is with something of a stratum.
        totals: ``(s, s)`` pairs of two strata.
    """

    places: Mapping[Thing, int]
    counts: Any
    strata: Places
    beside: Matrix
    totals: Matrix

    @classmethod
    def of(cls, places: Mapping[Thing, int], counts: Any, strata: Places) -> PairCounts[Thing]:
        """What follows from counts."""
        from scipy.sparse import csr_array

        things = np.arange(len(strata))
        shape = (len(strata), int(strata.max(initial=-1)) + 1)
        stratum = csr_array((np.ones(len(strata), np.float32), (things, strata)), shape=shape)
        beside = (counts @ stratum).toarray()
        return cls(places=places, counts=counts, strata=strata, beside=beside, totals=stratum.T @ beside)

    def among(self, things: Sequence[Thing | None]) -> tuple[Matrix, Matrix]:
        """Pairs counted and pairs expected among m things, ``(m, m)`` each; 0 for what was never bought."""
        rows = np.array([-1 if thing is None else self.places.get(thing, -1) for thing in things], np.int64)
        known = np.flatnonzero(rows >= 0)
        rows, inner = rows[known], np.ix_(known, known)
        strata = self.strata[rows]
        beside = self.beside[rows][:, strata]  # of each row's thing with the stratum of each column's
        counted = np.zeros((len(things), len(things)), np.float32)
        expected = np.zeros_like(counted)
        counted[inner] = self.counts[rows][:, rows].toarray()
        expected[inner] = beside * beside.T / np.maximum(self.totals[strata][:, strata], 1)
        return counted, expected

    def beside_any(self, things: Sequence[Thing]) -> tuple[Places, Matrix]:
        """Rows of all that was bought with any of these, and how often, ``(k,)`` each."""
        pairs = self.counts[[self.places[thing] for thing in things if thing in self.places]]
        rows, places = np.unique(pairs.indices.astype(np.int64), return_inverse=True)
        return rows, np.bincount(places, weights=pairs.data, minlength=len(rows)).astype(np.float32)


def count_products(baskets: Sequence[Sequence[str]], garments: Mapping[str, Garment]) -> PairCounts[str]:
    """Count pairs of products that can be in one look.

    Args:
        baskets: Ids of distinct products each, all of them among ``garments``.
        garments: What the products are, in the order that they get.
    """
    from scipy.sparse import csr_array

    places = {name: place for place, name in enumerate(garments)}
    taken = np.array([places[product_id] for basket in baskets for product_id in basket], np.int64)
    ends = np.cumsum([0, *map(len, baskets)])
    filled = csr_array((np.ones(len(taken), np.float32), taken, ends), shape=(len(baskets), len(places)))
    pairs = (filled.T @ filled).tocoo()
    slots = list(Slot)
    slot = np.array([slots.index(garment.slot) for garment in garments.values()], np.int64)
    beside = np.array([[not clash(one, other) for other in slots] for one in slots])
    kept = beside[slot[pairs.row], slot[pairs.col]]
    counts = csr_array((pairs.data[kept], (pairs.row[kept], pairs.col[kept])), shape=pairs.shape)
    return PairCounts.of(places, counts, _strata(garments.values()))


def count_kinds(products: PairCounts[str], garments: Mapping[str, Garment]) -> PairCounts[Garment]:
    """The same pairs, counted by kinds and colors; ``garments`` as the products were counted by."""
    from scipy.sparse import csr_array

    places = {garment: place for place, garment in enumerate(dict.fromkeys(garments.values()))}
    kinds = np.array([places[garment] for garment in garments.values()], np.int64)
    ones = np.ones(len(kinds), np.float32)
    member = csr_array((ones, (np.arange(len(kinds)), kinds)), shape=(len(kinds), len(places)))
    counts = (member.T @ products.counts @ member).tocsr()
    return PairCounts.of(places, counts, _strata(places))


def _strata(garments: Iterable[Garment]) -> Places:
    numbers: dict[tuple[Slot, str], int] = {}
    return np.array([numbers.setdefault((each.slot, each.gender), len(numbers)) for each in garments], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What baskets say of two products.

    Attributes:
        score: ``lift / (1 + lift)``: 0.5 if they are bought together as often as by chance, toward 1 if more.
        confidence: How much it shall count, from 0, nothing is known, toward 1.
        together: In how many baskets both are.
        alike: In how many baskets there are two of their kinds and colors, counted by pairs.
    """

    score: float
    confidence: float
    together: int
    alike: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weights:
    """What baskets say of all pairs of n products: the attributes of ``Weight``, ``(n, n)`` each, symmetric."""

    places: Mapping[str, int]
    score: Matrix
    confidence: Matrix
    together: Matrix
    alike: Matrix

    def between(self, one: str, other: str) -> Weight:
        """What they say of two of the products."""
        pair = self.places[one], self.places[other]
        return Weight(
            score=float(self.score[pair]),
            confidence=float(self.confidence[pair]),
            together=int(self.together[pair]),
            alike=int(self.alike[pair]),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Complements:
    """What was learned from baskets.

    Attributes:
        baskets: From how many.
        products: Pairs of products.
        kinds: The same pairs by kind and color.
        names: The products that were bought, sorted.
        garments: What they are.
    """

    baskets: int
    products: PairCounts[str] = field(repr=False)
    kinds: PairCounts[Garment] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    garments: Mapping[str, Garment] = field(repr=False)

    @classmethod
    def of(cls, baskets: Iterable[Sequence[str]], garments: Mapping[str, Garment]) -> Complements | None:
        """Learn from baskets; None where they are too few, which leaves looks to the rules.

        Only pairs that can be in one look are counted. Neither the order of baskets nor that in a basket matters.

        Args:
            baskets: Ids of the products that were bought together; one that is there twice counts once.
            garments: What the products are; those that are missing are not worn.
        """
        pieces = ({name for name in basket if name in garments} for basket in baskets)
        usable = [sorted(worn) for worn in pieces if _has_pair(worn, garments)]
        if len(usable) < LEAST_BASKETS:
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
            places={name: place for place, name in enumerate(product_ids)},
            score=lift / (1 + lift),
            confidence=1 - doubt,
            together=together,
            alike=alike,
        )

    def partners(self, product_ids: Sequence[str], slot: Slot, *, most: int) -> list[str]:
        """The products of a slot that were most often bought with any of these, the most frequent first."""
        rows, times = self.products.beside_any(product_ids)
        bought = ((self.names[row], count) for row, count in zip(rows, times, strict=True))
        worn_there = [(name, count) for name, count in bought if self.garments[name].slot is slot]
        return [name for name, _ in sorted(worn_there, key=lambda each: (-each[1], each[0]))[:most]]


def _has_pair(basket: Collection[str], garments: Mapping[str, Garment]) -> bool:
    """Whether two products of a basket can be in one look, and it is no reseller's."""
    return 1 < len(basket) <= LARGEST_BASKET and _go_together(frozenset([garments[name].slot for name in basket]))


@cache
def _go_together(slots: frozenset[Slot]) -> bool:
    return any(not clash(*pair) for pair in combinations(slots, 2))


def _evidence(counted: Matrix, expected: Matrix) -> Matrix:
    """How much is known of pairs, in [0, 1): they were seen often, or never where chance would have them."""
    pairs = np.maximum(counted, expected)
    return np.asarray(pairs / (pairs + PRIOR_PAIRS), np.float32)


logger = logging.getLogger(__name__)


_PAGE = 1000  # products a step; bounds memory, as each comes with its embedding
_AT_ONCE = 20_000  # baskets that are learned from within a request; of more, beside the requests
_AGAIN_AFTER_S = 600.0  # so long after that it is learned anew
_CHANGES = 10_000  # of the catalog that are looked through; after more, all products are read again


class ComplementsLearner:
    """Learns complements from baskets, and anew when the baskets are others; may be asked from several threads."""

    def __init__(
        self, store: CatalogStore, wardrobe: Wardrobe, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._wardrobe, self._clock = store, wardrobe, clock
        self._lock = Lock()
        self._closed = Event()
        self._source: object = None
        self._again_at = float("-inf")
        self._thread: Thread | None = None
        self._learned: Complements | None = None
        self._revision = 0
        self._garments: dict[str, Garment | None] = {}  # None for what is in the catalog and not worn

    def now(self, source: object, baskets: Callable[[], Sequence[tuple[str, ...]]]) -> Complements | None:
        """What baskets say; None where they are too few.

        From very many it is learned beside the requests, and not again for a while: until then they get what was
        learned before.

        Args:
            source: What the baskets come from; it is learned anew when this is another object than the last time.
            baskets: Gives ids of the products that were bought together.
        """
        with self._lock:
            if source is self._source or self._thread is not None or self._clock() < self._again_at:
                return self._learned
            self._source, given = source, baskets()
            if len(given) <= _AT_ONCE:
                self._learned = self._learn(given)
            else:
                self._thread = Thread(target=self._learn_beside, args=(given,), name="sartor-looks", daemon=True)
                self._thread.start()
            return self._learned

    def close(self) -> None:
        """Wait for what goes on beside the requests; what it learns is dropped."""
        self._closed.set()
        if (thread := self._thread) is not None:
            thread.join()

    def _learn_beside(self, baskets: Sequence[tuple[str, ...]]) -> None:
        learned = self._learned
        try:
            learned = self._learn(baskets)
        finally:
            with self._lock:
                self._learned, self._thread = learned, None
                self._again_at = self._clock() + _AGAIN_AFTER_S

    def _learn(self, baskets: Sequence[tuple[str, ...]]) -> Complements | None:
        if len(baskets) < LEAST_BASKETS:
            return None
        start = time.perf_counter()
        bought = {product_id for basket in baskets for product_id in basket}
        learned = Complements.of(baskets, self._garments_of(bought))
        logger.info("learned from baskets: baskets=%d seconds=%.2f", len(baskets), time.perf_counter() - start)
        return learned

    def _garments_of(self, product_ids: Collection[str]) -> Mapping[str, Garment]:
        revision = self._store.revision
        changes = self._store.changes(since=self._revision, limit=_CHANGES) if self._garments else []
        if len(changes) == _CHANGES:
            self._garments = {}
        for change in changes:
            self._garments.pop(change.product_id, None)
        self._revision = revision
        missing = sorted(product_id for product_id in product_ids if product_id not in self._garments)
        for start in range(0, len(missing), _PAGE):
            if self._closed.is_set():
                break
            photos = self._wardrobe.main_photos(missing[start : start + _PAGE])
            known = self._wardrobe.attributes_of(list(photos.values()))
            for photo, attributes in zip(photos.values(), known, strict=True):
                color = None if photo.palette is None else photo.palette.colors[0]
                self._garments[photo.product_id] = Garment.of(attributes, color)
        found = {product_id: self._garments.get(product_id) for product_id in product_ids}
        return {product_id: garment for product_id, garment in found.items() if garment is not None}
