"""Copies a workspace from one kind of store to another, and compares both sides at the end.

A copy may be stopped at any moment; the next run goes on, since what is there already is left as it is. Products
come in the order in which they were first added, so that the newest stay the newest.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from sartor.errors import CopyFailed
from sartor.imaging.thumbnail import Thumbnail
from sartor.ingest.photos import STEP, OnProgress, Progress, batched
from sartor.store.base import Write
from sartor.types import ListingQuery, Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sartor.media.base import MediaStore
    from sartor.store.base import CatalogStore, EventPage, EventStore
    from sartor.types import StoredProduct

logger = logging.getLogger(__name__)

# Settings: of every workspace that was copied or has a bucket, and of copies.
# Settings that a copy does not get: the id of the workspace, that of which it is a copy, and whether a process has
# read its listing from the index that indexers write.
WORKSPACE_ID, COPY_OF, SHARED_LISTING = "workspace_id", "copy_of", "shared_listing"
_EVENTS = 2_000  # a step
_PAGE = 200  # of a listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Where a workspace is kept.

    Attributes:
        name: What messages call it.
        store: The catalog.
        events: What shoppers did; called when it is needed.
        has_events: Whether there is anything of theirs.
        media: The thumbnails.
    """

    name: str
    store: CatalogStore
    events: Callable[[], EventStore]
    has_events: Callable[[], bool]
    media: MediaStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a workspace holds, counted, with checksums that do not depend on the kind of store.

    Attributes:
        products: Number of products.
        photos: Number of distinct photos.
        embeddings: Number of embeddings of all models.
        events: Number of events.
        people: Number of people.
        catalog_sha256: Of all products with their photos, embeddings and colors.
        events_sum: Sum of the SHA-256 of all events, and of which visitor is which user, modulo 2^256.
    """

    products: int
    photos: int
    embeddings: int
    events: int
    people: int
    catalog_sha256: str
    events_sum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What a copy did.

    Attributes:
        source: Name of the workspace that was copied.
        target: Name of the copy.
        side: What both sides hold.
        added: Products that this run wrote; the others were there from an earlier one.
        seconds: Its duration.
        left_out: What of the workspace is not in the copy, and where it is.
    """

    source: str
    target: str
    side: Side
    added: int
    seconds: float
    left_out: tuple[str, ...] = ()


def copy_workspace(source: Engines, target: Engines, *, on_progress: OnProgress = lambda _: None) -> CopyReport:
    """Copy the catalog, its embeddings and thumbnails, the settings, keys and events.

    Writes to the source that come meanwhile are copied, too, up to a moment at the end; who moves a shop for good
    stops its writers before the last run.

    Args:
        source: What is copied; it is not changed, but for an id of its own.
        target: An empty workspace, or an earlier copy of this one.
        on_progress: Called after each step.

    Raises:
        CopyFailed: The target holds something else, or the two sides differ in the end.
    """
    started_s = time.perf_counter()
    _require_target(source, target)
    copy = _Copy(source, target, on_progress)
    copy.products()
    copy.settings()
    if source.has_events():
        copy.events()
    sides = [_side(engines) for engines in (source, target)]
    if sides[0] != sides[1]:
        raise CopyFailed(target.name, reason=_difference(*sides))
    seconds = time.perf_counter() - started_s
    logger.info(
        "workspace copied: products=%d events=%d seconds=%.1f", sides[0].products, sides[0].events, seconds
    )
    return CopyReport(source=source.name, target=target.name, side=sides[0], added=copy.added, seconds=seconds)


def _require_target(source: Engines, target: Engines) -> None:
    own_id = source.store.claim_setting(WORKSPACE_ID, uuid4().hex)
    copy_of = target.store.setting(COPY_OF)
    if target.store.setting(WORKSPACE_ID) == own_id:
        raise CopyFailed(target.name, reason="it is the same workspace")
    if copy_of is None and target.store.counts().products:
        raise CopyFailed(target.name, reason="it holds a catalog already; name an empty workspace")
    if target.store.claim_setting(COPY_OF, own_id) != own_id:
        raise CopyFailed(target.name, reason="it is a copy of another workspace; name an empty one")


@dataclass(slots=True)
class _Copy:
    source: Engines
    target: Engines
    on_progress: OnProgress
    added: int = 0
    seen: set[str] = field(default_factory=set)

    def products(self) -> None:
        """Copy all products; what changes meanwhile is copied again until nothing does."""
        store, models = self.source.store, list(self.source.store.counts().embeddings)
        revision = store.revision
        ids = list(_ids_by_age(store))
        total = len(ids)
        for done, batch in enumerate(batched(ids, STEP)):
            self._copy(batch, models)
            so_far = min(total, (done + 1) * STEP)
            self.on_progress(Progress(products=so_far, total=total, photos=so_far, committed=tuple(batch)))
        while changes := store.changes(since=revision, limit=STEP):
            self._copy([change.product_id for change in changes], models)
            revision = changes[-1].revision
        gone = sorted(set(self.target.store.product_ids()) - set(store.product_ids()))
        for batch in batched(gone, STEP):
            self.target.store.delete(batch)
        self.target.store.drop_unused_photos()

    def settings(self) -> None:
        """Copy settings and API keys; one that the copy has is left."""
        for name, value in self.source.store.settings().items():
            if name not in {WORKSPACE_ID, COPY_OF, SHARED_LISTING}:
                self.target.store.set_setting(name, value)
        there = {key.id for _, key in self.target.store.keys_with_digests()}
        for digest, key in self.source.store.keys_with_digests():
            if key.id not in there:
                self.target.store.add_key(key, digest)

    def events(self) -> None:
        """Copy the events, and which visitors are which users."""
        source, target = self.source.events(), self.target.events()
        for page in _pages(source):
            target.add(page.events)
        for visitor, user in source.merges():
            target.merge(visitor, into=user)

    def _copy(self, product_ids: Sequence[str], models: Sequence[str]) -> None:
        source, target = self.source.store, self.target.store
        wanted, there = source.products(product_ids), target.products(product_ids)
        if gone := there.keys() - wanted.keys():
            target.delete(gone)
        products = [wanted[product_id] for product_id in product_ids if product_id in wanted]
        photos = {photo.sha256: photo for stored in products for photo in stored.photos}
        thumbnails = {photo.thumbnail for photo in photos.values() if photo.has_picture}
        for name in sorted(thumbnails - self.target.media.keep_all(thumbnails)):
            self._copy_thumbnail(name)
        self.target.media.flush()
        palettes = source.palettes(photos)
        new = [stored for stored in products if there.get(stored.product.id) != stored]
        self.added += sum(stored.product.id not in there for stored in new)
        for number, model in enumerate(models or [""]):
            embeddings = source.embeddings(model, photos)
            missing = embeddings.keys() - target.embedded(model, photos)
            showing = [stored for stored in products if any(photo.sha256 in missing for photo in stored.photos)]
            write = {stored.product.id: stored for stored in (*(new if number == 0 else ()), *showing)}
            if write:
                target.write(
                    Write(
                        products=tuple(stored for stored in products if stored.product.id in write),
                        model=model,
                        embeddings={sha256: embeddings[sha256] for sha256 in missing},
                        palettes=palettes if number == 0 else {},
                    )
                )

    def _copy_thumbnail(self, name: str) -> None:
        sha256, _, suffix = name.partition(".")
        if self.source.media.exists(name):  # else `sartor check` says on both sides that it is missing
            self.target.media.put(sha256, Thumbnail(data=self.source.media.read(name), suffix=suffix))


def _ids_by_age(store: CatalogStore) -> Iterator[str]:
    """Ids of all products, the one that was added first at the beginning."""
    ids: list[str] = []
    after: str | None = None
    while True:
        page = store.listing(ListingQuery(sort=Sort.NEWEST, limit=_PAGE, after=after))
        ids += [stored.product.id for stored in page.products]
        after = page.next
        if after is None:
            return reversed(ids)


def _pages(events: EventStore) -> Iterator[EventPage]:
    page = events.log({}, limit=_EVENTS)
    while page.events:
        yield page
        page = events.log(page.position, limit=_EVENTS)


def _side(engines: Engines) -> Side:
    store, counts = engines.store, engines.store.counts()
    catalog = hashlib.sha256()
    for batch in batched(store.product_ids(), STEP):
        products = store.products(batch)
        for product_id in batch:
            catalog.update(_content(products[product_id]))
        photos = sorted({photo.sha256 for stored in products.values() for photo in stored.photos})
        palettes = store.palettes(photos)
        for sha256 in photos:
            if sha256 in palettes:
                catalog.update(palettes[sha256].colors.tobytes() + palettes[sha256].shares.tobytes())
        for model in sorted(counts.embeddings):
            embeddings = store.embeddings(model, photos)
            for sha256 in photos:
                if sha256 in embeddings:
                    catalog.update(embeddings[sha256].tobytes())
    events, people, of_events = 0, 0, 0
    if engines.has_events():
        log = engines.events()
        events, people = log.counts()
        of_events = sum(_digest(event) for page in _pages(log) for event in page.events)  # in any order
        of_events += sum(_digest(merge) for merge in log.merges())
    return Side(
        products=counts.products,
        photos=counts.photos,
        embeddings=sum(counts.embeddings.values()),
        events=events,
        people=people,
        catalog_sha256=catalog.hexdigest(),
        events_sum=f"{of_events % 2**256:064x}",
    )


def _digest(value: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(value).encode()).digest(), "big")


def _content(stored: StoredProduct) -> bytes:
    product = stored.product
    photos = [(photo.sha256, photo.name, photo.thumbnail, photo.fingerprint.hex()) for photo in stored.photos]
    text = json.dumps([product.id, product.title, dict(product.attributes), stored.source, photos], sort_keys=True)
    return text.encode()


def _difference(source: Side, target: Side) -> str:
    names = [name for name in Side.__slots__ if getattr(source, name) != getattr(target, name)]
    pairs = ", ".join(f"{name} {getattr(source, name)} and {getattr(target, name)}" for name in names)
    return f"the two sides differ ({pairs}); stop what writes to either, and run it again"
