"""Complements kept up to date with what people buy, for looks.

What products are is read by the page and remembered; of a changed catalog, only what changed is read again.
"""

from __future__ import annotations

import logging
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from sartor.recommend.complements import Complements
from sartor.recommend.garments import Garment
from sartor.recommend.tuning import LEAST_BASKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sartor.recommend.fitting import Wardrobe
    from sartor.store.sqlite import SqliteStore

logger = logging.getLogger(__name__)

_PAGE = 1000  # products a step; bounds memory, as each comes with its embedding
_AT_ONCE = 20_000  # baskets that are learned from within a request; of more, beside the requests
_AGAIN_AFTER_S = 600.0  # so long after that it is learned anew
_CHANGES = 10_000  # of the catalog that are looked through; after more, all products are read again


class ComplementsLearner:
    """Learns complements from baskets, and anew when the baskets are others; may be asked from several threads."""

    def __init__(
        self, store: SqliteStore, wardrobe: Wardrobe, clock: Callable[[], float] = time.monotonic
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
