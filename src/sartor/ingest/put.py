"""Puts and deletes single products, as a shop's own system sends them; each call is one transaction."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from sartor.errors import PhotoRejected
from sartor.imaging.fetch import EncodedPhoto, encoded_photo
from sartor.ingest.photos import Rejection
from sartor.ingest.writer import retried
from sartor.limits import UNUSED_PHOTO_AGE_S
from sartor.types import Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.imaging import UrlPolicy
    from sartor.ingest.photos import PhotoEmbedder
    from sartor.ingest.pipeline import IngestContext
    from sartor.ingest.writer import CatalogWriter
    from sartor.recommend.query import PhotoInput

# The photos of an item, each once, and the unreadable ones; None for an item that keeps its photos.
_Read: TypeAlias = "tuple[list[EncodedPhoto] | None, tuple[Rejection, ...]]"

SOURCE = "api"  # source of products that no ingest added


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInput:
    """A product as it should be.

    Attributes:
        product: Its id, title and attributes.
        photos: Its photos, the main one first; None keeps the photos that it has.

    Raises:
        ValueError: An attribute is NaN or infinite.
    """

    product: Product
    photos: Sequence[PhotoInput] | None = None

    def __post_init__(self) -> None:
        for name, value in self.product.attributes.items():
            if isinstance(value, float) and not math.isfinite(value):  # an index cannot hold it, nor can JSON
                msg = f"{name} of product {self.product.id} is {value}; leave an attribute without a value out"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOutcome:
    """What became of a product that was put.

    Attributes:
        product_id: The product.
        created: Whether its id is new.
        stored: The product as it is now; None if it was refused.
        rejected: The photos that cannot be used; any of them makes the product refused.
        revision: A revision of the store that has the product like this. Another process shows it once its
            ``Shop.revision`` is not lower.
    """

    product_id: str
    created: bool
    stored: StoredProduct | None
    rejected: tuple[Rejection, ...] = ()
    revision: int = 0


def put_products(
    items: Sequence[ProductInput], context: IngestContext, embedder: PhotoEmbedder
) -> list[PutOutcome]:
    """Write products and make them searchable; a product with an unusable photo stays as it was.

    Returns:
        The outcomes, in order. What is stored is committed, and the index has it. Of two items with one id the
        later one counts.

    Raises:
        WriteConflict: Other processes change these products all the time.
    """
    read = [_read(item, context.urls) for item in items]
    return retried(lambda: _put(items, read, context.catalog, embedder))


def _put(
    items: Sequence[ProductInput], read: Sequence[_Read], catalog: CatalogWriter, embedder: PhotoEmbedder
) -> list[PutOutcome]:
    read_at = catalog.store.revision
    photos = {photo.sha256: photo for of_item, _ in read for photo in of_item or ()}
    stored = catalog.store.products({item.product.id for item in items})
    known, new = catalog.split(photos)
    embedded = embedder.start(new).result()
    usable = known | embedded.photos
    reasons = {rejection.photo: rejection.reason for rejection in embedded.rejected}
    unusable = {sha256: reasons[photo.name] for sha256, photo in photos.items() if sha256 not in usable}
    results, writes = [], {}
    for item, (of_item, unreadable) in zip(items, read, strict=True):
        previous = stored.get(item.product.id)
        rejected = (
            *unreadable,
            *(
                Rejection(photo=photo.name, reason=unusable[photo.sha256])
                for photo in of_item or ()
                if photo.sha256 in unusable
            ),
        )
        product = None if rejected else _stored(item, of_item, usable, previous)
        if product is not None:
            writes[item.product.id] = product
        results.append(
            PutOutcome(product_id=item.product.id, created=previous is None, stored=product, rejected=rejected)
        )
    changed = [product for product in writes.values() if stored.get(product.product.id) != product]
    shown = {photo.sha256 for product in writes.values() for photo in product.photos}
    embeddings = {sha256: vector for sha256, vector in embedded.vectors.items() if sha256 in shown}
    revision = read_at
    if changed or embeddings:
        palettes = {sha256: embedded.palettes[sha256] for sha256 in embeddings}
        revision = catalog.write(changed, embeddings=embeddings, palettes=palettes, read_at=read_at, known=known)
    replaced = [photo for previous in stored.values() for photo in previous.photos]
    _forget_unused([*replaced, *embedded.photos.values()], catalog)
    return [replace(outcome, revision=revision) for outcome in results]


def delete_product(product_id: str, context: IngestContext) -> int | None:
    """Delete a product, and its photos if no other product shows them.

    Returns:
        The store's revision that no longer has it; None if there was none.
    """
    catalog = context.catalog
    stored = catalog.store.products([product_id]).get(product_id)
    if stored is None:
        catalog.store.follow()  # another process may just have written it
        stored = catalog.store.products([product_id]).get(product_id)
    if stored is None:
        return None
    revision = catalog.store.delete([product_id])
    catalog.catch_up()
    _forget_unused(stored.photos, catalog)
    return revision


def _forget_unused(photos: Sequence[Photo], catalog: CatalogWriter) -> None:
    """Delete the photos that no product shows; thumbnails that are young stay for ``tidy_media``."""
    shown = catalog.store.photos({photo.sha256 for photo in photos})
    unused = [photo for photo in photos if photo.sha256 not in shown]
    if unused:
        catalog.store.drop_unused_photos()
    for photo in unused:
        if photo.has_picture:
            catalog.media.delete(photo.thumbnail, min_age_s=UNUSED_PHOTO_AGE_S)


def _read(item: ProductInput, urls: UrlPolicy) -> _Read:
    """The photos of an item, each once, and the unreadable ones; None for an item that keeps its photos."""
    if item.photos is None:
        return None, ()
    photos: dict[str, EncodedPhoto] = {}
    rejected = []
    for number, photo in enumerate(item.photos, start=1):
        try:
            encoded = photo if isinstance(photo, EncodedPhoto) else encoded_photo(photo, urls=urls)
        except PhotoRejected as error:
            rejected.append(Rejection(photo=error.photo, reason=error.reason))
        else:
            name = f"photo {number} of {item.product.id}" if isinstance(photo, bytes) else encoded.name
            photos.setdefault(encoded.sha256, replace(encoded, name=name))
    return list(photos.values()), tuple(rejected)


def _stored(
    item: ProductInput,
    photos: Sequence[EncodedPhoto] | None,
    usable: Mapping[str, Photo],
    previous: StoredProduct | None,
) -> StoredProduct:
    shown: tuple[Photo, ...] = previous.photos if previous is not None else ()
    if photos is not None:
        shown = tuple(replace(usable[photo.sha256], name=photo.name) for photo in photos)
    source = SOURCE if previous is None else previous.source
    return StoredProduct(product=item.product, photos=shown, source=source)
