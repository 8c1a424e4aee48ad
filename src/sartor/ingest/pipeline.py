"""Ingest: a source's products go into the store, and from there into the index.

Products are handled in steps. A step reads its photos and compares them with the store, so that known photos cost
no inference; the others are decoded and embedded while earlier steps are written. A step is acknowledged when its
transaction is committed. After a kill at any moment, the next run continues from there.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from sartor.catalog.source import Case
from sartor.errors import WriteConflict
from sartor.ingest.guard import ShrinkGuard, ShrinkLimits
from sartor.ingest.maintenance import tidy_media
from sartor.ingest.photos import (
    STEP,
    Embedded,
    Embedder,
    IngestReport,
    OnProgress,
    Pending,
    Progress,
    ReadPhoto,
    ReadStep,
    Rejection,
    ahead,
    batched,
)
from sartor.ingest.web import WebPhotos
from sartor.ingest.writer import retried
from sartor.types import Photo, Product, SourcePhoto, SourceProduct, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sartor.catalog import Source
    from sartor.catalog.source import Findings
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.ingest.web import FetchedNotes
    from sartor.ingest.writer import CatalogWriter

logger = logging.getLogger(__name__)

_SAID_EVERY = 16  # photos that were fetched
_GONE = "another process deleted it meanwhile; index the source again"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestContext:
    """What an ingest reads with and writes to.

    Attributes:
        catalog: Where it writes.
        encoder: The network.
        open_embedder: Opens what reads and embeds the photos with that network.
        urls: Whether photos may be fetched by URL.
        fetched: Remembers what was fetched by URL; without it, what embeds the photos fetches them.
        writing: Held while a step is written, not between them, so that other writes of the process get in.
    """

    catalog: CatalogWriter
    encoder: Encoder
    open_embedder: Callable[[], Embedder]
    urls: UrlPolicy
    fetched: FetchedNotes | None = None
    writing: AbstractContextManager[object] = field(default_factory=nullcontext)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How to ingest.

    Attributes:
        source_id: Name under which the store remembers the source, for ``prune``.
        limit: Maximum number of products.
        prune: Delete the products that came from this source before and are no longer in it.
        shrink: From when on a source that says less than before is refused; None takes any.
        keeps_network: Leave the network loaded, for queries meanwhile; else its memory goes to the index.
    """

    source_id: str
    limit: int | None = None
    prune: bool = False
    shrink: ShrinkLimits | None = None
    keeps_network: bool = False


def ingest(
    source: Source,
    context: IngestContext,
    options: IngestOptions,
    *,
    on_progress: OnProgress = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> IngestReport:
    """Write a source to the store and the index; repeating it changes nothing.

    Raises:
        SourceShrunk: It says much less than before; nothing was changed.
        SourceError: It cannot be read, and nothing was changed; or it was changed while it was read, and what was
            committed until then stays.
    """
    started_s = clock()
    catalog = context.catalog
    guard = ShrinkGuard(
        store=catalog.store,
        source_id=options.source_id,
        prune=options.prune,
        is_whole=options.limit is None,
        limits=options.shrink,
    )
    guard.examine(islice(source, options.limit), name=source.name)
    with context.open_embedder() as embedder, _web(context, options) as web:
        run = _Run(
            context,
            embedder,
            options,
            web=web,
            total=_total(source, options),
            findings=source.findings,
            on_progress=on_progress,
        )
        run.go_through(islice(source, options.limit))
        if web is not None:
            web.finish(is_whole=options.limit is None)
            web.keep_sources(catalog.store.counts().sources)
    if not options.keeps_network:
        context.encoder.unload()  # the index needs the memory now, to build its graph
    with context.writing:
        gone = run.gone()
        if options.prune:
            run.delete(gone)
        # Not before: a later step may use a photo that an earlier one gave up.
        catalog.store.drop_unused_photos()
        tidy_media(catalog.store, catalog.media)
        catalog.finish()
    report = IngestReport(
        source=source.name,
        model=context.encoder.card.id,
        products=len(run.product_ids),
        photos=run.photos,
        added=run.outcomes["added"],
        updated=run.outcomes["updated"],
        unchanged=run.outcomes["unchanged"],
        deleted=len(gone) if options.prune else 0,
        gone=len(gone),
        pictured=run.pictured,
        embedded=run.embedded,
        fetched=0 if web is None else web.fetched,
        unfetched=0 if web is None else web.unchanged,
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


def _web(context: IngestContext, options: IngestOptions) -> AbstractContextManager[WebPhotos | None]:
    """What fetches photos by URL ahead of the embedder; None where they are not, or it does that itself."""
    if context.fetched is None or not context.urls.enabled:
        return nullcontext()
    return WebPhotos(
        context.fetched,
        policy=context.urls,
        source_id=options.source_id,
        is_known=lambda sha256: bool(context.catalog.known([sha256])),
    )


def _total(source: Source, options: IngestOptions) -> int | None:
    if source.product_count is None or options.limit is None:
        return source.product_count
    return min(source.product_count, options.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SourceProduct:
    """A product of the source with its readable photos."""

    product: Product
    is_described: bool
    has_no_photo: bool
    photos: tuple[ReadPhoto, ...]


@dataclass(slots=True, kw_only=True)
class _Step:
    """Some products on their way.

    Attributes:
        products: What the source says.
        known: The photos that need no inference, by SHA-256.
        owners: The first product of the source that shows a photo, by the photo's name.
        pending: The other photos, which are being embedded.
        read_at: The store's revision when it was read.
        stored: What the store has, by product id.
    """

    products: list[_SourceProduct]
    known: dict[str, Photo]
    owners: Mapping[str, SourceProduct]
    pending: Pending
    read_at: int = 0
    stored: dict[str, StoredProduct] = field(default_factory=dict)

    def read(self, catalog: CatalogWriter) -> None:
        """Read what the store has of the products."""
        self.read_at = catalog.store.revision
        self.stored = catalog.store.products([offered.product.id for offered in self.products])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What became of the products of a step.

    Attributes:
        outcomes: ``added``, ``updated`` or ``unchanged``, by product id.
        pictured: How many of them have a photo now.
        committed: Ids of those that were written.
    """

    outcomes: dict[str, str]
    pictured: int
    committed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """One pass through a source, and its counts."""

    context: IngestContext
    embedder: Embedder
    options: IngestOptions
    web: WebPhotos | None = field(kw_only=True)
    total: int | None = field(kw_only=True)
    findings: Findings = field(kw_only=True)
    on_progress: OnProgress = field(kw_only=True)
    product_ids: set[str] = field(default_factory=set)
    photos: int = 0
    pictured: int = 0
    embedded: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejection] = field(default_factory=list)
    named: int = 0  # rejected photos whose product was looked for

    def go_through(self, products: Iterable[SourceProduct]) -> None:
        ready = products if self.web is None else self._told(self.web.ahead(products), self.web)
        read = self.embedder.read(ready, self._photos_of, urls=self.context.urls, rejected=self.rejected)
        for step in ahead(map(self._start, read), self.embedder):
            self._finish(step)

    def _told(self, products: Iterable[SourceProduct], web: WebPhotos) -> Iterator[SourceProduct]:
        """Say how many photos were fetched while a step waits for its own."""
        said = 0
        for product in products:
            if web.fetched + web.unchanged >= said + _SAID_EVERY:
                said = web.fetched + web.unchanged
                self._say(())
            yield product

    def _say(self, committed: tuple[str, ...]) -> None:
        self.on_progress(
            Progress(
                products=len(self.product_ids),
                total=self.total,
                photos=self.photos,
                committed=committed,
                fetched=0 if self.web is None else self.web.fetched + self.web.unchanged,
            )
        )

    def gone(self) -> list[str]:
        """Products that came from the source before and are no longer in it; none unless it was read whole."""
        if self.options.limit is not None:
            return []
        before = self.context.catalog.store.product_ids(source=self.options.source_id)
        return [product_id for product_id in before if product_id not in self.product_ids]

    def delete(self, product_ids: Sequence[str]) -> None:
        catalog = self.context.catalog
        for batch in batched(product_ids, STEP):
            catalog.store.delete(batch)
        catalog.catch_up()

    @staticmethod
    def _photos_of(offered: SourceProduct) -> Sequence[SourcePhoto]:
        return offered.photos

    def _start(self, read: ReadStep[SourceProduct]) -> _Step:
        catalog = self.context.catalog
        self.photos += sum(len(offered.photos) for offered, _ in read.items)
        owners = {photo.name: offered for offered, _ in reversed(read.items) for photo in offered.photos}
        self._name_products(owners)
        sha256s = dict.fromkeys(photo.sha256 for _, photos in read.items for photo in photos)
        known = catalog.known(sha256s)
        step = _Step(
            products=[
                _SourceProduct(
                    product=offered.product,
                    is_described=offered.is_described,
                    has_no_photo=offered.has_no_photo,
                    photos=_each_once(photos),
                )
                for offered, photos in read.items
            ],
            known=known,
            owners=owners,
            pending=read.start([sha256 for sha256 in sha256s if sha256 not in known]),
        )
        step.read(catalog)
        return step

    def _finish(self, step: _Step) -> None:
        embedded = step.pending.result()
        self.rejected.extend(_owned(rejection, step.owners) for rejection in embedded.rejected)
        self.embedded += len(embedded.vectors)
        with self.context.writing:
            written = retried(lambda: self._write(step, embedded))
        self.product_ids |= written.outcomes.keys()
        self.outcomes.update(written.outcomes.values())
        self.pictured += written.pictured
        self._note_taken_over(step, written.outcomes)
        if self.web is not None:
            self.web.release({photo.sha256 for offered in step.products for photo in offered.photos})
        self._say(written.committed)

    def _name_products(self, owners: Mapping[str, SourceProduct]) -> None:
        """Say of the photos that could not be read since the step before whose they are."""
        for index in range(self.named, len(self.rejected)):
            self.rejected[index] = _owned(self.rejected[index], owners)
        self.named = len(self.rejected)

    def _note_taken_over(self, step: _Step, written: Collection[str]) -> None:
        """Say which products another source had before: from now on they are this one's."""
        for product_id in written:
            previous = step.stored.get(product_id)
            if previous is not None and previous.source != self.options.source_id:
                self.findings.add(Case.TAKEN_OVER, f"{product_id} (from {previous.source or 'no source'})")

    def _write(self, step: _Step, embedded: Embedded) -> _Written:
        """Write a step.

        Raises:
            WriteConflict: Another process changed some of them, or deleted photos; what was read is read again.
        """
        usable = step.known | embedded.photos
        writes, outcomes, pictured = [], {}, 0
        for offered in step.products:
            previous = step.stored.get(offered.product.id)
            product = self._product(offered, usable, previous)
            if product is None:
                continue
            outcomes[product.product.id] = _outcome(previous, product)
            pictured += bool(product.photos)
            if previous != product or any(photo.sha256 in embedded.vectors for photo in product.photos):
                writes.append(product)
        if not writes:
            return _Written(outcomes=outcomes, pictured=pictured)
        try:
            self.context.catalog.write(
                writes,
                embeddings=embedded.vectors,
                palettes=embedded.palettes,
                read_at=step.read_at,
                known=step.known,
            )
        except WriteConflict as conflict:
            for sha256 in conflict.photos:
                photo = step.known.pop(sha256).name
                self.rejected.append(Rejection(photo=photo, reason=_GONE))
            step.read(self.context.catalog)
            raise
        committed = tuple(stored.product.id for stored in writes)
        return _Written(outcomes=outcomes, pictured=pictured, committed=committed)

    def _product(
        self, offered: _SourceProduct, usable: dict[str, Photo], previous: StoredProduct | None
    ) -> StoredProduct | None:
        """The product as it will be stored; None if nothing of it can be used."""
        photos = tuple(replace(usable[sha256], name=name) for sha256, name in offered.photos if sha256 in usable)
        if not photos and previous is not None and not offered.has_no_photo:
            # A photo that became unreadable, or is missing, does not take the good one away.
            photos = previous.photos
        product = offered.product if offered.is_described or previous is None else _kept(previous.product, offered)
        if not photos and not product.title and not product.attributes:
            return None
        return StoredProduct(product=product, photos=photos, source=self.options.source_id)


def _kept(known: Product, offered: _SourceProduct) -> Product:
    """What is known of a product that the source does not describe, with what only the source tells."""
    return replace(known, attributes={**offered.product.attributes, **known.attributes})


def _owned(rejection: Rejection, owners: Mapping[str, SourceProduct]) -> Rejection:
    """A rejection with the product whose photo it is, if it is of one of these and not known yet."""
    if rejection.product_id or (owner := owners.get(rejection.photo)) is None:
        return rejection
    return replace(rejection, product_id=owner.product.id, location=owner.location)


def _each_once(photos: Sequence[ReadPhoto]) -> tuple[ReadPhoto, ...]:
    """The photos without those that have the bytes of an earlier one."""
    each: dict[str, ReadPhoto] = {}
    for photo in photos:
        each.setdefault(photo.sha256, photo)
    return tuple(each.values())


def _outcome(previous: StoredProduct | None, stored: StoredProduct) -> str:
    if previous is None:
        return "added"
    return "unchanged" if (previous.product, previous.photos) == (stored.product, stored.photos) else "updated"
