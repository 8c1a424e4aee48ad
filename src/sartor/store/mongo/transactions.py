"""What happens inside a transaction of the catalog: writes at revisions of their own, and a page for a replica.

Every writing transaction changes the one document of counters first. So two of them never overlap: the second one
meets a conflict and is run again, and revisions become visible in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymongo import InsertOne, ReplaceOne, ReturnDocument, UpdateOne

from sartor.errors import WriteConflict
from sartor.store.mongo.documents import (
    embedding_field,
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
    from collections.abc import Collection, Mapping, Sequence

    from pymongo.client_session import ClientSession

    from sartor.store.base import Write
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.documents import Document
    from sartor.store.sqlite.replica import ReplicaPhoto
    from sartor.types import Photo, StoredProduct

COUNTERS = {"_id": "catalog"}


class CatalogTransaction:
    """The catalog's collections within one transaction."""

    def __init__(self, mongo: MongoDatabase, session: ClientSession) -> None:
        self._collection, self._session = mongo.collection, session

    def write(self, write: Write, products: Sequence[StoredProduct], new_names: Collection[str]) -> int:
        """Write some of a write's products with their photos; returns the last revision.

        Args:
            write: The embeddings, palettes and conditions.
            products: The products.
            new_names: Names of attributes that may be new.

        Raises:
            WriteConflict: Another process changed what the write depends on.
        """
        revision = self._take(revision=len(products))["revision"]
        photos = {photo.sha256: photo for stored in products for photo in stored.photos}
        known = self._known([stored.product.id for stored in products], read_at=write.read_at)
        self._require_embedded(write.model, [sha256 for sha256 in write.known if sha256 in photos])
        new = list(dict.fromkeys(stored.product.id for stored in products if stored.product.id not in known))
        if new:
            last = self._take(added=len(new))["added"]
            known |= dict(zip(new, range(last - len(new) + 1, last + 1), strict=True))
            self._collection("deletions").delete_many({"_id": {"$in": new}}, session=self._session)
        documents = [
            product_document(stored, revision=number, added=known[stored.product.id])
            for number, stored in enumerate(products, revision - len(products) + 1)
        ]
        self._collection("products").bulk_write(
            [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents],
            session=self._session,
        )
        self._write_photos(write, photos)
        if new_names:
            self._collection("attribute_names").bulk_write(
                [
                    UpdateOne({"_id": name}, {"$setOnInsert": {"revision": revision}}, upsert=True)
                    for name in sorted(new_names)
                ],
                session=self._session,
            )
        return int(revision)

    def delete(self, product_ids: Collection[str]) -> int:
        """Delete products; returns the last revision."""
        self._take(turns=1)
        known = sorted(self._known(product_ids))
        revision = self._take(revision=len(known))["revision"]
        if known:
            self._collection("products").delete_many({"_id": {"$in": known}}, session=self._session)
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
        shown = self._collection("products").find(
            {"photos.sha256": {"$in": list(sha256s)}}, {"photos.sha256": 1}, session=self._session
        )
        unused = sorted(set(sha256s) - {photo["sha256"] for document in shown for photo in document["photos"]})
        if unused:
            self._collection("photos").delete_many({"_id": {"$in": unused}}, session=self._session)
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

    def page(self, since: Followed, *, limit: int) -> ReplicaPage:
        """The next changes for a replica, all of one state of the store.

        Args:
            since: What the replica has.
            limit: Products, at most.
        """
        counters = self._collection("counters").find_one(COUNTERS, session=self._session) or {}
        changed = self._after("products", since.revision, limit)
        deleted = self._after("deletions", since.revision, limit)
        reached = int(counters["revision"])
        is_last = len(changed) + len(deleted) <= limit
        if not is_last:
            reached = sorted(document["revision"] for document in (*changed, *deleted))[limit - 1]
        changed = [document for document in changed if document["revision"] <= reached]
        photos = self._photos({row["sha256"] for document in changed for row in document["photos"]})
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
            deletions={
                document["_id"]: document["revision"] for document in deleted if document["revision"] <= reached
            },
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

    def _known(self, product_ids: Collection[str], *, read_at: int | None = None) -> dict[str, int]:
        """The numbers of those products that there are.

        Raises:
            WriteConflict: One was written or deleted after a revision.
        """
        ids = {"$in": list(product_ids)}
        documents = list(
            self._collection("products").find({"_id": ids}, {"revision": 1, "added": 1}, session=self._session)
        )
        if read_at is not None:
            later = {document["_id"] for document in documents if document["revision"] > read_at}
            deleted = self._collection("deletions").find(
                {"_id": ids, "revision": {"$gt": read_at}}, {"_id": 1}, session=self._session
            )
            if later := later | {document["_id"] for document in deleted}:
                raise WriteConflict(sorted(later))
        return {document["_id"]: document["added"] for document in documents}

    def _require_embedded(self, model: str, sha256s: Collection[str]) -> None:
        if not sha256s:
            return
        documents = self._collection("photos").find(
            {"_id": {"$in": list(sha256s)}, embedding_field(model): {"$exists": True}},
            {"_id": 1},
            session=self._session,
        )
        if gone := set(sha256s) - {document["_id"] for document in documents}:
            raise WriteConflict(photos=sorted(gone))

    def _write_photos(self, write: Write, photos: Mapping[str, Photo]) -> None:
        if not photos:
            return
        collection, field = self._collection("photos"), embedding_field(write.model)
        held = {
            document["_id"]: document["fingerprint"]
            for document in collection.find(
                {"_id": {"$in": list(photos)}}, {"fingerprint": 1}, session=self._session
            )
        }
        writes: list[InsertOne[Document] | UpdateOne] = []
        for sha256, photo in photos.items():
            computed: Document = {}
            if (vector := write.embeddings.get(sha256)) is not None:
                computed[field] = vector_binary(vector)
            if (palette := write.palettes.get(sha256)) is not None:
                computed["palette"] = palette_binary(palette)
            if sha256 not in held:
                writes.append(InsertOne(photo_document(photo)))
            elif not held[sha256] and photo.fingerprint:
                computed["fingerprint"] = photo.fingerprint
            if computed:
                writes.append(UpdateOne({"_id": sha256}, {"$set": computed}))
        if new := photos.keys() - held.keys():
            self._collection("dropped_photos").delete_many({"_id": {"$in": sorted(new)}}, session=self._session)
        if writes:
            collection.bulk_write(writes, session=self._session)

    def _after(self, collection: str, revision: int, limit: int) -> list[Document]:
        found = self._collection(collection).find({"revision": {"$gt": revision}}, session=self._session)
        return list(found.sort("revision", 1).limit(limit + 1))

    def _photos(self, sha256s: Collection[str]) -> dict[str, ReplicaPhoto]:
        documents = self._collection("photos").find({"_id": {"$in": list(sha256s)}}, session=self._session)
        return {document["_id"]: photo_of(document) for document in documents}

    def _dropped(self, since: int) -> list[str]:
        documents = self._collection("dropped_photos").find({"drop": {"$gt": since}}, session=self._session)
        return [document["_id"] for document in documents]

    def _settings(self) -> dict[str, str]:
        documents = self._collection("settings").find(session=self._session)
        return {document["_id"]: document["value"] for document in documents}
