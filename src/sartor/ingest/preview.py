"""A source as an ingest finds it: its kind, the meaning of its columns, its first products, its oddities."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.catalog import Finding, Source
    from sartor.types import Product

PREVIEWED = 5  # products


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedProduct:
    """A product as it would be, with the names of its photos."""

    product: Product
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an ingest would find.

    Attributes:
        source: The source, as it was named.
        kind: As what it was recognized.
        mapping: Each column of its table, and what it is in the catalog.
        products: Number of products.
        photos: Number of their photos, each counted for each product; whether they can be read is not known.
        without_photo: Number of products without one.
        first: The first products.
        findings: What was noticed, such as what would be left out.
    """

    source: str
    kind: str
    mapping: tuple[tuple[str, str], ...]
    products: int
    photos: int
    without_photo: int
    first: tuple[PreviewedProduct, ...]
    findings: tuple[Finding, ...]


def preview(source: Source, *, limit: int | None = None) -> Preview:
    """Read a source without its photos; nothing is written."""
    products = photos = without_photo = 0
    first: list[PreviewedProduct] = []
    for offered in islice(source, limit):
        products += 1
        photos += len(offered.photos)
        without_photo += not offered.photos
        if len(first) < PREVIEWED:
            names = tuple(photo.name for photo in offered.photos)
            first.append(PreviewedProduct(product=offered.product, photos=names))
    return Preview(
        source=source.name,
        kind=source.kind,
        mapping=tuple(source.mapping),
        products=products,
        photos=photos,
        without_photo=without_photo,
        first=tuple(first),
        findings=source.findings.snapshot(),
    )
