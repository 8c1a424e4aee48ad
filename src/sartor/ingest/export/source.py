"""A first pass over what is exported: which attributes there are, and of which types, as a table's head needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.ingest.photos import Progress
from sartor.store.base import ListingQuery, Sort

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
        photo: None where the product has no photo.
        vector: ``(d,)`` float32 with unit norm; None where the photo was not embedded.
    """

    product: Product
    photo: Photo | None
    vector: Vector | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPage:
    """Rows that all have a photo and an embedding.

    Attributes:
        products: The product of each row.
        photos: The photo of each row.
        vectors: ``(n, d)`` float32 with unit norm.
    """

    products: tuple[Product, ...]
    photos: tuple[Photo, ...]
    vectors: Matrix


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has gone into an export so far."""

    products: int = 0
    photos: int = 0
    embeddings: int = 0


@dataclass(kw_only=True)
class ExportSource:
    """The products of a workspace that are exported, in the order of their ids.

    Attributes:
        store: Where they are.
        media: Where thumbnails are.
        ids: Which products.
        on_progress: Told how far a pass is.
        model: Whose embeddings are taken; None where none are.
        tally: What the last pass gave out.
    """

    store: CatalogStore
    media: MediaStore
    ids: Sequence[str]
    on_progress: OnProgress
    model: ModelCard | None
    tally: Tally = field(default_factory=Tally)

    @property
    def model_id(self) -> str:
        """Id of the model; empty where no embeddings are taken."""
        return self.model.id if self.model else ""

    @property
    def dimension(self) -> int:
        """Length of an embedding; 0 where none are taken."""
        return self.model.dimension if self.model else 0

    def pages(self) -> Iterator[list[StoredProduct]]:
        """The products."""
        ids = iter(self.ids)
        done = 0
        while page := list(islice(ids, PAGE)):
            found = self.store.products(page)
            yield [found[product_id] for product_id in page if product_id in found]
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
        """Every photo that the model has embedded, the products' order kept; no page is empty."""
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
        """What the last pass over what is embedded had to leave out, in words."""
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
class Kinds:
    """What the values of one attribute are.

    Attributes:
        types: Their types; an integer that 64 bits do not hold counts as text.
        most: Values of one product, at most.
    """

    types: set[type] = field(default_factory=set)
    most: int = 1

    def add(self, value: AttributeValue) -> None:
        """Take in one product's value."""
        self.types.add(_type_of(value))
        if isinstance(value, tuple):
            self.most = max(self.most, len(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredSchema:
    """What the products have.

    Attributes:
        attributes: What each attribute is, in the order of their names.
        most_photos: Photos of one product, at most.
    """

    attributes: dict[str, Kinds]
    most_photos: int


def infer_schema(stock: ExportSource) -> InferredSchema:
    """Look at every product once."""
    attributes: dict[str, Kinds] = {}
    most_photos = 0
    for page in stock.pages():
        for stored in page:
            most_photos = max(most_photos, len(stored.photos))
            for name, value in stored.product.attributes.items():
                attributes.setdefault(name, Kinds()).add(value)
    return InferredSchema(attributes=dict(sorted(attributes.items())), most_photos=most_photos)


def _type_of(value: AttributeValue) -> type:
    is_large = isinstance(value, int) and not -_MAX_INT <= value < _MAX_INT
    return str if is_large else type(value)
