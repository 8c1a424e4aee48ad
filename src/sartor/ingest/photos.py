"""Reads and embeds the photos of a step of products, here or elsewhere, while other steps are written.

An ingest, a new model's embedding of the catalog and an evaluation ask for an ``Embedder``. They do not know
whether it is the pool of this process or a cluster (``sartor.ingest.ray``).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, Self, TypeAlias, TypeVar

import numpy as np

from sartor.errors import PhotoRejected
from sartor.imaging import decode, make_thumbnail
from sartor.imaging.color import palette_of
from sartor.imaging.fetch import read_photo
from sartor.imaging.pixels import fingerprint
from sartor.limits import THUMBNAIL_PX
from sartor.types import Photo

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from PIL import Image

    from sartor.catalog import Finding
    from sartor.encoders.base import Pixels
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import Thumbnail, UrlPolicy
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.types import Matrix, Palette, SourcePhoto, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A photo that could not be used, and the reason.

    Attributes:
        photo: Its name or URL.
        reason: Why.
        product_id: The first product that shows it; empty where that is not known.
        location: Where in the source that product is, such as ``line 7``; empty where that is not known.
    """

    photo: str
    reason: str
    product_id: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an ingest is; everything counted here is committed.

    Attributes:
        products: Products done.
        total: Expected number of products; None if it is unknown.
        photos: Photos read.
        committed: Ids of the products that the last step committed.
        fetched: Photos that were asked for by URL, which may be of products that are not done.
    """

    products: int
    total: int | None
    photos: int
    committed: tuple[str, ...]
    fetched: int = 0


OnProgress: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        source: The source, as it was given.
        model: Model that embedded the photos.
        products: Products of the source.
        photos: Photos of the source, rejected ones included.
        added: New products.
        updated: Products whose attributes or photos changed.
        unchanged: Products that were stored already as they are in the source.
        deleted: Products that are no longer in the source, and were deleted (``prune``).
        gone: Products that came from this source before and are no longer in it, deleted or not; 0 with a limit.
        pictured: Products of the source that have a photo now, from it or from before.
        embedded: Photos that were embedded now.
        fetched: Photos that were fetched by URL now.
        unfetched: Photos by URL that need not be fetched again, as they are those of before.
        rejected: Photos that could not be used.
        findings: What the source's reader noticed, such as rows without a photo.
        seconds: Duration of the ingest.
    """

    source: str
    model: str
    products: int
    photos: int
    added: int
    updated: int
    unchanged: int
    deleted: int
    gone: int
    pictured: int
    embedded: int
    fetched: int
    unfetched: int
    rejected: tuple[Rejection, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def failure(self) -> str | None:
        """Why this was no success although the source could be read; None if it was."""
        if self.pictured:
            return None
        return (
            f"no photo of {self.source} was found, or none could be used; none of its products can be recommended"
        )

    @property
    def photos_per_second(self) -> float:
        """Photos read per second, end to end."""
        return self.photos / self.seconds if self.seconds else 0.0


T = TypeVar("T")
S = TypeVar("S")

STEP = 128  # maximum products or photos of a step; 128 photos of 224 x 224 take 19 MB while they wait
STEP_BYTES = 64 << 20  # of encoded photos; bounds the memory that large photos take


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """The embedded photos of one step.

    Attributes:
        photos: The usable photos, by SHA-256.
        vectors: Their embeddings, ``(d,)`` each.
        palettes: Their colors.
        rejected: The unusable photos.
    """

    photos: dict[str, Photo]
    vectors: dict[str, Vector]
    palettes: dict[str, Palette]
    rejected: tuple[Rejection, ...]


class ThumbnailStore(Protocol):
    """Where thumbnails go: a ``MediaStore``, or what carries them to one."""

    def put(self, sha256: str, thumbnail: Thumbnail) -> str:
        """Keep a thumbnail and return its file name."""
        ...


class ReadPhoto(NamedTuple):
    """A photo whose bytes were read, here or on another host."""

    sha256: str
    name: str


class Pending(Protocol):
    """Photos that are being embedded."""

    def result(self) -> Embedded:
        """Wait until all photos are embedded or rejected."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStep(Generic[T]):
    """Some items of a source whose photos were read.

    Attributes:
        items: Each item with its readable photos, in its order; a photo may occur twice.
        start: Starts to embed the photos of the step whose SHA-256 is given, and forgets the others. Called once.
    """

    items: list[tuple[T, list[ReadPhoto]]]
    start: Callable[[Collection[str]], Pending]


class Embedder(Protocol):
    """Reads, decodes and embeds photos, step by step. It is closed when nothing more is asked of it."""

    @property
    def steps_ahead(self) -> int:
        """How many steps have to be started before the first one is waited for, so that nobody is idle."""
        ...

    def read(
        self,
        items: Iterable[T],
        photos_of: Callable[[T], Sequence[SourcePhoto]],
        *,
        urls: UrlPolicy,
        rejected: list[Rejection],
    ) -> Iterator[ReadStep[T]]:
        """Read the photos of items in steps of bounded size, in the order of the items.

        Args:
            items: Products, or what else has photos.
            photos_of: The photos of an item.
            urls: Whether photos may be fetched by URL.
            rejected: Photos that cannot be read are added to it.
        """
        ...

    def start(self, photos: Iterable[EncodedPhoto]) -> Pending:
        """Start to embed photos whose bytes are here; no photo may occur twice."""
        ...

    def close(self) -> None:
        """Stop, and drop what is not done yet."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def process_photo(
    photo: EncodedPhoto, *, media: ThumbnailStore | None, fit_px: int = THUMBNAIL_PX
) -> tuple[Photo, Palette, Image.Image]:
    """Compute what needs no network: size, fingerprint, colors, and the thumbnail if there is ``media``.

    Raises:
        PhotoRejected: The photo cannot be decoded.
    """
    decoded = decode(photo.data, name=photo.name, fit_px=fit_px)
    thumbnail = "" if media is None else media.put(photo.sha256, make_thumbnail(photo.data, decoded))
    processed = Photo(
        sha256=photo.sha256,
        name=photo.name,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        thumbnail=thumbnail,
        fingerprint=fingerprint(decoded.image),
    )
    return processed, palette_of(decoded.image), decoded.image


class PhotoEmbedder:
    """The ``Embedder`` of this process: threads decode, and each full batch is passed to the encoder at once.

    Steps overlap: the next one is decoded while the network runs.
    """

    steps_ahead = 2

    def __init__(
        self, encoder: Encoder, *, media: ThumbnailStore | None = None, decoders: int | None = None
    ) -> None:
        """Without ``media``, no thumbnails are stored; by default each processor has a thread that decodes."""
        self._encoder = encoder
        self._media = media
        # The minimum size to which a decoder may reduce a large photo before it is resized properly.
        self._fit_px = max(*encoder.card.size_px, THUMBNAIL_PX if media else 0)
        self._decoders = ThreadPoolExecutor(decoders or os.cpu_count() or 1, thread_name_prefix="sartor-decode")
        self._collector = ThreadPoolExecutor(1, thread_name_prefix="sartor-collect")

    def read(
        self,
        items: Iterable[T],
        photos_of: Callable[[T], Sequence[SourcePhoto]],
        *,
        urls: UrlPolicy,
        rejected: list[Rejection],
    ) -> Iterator[ReadStep[T]]:
        """Read the photos of items one after the other."""

        def read(item: T) -> list[EncodedPhoto]:
            return list(read_usable(photos_of(item), urls=urls, rejected=rejected))

        for step in in_steps(items, read):
            yield self._step(step)

    def start(self, photos: Iterable[EncodedPhoto]) -> PendingPhotos:
        """Start to decode and embed photos; no photo may occur twice."""
        decoding = [self._decoders.submit(self._decode, photo) for photo in photos]
        return PendingPhotos(self._collector.submit(self._collect, decoding))

    def close(self) -> None:
        """Stop, and drop what is not done yet."""
        for pool in (self._decoders, self._collector):
            pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _step(self, step: list[tuple[T, list[EncodedPhoto]]]) -> ReadStep[T]:
        by_sha256 = {photo.sha256: photo for _, photos in step for photo in photos}

        def start(wanted: Collection[str]) -> PendingPhotos:
            pending = self.start([by_sha256[sha256] for sha256 in wanted])
            by_sha256.clear()
            return pending

        return ReadStep(
            items=[(item, [ReadPhoto(photo.sha256, photo.name) for photo in photos]) for item, photos in step],
            start=start,
        )

    def _decode(self, photo: EncodedPhoto) -> _Prepared:
        pictured, palette, image = process_photo(photo, media=self._media, fit_px=self._fit_px)
        return _Prepared(photo=pictured, pixels=self._encoder.prepare(image), palette=palette)

    def _collect(self, decoding: Sequence[Future[_Prepared]]) -> _Collected:
        collected = _Collected()
        if not decoding:
            return collected
        for batch in batched(self._decoded(decoding, collected), self._encoder.batch_size):
            collected.batches.append(
                _Batch(
                    prepared=batch,
                    vectors=self._encoder.submit([prepared.pixels for prepared in batch]),
                )
            )
        return collected

    @staticmethod
    def _decoded(decoding: Sequence[Future[_Prepared]], collected: _Collected) -> Iterator[_Prepared]:
        for future in decoding:
            try:
                yield future.result()
            except PhotoRejected as error:
                collected.rejected.append(Rejection(photo=error.photo, reason=error.reason))


class PendingPhotos:
    """Photos that this process embeds."""

    def __init__(self, collecting: Future[_Collected]) -> None:
        self._collecting = collecting

    def result(self) -> Embedded:
        """Wait until all photos are embedded or rejected."""
        collected = self._collecting.result()
        photos: dict[str, Photo] = {}
        vectors: dict[str, Vector] = {}
        palettes: dict[str, Palette] = {}
        rejected = list(collected.rejected)
        for batch in collected.batches:
            for prepared, vector in zip(batch.prepared, batch.vectors.result(), strict=True):
                photo = prepared.photo
                if np.isnan(vector[0]):
                    rejected.append(
                        Rejection(photo=photo.name, reason="the network gave no usable embedding of it")
                    )
                else:
                    photos[photo.sha256] = photo
                    vectors[photo.sha256] = vector
                    palettes[photo.sha256] = prepared.palette
        return Embedded(photos=photos, vectors=vectors, palettes=palettes, rejected=tuple(rejected))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    photo: Photo
    pixels: Pixels
    palette: Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    prepared: Sequence[_Prepared]
    vectors: Future[Matrix]  # (n, d)


@dataclass(slots=True)
class _Collected:
    batches: list[_Batch] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def read_usable(
    photos: Iterable[SourcePhoto], *, urls: UrlPolicy, rejected: list[Rejection]
) -> Iterator[EncodedPhoto]:
    """Read photos; those that cannot be read are added to ``rejected``."""
    for photo in photos:
        try:
            yield read_photo(photo, urls=urls)
        except PhotoRejected as error:
            rejected.append(Rejection(photo=error.photo, reason=error.reason))


def in_steps(
    products: Iterable[T], read: Callable[[T], list[EncodedPhoto]]
) -> Iterator[list[tuple[T, list[EncodedPhoto]]]]:
    """Read the photos of products in steps of bounded size, so that memory is bounded, too."""
    step: list[tuple[T, list[EncodedPhoto]]] = []
    photos = size_bytes = 0
    for product in products:
        encoded = read(product)
        step.append((product, encoded))
        photos += len(encoded)
        size_bytes += sum(len(photo.data) for photo in encoded)
        if max(len(step), photos) >= STEP or size_bytes >= STEP_BYTES:
            yield step
            step, photos, size_bytes = [], 0, 0
    if step:
        yield step


def ahead(started: Iterable[T], embedder: Embedder) -> Iterator[T]:
    """Yield each item when as many later items have been started as the embedder asks for: their work overlaps."""
    waiting: deque[T] = deque()
    for item in started:
        waiting.append(item)
        while len(waiting) > embedder.steps_ahead:
            yield waiting.popleft()
    yield from waiting


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one shorter; itertools has it from Python 3.12 on."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
