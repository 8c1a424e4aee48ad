"""What the store gives and takes beyond the common nouns of ``sartor.types``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sartor.types import Palette, StoredProduct, Vector


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
