"""What happens inside a transaction of the catalog: writes at revisions of their own, and a page for a replica.

Every writing transaction changes the one document of counters first. So two of them never overlap: the second one
meets a conflict and is run again, and revisions become visible in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from bson.binary import Binary
from pymongo import InsertOne, ReplaceOne, ReturnDocument, UpdateOne

from sartor.errors import WriteConflict
from sartor.store.mongo.documents import (
    embedding_name,
    key_of,
    palette_binary,
    photo_document,
    photo_of,
    product_document,
    product_of,
    vector_binary,
)
from sartor.store.sqlite.replica import Followed, ReplicaPage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection as Collection_

    from sartor.store.base import Write
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.documents import Document
    from sartor.types import StoredProduct

COUNTERS = {"_id": "catalog"}
_IN = 50  # keys of one $in; SecantusDB compares each with each


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write became.

    Attributes:
        revision: Its last revision.
        drops: How often unused photos had been dropped before it.
        rows: Its products, each with its revision and its number in the order of first addition.
    """

    revision: int
    drops: int
    rows: Sequence[tuple[int, int, StoredProduct]]


class CatalogTransaction:
    """The catalog's collections within one transaction."""

    def __init__(self, mongo: MongoDatabase, session: ClientSession) -> None:
        self._collection, self._session = mongo.collection, session

    def write(self, write: Write, new_names: Collection[str]) -> Written:
        """Write products with their photos.

        Args:
            write: So many products that a transaction can take them.
            new_names: Names of attributes that may be new.

        Raises:
            WriteConflict: Another process changed what the write depends on.
        """
        counters = self._take(revision=len(write.products))
        numbers = self._numbers([stored.product.id for stored in write.products], read_at=write.read_at)
        self._require_embedded(write.model, write.known)
        new = list(dict.fromkeys(one.product.id for one in write.products if one.product.id not in numbers))
        if new:
            last = self._take(added=len(new))["added"]
            numbers |= dict(zip(new, range(last - len(new) + 1, last + 1), strict=True))
            if counters["deletes"]:
                self._delete("deletions", new)
        first = counters["revision"] - len(write.products) + 1
        rows = [(revision, numbers[one.product.id], one) for revision, one in enumerate(write.products, first)]
        self._write_products(rows, new)
        self._write_photos(write, has_dropped=counters["drops"] > 0)
        if new_names:
            self._collection("attribute_names").bulk_write(
                [
                    UpdateOne({"_id": name}, {"$setOnInsert": {"revision": counters["revision"]}}, upsert=True)
                    for name in sorted(new_names)
                ],
                session=self._session,
            )
        return Written(revision=counters["revision"], drops=counters["drops"], rows=rows)

    def delete(self, product_ids: Collection[str]) -> int:
        """Delete products; returns the last revision."""
        self._take(deletes=1)
        known = sorted(self._numbers(product_ids))
        revision = self._take(revision=len(known))["revision"]
        if known:
            self._delete("products", known)
            self._collection("deletions").bulk_write(
                [
                    ReplaceOne({"_id": product_id}, {"revision": number}, upsert=True)
                    for number, product_id in enumerate(known, revision - len(known) + 1)
                ],
                session=self._session,
            )
        return int(revision)

    def drop_photos(self, sha256s: Collection[str]) -> None:
        """Delete those of these photos that no product shows."""
        drop = self._take(drops=1)["drops"]
        shown = self._find("products", sha256s, {"photos.sha256": 1}, field="photos.sha256")
        unused = sorted(set(sha256s) - {photo["sha256"] for document in shown for photo in document["photos"]})
        if unused:
            self._delete("photos", unused)
            self._collection("dropped_photos").bulk_write(
                [ReplaceOne({"_id": sha256}, {"drop": drop}, upsert=True) for sha256 in unused],
                session=self._session,
            )

    def set_settings(self, settings: Mapping[str, str | None]) -> None:
        """Set settings; None deletes one."""
        self._take(settings=1)
        for name, value in settings.items():
            if value is None:
                self._collection("settings").delete_one({"_id": name}, session=self._session)
            else:
                self._collection("settings").replace_one(
                    {"_id": name}, {"value": value}, upsert=True, session=self._session
                )

    def claim_setting(self, name: str, value: str) -> str:
        """Set a setting unless it is set, and return what it is now."""
        self._take(settings=1)
        kept = self._collection("settings").find_one({"_id": name}, session=self._session)
        if kept is not None:
            return str(kept["value"])
        self._collection("settings").insert_one({"_id": name, "value": value}, session=self._session)
        return value

    def add_key(self, document: Document) -> None:
        """Insert an API key.

        Raises:
            DuplicateKeyError: There is a key with its id or digest.
        """
        self._take(settings=1)
        self._collection("api_keys").insert_one(document, session=self._session)

    def delete_key(self, key_id: str) -> bool:
        """Delete an API key; returns whether it existed."""
        self._take(settings=1)
        return self._collection("api_keys").delete_one({"_id": key_id}, session=self._session).deleted_count > 0

    def page(self, since: Followed, *, width: int, limit: int) -> ReplicaPage:
        """The next changes for a replica, all of one state of the store.

        Args:
            since: What the replica has.
            width: Revisions to look through, at most.
            limit: Products, at most.
        """
        counters = self._collection("counters").find_one(COUNTERS, session=self._session) or {}
        reached = min(since.revision + width, counters["revision"])
        span = {"revision": {"$gt": since.revision, "$lte": reached}}
        changed, deleted = self._first("products", span, limit), self._first("deletions", span, limit)
        if len(changed) + len(deleted) > limit:
            reached = sorted(document["revision"] for document in (*changed, *deleted))[limit - 1]
            changed = [document for document in changed if document["revision"] <= reached]
            deleted = [document for document in deleted if document["revision"] <= reached]
        is_last = reached == counters["revision"]
        shown = {row["sha256"] for document in changed for row in document["photos"]}
        photos = {document["_id"]: photo_of(document) for document in self._find("photos", shown)}
        names = self._collection("attribute_names").find(
            {"revision": {"$gt": since.revision, "$lte": reached}}, session=self._session
        )
        followed = Followed(
            workspace=since.workspace,
            revision=reached,
            drops=counters["drops"] if is_last else since.drops,
            settings=counters["settings"] if is_last else since.settings,
            is_whole=since.is_whole,
        )
        has_settings = followed.settings != since.settings
        return ReplicaPage(
            followed=followed,
            products=[
                (document["revision"], document["added"], product_of(document, photos)) for document in changed
            ],
            deletions={document["_id"]: document["revision"] for document in deleted},
            photos=list(photos.values()),
            attribute_names=[document["_id"] for document in names],
            dropped=self._dropped(since.drops) if followed.drops != since.drops else (),
            settings=self._settings() if has_settings else None,
            keys=(
                [key_of(document) for document in self._collection("api_keys").find(session=self._session)]
                if has_settings
                else None
            ),
        )

    def _take(self, **amounts: int) -> Document:
        """The counters after these were raised."""
        counters = self._collection("counters").find_one_and_update(
            COUNTERS, {"$inc": amounts}, return_document=ReturnDocument.AFTER, session=self._session
        )
        return dict(counters or {})

    def _numbers(self, product_ids: Collection[str], *, read_at: int | None = None) -> dict[str, int]:
        """The numbers of those products that there are.

        Raises:
            WriteConflict: One was written or deleted after a revision.
        """
        documents = list(self._find("products", product_ids, {"revision": 1, "added": 1}))
        if read_at is not None:
            later = {document["_id"] for document in documents if document["revision"] > read_at}
            deleted = self._find("deletions", product_ids, {"_id": 1}, where={"revision": {"$gt": read_at}})
            if later := later | {document["_id"] for document in deleted}:
                raise WriteConflict(sorted(later))
        return {document["_id"]: document["added"] for document in documents}

    def _require_embedded(self, model: str, sha256s: Collection[str]) -> None:
        is_there = {"models": embedding_name(model)}
        present = {document["_id"] for document in self._find("photos", sha256s, {"_id": 1}, where=is_there)}
        if gone := set(sha256s) - present:
            raise WriteConflict(photos=sorted(gone))

    def _write_products(self, rows: Sequence[tuple[int, int, StoredProduct]], new: Collection[str]) -> None:
        inserts: dict[str, InsertOne[Document]] = {}
        replacements: list[ReplaceOne[Document]] = []
        for revision, added, stored in rows:
            document, key = product_document(stored, revision=revision, added=added), stored.product.id
            if key in new and key not in inserts:
                inserts[key] = InsertOne(document)
            else:
                replacements.append(ReplaceOne({"_id": key}, document))
        self._collection("products").bulk_write([*inserts.values(), *replacements], session=self._session)

    def _write_photos(self, write: Write, *, has_dropped: bool) -> None:
        photos = {photo.sha256: photo for stored in reversed(write.products) for photo in reversed(stored.photos)}
        fingerprints = {
            document["_id"]: document["fingerprint"]
            for document in self._find("photos", photos, {"fingerprint": 1})
        }
        name = embedding_name(write.model)
        writes: list[InsertOne[Document] | UpdateOne] = []
        for sha256, photo in photos.items():
            vector, palette = write.embeddings.get(sha256), write.palettes.get(sha256)
            computed: Document = {} if palette is None else {"palette": palette_binary(palette)}
            if sha256 not in fingerprints:
                embeddings = {} if vector is None else {name: vector_binary(vector)}
                new = {**photo_document(photo), **computed, "embeddings": embeddings, "models": list(embeddings)}
                writes.append(InsertOne(new))
                continue
            update: Document = {}
            if vector is not None:
                computed[f"embeddings.{name}"] = vector_binary(vector)
                update["$addToSet"] = {"models": name}
            if photo.fingerprint and not fingerprints[sha256]:
                computed["fingerprint"] = Binary(photo.fingerprint)
            if computed:
                writes.append(UpdateOne({"_id": sha256}, {**update, "$set": computed}))
        if has_dropped:
            self._delete("dropped_photos", sorted(photos.keys() - fingerprints.keys()))
        if writes:
            self._collection("photos").bulk_write(writes, ordered=False, session=self._session)

    def _first(self, collection: str, span: Document, limit: int) -> list[Document]:
        found = self._collection(collection).find(span, session=self._session)
        return list(found.sort("revision", 1).limit(limit + 1))

    def _find(
        self,
        collection: str,
        keys: Collection[str],
        projection: Document | None = None,
        *,
        field: str = "_id",
        where: Document | None = None,
    ) -> Iterator[Document]:
        """Documents with these keys, and more conditions."""
        return found(
            self._collection(collection), keys, projection, field=field, where=where, session=self._session
        )

    def _delete(self, collection: str, keys: Collection[str]) -> None:
        for some in in_parts(keys):
            self._collection(collection).delete_many({"_id": {"$in": some}}, session=self._session)

    def _dropped(self, since: int) -> list[str]:
        documents = self._collection("dropped_photos").find({"drop": {"$gt": since}}, session=self._session)
        return [document["_id"] for document in documents]

    def _settings(self) -> dict[str, str]:
        documents = self._collection("settings").find(session=self._session)
        return {document["_id"]: document["value"] for document in documents}


def found(  # noqa: PLR0913 - each is a keyword of its own
    collection: Collection_[Document],
    keys: Collection[str],
    projection: Document | None = None,
    *,
    field: str = "_id",
    where: Document | None = None,
    session: ClientSession | None = None,
) -> Iterator[Document]:
    """The documents of a collection with these keys, and more conditions."""
    for some in in_parts(keys):
        yield from collection.find({field: {"$in": some}, **(where or {})}, projection, session=session)


def in_parts(keys: Collection[str]) -> Iterator[list[str]]:
    """The keys in lists that ``$in`` finds fast on any server."""
    remaining = iter(keys)
    while some := list(islice(remaining, _IN)):
        yield some
