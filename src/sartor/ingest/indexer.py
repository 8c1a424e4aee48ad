"""Writes the indexes that many processes read, from the one process that holds the lease of the store."""

from __future__ import annotations

import logging
import secrets
import socket
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from sartor.errors import IndexAway, IndexerReplaced, StoreAway
from sartor.ingest.writer import write_changes, write_listing
from sartor.limits import FOLLOW_S, INDEXER_LEASE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sartor.index.base import IndexWriter, ListingWriter
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore

logger = logging.getLogger(__name__)

LEASE = "indexer"
LISTED_BY = "listing_predicted_by"  # setting: the key of the heads whose predictions the listing has


class _LeaseOver(Exception):
    """Somebody else may hold the lease by now."""


class Indexer:
    """Follows the store and writes its listing and the indexes of its models while this process holds the lease.

    Any number of processes may have one: the others wait, and one of them goes on when the lease is over, because
    its holder ended, or was paused. A former holder that wakes up finds the lease gone before its next few hundred
    products, and what it had sent already carries its term and the store's revision, which the index compares.

    Args:
        store: The catalog.
        models: The models whose indexes are written now, by id.
        open_writer: Opens the index of a model for the holder of a term.
        open_listing: Opens the index of the listing for the holder of a term; it may return None, as long as no
            process asks for one.
        describes: The features of the default model, by whose predictions products are listed, too; None without
            one.
        lease_s: Seconds that the lease is taken for; it is extended when a third of them has passed.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        store: CatalogStore,
        *,
        models: Callable[[], Mapping[str, FeatureBuilder]],
        open_writer: Callable[[str, FeatureBuilder, int], IndexWriter],
        open_listing: Callable[[int], ListingWriter | None] = lambda _: None,
        describes: Callable[[], FeatureBuilder | None] = lambda: None,
        lease_s: float = INDEXER_LEASE_S,
    ) -> None:
        self._store, self._models, self._lease_s = store, models, lease_s
        self._open_writer, self._open_listing, self._describes = open_writer, open_listing, describes
        self._holder = f"{socket.gethostname()}-{secrets.token_hex(8)}"
        self._lock = Lock()
        self._term: int | None = None
        self._taken_s = 0.0  # by this process's monotonic clock, before the store was asked
        self._writers: dict[str, IndexWriter] = {}
        self._listing: ListingWriter | None = None
        self._listing_key = ""  # of the heads whose predictions it has, or gets
        self._stopping = Event()
        self._thread: Thread | None = None

    @property
    def term(self) -> int | None:
        """The term of the lease while this process holds it."""
        return self._term

    def step(self) -> bool:
        """Take or extend the lease, and write what the indexes lack; returns False while somebody else holds it.

        Raises:
            IndexAway: The engine does not answer.
            StoreAway: The store does not.
        """
        with self._lock:
            try:
                self._extend()
                self._write_listing()
                for model, features in self._models().items():
                    is_new = model not in self._writers
                    writer = self._writer(model, features)
                    written = write_changes(self._store, writer, features, before_page=self._extend)
                    if written or is_new:  # a former holder may have ended just before it marked
                        writer.mark(writer.revision)
            except (_LeaseOver, IndexerReplaced) as reason:
                if self._term is not None:
                    logger.warning("indexer: no longer the one: term=%d reason=%s", self._term, reason)
                self._forget()
                return False
        return True

    def start(self) -> None:
        """Do so in a thread of its own until ``close``."""
        self._thread = Thread(target=self.run, name="sartor-indexer", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Do so until ``close``, through failures of the store and of the engine."""
        failing, stopping = "", self._stopping
        while not stopping.is_set():
            try:
                self.step()
            except (IndexAway, StoreAway) as error:
                if failing != str(error):
                    logger.warning("indexer: waiting: reason=%s", error)
                failing = str(error)
                stopping.wait(1.0)
            except Exception:
                if failing != "unexpected":
                    logger.exception("indexer: failed")
                failing = "unexpected"
                stopping.wait(1.0)
            else:
                failing = ""
            stopping.wait(FOLLOW_S if self._term is not None else self._lease_s / 3)

    def settle(self, revision: int, *, wait_s: float, reached: Callable[[], int]) -> bool:
        """Bring the indexes up to a revision: by this process if nobody else does it.

        Args:
            revision: The store's revision.
            wait_s: How long to wait for somebody else who holds the lease; writing itself may take longer.
            reached: The revision that the index has.

        Returns:
            Whether the index has it.
        """
        deadline_s = time.monotonic() + wait_s
        while reached() < revision:
            self.step()
            if reached() < revision and time.monotonic() > deadline_s:
                return False
            time.sleep(FOLLOW_S)
        return True

    def stop(self) -> None:
        """Let ``run`` return after what it does now."""
        self._stopping.set()

    def close(self) -> None:
        """End, and give the lease back, so that the next one need not wait for its end."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            if self._term is not None:
                self._forget()
                try:
                    self._store.lease(LEASE, self._holder, hold_s=0.0)
                except StoreAway:
                    logger.warning("indexer: the lease could not be given back; it ends by itself")

    def _extend(self) -> None:
        """Make sure that the lease is held for long enough to write the next page."""
        now_s = time.monotonic()
        if self._term is not None and now_s < self._taken_s + self._lease_s / 3:
            return
        term = self._store.lease(LEASE, self._holder, hold_s=self._lease_s)
        if term is None:
            raise _LeaseOver
        if term != self._term:
            logger.info("indexer: is this process: term=%d", term)
            self._forget()  # what a writer remembers is of its term
        self._term, self._taken_s = term, now_s

    def _forget(self) -> None:
        self._term, self._writers, self._listing, self._listing_key = None, {}, None, ""

    def _write_listing(self) -> None:
        if self._term is None:  # _extend has seen to it
            raise _LeaseOver
        is_new = self._listing is None
        listing = self._listing = self._listing or self._open_listing(self._term)
        if listing is None:
            return
        features = self._describes()
        key = "" if features is None else features.key
        is_other = (is_new or key != self._listing_key) and key != (self._store.setting(LISTED_BY) or "")
        if is_other:
            listing.clear()  # what is read stays until the new one is marked
        self._listing_key = key
        written = write_listing(self._store, listing, before_page=self._extend, features=features)
        if written or is_new or is_other:  # a former holder may have ended just before it marked
            listing.mark(listing.revision)
        if is_other:
            self._store.set_setting(LISTED_BY, key)

    def _writer(self, model: str, features: FeatureBuilder) -> IndexWriter:
        if self._term is None:  # _extend has seen to it
            raise _LeaseOver
        if model not in self._writers:
            self._writers[model] = self._open_writer(model, features, self._term)
        return self._writers[model]
