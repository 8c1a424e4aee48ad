"""The catalog in MongoDB for processes that keep nothing of it: reads go to the server, listings elsewhere.

Each read is one or a few queries by an index. A thread watches the counters, so that the process notices what
others write.
"""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING

from sartor.errors import StoreAway
from sartor.limits import FOLLOW_S, REVISION_WAIT_S
from sartor.store.base import Change, StoreCounts
from sartor.store.mongo.documents import (
    attributes_of,
    embedding_name,
    key_of,
    model_of,
    palette_of,
    photo_of,
    product_of,
    vector_of,
)
from sartor.store.mongo.transactions import found
from sartor.store.mongo.watching import Watcher
from sartor.store.mongo.writing import CHUNK, CatalogWriting
from sartor.types import EVERYTHING, EmbeddedPhoto, Listing, ListingQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pymongo.client_session import ClientSession

    from sartor.store.base import ApiKey, Browse, Predicted, Write
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.documents import Document
    from sartor.store.mongo.transactions import Written
    from sartor.types import FacetValue, Guesses, Palette, Photo, StoredProduct, Vector, Where

logger = logging.getLogger(__name__)

_WITHOUT_VECTORS = {"embeddings": 0, "palette": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counters:
    """Counters of the server: each write raises one of them."""

    revision: int
    drops: int
    settings: int


class SharedMongoCatalogStore:
    """The ``CatalogStore`` of a workspace in MongoDB, of which this process has no replica.

    Its reads raise ``StoreAway`` while the server does not answer. A listing that follows a write of this process
    waits until the index has taken it in, but for no longer than a second after the write.

    Args:
        mongo: The workspace's database.
        open_browse: From this store to what answers listings, facets and words.
        wait_s: Seconds after a write of this process for which a listing waits for it.
        on_close: Called in the end, such as to close the database.

    Raises:
        StoreAway: The server does not answer.
    """

    def __init__(
        self,
        mongo: MongoDatabase,
        open_browse: Callable[[SharedMongoCatalogStore], Browse],
        *,
        wait_s: float = REVISION_WAIT_S,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._mongo, self._wait_s, self._on_close = mongo, wait_s, on_close
        self._lock = RLock()  # held while the counters are read: what is read later is newer
        self._seen = self._read_counters()
        self._reported: _Counters | None = None  # what was seen at the last call of ``has_changed``
        self._unlisted: tuple[int, float] | None = None  # the last write of this process, and until when to wait
        writing = CatalogWriting(
            mongo,
            lock=nullcontext(),
            revision=lambda: self.revision,
            known_names=self.attribute_names,
            written=self._written,
            changed=self._changed,
            conflicted=self.follow,
        )
        self._drop_photos = writing.drop_photos
        self.write, self.lease = writing.write, writing.lease
        self._delete = writing.delete
        self.set_setting, self.set_settings = writing.set_setting, writing.set_settings
        self.claim_setting, self.add_key, self.delete_key = (
            writing.claim_setting,
            writing.add_key,
            writing.delete_key,
        )
        self._browse = open_browse(self)
        self._watcher = Watcher(mongo, look=self._look)
        self._watcher.start()

    # Following

    @property
    def revision(self) -> int:
        return self._seen.revision

    def has_changed(self) -> bool:
        before, self._reported = self._reported, self._seen
        return before != self._reported

    def follow(self) -> None:
        with self._lock:
            self._seen = self._read_counters()

    @property
    def away_since(self) -> float | None:
        return self._mongo.away_since

    # Reading

    def products(self, product_ids: Collection[str]) -> dict[str, StoredProduct]:
        try:
            return self._products(product_ids)
        except KeyError:  # between two queries another process gave one other photos, and dropped the former
            return self._mongo.transaction(lambda session: self._products(product_ids, session))

    def known(self, product_ids: Collection[str]) -> set[str]:
        return {document["_id"] for document in self._find("products", product_ids, {"_id": 1})}

    def numbers(self, product_ids: Collection[str]) -> dict[str, int]:
        return {
            document["_id"]: int(document["added"])
            for document in self._find("products", product_ids, {"added": 1})
        }

    def product_ids(self, *, source: str | None = None) -> list[str]:
        wanted = {} if source is None else {"source": source}
        with self._mongo.calling() as database:
            query = database["products"].find(wanted, {"_id": 1})
            return sorted(document["_id"] for document in (query.hint("_id_") if source is None else query))

    def products_with_photos(self, sha256s: Collection[str]) -> set[str]:
        shown = self._find("products", sha256s, {"_id": 1}, field="photos.sha256")
        return {document["_id"] for document in shown}

    def embeddings(self, model: str, sha256s: Collection[str]) -> dict[str, Vector]:
        name = embedding_name(model)
        photos = self._find("photos", sha256s, {f"embeddings.{name}": 1}, where={"models": name})
        return {document["_id"]: vector_of(document["embeddings"][name]) for document in photos}

    def palettes(self, sha256s: Collection[str]) -> dict[str, Palette]:
        photos = self._find("photos", sha256s, {"palette": 1})
        return {document["_id"]: palette_of(document["palette"]) for document in photos if "palette" in document}

    def embedded(self, model: str, sha256s: Collection[str]) -> set[str]:
        computed = {"models": embedding_name(model), "palette": {"$exists": True}}
        return {document["_id"] for document in self._find("photos", sha256s, {"_id": 1}, where=computed)}

    def has_embeddings(self, model: str) -> bool:
        with self._mongo.calling() as database:
            return database["photos"].find_one({"models": embedding_name(model)}, {"_id": 1}) is not None

    def photos(self, sha256s: Collection[str]) -> dict[str, Photo]:
        names: dict[str, str] = {}
        wanted = set(sha256s)
        for document in self._find("products", wanted, {"photos": 1}, field="photos.sha256"):
            for row in document["photos"]:
                sha256, name = row["sha256"], row["name"]
                if sha256 in wanted:
                    names[sha256] = min(name, names.get(sha256, name))
        photos = {
            document["_id"]: photo_of(document).photo for document in self._find("photos", names, _WITHOUT_VECTORS)
        }
        return {sha256: replace(photo, name=names[sha256]) for sha256, photo in photos.items()}

    def embedded_photos(self, model: str, product_ids: Collection[str]) -> list[EmbeddedPhoto]:
        fields = {"photos.sha256": 1, "attributes": 1, "attributes_json": 1}
        products = sorted(self._find("products", product_ids, fields), key=lambda document: document["_id"])
        name = embedding_name(model)
        shown = {row["sha256"] for document in products for row in document["photos"]}
        computed = {
            document["_id"]: document
            for document in self._find(
                "photos", shown, {f"embeddings.{name}": 1, "palette": 1}, where={"models": name}
            )
        }
        embedded: list[EmbeddedPhoto] = []
        for document in products:
            attributes = attributes_of(document)
            sha256s = [row["sha256"] for row in document["photos"] if row["sha256"] in computed]
            for sha256 in sha256s:
                photo = computed[sha256]
                embedded.append(
                    EmbeddedPhoto(
                        product_id=document["_id"],
                        sha256=sha256,
                        vector=vector_of(photo["embeddings"][name]),
                        palette=palette_of(photo["palette"]) if "palette" in photo else None,
                        attributes=attributes,
                        is_main=sha256 == sha256s[0],
                    )
                )
        return embedded

    def embedded_keys(self, model: str) -> set[tuple[str, str]]:
        with self._mongo.calling() as database:
            query = {"models": embedding_name(model)}
            embedded = {document["_id"] for document in database["photos"].find(query, {"_id": 1})}
            products = database["products"].find({}, {"photos.sha256": 1})
            return {
                (document["_id"], row["sha256"])
                for document in products
                for row in document["photos"]
                if row["sha256"] in embedded
            }

    def changes(self, *, since: int, limit: int) -> list[Change]:
        # What is committed after the counters were read has a later revision, so that nothing is skipped between
        # the two queries.
        span = {"revision": {"$gt": since, "$lte": self._read_counters().revision}}
        changes = []
        with self._mongo.calling() as database:
            for name in ("products", "deletions"):
                query = database[name].find(span, {"revision": 1}).sort("revision", 1).limit(limit)
                changes += [
                    Change(
                        revision=int(document["revision"]), product_id=document["_id"], deleted=name == "deletions"
                    )
                    for document in query
                ]
        return sorted(changes, key=lambda change: change.revision)[:limit]

    def attribute_names(self) -> tuple[str, ...]:
        with self._mongo.calling() as database:
            return tuple(sorted(document["_id"] for document in database["attribute_names"].find({}, {"_id": 1})))

    def predicted(self) -> None:
        return None

    def predict(self, guesses: Mapping[str, Guesses], predicted: Predicted, *, since: Predicted) -> None:
        pass  # the indexer writes them with the listing

    def thumbnails(self) -> set[str]:
        with self._mongo.calling() as database:
            pictured = database["photos"].find({"thumbnail": {"$ne": ""}}, {"_id": 0, "thumbnail": 1})
            return {document["thumbnail"] for document in pictured}

    def counts(self) -> StoreCounts:
        with self._mongo.calling() as database:
            products, photos = database["products"], database["photos"]
            models = sorted((model_of(name), name) for name in photos.distinct("models"))
            return StoreCounts(
                products=products.count_documents({}),
                photos=photos.count_documents({}),
                embeddings={model: photos.count_documents({"models": name}) for model, name in models},
                sources={
                    source: products.count_documents({"source": source})
                    for source in sorted(products.distinct("source"))
                },
            )

    def setting(self, name: str) -> str | None:
        with self._mongo.calling() as database:
            document = database["settings"].find_one({"_id": name})
        return None if document is None else str(document["value"])

    def settings(self) -> dict[str, str]:
        with self._mongo.calling() as database:
            return {document["_id"]: document["value"] for document in database["settings"].find().sort("_id", 1)}

    def keys(self) -> tuple[ApiKey, ...]:
        return tuple(key for _, key in self.keys_with_digests())

    def keys_with_digests(self) -> tuple[tuple[bytes, ApiKey], ...]:
        with self._mongo.calling() as database:
            return tuple(map(key_of, database["api_keys"].find().sort([("created_s", 1), ("_id", 1)])))

    def damage(self) -> list[str]:
        """What the index of the listing lacks, if it has followed."""
        self.follow()
        with self._mongo.calling() as database:
            products = database["products"].count_documents({})
        if not self.revision:
            return []
        browse = self._settled()
        listed = browse.listing(ListingQuery(limit=0)).total
        self.follow()
        if listed == products or browse.listed_revision != self.revision:
            return []
        return [f"the index lists {listed} products, the server has {products}; delete the index"]

    # Browsing

    @property
    def listed_revision(self) -> int:
        return self._browse.listed_revision

    def listing(self, query: ListingQuery) -> Listing:
        if not self.revision:
            return Listing(products=(), total=0, next=None)
        return self._settled().listing(query)

    def facets(
        self, attributes: Sequence[str], *, where: Where = EVERYTHING, words: str = "", limit: int
    ) -> dict[str, list[FacetValue]]:
        if not self.revision:
            return {name: [] for name in attributes}
        return self._settled().facets(attributes, where=where, words=words, limit=limit)

    def facet_names(self, *, limit: int = 12) -> tuple[str, ...]:
        return self._settled().facet_names(limit=limit) if self.revision else ()

    def _settled(self) -> Browse:
        """What answers, when it has what this process wrote last, or has had its time to."""
        while (unlisted := self._unlisted) is not None:
            revision, until_s = unlisted
            if self._browse.listed_revision >= revision or time.monotonic() > until_s:
                if self._unlisted is unlisted:
                    self._unlisted = None
                break
            time.sleep(FOLLOW_S / 2)
        return self._browse

    # Writing

    def delete(self, product_ids: Collection[str]) -> int:
        revision = self._delete(product_ids)
        self._wait_for(revision)
        return revision

    def drop_unused_photos(self) -> None:
        for unused in self._unused_photos():
            self._drop_photos(unused)

    def close(self) -> None:
        self._watcher.stop()
        with self._lock:
            self._on_close()

    def _look(self) -> None:
        with self._lock:
            if not self._watcher.is_stopping:
                self.follow()

    def _written(self, write: Write, written: Written) -> None:
        del write
        with self._lock:
            self._seen = replace(self._seen, revision=max(self._seen.revision, written.revision))
        self._wait_for(written.revision)

    def _wait_for(self, revision: int) -> None:
        self._unlisted = revision, time.monotonic() + self._wait_s

    def _changed(self) -> None:
        """Notice a write of this process, which is committed also if the server is gone now."""
        try:
            self.follow()
        except StoreAway as error:
            logger.warning("cannot follow a write: store=%s reason=%s", self._mongo.shown, error)

    def _unused_photos(self) -> Iterator[list[str]]:
        """Photos that no product shows, in parts."""
        with self._mongo.calling() as database:
            stored = [document["_id"] for document in database["photos"].find({}, {"_id": 1}).hint("_id_")]
        for begin in range(0, len(stored), CHUNK):
            chunk = stored[begin : begin + CHUNK]
            shown = self._find("products", chunk, {"photos.sha256": 1}, field="photos.sha256")
            used = {row["sha256"] for document in shown for row in document["photos"]}
            if unused := sorted(set(chunk) - used):
                yield unused

    def _read_counters(self) -> _Counters:
        with self._mongo.calling():
            counters = self._mongo.counters("catalog")
        return _Counters(**{name: int(counters[name]) for name in ("revision", "drops", "settings")})

    def _find(  # noqa: PLR0913 - each is a keyword of its own
        self,
        collection: str,
        keys: Collection[str],
        projection: Document | None = None,
        *,
        field: str = "_id",
        where: Document | None = None,
        session: ClientSession | None = None,
    ) -> list[Document]:
        with self._mongo.calling() as database:
            return list(found(database[collection], keys, projection, field=field, where=where, session=session))

    def _products(
        self, product_ids: Collection[str], session: ClientSession | None = None
    ) -> dict[str, StoredProduct]:
        documents = list(self._find("products", product_ids, session=session))
        shown = {row["sha256"] for document in documents for row in document["photos"]}
        photos = {
            document["_id"]: photo_of(document)
            for document in self._find("photos", shown, _WITHOUT_VECTORS, session=session)
        }
        return {document["_id"]: product_of(document, photos) for document in documents}
