"""The catalog in MongoDB: writes go to the server, reads to a replica in SQLite that belongs to this process.

The server holds the truth. Each write is a transaction that takes its revisions from one counter. The replica
follows them: after each write of this process, and soon after those of others, of which a change stream tells. So
listings, facets and filters are answered by the same code as on the embedded store, and go on while the server is
away.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, TypeVar

from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from sartor.errors import SartorError, StoreAway, WorkspaceUnusable, WriteConflict
from sartor.limits import SERVER_POLL_S
from sartor.store.mongo.documents import key_document, photo_of
from sartor.store.mongo.transactions import COUNTERS, CatalogTransaction
from sartor.store.sqlite.replica import CatalogReplica, ReplicaPage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from sartor.store.base import ApiKey, Write
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.documents import Document

T = TypeVar("T")

logger = logging.getLogger(__name__)

_CHUNK = 256  # products, or photos, of a transaction: about 1 MB, and at most some 800 documents
_PAGE = 512  # products that a replica takes in at once
_WAIT_MS = 500  # for news, before the watcher looks for itself


class MongoCatalogStore:
    """The ``CatalogStore`` of a workspace in MongoDB.

    A write of more than 256 products is made in several transactions, each with revisions of its own; a conflict
    may then come after some of them.

    Args:
        mongo: The workspace's database.
        directory: Where the replicas of this host's processes are.
        on_close: Called in the end, such as to close the database.

    Raises:
        StoreAway: The server does not answer.
        WorkspaceUnusable: The directory cannot be used.
    """

    def __init__(
        self, mongo: MongoDatabase, directory: Path, *, on_close: Callable[[], None] = lambda: None
    ) -> None:
        self._mongo, self._on_close = mongo, on_close
        self._following, self._stopping = RLock(), Event()
        self._replica = CatalogReplica(
            directory, workspace=mongo.workspace_id, revision=self._counters()["revision"]
        )
        try:
            self.follow()
        except BaseException:
            self._replica.close()
            raise
        reads = self._replica.store
        self.products, self.known, self.product_ids = reads.products, reads.known, reads.product_ids
        self.products_with_photos, self.photos = reads.products_with_photos, reads.photos
        self.embeddings, self.embedded, self.has_embeddings = (
            reads.embeddings,
            reads.embedded,
            reads.has_embeddings,
        )
        self.embedded_photos, self.embedded_keys = reads.embedded_photos, reads.embedded_keys
        self.palettes, self.thumbnails = reads.palettes, reads.thumbnails
        self.changes, self.has_changed, self.counts = reads.changes, reads.has_changed, reads.counts
        self.attribute_names, self.setting, self.settings = reads.attribute_names, reads.setting, reads.settings
        self.listing, self.facets, self.facet_names = reads.listing, reads.facets, reads.facet_names
        self.keys, self.keys_with_digests = reads.keys, reads.keys_with_digests
        Thread(target=self._watch, name="sartor-mongodb", daemon=True).start()

    @property
    def revision(self) -> int:
        return self._replica.store.revision

    @property
    def away_since(self) -> float | None:
        return self._mongo.away_since

    def damage(self) -> list[str]:
        """What is wrong with the replica, or between it and the server."""
        self.follow()
        damage = self._replica.store.damage()
        with self._mongo.calling() as database:
            held = {name: database[name].count_documents({}) for name in ("products", "photos")}
        counts = self._replica.store.counts()
        for name, count in (("products", counts.products), ("photos", counts.photos)):
            if held[name] != count:
                damage.append(f"the replica has {count} {name}, the server {held[name]}; delete its directory")
        return damage

    # Writing

    def write(self, write: Write) -> int:
        known = set(self.attribute_names())
        for begin in range(0, len(write.products), _CHUNK):
            products = write.products[begin : begin + _CHUNK]
            new = {name for stored in products for name in stored.product.attributes} - known
            revision = self._write(lambda catalog: catalog.write(write, products, new))  # noqa: B023 - called at once
            known |= new
        return revision if write.products else self.revision

    def delete(self, product_ids: Collection[str]) -> int:
        ids, revision = sorted(set(product_ids)), self.revision
        for begin in range(0, len(ids), _CHUNK):
            chunk = ids[begin : begin + _CHUNK]
            revision = self._write(lambda catalog: catalog.delete(chunk))  # noqa: B023 - called at once
        return revision

    def drop_unused_photos(self) -> None:
        self.follow()
        unused = self._replica.unused_photos()
        for begin in range(0, len(unused), _CHUNK):
            chunk = unused[begin : begin + _CHUNK]
            self._write(lambda catalog: catalog.drop_photos(chunk))  # noqa: B023 - called at once

    def set_setting(self, name: str, value: str) -> None:
        self.set_settings({name: value})

    def set_settings(self, settings: Mapping[str, str | None]) -> None:
        self._write(lambda catalog: catalog.set_settings(settings))

    def claim_setting(self, name: str, value: str) -> str:
        return self._write(lambda catalog: catalog.claim_setting(name, value))

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        try:
            self._write(lambda catalog: catalog.add_key(key_document(key, digest)))
        except DuplicateKeyError as error:
            reason = "there is an API key with this id or digest already"
            raise WorkspaceUnusable(self._mongo.shown, reason=reason) from error

    def delete_key(self, key_id: str) -> bool:
        return self._write(lambda catalog: catalog.delete_key(key_id))

    def _write(self, call: Callable[[CatalogTransaction], T]) -> T:
        """Make a transaction, and take in what it wrote."""
        try:
            result = self._transaction(call)
        except WriteConflict:
            self.follow()  # so that the next attempt reads what others wrote
            raise
        try:
            self.follow()
        except StoreAway as error:  # the write is committed all the same
            logger.warning("cannot follow a write: store=%s reason=%s", self._mongo.shown, error)
        return result

    def _transaction(self, call: Callable[[CatalogTransaction], T]) -> T:
        return self._mongo.transaction(lambda session: call(CatalogTransaction(self._mongo, session)))

    # Following

    def follow(self) -> None:
        with self._following:
            replica, counters = self._replica, self._counters()
            followed = replica.followed
            if any(counters[name] < getattr(followed, name) for name in ("revision", "drops", "settings")):
                logger.warning("the server has an older state, replica begun anew: store=%s", self._mongo.shown)
                replica.clear()
            while any(
                counters[name] > getattr(replica.followed, name) for name in ("revision", "drops", "settings")
            ):
                replica.apply(self._transaction(lambda catalog: catalog.page(replica.followed, limit=_PAGE)))
            if not replica.followed.is_whole:
                self._complete()

    def _complete(self) -> None:
        """Give a new replica the photos that no product shows, but that have not been dropped."""
        with self._mongo.calling() as database:
            all_photos = [document["_id"] for document in database["photos"].find({}, {"_id": 1})]
            missing = self._replica.missing_photos(all_photos)
            documents = [
                document
                for begin in range(0, len(missing), _CHUNK)
                for document in database["photos"].find({"_id": {"$in": missing[begin : begin + _CHUNK]}})
            ]
        followed = replace(self._replica.followed, is_whole=True)
        self._replica.apply(ReplicaPage(followed=followed, photos=[photo_of(document) for document in documents]))

    def _counters(self) -> Document:
        with self._mongo.calling() as database:
            return database["counters"].find_one(COUNTERS) or {}

    def _watch(self) -> None:
        """Follow what other processes write, and give them copies of the replica, until the store is closed."""
        can_stream = True
        while not self._stopping.wait(SERVER_POLL_S):
            try:
                if can_stream and self._mongo.away_since is None:
                    self._follow_stream()
                else:
                    self._look()
            except OperationFailure as error:
                can_stream = False
                logger.info("no change streams, polling: store=%s reason=%s", self._mongo.shown, error)
            except (PyMongoError, SartorError) as error:
                if not self._stopping.is_set():
                    logger.debug("cannot follow: store=%s reason=%s", self._mongo.shown, error)

    def _follow_stream(self) -> None:
        pipeline = [{"$match": {"documentKey": COUNTERS}}]
        with self._mongo.collection("counters").watch(pipeline, max_await_time_ms=_WAIT_MS) as stream:
            self._look()
            while not self._stopping.is_set():
                stream.try_next()
                self._look()

    def _look(self) -> None:
        with self._following:
            if not self._stopping.is_set():
                self.follow()
                self._replica.share()

    def close(self) -> None:
        self._stopping.set()
        with self._following:
            self._replica.close()
        self._on_close()
