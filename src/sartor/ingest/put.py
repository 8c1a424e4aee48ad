"""Single products into the catalog, one transaction for each call: what a shop's own system sends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sartor.errors import PhotoRejected
from sartor.imaging.fetch import EncodedPhoto, encoded_photo
from sartor.ingest.follow import catch_up
from sartor.ingest.photos import Rejection
from sartor.store.base import Write
from sartor.types import Photo, Product, StoredProduct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.ingest.photos import Embedded, PhotoEmbedder
    from sartor.ingest.pipeline import IngestContext
    from sartor.recommend.query import PhotoInput

SOURCE = "api"  # of products that no ingest brought


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInput:
    """A product as it shall be.

    Attributes:
        product: What is said of it.
        photos: Its photos, the main one first; None keeps those that it has.

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
        created: Whether there was none with this id.
        stored: How it is now; None where it was refused.
        rejected: Why it was refused: each photo that cannot be used.
    """

    product_id: str
    created: bool
    stored: StoredProduct | None
    rejected: tuple[Rejection, ...] = ()


def put_products(items: Sequence[ProductInput], bench: IngestContext, embedder: PhotoEmbedder) -> list[PutOutcome]:
    """Write products, and make them searchable; one of which a photo cannot be used stays as it was.

    Returns:
        The outcomes, in order. What is stored then is committed, and the index has it. Of two items with one
        id the later one counts.
    """
    read = [_read(item, bench) for item in items]
    photos = {photo.sha256: photo for theirs, _ in read for photo in theirs or ()}
    known = bench.store.products({item.product.id for item in items})
    usable, outcome = _embedded(photos, bench, embedder)
    by_name = {each.photo: each.reason for each in outcome.rejected}
    unusable = {sha256: by_name[photo.name] for sha256, photo in photos.items() if sha256 not in usable}
    results, writes = [], {}
    for item, (theirs, rejected) in zip(items, read, strict=True):
        former = known.get(item.product.id)
        refused = [photo for photo in theirs or () if photo.sha256 in unusable]
        bad = (*rejected, *(Rejection(photo=each.name, reason=unusable[each.sha256]) for each in refused))
        stored = None if bad else _stored(item, theirs, usable, former)
        if stored is not None:
            writes[stored.product.id] = stored
        results.append(PutOutcome(product_id=item.product.id, created=former is None, stored=stored, rejected=bad))
    _write(list(writes.values()), known, outcome, bench)
    replaced = [photo for former in known.values() for photo in former.photos]
    _forget_unused([*replaced, *outcome.photos.values()], bench)
    return results


def delete_product(product_id: str, bench: IngestContext) -> bool:
    """Delete a product, and its photos if no other product shows them; returns whether there was one."""
    stored = bench.store.products([product_id]).get(product_id)
    if stored is None:
        return False
    bench.store.delete([product_id])
    catch_up(bench.store, bench.index, bench.compose)
    _forget_unused(stored.photos, bench)
    return True


def _forget_unused(photos: Sequence[Photo], bench: IngestContext) -> None:
    """Delete photos, and their thumbnails, as far as no product shows them."""
    shown = bench.store.photos({photo.sha256 for photo in photos})
    unused = [photo for photo in photos if photo.sha256 not in shown]
    if unused:
        bench.store.drop_unused_photos()
    for photo in unused:
        if photo.has_picture:
            bench.media.delete(photo.thumbnail)


def _read(item: ProductInput, bench: IngestContext) -> tuple[list[EncodedPhoto] | None, tuple[Rejection, ...]]:
    """The photos of an item, each once; None where it keeps its own."""
    if item.photos is None:
        return None, ()
    photos: dict[str, EncodedPhoto] = {}
    rejected = []
    for place, photo in enumerate(item.photos, start=1):
        try:
            encoded = photo if isinstance(photo, EncodedPhoto) else encoded_photo(photo, urls=bench.urls)
        except PhotoRejected as error:
            rejected.append(Rejection(photo=error.photo, reason=error.reason))
        else:
            name = f"photo {place} of {item.product.id}" if isinstance(photo, bytes) else encoded.name
            photos.setdefault(encoded.sha256, replace(encoded, name=name))
    return list(photos.values()), tuple(rejected)


def _embedded(
    photos: Mapping[str, EncodedPhoto], bench: IngestContext, embedder: PhotoEmbedder
) -> tuple[dict[str, Photo], Embedded]:
    """What is known of all photos that can be used, and what became of those that were not known yet."""
    there = bench.store.photos(bench.store.embedded(bench.encoder.card.id, photos))
    held = {
        sha256: photo
        for sha256, photo in there.items()
        if photo.has_picture and bench.media.exists(photo.thumbnail)
    }
    outcome = embedder.start(photo for sha256, photo in photos.items() if sha256 not in held).result()
    return held | outcome.photos, outcome


def _stored(
    item: ProductInput,
    photos: Sequence[EncodedPhoto] | None,
    usable: Mapping[str, Photo],
    former: StoredProduct | None,
) -> StoredProduct:
    theirs: tuple[Photo, ...] = former.photos if former is not None else ()
    if photos is not None:
        theirs = tuple(replace(usable[photo.sha256], name=photo.name) for photo in photos)
    return StoredProduct(product=item.product, photos=theirs, source=SOURCE if former is None else former.source)


def _write(
    products: Sequence[StoredProduct],
    known: Mapping[str, StoredProduct],
    outcome: Embedded,
    bench: IngestContext,
) -> None:
    changed = [each for each in products if known.get(each.product.id) != each]
    shown = {photo.sha256 for each in products for photo in each.photos}
    embeddings = {sha256: vector for sha256, vector in outcome.vectors.items() if sha256 in shown}
    if not changed and not embeddings:
        return
    bench.store.write(
        Write(
            products=tuple(changed),
            model=bench.encoder.card.id,
            embeddings=embeddings,
            palettes={sha256: outcome.palettes[sha256] for sha256 in embeddings},
        )
    )
    catch_up(bench.store, bench.index, bench.compose)
