"""Embeds the photos of a catalog with another model; the products stay as they are.

A photo is read from its thumbnail if the thumbnail is the original file, else from its source, and from a reduced
thumbnail only if the source no longer has it. A step is one transaction that gives its products new revisions, so
that every index of the model follows. After a kill at any moment, the next run embeds what is missing.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.catalog import open_source
from sartor.errors import BadAddress, MissingExtra, PhotoRejected, SourceError
from sartor.imaging.fetch import EncodedPhoto
from sartor.ingest.photos import STEP, Embedder, PhotoEmbedder, Progress, Rejection, ahead, batched, in_steps
from sartor.ingest.writer import retried
from sartor.store.base import Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sartor.catalog import Source
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.ingest.photos import Embedded, OnProgress, Pending
    from sartor.media.base import MediaStore
    from sartor.store.base import CatalogStore
    from sartor.types import Photo, SourcePhoto, StoredProduct

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReembedReport:
    """What ``embed_catalog`` did.

    Attributes:
        embedded: Number of photos that were embedded.
        reduced: How many of them were embedded from a reduced thumbnail, because their source no longer has them.
        rejected: Photos that could not be used.
    """

    embedded: int
    reduced: int
    rejected: tuple[Rejection, ...]


def _open_path(name: str) -> AbstractContextManager[Source]:
    return open_source(Path(name))


def embed_catalog(  # noqa: PLR0913 - each is a keyword of its own
    store: CatalogStore,
    encoder: Encoder,
    *,
    media: MediaStore,
    urls: UrlPolicy,
    on_progress: OnProgress = lambda _: None,
    open_embedder: Callable[[Encoder], Embedder] = PhotoEmbedder,
    open_source: Callable[[str], AbstractContextManager[Source]] = _open_path,
) -> ReembedReport:
    """Embed every photo of the catalog that the encoder's model has not embedded yet.

    Args:
        store: The catalog; only its embeddings change.
        encoder: The model's network.
        media: The thumbnails.
        urls: Whether photos may be fetched by URL.
        on_progress: Called after each step with what is committed.
        open_embedder: Opens what reads and embeds the photos with the network.
        open_source: Opens a source by what the store calls it.
    """
    run = _Run(store, media, encoder.card.id, urls, on_progress, open_source)
    run.find_missing()
    if run.missing:
        with open_embedder(encoder) as embedder:
            for pending in ahead(run.started(embedder), embedder):
                run.finish(pending)
        encoder.unload()
    logger.info("catalog embedded: model=%s photos=%d rejected=%d", run.model, run.embedded, len(run.rejected))
    return ReembedReport(embedded=run.embedded, reduced=run.reduced, rejected=tuple(run.rejected))


@dataclass(slots=True)
class _Run:
    store: CatalogStore
    media: MediaStore
    model: str
    urls: UrlPolicy
    on_progress: OnProgress
    open_source: Callable[[str], AbstractContextManager[Source]]
    missing: dict[str, Photo] = field(default_factory=dict)  # by SHA-256; a photo that was read is removed
    sources: set[str] = field(default_factory=set)
    total: int = 0
    done: set[str] = field(default_factory=set)
    embedded: int = 0
    reduced: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def find_missing(self) -> None:
        for page in batched(self.store.product_ids(), STEP):
            products = self.store.products(page).values()
            embedded = self.store.embedded(
                self.model, {photo.sha256 for stored in products for photo in stored.photos}
            )
            for stored in products:
                missing = {photo.sha256: photo for photo in stored.photos if photo.sha256 not in embedded}
                if missing:
                    self.missing |= missing
                    self.sources.add(stored.source)
                    self.total += 1

    def started(self, embedder: Embedder) -> Iterator[Pending]:
        """Start to embed every readable photo without an embedding, once; a step each."""
        yield from self._started(embedder, self._from_original_thumbnails())
        for source in sorted(self.sources):
            if self.missing:
                yield from self._from_source(embedder, source)
        yield from self._started(embedder, self._from_reduced_thumbnails())

    def finish(self, pending: Pending) -> None:
        outcome = pending.result()
        self.rejected.extend(outcome.rejected)
        self.embedded += len(outcome.vectors)
        products = retried(lambda: self._write(outcome)) if outcome.vectors else {}
        self.done |= products.keys()
        self.on_progress(
            Progress(
                products=len(self.done), total=self.total, photos=self.embedded, committed=tuple(sorted(products))
            )
        )

    def _write(self, outcome: Embedded) -> dict[str, StoredProduct]:
        """Write the embeddings of photos that are still shown; returns the products that show them."""
        read_at = self.store.revision
        products = self.store.products(self.store.products_with_photos(outcome.vectors))
        shown = {photo.sha256 for stored in products.values() for photo in stored.photos}
        self.store.write(
            Write(
                products=tuple(products.values()),
                model=self.model,
                embeddings={sha256: vector for sha256, vector in outcome.vectors.items() if sha256 in shown},
                palettes={sha256: palette for sha256, palette in outcome.palettes.items() if sha256 in shown},
                read_at=read_at,
            )
        )
        return products

    def _from_original_thumbnails(self) -> Iterator[EncodedPhoto]:
        for photo in list(self.missing.values()):
            data = self._thumbnail(photo)
            if data is not None and hashlib.sha256(data).hexdigest() == photo.sha256:
                yield self._take(photo, data)

    def _from_source(self, embedder: Embedder, name: str) -> Iterator[Pending]:
        names = {photo.name for photo in self.missing.values()}
        try:
            with self.open_source(name) as source:
                photos = (photo for offered in source for photo in offered.photos if photo.name in names)
                wanted = takewhile(lambda _: self.missing, photos)
                # One that cannot be read is no loss: its thumbnail is used instead.
                for step in embedder.read(wanted, _itself, urls=self.urls, rejected=[]):
                    read = dict.fromkeys(photo.sha256 for _, photos in step.items for photo in photos)
                    found = [sha256 for sha256 in read if self.missing.pop(sha256, None) is not None]
                    yield step.start(found)
        except (SourceError, BadAddress, MissingExtra) as error:
            logger.warning("thumbnails stand in for the photos of a source: %s", error)

    def _from_reduced_thumbnails(self) -> Iterator[EncodedPhoto]:
        for photo in list(self.missing.values()):
            data = self._thumbnail(photo)
            if data is None:
                reason = "neither its source nor its thumbnail is there; index its source again"
                self.rejected.append(Rejection(photo=photo.name, reason=reason))
            else:
                self.reduced += 1
                yield self._take(photo, data)

    @staticmethod
    def _started(embedder: Embedder, photos: Iterator[EncodedPhoto]) -> Iterator[Pending]:
        for step in in_steps(photos, lambda photo: [photo]):
            yield embedder.start(photo for photo, _ in step)

    def _take(self, photo: Photo, data: bytes) -> EncodedPhoto:
        del self.missing[photo.sha256]
        return EncodedPhoto(name=photo.name, sha256=photo.sha256, data=data)

    def _thumbnail(self, photo: Photo) -> bytes | None:
        try:
            return self.media.read(photo.thumbnail)
        except PhotoRejected:
            return None


def _itself(photo: SourcePhoto) -> tuple[SourcePhoto]:
    return (photo,)
