"""Import: vectors that another program made, as embeddings of a model of the workspace.

Products go through in steps of one transaction each, as in an ingest. A vector belongs to a photo: the photo that
its name leads to, else the one that its product already shows under that name, else one without a picture, which
is known by the hash of its name and vector. So importing the same again changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog.files import stem
from sartor.catalog.vectors.names import MAX_NAME_CHARS, ids_of
from sartor.errors import PhotoRejected
from sartor.imaging import UrlPolicy
from sartor.imaging.fetch import EncodedPhoto, read_photo
from sartor.ingest.follow import catch_up
from sartor.ingest.maintenance import tidy_media
from sartor.ingest.photos import STEP, OnProgress, PhotoEmbedder, Progress, Rejection, batched, see_photo
from sartor.store.base import Write
from sartor.types import Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sartor.catalog.vectors.files import NamedVectors
    from sartor.encoders.encoder import Encoder
    from sartor.index.base import VectorIndex
    from sartor.media.base import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Palette, SourcePhoto, Vector


_BLOCK = 1024  # rows that are converted at once
_UNIT = 1e-3  # float16 rounds a norm of 1 by as much


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVectors:
    """Vectors by product.

    Attributes:
        matrix: ``(n, d)`` float32 of unit norm; rows that cannot be used are NaN.
        names: Of their photos, n.
        rows: Rows of each product that has a vector, in the file's order.
        scaled: Rows whose norm was not 1.
        rejected: Rows that cannot be used, and why.
    """

    matrix: Matrix
    names: Sequence[str]
    rows: Mapping[str, Sequence[int]]
    scaled: int
    rejected: tuple[Rejection, ...]

    @property
    def sha256(self) -> str:
        """Hex digest of the vectors."""
        return hashlib.sha256(self.matrix.data).hexdigest()


def made_ready(named: NamedVectors) -> ImportedVectors:
    """Scale vectors to norm 1, and name their products."""
    matrix, scaled = _unit(named)
    ids = ids_of(named.names) if named.ids is None else named.ids
    rows: dict[str, list[int]] = {}
    rejected = []
    for row, (name, product_id) in enumerate(zip(named.names, ids, strict=True)):
        reason = _wrong(name, product_id, usable=not np.isnan(matrix[row, 0]))
        if reason:
            rejected.append(Rejection(photo=name[:MAX_NAME_CHARS] or f"row {row}", reason=reason))
        else:
            rows.setdefault(product_id, []).append(row)
    return ImportedVectors(matrix=matrix, names=named.names, rows=rows, scaled=scaled, rejected=tuple(rejected))


def _unit(named: NamedVectors) -> tuple[Matrix, int]:
    given = named.vectors
    matrix = np.empty(given.shape, np.float32)
    scaled = 0
    for start in range(0, len(given), _BLOCK):
        block = given[start : start + _BLOCK].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.linalg.norm(block, axis=1)  # (m,)
            usable = np.isfinite(norms) & (norms > 0)
            matrix[start : start + _BLOCK] = block / np.where(usable, norms, np.nan)[:, np.newaxis]
        scaled += int((usable & (np.abs(norms - 1) > _UNIT)).sum())
    return matrix, scaled


def _wrong(name: str, product_id: str, *, usable: bool) -> str:
    """Why a row cannot be used; empty where it can."""
    if not name:
        return "its vector has no name"
    if len(name) > MAX_NAME_CHARS:
        return f"its name has more than {MAX_NAME_CHARS:,} characters"
    if not product_id:
        return "is there twice, the first vector counts"
    return "" if usable else "its vector is zero, or has numbers that are not finite"


SAMPLE = 16
LEAST_COSINE = 0.99  # below it, neighbors of a photo are no longer those of its vector
_NO_URLS = UrlPolicy(enabled=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Cosines of imported vectors with embeddings of the same photos.

    Attributes:
        photos: How many were compared.
        mean: Their mean cosine.
        least: Their least.
    """

    photos: int
    mean: float
    least: float

    @property
    def is_close(self) -> bool:
        """Whether the vectors can stand for the model's own."""
        return self.mean >= LEAST_COSINE


def agreement_of(
    vectors: ImportedVectors,
    find: Callable[[int], SourcePhoto | None],
    encoder: Encoder,
    *,
    rng: np.random.Generator,
) -> Agreement | None:
    """Embed some of the photos again; None where no photo is found."""
    photos = _sample(vectors, find, rng)
    with PhotoEmbedder(encoder) as embedder:
        embedded = embedder.start({photo.sha256: photo for photo in photos.values()}.values()).result()
    cosines = [
        float(vectors.matrix[row] @ embedded.vectors[photo.sha256])
        for row, photo in photos.items()
        if photo.sha256 in embedded.vectors
    ]
    if not cosines:
        return None
    return Agreement(photos=len(cosines), mean=float(np.mean(cosines)), least=min(cosines))


def _sample(
    vectors: ImportedVectors, find: Callable[[int], SourcePhoto | None], rng: np.random.Generator
) -> dict[int, EncodedPhoto]:
    rows = [row for theirs in vectors.rows.values() for row in theirs]
    sample: dict[int, EncodedPhoto] = {}
    for row in rng.permutation(rows):
        if len(sample) == SAMPLE:
            break
        if (photo := find(int(row))) is not None:
            try:
                sample[int(row)] = read_photo(photo, urls=_NO_URLS)
            except PhotoRejected:
                continue  # the import itself reports it
    return sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        source: The file of vectors, as it was given.
        model: Model that they are embeddings of from now on.
        dimension: Length of a vector.
        vectors: Vectors that the file has, rejected ones included.
        products: Products that they belong to.
        added: Products that are new.
        updated: Products whose vectors, photos or attributes changed.
        unchanged: Products that were already there just so.
        images: Vectors of whose photo there is a picture.
        described: Products that a table says something of.
        scaled: Vectors whose norm was not 1, and is now.
        agreement: Of the vectors with those that the model gives for the same photos; None where this was not or
            could not be looked at.
        rejected: Vectors that cannot be used, and images that cannot.
        seconds: Time that it all took.
        by_photo: Whether the model can embed a photo, so that one can ask with photos too.
        is_default: Whether the model is the workspace's default.
    """

    source: str
    model: str
    dimension: int
    vectors: int
    products: int
    added: int
    updated: int
    unchanged: int
    images: int
    described: int
    scaled: int
    agreement: Agreement | None
    rejected: tuple[Rejection, ...]
    seconds: float
    by_photo: bool = False
    is_default: bool = False


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportContext:
    """Where an import writes to.

    Attributes:
        store: The catalog.
        index: The index of the model that the vectors belong to.
        media: The thumbnails.
        compose: Knows that model.
    """

    store: CatalogStore
    index: VectorIndex
    media: MediaStore
    compose: FeatureBuilder


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """What is imported.

    Attributes:
        name: The file, as it was given.
        source_id: Name under which the store remembers it.
        vectors: The vectors, by product.
        find: Leads from a row of them to its photo, where there is one.
        told: What is known of products, by id.
        limit: Take only the first so many products.
    """

    name: str
    source_id: str
    vectors: ImportedVectors
    find: Callable[[int], SourcePhoto | None]
    told: Mapping[str, Product]
    limit: int | None = None


def import_vectors(
    source: ImportSource,
    bench: ImportContext,
    *,
    agreement: Agreement | None = None,
    on_progress: OnProgress = lambda _: None,
    clock: Callable[[], float],
) -> ImportReport:
    """Bring vectors into the store and the index; doing it again changes nothing.

    Args:
        source: The vectors.
        bench: Where they go.
        agreement: What was found of them, for the report.
        on_progress: Told after each step what is committed by then.
        clock: Gives the seconds since the import began.
    """
    run = _Run(source, bench, on_progress)
    run.go_through()
    bench.store.drop_unused_photos()  # those without a picture whose photo was found now
    tidy_media(bench.store, bench.media)
    bench.index.optimize()
    bench.index.mark(bench.store.revision)
    vectors = source.vectors
    report = ImportReport(
        source=source.name,
        model=bench.compose.model,
        dimension=vectors.matrix.shape[1],
        vectors=len(vectors.matrix),
        products=run.done,
        added=run.outcomes["added"],
        updated=run.outcomes["updated"],
        unchanged=run.outcomes["unchanged"],
        images=run.pictured,
        described=run.described,
        scaled=vectors.scaled,
        agreement=agreement,
        rejected=(*vectors.rejected, *run.rejected),
        seconds=clock(),
    )
    logger.info("imported: vectors=%d products=%d seconds=%.1f", report.vectors, report.products, report.seconds)
    return report


@dataclass(slots=True)
class _Pictures:
    """The photos of a step that were found, by row, and what had to be computed of them."""

    by_row: dict[int, Photo] = field(default_factory=dict)
    palettes: dict[str, Palette] = field(default_factory=dict)


@dataclass(slots=True)
class _Run:
    source: ImportSource
    bench: ImportContext
    on_progress: OnProgress
    done: int = 0
    pictured: int = 0
    described: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejection] = field(default_factory=list)
    row_of: dict[str, int] = field(default_factory=dict)  # of two rows with one photo, the first one counts

    def go_through(self) -> None:
        products = islice(self.source.vectors.rows.items(), self.source.limit)
        total = len(self.source.vectors.rows)
        for step in batched(products, STEP):
            committed = self._step(dict(step))
            self.done += len(step)
            self.on_progress(
                Progress(
                    products=self.done,
                    total=total if self.source.limit is None else min(total, self.source.limit),
                    photos=self.done,
                    committed=committed,
                )
            )

    def _step(self, products: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
        store, model = self.bench.store, self.bench.compose.model
        known = store.products(products)
        pictures = self._pictures([row for rows in products.values() for row in rows])
        stored = [self._stored(each, rows, pictures, known.get(each)) for each, rows in products.items()]
        vectors = {photo.sha256: self._vector(photo.sha256) for each in stored for photo in each.photos}
        held = store.embeddings(model, vectors)
        new = {
            sha256: vector
            for sha256, vector in vectors.items()
            if not np.array_equal(vector, held.get(sha256, ()))
        }
        writes = []
        for each in stored:
            former = known.get(each.product.id)
            changed = former != each or any(photo.sha256 in new for photo in each.photos)
            self.outcomes["added" if former is None else "updated" if changed else "unchanged"] += 1
            if changed:
                writes.append(each)
        if writes or pictures.palettes:
            store.write(Write(products=tuple(writes), model=model, embeddings=new, palettes=pictures.palettes))
            catch_up(store, self.bench.index, self.bench.compose)
        return tuple(each.product.id for each in writes)

    def _stored(
        self, product_id: str, rows: Sequence[int], pictures: _Pictures, former: StoredProduct | None
    ) -> StoredProduct:
        told = self.source.told.get(product_id)
        self.described += told is not None
        photos: dict[str, Photo] = {}
        for row in rows:
            photo = pictures.by_row.get(row) or self._former(row, former) or self._without_picture(row)
            self.pictured += photo.has_picture
            self.row_of.setdefault(photo.sha256, row)
            photos.setdefault(photo.sha256, photo)
        said = told or (Product(id=product_id) if former is None else former.product)
        origin = self.source.source_id if former is None else former.source
        return StoredProduct(product=said, photos=tuple(photos.values()), source=origin)

    def _former(self, row: int, former: StoredProduct | None) -> Photo | None:
        """The photo that the product already shows under the row's name."""
        theirs = () if former is None else former.photos
        name = self.source.vectors.names[row]
        return next((photo for photo in theirs if photo.has_picture and stem(photo.name) == stem(name)), None)

    def _without_picture(self, row: int) -> Photo:
        name = self.source.vectors.names[row]
        content = b"\0".join((b"imported", name.encode(), self.source.vectors.matrix[row].tobytes()))
        return Photo(sha256=hashlib.sha256(content).hexdigest(), name=name, width_px=0, height_px=0, thumbnail="")

    def _vector(self, sha256: str) -> Vector:
        return np.asarray(self.source.vectors.matrix[self.row_of[sha256]])

    def _pictures(self, rows: Sequence[int]) -> _Pictures:
        """The photos that the names of rows lead to, as far as they can be used."""
        pictures, encoded = _Pictures(), {}
        for row in rows:
            if (photo := self._read(row)) is not None:
                encoded[row] = photo
        different = {photo.sha256: photo for photo in encoded.values()}
        seen = self._held(different)
        new = [photo for sha256, photo in different.items() if sha256 not in seen]
        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sartor-decode") as pool:
            for made in pool.map(self._see, new):
                if made is not None:
                    made_of, palette = made
                    seen[made_of.sha256] = made_of
                    pictures.palettes[made_of.sha256] = palette
        for row, each in encoded.items():
            if each.sha256 in seen:
                pictures.by_row[row] = replace(seen[each.sha256], name=each.name)
        return pictures

    def _held(self, sha256s: Mapping[str, EncodedPhoto]) -> dict[str, Photo]:
        """The photos of which all is there that is computed without a network."""
        store, media = self.bench.store, self.bench.media
        colored = store.palettes(sha256s)
        photos = store.photos(colored)
        return {
            sha256: photo
            for sha256, photo in photos.items()
            if photo.has_picture and media.exists(photo.thumbnail)
        }

    def _read(self, row: int) -> EncodedPhoto | None:
        photo = self.source.find(row)
        if photo is None:
            return None
        try:
            return read_photo(photo, urls=_NO_URLS)
        except PhotoRejected as error:
            self.rejected.append(Rejection(photo=error.photo, reason=error.reason))
            return None

    def _see(self, photo: EncodedPhoto) -> tuple[Photo, Palette] | None:
        try:
            seen, palette, _ = see_photo(photo, media=self.bench.media)
        except PhotoRejected as error:
            self.rejected.append(Rejection(photo=error.photo, reason=error.reason))
            return None
        return seen, palette
