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

from sartor.catalog.photo_index import stem
from sartor.errors import PhotoRejected
from sartor.imaging import UrlPolicy
from sartor.pipelines.check import tidy_media
from sartor.pipelines.importing.report import ImportReport
from sartor.pipelines.photos import STEP, EncodedPhoto, batched, read_photo, see_photo
from sartor.pipelines.report import OnProgress, Progress, Rejection
from sartor.pipelines.sync import catch_up
from sartor.store.records import Write
from sartor.types import Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sartor.imaging import MediaStore
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.compose import Composer
    from sartor.pipelines.importing.agreement import Agreement
    from sartor.pipelines.importing.vectors import ImportedVectors
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Palette, SourcePhoto, Vector

logger = logging.getLogger(__name__)

_NO_URLS = UrlPolicy(enabled=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBench:
    """Where an import writes to.

    Attributes:
        store: The catalog.
        index: The index of the model that the vectors belong to.
        media: The thumbnails.
        compose: Knows that model.
    """

    store: SqliteStore
    index: EdgeIndex
    media: MediaStore
    compose: Composer


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
    bench: ImportBench,
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
    bench: ImportBench
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
