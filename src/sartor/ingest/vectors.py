"""Import: vectors that another program made become embeddings of a model of the workspace.

Products are written in steps of one transaction each, as in an ingest. A vector belongs to a photo: the one that
its name leads to, else the one that its product shows under that name, else one without a picture, which
is identified by the hash of both. So importing the same file again changes nothing.
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
from sartor.catalog.source import Case
from sartor.catalog.vectors.names import ids_of
from sartor.errors import PhotoRejected
from sartor.imaging import UrlPolicy
from sartor.imaging.fetch import EncodedPhoto, read_photo
from sartor.ingest.guard import ImportedProduct, examine_import
from sartor.ingest.maintenance import tidy_media
from sartor.ingest.photos import (
    STEP,
    OnProgress,
    PhotoEmbedder,
    Progress,
    Rejection,
    batched,
    process_photo,
    read_usable,
)
from sartor.ingest.writer import retried
from sartor.limits import MAX_PHOTO_NAME_CHARS
from sartor.types import Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sartor.catalog.source import Finding, Findings
    from sartor.catalog.vectors.files import NamedVectors
    from sartor.catalog.vectors.names import ProductTable
    from sartor.encoders.encoder import Encoder
    from sartor.ingest.guard import ShrinkLimits
    from sartor.ingest.writer import CatalogWriter
    from sartor.store.base import CatalogStore
    from sartor.types import Matrix, Palette, SourcePhoto, Vector

logger = logging.getLogger(__name__)

SAMPLE = 16  # photos that are embedded again to check the vectors
MIN_COSINE = 0.99  # with less, the neighbors of a photo are not those of its vector
_NO_URLS = UrlPolicy(enabled=False)
_BLOCK = 1024  # rows that are converted at once
_NORM_TOLERANCE = 1e-3  # float16 rounds a norm of 1 by as much


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVectors:
    """Vectors by product.

    Attributes:
        matrix: ``(n, d)`` float32 of unit norm; unusable rows are NaN.
        names: The name of each row's photo.
        rows: The rows of each product, by its id, in the file's order.
        scaled: Number of rows whose norm was not 1.
        rejected: Unusable rows, with the reason.
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


def prepare_vectors(named: NamedVectors) -> ImportedVectors:
    """Scale vectors to norm 1 and group them by product."""
    matrix, scaled = _unit(named)
    ids = ids_of(named.names) if named.ids is None else named.ids
    rows: dict[str, list[int]] = {}
    rejected = []
    for row, (name, product_id) in enumerate(zip(named.names, ids, strict=True)):
        reason = _reason(name, product_id, has_ids=named.ids is not None, usable=not np.isnan(matrix[row, 0]))
        if reason:
            rejected.append(Rejection(photo=name[:MAX_PHOTO_NAME_CHARS] or f"row {row}", reason=reason))
        else:
            rows.setdefault(product_id, []).append(row)
    return ImportedVectors(matrix=matrix, names=named.names, rows=rows, scaled=scaled, rejected=tuple(rejected))


def _unit(named: NamedVectors) -> tuple[Matrix, int]:
    matrix = np.empty(named.vectors.shape, np.float32)
    scaled = 0
    for start in range(0, len(named.vectors), _BLOCK):
        block = named.vectors[start : start + _BLOCK].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.linalg.norm(block, axis=1)  # (m,)
            usable = np.isfinite(norms) & (norms > 0)
            matrix[start : start + _BLOCK] = block / np.where(usable, norms, np.nan)[:, np.newaxis]
        scaled += int((usable & (np.abs(norms - 1) > _NORM_TOLERANCE)).sum())
    return matrix, scaled


def _reason(name: str, product_id: str, *, has_ids: bool, usable: bool) -> str:
    """Why a row cannot be used; empty if it can."""
    if not name:
        return "its vector has no name"
    if len(name) > MAX_PHOTO_NAME_CHARS:
        return f"its name has more than {MAX_PHOTO_NAME_CHARS:,} characters"
    if not product_id:
        return "its product has no id" if has_ids else "is there twice, the first vector counts"
    return "" if usable else "its vector is zero, or has numbers that are not finite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Cosines of imported vectors with the model's embeddings of the same photos.

    Attributes:
        photos: Number of photos.
        mean: Mean cosine.
        least: Smallest cosine.
    """

    photos: int
    mean: float
    least: float

    @property
    def is_close(self) -> bool:
        """Whether the vectors can be used as the model's own."""
        return self.mean >= MIN_COSINE


def agreement_of(
    vectors: ImportedVectors,
    find: Callable[[int], Sequence[SourcePhoto]],
    encoder: Encoder,
    *,
    rng: np.random.Generator,
) -> Agreement | None:
    """Embed some of the photos again; None if no photo is found."""
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
    vectors: ImportedVectors, find: Callable[[int], Sequence[SourcePhoto]], rng: np.random.Generator
) -> dict[int, EncodedPhoto]:
    rows = [row for of_product in vectors.rows.values() for row in of_product]
    sample: dict[int, EncodedPhoto] = {}
    for row in rng.permutation(rows):
        if len(sample) == SAMPLE:
            break
        if len(found := find(int(row))) == 1:
            try:
                sample[int(row)] = read_photo(found[0], urls=_NO_URLS)
            except PhotoRejected:
                continue  # the import itself reports it
    return sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        source: The file of vectors, as it was given.
        model: The model that they are now embeddings of.
        dimension: Length of a vector.
        vectors: Vectors in the file, rejected ones included.
        products: Products that the vectors belong to.
        added: New products.
        updated: Products whose vectors, photos or attributes changed.
        unchanged: Products that were already there as they are in the file.
        images: Vectors whose photo has a picture.
        described: Products that a table describes.
        scaled: Vectors whose norm was not 1 before the import.
        agreement: Of the vectors with the model's embeddings of the same photos; None if it was not measured.
        table: The table that describes products; empty without one.
        rejected: Unusable vectors and unusable images.
        findings: What was left out, not found or replaced, counted.
        seconds: Duration of the import.
        by_photo: Whether the model can embed photos, so that a query can be a photo.
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
    table: str
    rejected: tuple[Rejection, ...]
    findings: tuple[Finding, ...]
    seconds: float
    by_photo: bool = False
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """What is imported.

    Attributes:
        name: The file, as it was given.
        source_id: Name under which the store remembers it.
        vectors: The vectors, by product.
        find: Finds the photos that the name of a row may mean; one if it is clear.
        table: Products that a table describes.
        findings: What was noticed so far.
        has_images: Whether the user said where the photos are.
        limit: Maximum number of products.
        shrink: From when on an import is refused that takes from products; None where any loss is meant.
    """

    name: str
    source_id: str
    vectors: ImportedVectors
    find: Callable[[int], Sequence[SourcePhoto]]
    table: ProductTable
    findings: Findings
    has_images: bool
    limit: int | None = None
    shrink: ShrinkLimits | None = None

    def rows(self) -> Iterator[tuple[str, Sequence[int]]]:
        """The products that are taken, and the rows of each."""
        return islice(self.vectors.rows.items(), self.limit)

    def shown(self, row: int, stored: StoredProduct | None) -> Photo | None:
        """The photo with a picture that a product already shows under the row's name."""
        photos = () if stored is None else stored.photos
        name = stem(self.vectors.names[row])
        return next((photo for photo in photos if photo.has_picture and stem(photo.name) == name), None)


def require_no_loss(source: ImportSource, store: CatalogStore) -> None:
    """Refuse an import that takes photos, titles or attributes from many products.

    Raises:
        SourceShrunk: It does; nothing was changed.
    """
    if source.shrink is not None:
        examine_import(_known(source, store), source.shrink, name=source.name)


def import_vectors(
    source: ImportSource,
    catalog: CatalogWriter,
    *,
    agreement: Agreement | None,
    on_progress: OnProgress = lambda _: None,
    clock: Callable[[], float],
) -> ImportReport:
    """Write vectors to the store and the index; repeating it changes nothing.

    Args:
        source: The vectors.
        catalog: Where they are written.
        agreement: How well they agree with the model, for the report.
        on_progress: Called after each step with what is committed.
        clock: Returns the seconds since the import began.
    """
    run = _Run(source, catalog, on_progress)
    run.go_through()
    catalog.store.drop_unused_photos()  # photos without a picture that were replaced by real ones
    tidy_media(catalog.store, catalog.media)
    catalog.finish()
    vectors = source.vectors
    report = ImportReport(
        source=source.name,
        model=catalog.features.model,
        dimension=vectors.matrix.shape[1],
        vectors=len(vectors.matrix),
        products=run.done,
        added=run.outcomes["added"],
        updated=run.outcomes["updated"],
        unchanged=run.outcomes["unchanged"],
        images=run.outcomes["pictured"],
        described=run.outcomes["described"],
        scaled=vectors.scaled,
        agreement=agreement,
        table=source.table.name,
        rejected=(*vectors.rejected, *run.rejected, *run.superseded.values()),
        findings=source.findings.snapshot(),
        seconds=clock(),
    )
    logger.info("imported: vectors=%d products=%d seconds=%.1f", report.vectors, report.products, report.seconds)
    return report


def _known(source: ImportSource, store: CatalogStore) -> Iterator[ImportedProduct]:
    """The products of an import that the catalog has."""
    for batch in batched(source.rows(), STEP):
        rows_of = dict(batch)
        for product_id, stored in store.products(rows_of).items():
            pictured = any(len(source.find(row)) == 1 or source.shown(row, stored) for row in rows_of[product_id])
            yield ImportedProduct(
                stored=stored,
                described=source.table.products.get(product_id),
                loses_photos=not pictured and any(photo.has_picture for photo in stored.photos),
            )


@dataclass(slots=True)
class _Pictures:
    """The photos of a step that were found, by row, and the colors that are new."""

    by_row: dict[int, Photo] = field(default_factory=dict)
    palettes: dict[str, Palette] = field(default_factory=dict)


@dataclass(slots=True)
class _Run:
    source: ImportSource
    catalog: CatalogWriter
    on_progress: OnProgress
    done: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejection] = field(default_factory=list)
    row_of: dict[str, int] = field(default_factory=dict)  # of several rows with one photo, the first one counts
    superseded: dict[int, Rejection] = field(default_factory=dict)  # the other ones

    def go_through(self) -> None:
        total = len(self.source.vectors.rows)
        for step in batched(self.source.rows(), STEP):
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

    def _step(self, rows_of: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
        """Write some products, given the rows of each by its id; returns the ids of those that changed."""
        pictures = self._pictures([row for rows in rows_of.values() for row in rows])
        outcomes, committed = retried(lambda: self._write(rows_of, pictures))
        self.outcomes.update(outcomes)
        if other := outcomes["other photos"]:
            self.source.findings.add(Case.OTHER_PHOTOS, committed[0], count=other)
        return committed

    def _write(
        self, rows_of: Mapping[str, Sequence[int]], pictures: _Pictures
    ) -> tuple[Counter[str], tuple[str, ...]]:
        """Write a step; returns what became of its products, and the ids of those that were written."""
        store, model = self.catalog.store, self.catalog.features.model
        read_at, outcomes = store.revision, Counter[str]()
        stored = store.products(rows_of)
        products = [
            self._product(product_id, rows, pictures, stored.get(product_id), outcomes)
            for product_id, rows in rows_of.items()
        ]
        vectors = {photo.sha256: self._vector(photo.sha256) for each in products for photo in each.photos}
        embeddings = store.embeddings(model, vectors)
        new = {
            sha256: vector
            for sha256, vector in vectors.items()
            if not np.array_equal(vector, embeddings.get(sha256, ()))
        }
        writes = []
        for product in products:
            previous = stored.get(product.product.id)
            changed = previous != product or any(photo.sha256 in new for photo in product.photos)
            outcomes["other photos"] += previous is not None and _gives_up(previous, product)
            outcomes["added" if previous is None else "updated" if changed else "unchanged"] += 1
            if changed:
                writes.append(product)
        if writes or pictures.palettes:
            self.catalog.write(writes, embeddings=new, palettes=pictures.palettes, read_at=read_at)
        return outcomes, tuple(product.product.id for product in writes)

    def _product(
        self,
        product_id: str,
        rows: Sequence[int],
        pictures: _Pictures,
        previous: StoredProduct | None,
        outcomes: Counter[str],
    ) -> StoredProduct:
        described = self.source.table.products.get(product_id)
        outcomes["described"] += described is not None
        photos: dict[str, Photo] = {}
        for row in rows:
            photo = pictures.by_row.get(row) or self.source.shown(row, previous) or self._without_picture(row)
            outcomes["pictured"] += photo.has_picture
            self._choose_vector(photo.sha256, row)
            photos.setdefault(photo.sha256, photo)
        product = described or (Product(id=product_id) if previous is None else previous.product)
        origin = self.source.source_id if previous is None else previous.source
        return StoredProduct(product=product, photos=tuple(photos.values()), source=origin)

    def _choose_vector(self, sha256: str, row: int) -> None:
        """Of several vectors of a photo, the first one counts."""
        first = self.row_of.setdefault(sha256, row)
        matrix, names = self.source.vectors.matrix, self.source.vectors.names
        if first != row and not np.array_equal(matrix[first], matrix[row]):
            reason = f"has the same photo as row {first} ({names[first]}), whose vector counts"
            self.superseded[row] = Rejection(photo=f"row {row} ({names[row]})", reason=reason)

    def _without_picture(self, row: int) -> Photo:
        name = self.source.vectors.names[row]
        content = b"\0".join((b"imported", name.encode(), self.source.vectors.matrix[row].tobytes()))
        return Photo(sha256=hashlib.sha256(content).hexdigest(), name=name, width_px=0, height_px=0, thumbnail="")

    def _vector(self, sha256: str) -> Vector:
        return np.asarray(self.source.vectors.matrix[self.row_of[sha256]])

    def _pictures(self, rows: Sequence[int]) -> _Pictures:
        """The usable photos that the names of rows lead to."""
        encoded = {row: photo for row in rows if (photo := self._read(row)) is not None}
        by_sha256 = {photo.sha256: photo for photo in encoded.values()}
        usable, new = self.catalog.split(by_sha256, embedded=False)
        pictures = _Pictures()
        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sartor-decode") as pool:
            for processed in pool.map(self._process, new):
                if processed is not None:
                    picture, palette = processed
                    usable[picture.sha256] = picture
                    pictures.palettes[picture.sha256] = palette
        pictures.by_row = {
            row: replace(usable[photo.sha256], name=photo.name)
            for row, photo in encoded.items()
            if photo.sha256 in usable
        }
        return pictures

    def _read(self, row: int) -> EncodedPhoto | None:
        found, name = self.source.find(row), self.source.vectors.names[row]
        if len(found) > 1:
            self.source.findings.add(Case.NAMES_AMBIGUOUS, name)
        elif not found and self.source.has_images:
            self.source.findings.add(Case.NAMES_NOT_FOUND, name)
        photos = found if len(found) == 1 else ()
        return next(read_usable(photos, urls=_NO_URLS, rejected=self.rejected), None)

    def _process(self, photo: EncodedPhoto) -> tuple[Photo, Palette] | None:
        try:
            processed, palette, _ = process_photo(photo, media=self.catalog.media)
        except PhotoRejected as error:
            self.rejected.append(Rejection(photo=error.photo, reason=error.reason))
            return None
        return processed, palette


def _gives_up(previous: StoredProduct, product: StoredProduct) -> bool:
    """Whether a product no longer shows a picture that it had."""
    kept = {photo.sha256 for photo in product.photos}
    return any(photo.has_picture and photo.sha256 not in kept for photo in previous.photos)
