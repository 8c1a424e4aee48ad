"""What is exported: the products page by page, with their embeddings, and the schema of their attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.ingest.photos import Progress
from sartor.types import ListingQuery, Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sartor.encoders.card import ModelCard
    from sartor.ingest.photos import OnProgress
    from sartor.media.base import MediaStore
    from sartor.store.base import CatalogStore
    from sartor.types import AttributeValue, Matrix, Photo, Product, StoredProduct, Vector, Where


PAGE = 1024  # products; their vectors of 2,048 dimensions are 8 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRow:
    """A photo of a product with its embedding; a product with several photos has several rows.

    Attributes:
        product: The product.
        photo: None if the product has no photo.
        vector: ``(d,)`` float32 with unit norm; None if the photo was not embedded.
    """

    product: Product
    photo: Photo | None
    vector: Vector | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPage:
    """The product, the photo and the vector of n rows; vectors are ``(n, d)`` float32 with unit norm."""

    products: tuple[Product, ...]
    photos: tuple[Photo, ...]
    vectors: Matrix


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of what was exported so far."""

    products: int = 0
    photos: int = 0
    embeddings: int = 0


@dataclass(kw_only=True)
class ExportSource:
    """The products of a workspace that are exported, in the order of their ids.

    Attributes:
        store: The catalog.
        media: The thumbnails.
        ids: The products to export.
        on_progress: Called after each page.
        model: The model of the embeddings; None for an export without embeddings.
        tally: Counts of the last pass.
    """

    store: CatalogStore
    media: MediaStore
    ids: Sequence[str]
    on_progress: OnProgress
    model: ModelCard | None
    tally: Tally = field(default_factory=Tally)

    @property
    def model_id(self) -> str:
        """Id of the model; empty without embeddings."""
        return self.model.id if self.model else ""

    @property
    def dimension(self) -> int:
        """Length of an embedding; 0 without embeddings."""
        return self.model.dimension if self.model else 0

    def pages(self) -> Iterator[list[StoredProduct]]:
        """The products, at most ``PAGE`` at a time."""
        ids = iter(self.ids)
        done = 0
        while page := list(islice(ids, PAGE)):
            products = self.store.products(page)
            yield [products[product_id] for product_id in page if product_id in products]
            done += len(page)
            self.on_progress(Progress(products=done, total=len(self.ids), photos=self.tally.photos, committed=()))

    def rows(self) -> Iterator[list[PhotoRow]]:
        """Every photo of every product; a product without photos has one row."""
        self.tally = Tally()
        for page in self.pages():
            vectors = self.store.embeddings(
                self.model_id, {photo.sha256 for each in page for photo in each.photos}
            )
            rows = [row for stored in page for row in _rows_of(stored, vectors)]
            self.tally.products += len(page)
            self.tally.photos += sum(row.photo is not None for row in rows)
            self.tally.embeddings += sum(row.vector is not None for row in rows)
            yield rows

    def embedded(self) -> Iterator[EmbeddedPage]:
        """Every photo that the model has embedded, in the order of the products; no page is empty."""
        with_rows = 0
        for rows in self.rows():
            usable = [(row.product, row.photo, row.vector) for row in rows if row.photo and row.vector is not None]
            if usable:
                products, photos, vectors = zip(*usable, strict=True)
                yield EmbeddedPage(products=products, photos=photos, vectors=np.stack(vectors))
                with_rows += len({product.id for product in products})
        self.tally.products, self.tally.photos = with_rows, self.tally.embeddings

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the last pass of ``embedded`` left out, in words."""
        missing = len(self.ids) - self.tally.products
        if not missing:
            return ()
        return (f"products without a photo that {self.model_id} has embedded: {missing:,} of {len(self.ids):,}",)


def selected(store: CatalogStore, where: Where) -> list[str]:
    """Ids of the products that pass a filter, sorted."""
    if not where:
        return store.product_ids()
    return sorted(_passing(store, where))


def _passing(store: CatalogStore, where: Where) -> Iterable[str]:
    after = None
    while True:
        page = store.listing(ListingQuery(where=where, sort=Sort.NEWEST, limit=PAGE, after=after))
        yield from (stored.product.id for stored in page.products)
        after = page.next
        if after is None:
            return


def _rows_of(stored: StoredProduct, vectors: dict[str, Vector]) -> Iterator[PhotoRow]:
    if not stored.photos:
        yield PhotoRow(product=stored.product, photo=None, vector=None)
    for photo in stored.photos:
        yield PhotoRow(product=stored.product, photo=photo, vector=vectors.get(photo.sha256))


_MAX_INT = 2**63


@dataclass(slots=True)
class AttributeTypes:
    """Types and number of the values of one attribute.

    Attributes:
        types: The types; an integer that needs more than 64 bits counts as text.
        max_values: Maximum number of values of one product.
    """

    types: set[type] = field(default_factory=set)
    max_values: int = 1

    def add(self, value: AttributeValue) -> None:
        """Count the value of one product."""
        self.types.add(_type_of(value))
        if isinstance(value, tuple):
            self.max_values = max(self.max_values, len(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredSchema:
    """The attributes of the products.

    Attributes:
        attributes: Types of each attribute, sorted by name.
        max_photos: Maximum number of photos of one product.
    """

    attributes: dict[str, AttributeTypes]
    max_photos: int


def infer_schema(source: ExportSource) -> InferredSchema:
    """Infer the schema from all products, in one pass."""
    attributes: dict[str, AttributeTypes] = {}
    max_photos = 0
    for page in source.pages():
        for stored in page:
            max_photos = max(max_photos, len(stored.photos))
            for name, value in stored.product.attributes.items():
                attributes.setdefault(name, AttributeTypes()).add(value)
    return InferredSchema(attributes=dict(sorted(attributes.items())), max_photos=max_photos)


def _type_of(value: AttributeValue) -> type:
    is_large = isinstance(value, int) and not -_MAX_INT <= value < _MAX_INT
    return str if is_large else type(value)
