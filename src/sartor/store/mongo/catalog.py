"""The catalog in MongoDB: writes go to the server, reads to a replica in SQLite that belongs to this process.

The server holds the truth. Each write is a transaction that takes its revisions from one counter. The replica
follows them: after each write of this process, and soon after those of others, of which a change stream tells. So
listings, facets and filters are answered by the same code as on the embedded store, and go on while the server is
away.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, TypeVar

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from sartor.errors import SartorError, StoreAway, WorkspaceUnusable, WriteConflict
from sartor.limits import SERVER_POLL_S
from sartor.store.mongo.documents import key_document, photo_of
from sartor.store.mongo.transactions import COUNTERS, CatalogTransaction, Written, in_parts
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
_FOLLOWED = ("revision", "drops", "settings")  # counters of the server, and how far a replica has followed them
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
        names, revision = set(self.attribute_names()), self.revision
        for begin in range(0, len(write.products), _CHUNK):
            part = _part(write, begin)
            new = {name for stored in part.products for name in stored.product.attributes} - names
            with self._following:  # else the watcher reads from the server what is written here
                written = self._committed(lambda catalog: catalog.write(part, new))  # noqa: B023 - called at once
                self._take_in(part, written)
            names |= new
            revision = written.revision
        return revision

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

    def lease(self, name: str, holder: str, *, hold_s: float) -> int | None:
        with self._mongo.calling() as database:
            # By the server's clock. Not by $$NOW: SecantusDB 0.7 cannot compare it with a date that it stored.
            now = database.command("hello")["localTime"]
            held, leases = {"holder": holder, "until": now + timedelta(seconds=hold_s)}, database["leases"]
            own = leases.find_one_and_update({"_id": name, "holder": holder}, {"$set": held})
            if own is not None:
                return int(own["term"])
            try:
                free = leases.find_one_and_update(
                    {"_id": name, "until": {"$lte": now}},
                    {"$set": held, "$inc": {"term": 1}},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:  # somebody else has it, so the query found nothing to update
                return None
            return None if free is None else int(free["term"])

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        try:
            self._write(lambda catalog: catalog.add_key(key_document(key, digest)))
        except DuplicateKeyError as error:
            reason = "there is an API key with this id or digest already"
            raise WorkspaceUnusable(self._mongo.shown, reason=reason) from error

    def delete_key(self, key_id: str) -> bool:
        return self._write(lambda catalog: catalog.delete_key(key_id))

    def _write(self, call: Callable[[CatalogTransaction], T]) -> T:
        """Make a transaction, and follow it."""
        result = self._committed(call)
        self._follow_own()
        return result

    def _committed(self, call: Callable[[CatalogTransaction], T]) -> T:
        try:
            return self._transaction(call)
        except WriteConflict:
            self.follow()  # so that the next attempt reads what others wrote
            raise

    def _take_in(self, write: Write, written: Written) -> None:
        """Apply a write to the replica; without asking the server if it is the next one."""
        followed = self._replica.followed
        if followed == replace(followed, revision=written.revision - len(write.products), drops=written.drops):
            self._replica.write(write, written.rows, replace(followed, revision=written.revision))
        else:
            self._follow_own()

    def _follow_own(self) -> None:
        """Follow a write of this process, which is committed also if the server is gone now."""
        try:
            self.follow()
        except StoreAway as error:
            logger.warning("cannot follow a write: store=%s reason=%s", self._mongo.shown, error)

    def _transaction(self, call: Callable[[CatalogTransaction], T]) -> T:
        return self._mongo.transaction(lambda session: call(CatalogTransaction(self._mongo, session)))

    # Following

    def follow(self) -> None:
        with self._following:
            replica, counters = self._replica, self._counters()
            if any(counters[name] < getattr(replica.followed, name) for name in _FOLLOWED):
                logger.warning("the server has an older state, replica begun anew: store=%s", self._mongo.shown)
                replica.clear()
            width = _PAGE
            while any(counters[name] > getattr(replica.followed, name) for name in _FOLLOWED):
                page = self._transaction(
                    lambda catalog: catalog.page(replica.followed, width=width, limit=_PAGE)  # noqa: B023
                )
                replica.apply(page)
                is_sparse = len(page.products) + len(page.deletions) < _PAGE // 4
                width = 2 * width if is_sparse else _PAGE
            if not replica.followed.is_whole:
                self._complete()

    def _complete(self) -> None:
        """Give a new replica the photos that no product shows, but that have not been dropped."""
        with self._mongo.calling() as database:
            stored = [document["_id"] for document in database["photos"].find({}, {"_id": 1}).hint("_id_")]
            missing = self._replica.missing_photos(stored)
            photos = [
                photo_of(document)
                for some in in_parts(missing)
                for document in database["photos"].find({"_id": {"$in": some}})
            ]
        self._replica.apply(ReplicaPage(followed=replace(self._replica.followed, is_whole=True), photos=photos))

    def _counters(self) -> Document:
        with self._mongo.calling():
            return self._mongo.counters("catalog")

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


def _part(write: Write, begin: int) -> Write:
    """The part of a write that one transaction makes."""
    products = write.products[begin : begin + _CHUNK]
    shown = {photo.sha256 for stored in products for photo in stored.photos}
    return replace(
        write,
        products=products,
        embeddings={sha256: vector for sha256, vector in write.embeddings.items() if sha256 in shown},
        palettes={sha256: palette for sha256, palette in write.palettes.items() if sha256 in shown},
        known=[sha256 for sha256 in write.known if sha256 in shown],
    )
