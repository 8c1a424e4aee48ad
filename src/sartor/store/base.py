"""What the store gives and takes beyond the common nouns of ``sartor.types``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sartor.types import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.types import Palette, StoredProduct, Vector, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Products to write in one transaction, each with the photos that it shall have from now on.

    Attributes:
        products: The products, whole; what the store held of them is replaced.
        model: The model that made the embeddings.
        embeddings: Embeddings that the store does not have yet, by the photo's SHA-256.
        palettes: Colors that it does not have yet, likewise.
    """

    products: tuple[StoredProduct, ...]
    model: str
    embeddings: Mapping[str, Vector]
    palettes: Mapping[str, Palette] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last thing that happened to a product, at a revision of the store."""

    revision: int
    product_id: str
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCounts:
    """How much a store holds.

    Attributes:
        products: Products, with and without photos.
        photos: Distinct photos.
        embeddings: Embeddings by model.
        sources: Products by the source that they came from.
    """

    products: int
    photos: int
    embeddings: Mapping[str, int]
    sources: Mapping[str, int]


class Sort(StrEnum):
    """In which order products are listed; equal ones by id, in the same direction, or the newest first."""

    RELEVANCE = "relevance"  # how well the words fit; without words as NEWEST
    NEWEST = "newest"  # by when the product was first added
    TITLE = "title"
    PRICE_UP = "price"
    PRICE_DOWN = "-price"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingQuery:
    """A page of products that a shopper browses.

    Attributes:
        where: Only products that pass this filter.
        words: Only products in whose title or attributes each of these words occurs, and the one with this id.
        sort: Their order; those without a title or price come last where it is asked for.
        limit: Products on the page, at most.
        after: ``Listing.next`` of the page before this one; None for the first page.
    """

    where: Where = EVERYTHING
    words: str = ""
    sort: Sort = Sort.RELEVANCE
    limit: int = 24
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of products.

    Attributes:
        products: The page, in its order.
        total: Products on all pages.
        next: Where the next page begins, for ``ListingQuery.after``; None on the last page.
    """

    products: tuple[StoredProduct, ...]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key to the service, without the secret that it consists of.

    Attributes:
        id: Names the key where it is listed or deleted.
        name: What a person calls it.
        scope: What it allows.
        created_s: When it was made, in seconds since 1970 (UTC).
    """

    id: str
    name: str
    scope: str
    created_s: float
