"""The catalog in MongoDB: writes go to the server, reads to a replica in SQLite that belongs to this process.

The server holds the truth. Each write is a transaction that takes its revisions from one counter. The replica
follows them: after each write of this process, and soon after those of others, of which a change stream tells. So
listings, facets and filters are answered by the same code as on the embedded store, and go on while the server is
away.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from sartor.errors import StoreAway
from sartor.store.mongo.documents import photo_of
from sartor.store.mongo.transactions import in_parts
from sartor.store.mongo.watching import Watcher
from sartor.store.mongo.writing import CatalogWriting
from sartor.store.sqlite.replica import CatalogReplica, ReplicaPage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sartor.store.base import Predicted, Write
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.documents import Document
    from sartor.store.mongo.transactions import Written
    from sartor.types import Guesses

logger = logging.getLogger(__name__)

_PAGE = 512  # products that a replica takes in at once
_FOLLOWED = ("revision", "drops", "settings")  # counters of the server, and how far a replica has followed them


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
        self._following, self._watcher = RLock(), Watcher(mongo, look=self._look)
        self._writing = CatalogWriting(
            mongo,
            lock=self._following,  # else the watcher reads from the server what is written here
            revision=lambda: self.revision,
            known_names=self._known_names,
            written=self._take_in,
            changed=self._follow_own,
            conflicted=self.follow,
        )
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
        self.numbers, self.predicted = reads.numbers, reads.predicted
        writing = self._writing
        self.write, self.delete, self.lease = writing.write, writing.delete, writing.lease
        self.set_setting, self.set_settings = writing.set_setting, writing.set_settings
        self.claim_setting, self.add_key, self.delete_key = (
            writing.claim_setting,
            writing.add_key,
            writing.delete_key,
        )
        self._watcher.start()

    @property
    def revision(self) -> int:
        return self._replica.store.revision

    @property
    def listed_revision(self) -> int:
        return self.revision

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

    def drop_unused_photos(self) -> None:
        self.follow()
        self._writing.drop_photos(self._replica.unused_photos())

    def predict(self, guesses: Mapping[str, Guesses], predicted: Predicted, *, since: Predicted) -> None:
        """Each process derives them for its own replica, which is not copied meanwhile."""
        with self._following:
            self._replica.store.predict(guesses, predicted, since=since)

    def _known_names(self) -> tuple[str, ...]:
        return self._replica.store.attribute_names()

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

    # Following

    def follow(self) -> None:
        with self._following:
            replica, counters = self._replica, self._counters()
            if any(counters[name] < getattr(replica.followed, name) for name in _FOLLOWED):
                logger.warning("the server has an older state, replica begun anew: store=%s", self._mongo.shown)
                replica.clear()
            width = _PAGE
            while any(counters[name] > getattr(replica.followed, name) for name in _FOLLOWED):
                page = self._writing.transaction(
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

    def _look(self) -> None:
        """Follow what other processes write, and give them copies of the replica, until the store is closed."""
        with self._following:
            if not self._watcher.is_stopping:
                self.follow()
                self._replica.share()

    def close(self) -> None:
        self._watcher.stop()
        with self._following:
            self._replica.close()
        self._on_close()
