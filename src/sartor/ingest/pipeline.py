"""Ingest: a source's products into the store, and from there into the index.

Products go through in steps. A step reads its photos and compares them with the store, so that unchanged
ones cost no inference; the rest is decoded and embedded while earlier steps are written. A step is
acknowledged when its transaction is committed. Killed at any moment, the next run goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from sartor.errors import PhotoRejected
from sartor.imaging.fetch import EncodedPhoto, read_photo
from sartor.ingest.follow import catch_up
from sartor.ingest.maintenance import tidy_media
from sartor.ingest.photos import (
    STEP,
    IngestReport,
    OnProgress,
    PendingPhotos,
    PhotoEmbedder,
    Progress,
    Rejection,
    ahead,
    batched,
    in_steps,
)
from sartor.store.base import Write
from sartor.types import Photo, Product, SourceProduct, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sartor.catalog import Source
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.index.base import VectorIndex
    from sartor.media.base import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestContext:
    """Where an ingest reads from and writes to."""

    store: CatalogStore
    index: VectorIndex
    media: MediaStore
    encoder: Encoder
    compose: FeatureBuilder
    urls: UrlPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How to ingest.

    Attributes:
        source_id: Name under which the store remembers the source, for ``prune``.
        limit: Take only the first so many products.
        prune: Delete the products that came from this source once and have left it.
    """

    source_id: str
    limit: int | None = None
    prune: bool = False


def ingest(
    source: Source,
    bench: IngestContext,
    options: IngestOptions,
    *,
    on_progress: OnProgress = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> IngestReport:
    """Bring a source into the store and the index; doing it again changes nothing.

    Raises:
        SourceError: The source cannot be read on; what was committed until then stays.
    """
    started_s = clock()
    with PhotoEmbedder(bench.encoder, media=bench.media) as embedder:
        run = _Run(bench, embedder, options, total=_total(source, options), on_progress=on_progress)
        run.go_through(islice(source, options.limit))
    bench.encoder.unload()  # the index needs memory now, to build its graph
    deleted = run.prune() if options.prune else 0
    # Only now: a later step may have taken over a photo that an earlier one gave up.
    bench.store.drop_unused_photos()
    tidy_media(bench.store, bench.media)
    bench.index.optimize()
    bench.index.mark(bench.store.revision)
    report = IngestReport(
        source=source.name,
        model=bench.encoder.card.id,
        products=len(run.seen),
        photos=run.photos,
        added=run.outcomes["added"],
        updated=run.outcomes["updated"],
        unchanged=run.outcomes["unchanged"],
        deleted=deleted,
        embedded=run.embedded,
        rejected=tuple(run.rejected),
        findings=source.findings.snapshot(),
        seconds=clock() - started_s,
    )
    logger.info(
        "ingested: products=%d photos=%d embedded=%d rejected=%d seconds=%.1f",
        report.products,
        report.photos,
        report.embedded,
        len(report.rejected),
        report.seconds,
    )
    return report


def _total(source: Source, options: IngestOptions) -> int | None:
    if source.product_count is None or options.limit is None:
        return source.product_count
    return min(source.product_count, options.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A product of the source, and which of its photos could be read, by digest and name; not their bytes."""

    product: Product
    lists_photos: bool
    photos: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, offered: SourceProduct, encoded: list[EncodedPhoto]) -> _Offer:
        photos = tuple((photo.sha256, photo.name) for photo in encoded)
        return cls(product=offered.product, lists_photos=bool(offered.photos), photos=photos)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Some products on their way: what the source says, what the store has, and the photos being embedded."""

    offers: list[_Offer]
    known: dict[str, StoredProduct]
    held: dict[str, Photo]
    pending: PendingPhotos


@dataclass(slots=True)
class _Run:
    """One pass through a source, and what is counted on the way."""

    bench: IngestContext
    embedder: PhotoEmbedder
    options: IngestOptions
    total: int | None = field(kw_only=True)
    on_progress: OnProgress = field(kw_only=True)
    seen: set[str] = field(default_factory=set)
    photos: int = 0
    embedded: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejection] = field(default_factory=list)

    def go_through(self, products: Iterable[SourceProduct]) -> None:
        for step in ahead(self._start(offers) for offers in in_steps(products, self._read)):
            self._finish(step)

    def prune(self) -> int:
        stale = [
            product_id
            for product_id in self.bench.store.product_ids(source=self.options.source_id)
            if product_id not in self.seen
        ]
        for batch in batched(stale, STEP):
            self.bench.store.delete(batch)
        self._catch_up()
        return len(stale)

    def _start(self, offers: list[tuple[SourceProduct, list[EncodedPhoto]]]) -> _Step:
        photos = {photo.sha256: photo for _, theirs in offers for photo in theirs}
        store, media = self.bench.store, self.bench.media
        embedded = store.embedded(self.bench.encoder.card.id, photos)
        held = {
            sha256: photo
            for sha256, photo in store.photos(embedded).items()
            if photo.has_picture and media.exists(photo.thumbnail)
        }
        return _Step(
            offers=[_Offer.of(offered, encoded) for offered, encoded in offers],
            known=store.products([offered.product.id for offered, _ in offers]),
            held=held,
            pending=self.embedder.start(photo for sha256, photo in photos.items() if sha256 not in held),
        )

    def _read(self, offered: SourceProduct) -> list[EncodedPhoto]:
        """The product's photos that can be read, each once."""
        self.photos += len(offered.photos)
        readable: dict[str, EncodedPhoto] = {}
        for photo in offered.photos:
            try:
                encoded = read_photo(photo, urls=self.bench.urls)
            except PhotoRejected as error:
                self.rejected.append(Rejection(photo=error.photo, reason=error.reason))
            else:
                readable.setdefault(encoded.sha256, encoded)
        return list(readable.values())

    def _finish(self, step: _Step) -> None:
        outcome = step.pending.result()
        self.rejected.extend(outcome.rejected)
        self.embedded += len(outcome.vectors)
        usable = step.held | outcome.photos
        writes = []
        for offer in step.offers:
            former = step.known.get(offer.product.id)
            stored = self._stored(offer, usable, former)
            if stored is None:
                continue
            self.seen.add(stored.product.id)
            self.outcomes[_outcome(former, stored)] += 1
            if former != stored or any(photo.sha256 in outcome.vectors for photo in stored.photos):
                writes.append(stored)
        if writes:
            self.bench.store.write(
                Write(
                    products=tuple(writes),
                    model=self.bench.encoder.card.id,
                    embeddings=outcome.vectors,
                    palettes=outcome.palettes,
                )
            )
            self._catch_up()
        self.on_progress(
            Progress(
                products=len(self.seen),
                total=self.total,
                photos=self.photos,
                committed=tuple(stored.product.id for stored in writes),
            )
        )

    def _stored(
        self, offer: _Offer, usable: dict[str, Photo], former: StoredProduct | None
    ) -> StoredProduct | None:
        """The product as it shall be stored; None when nothing of it can be used."""
        photos = tuple(replace(usable[sha256], name=name) for sha256, name in offer.photos if sha256 in usable)
        if not photos and former is not None and offer.lists_photos:
            photos = former.photos  # a photo that became unreadable does not take the good one away
        if not photos and not offer.product.title and not offer.product.attributes:
            return None
        return StoredProduct(product=offer.product, photos=photos, source=self.options.source_id)

    def _catch_up(self) -> None:
        catch_up(self.bench.store, self.bench.index, self.bench.compose)


def _outcome(former: StoredProduct | None, stored: StoredProduct) -> str:
    if former is None:
        return "added"
    return "unchanged" if (former.product, former.photos) == (stored.product, stored.photos) else "updated"
