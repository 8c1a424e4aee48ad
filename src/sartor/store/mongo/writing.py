"""What writes the catalog in MongoDB: each call is a transaction, of which a large one is made in parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from sartor.errors import WorkspaceUnusable, WriteConflict
from sartor.store.mongo.documents import key_document
from sartor.store.mongo.transactions import CatalogTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sartor.store.base import ApiKey, Write
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.transactions import Written

T = TypeVar("T")

CHUNK = 256  # products, or photos, of a transaction: about 1 MB, and at most some 800 documents


class CatalogWriting:
    """The writing half of a ``CatalogStore``.

    A write of more than 256 products is made in several transactions, each with revisions of its own; a conflict
    may then come after some of them.

    Args:
        mongo: The workspace's database.
        lock: Held from a write of products to the end of ``written``.
        revision: The revision of the store, for a write of nothing.
        known_names: Names of attributes that the database has.
        written: Called after each part of a write.
        changed: Called after each other transaction.
        conflicted: Called when another process had changed what a write depends on.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        mongo: MongoDatabase,
        *,
        lock: AbstractContextManager[object],
        revision: Callable[[], int],
        known_names: Callable[[], Collection[str]],
        written: Callable[[Write, Written], None],
        changed: Callable[[], None],
        conflicted: Callable[[], None],
    ) -> None:
        self._mongo, self._lock, self._revision, self._known_names = mongo, lock, revision, known_names
        self._written, self._changed, self._conflicted = written, changed, conflicted

    def write(self, write: Write) -> int:
        names, revision = set(self._known_names()), self._revision()
        for begin in range(0, len(write.products), CHUNK):
            part = _part(write, begin)
            new = {name for stored in part.products for name in stored.product.attributes} - names
            with self._lock:
                written = self._committed(lambda catalog: catalog.write(part, new))  # noqa: B023 - called at once
                self._written(part, written)
            names |= new
            revision = written.revision
        return revision

    def delete(self, product_ids: Collection[str]) -> int:
        ids, revision = sorted(set(product_ids)), self._revision()
        for begin in range(0, len(ids), CHUNK):
            chunk = ids[begin : begin + CHUNK]
            revision = self._write(lambda catalog: catalog.delete(chunk))  # noqa: B023 - called at once
        return revision

    def drop_photos(self, sha256s: Sequence[str]) -> None:
        """Delete those of these photos that no product shows."""
        for begin in range(0, len(sha256s), CHUNK):
            chunk = sha256s[begin : begin + CHUNK]
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

    def transaction(self, call: Callable[[CatalogTransaction], T]) -> T:
        """Run a function in a transaction, again after a conflict, and commit."""
        return self._mongo.transaction(lambda session: call(CatalogTransaction(self._mongo, session)))

    def _write(self, call: Callable[[CatalogTransaction], T]) -> T:
        """Make a transaction, and follow it."""
        result = self._committed(call)
        self._changed()
        return result

    def _committed(self, call: Callable[[CatalogTransaction], T]) -> T:
        try:
            return self.transaction(call)
        except WriteConflict:
            self._conflicted()  # so that the next attempt reads what others wrote
            raise


def _part(write: Write, begin: int) -> Write:
    """The part of a write that one transaction makes."""
    products = write.products[begin : begin + CHUNK]
    shown = {photo.sha256 for stored in products for photo in stored.photos}
    return replace(
        write,
        products=products,
        embeddings={sha256: vector for sha256, vector in write.embeddings.items() if sha256 in shown},
        palettes={sha256: palette for sha256, palette in write.palettes.items() if sha256 in shown},
        known=[sha256 for sha256 in write.known if sha256 in shown],
    )
