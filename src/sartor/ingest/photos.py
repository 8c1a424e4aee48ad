"""From the photos of a few products to their embeddings, with decoding and inference side by side."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

import numpy as np

from sartor.errors import PhotoRejected
from sartor.imaging import decode, make_thumbnail
from sartor.imaging.color import palette_of
from sartor.imaging.fingerprint import fingerprint
from sartor.limits import THUMBNAIL_PX
from sartor.types import Photo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from PIL import Image

    from sartor.catalog import Finding
    from sartor.encoders.base import Pixels
    from sartor.encoders.encoder import Encoder
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.media.base import MediaStore
    from sartor.types import Matrix, Palette, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A photo that could not be used, and why."""

    photo: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an ingest is; what it counts is committed.

    Attributes:
        products: Products done.
        total: Products that the source is expected to have; None when it cannot be known.
        photos: Photos seen.
        committed: Ids of the products that the last step committed.
    """

    products: int
    total: int | None
    photos: int
    committed: tuple[str, ...]


OnProgress: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        source: The source, as it was given.
        model: Model that embedded the photos.
        products: Products that the source has.
        photos: Photos that the source has, rejected ones included.
        added: Products that are new.
        updated: Products whose attributes or photos changed.
        unchanged: Products that were already there just so.
        deleted: Products that had left the source.
        embedded: Photos that went through the network.
        rejected: Photos that could not be used.
        findings: What the source's reader noticed, such as rows without a photo.
        seconds: Time that it all took.
    """

    source: str
    model: str
    products: int
    photos: int
    added: int
    updated: int
    unchanged: int
    deleted: int
    embedded: int
    rejected: tuple[Rejection, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def photos_per_second(self) -> float:
        """Photos seen per second, end to end."""
        return self.photos / self.seconds if self.seconds else 0.0


T = TypeVar("T")


STEP = 128  # products, or photos, that go through together; 128 photos of 224 x 224 are 19 MB while they wait
_STEP_BYTES = 64 << 20  # of encoded photos, which bounds memory when photos are large


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What became of the photos of one step.

    Attributes:
        photos: The photos that could be used, by SHA-256.
        vectors: Their embeddings, ``(d,)`` each.
        palettes: Their colors.
        rejected: The others.
    """

    photos: dict[str, Photo]
    vectors: dict[str, Vector]
    palettes: dict[str, Palette]
    rejected: tuple[Rejection, ...]


def see_photo(
    photo: EncodedPhoto, *, media: MediaStore | None, fit_px: int = THUMBNAIL_PX
) -> tuple[Photo, Palette, Image.Image]:
    """All that is computed of a photo without a network; its thumbnail is kept where there is ``media``.

    Raises:
        PhotoRejected: It cannot be decoded.
    """
    decoded = decode(photo.data, name=photo.name, fit_px=fit_px)
    thumbnail = "" if media is None else media.put(photo.sha256, make_thumbnail(photo.data, decoded))
    seen = Photo(
        sha256=photo.sha256,
        name=photo.name,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        thumbnail=thumbnail,
        fingerprint=fingerprint(decoded.image),
    )
    return seen, palette_of(decoded.image), decoded.image


class PhotoEmbedder:
    """Decodes in a pool of threads, and hands full batches to the encoder as soon as they are decoded.

    Steps that are started one after the other overlap: the next one is decoded while the network runs.
    """

    def __init__(self, encoder: Encoder, *, media: MediaStore | None = None) -> None:
        """Without ``media`` no thumbnails are kept."""
        self._encoder = encoder
        self._media = media
        # The least size that a decoder may reduce a large photo to, before it is resized with care.
        self._fit_px = max(*encoder.card.size_px, THUMBNAIL_PX if media else 0)
        self._decoders = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sartor-decode")
        self._collector = ThreadPoolExecutor(1, thread_name_prefix="sartor-collect")

    def start(self, photos: Iterable[EncodedPhoto]) -> PendingPhotos:
        """Start to decode and embed photos, each a different one."""
        decoding = [self._decoders.submit(self._decode, photo) for photo in photos]
        return PendingPhotos(self._collector.submit(self._collect, decoding))

    def close(self) -> None:
        """Stop: what is not done yet is dropped."""
        for pool in (self._decoders, self._collector):
            pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decode(self, photo: EncodedPhoto) -> _Prepared:
        pictured, palette, image = see_photo(photo, media=self._media, fit_px=self._fit_px)
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
    """Photos on their way; ``result`` waits for them."""

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


def in_steps(
    products: Iterable[T], read: Callable[[T], list[EncodedPhoto]]
) -> Iterator[list[tuple[T, list[EncodedPhoto]]]]:
    """Read the photos of products, and give them out in steps that bound how much is held at once."""
    step: list[tuple[T, list[EncodedPhoto]]] = []
    photos = size_bytes = 0
    for offered in products:
        encoded = read(offered)
        step.append((offered, encoded))
        photos += len(encoded)
        size_bytes += sum(len(photo.data) for photo in encoded)
        if max(len(step), photos) >= STEP or size_bytes >= _STEP_BYTES:
            yield step
            step, photos, size_bytes = [], 0, 0
    if step:
        yield step


def ahead(started: Iterable[T], *, steps: int = 2) -> Iterator[T]:
    """Give each item out only when the next ``steps`` ones are there: what an iterator starts, overlaps."""
    waiting: deque[T] = deque()
    for item in started:
        waiting.append(item)
        if len(waiting) > steps:
            yield waiting.popleft()
    yield from waiting


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one shorter; itertools has it from Python 3.12 on."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
