"""Stops an ingest before it changes anything, if its source suddenly says much less than the catalog knows.

A nightly export that failed leaves a feed with a header alone, half of its rows, columns without values, letters
of another encoding, or new ids for the same photos. The source is read once without its photos and compared with
the store; what would be lost is counted.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.errors import SourceEmpty, SourceShrunk
from sartor.ingest.photos import batched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sartor.store.base import CatalogStore
    from sartor.types import AttributeValue, Product, SourceProduct, StoredProduct

_BATCH = 1_000  # products that are compared at once
_LOST_LETTER = "�"
_MOJIBAKE = ("cp1252", "latin-1")  # encodings that UTF-8 is mistaken for
_TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkLimits:
    """From when on a source says too little.

    Attributes:
        share: Part of the products, 0 to 1.
        products: Number of products. Where a source has fewer, all of them count as too many.
    """

    share: float
    products: int

    def is_reached(self, lost: int, *, of: int) -> bool:
        """Whether a loss is too large for an accident."""
        if lost == of:
            return lost > 1 or self.products <= lost
        return lost >= self.products and lost >= self.share * of


@dataclass(slots=True)
class _Losses:
    """What an ingest would lose, counted by what it is."""

    before: set[str]  # ids that came from this source
    products: set[str] = field(default_factory=set)
    known: int = 0
    attributes: Counter[str] = field(default_factory=Counter)
    photos: int = 0
    rows: int = 0
    letters: int = 0
    new_photos: set[str] = field(default_factory=set)  # names of photos of products that are new

    def add(self, offered: SourceProduct, stored: StoredProduct | None, *, source_id: str) -> None:
        """Compare a product of the source with what the store has."""
        product = offered.product
        if product.id in self.products:
            return
        self.products.add(product.id)
        if stored is None:
            if self.before:
                self.new_photos.update(photo.name for photo in offered.photos)
            return
        self.known += 1
        self.photos += bool(stored.photos) and not offered.photos and offered.has_no_photo
        if offered.is_described:
            self.attributes.update(_lost(stored.product, product))
            self.letters += _loses_letters(stored.product, product)
        elif stored.source == source_id and _lost(stored.product, product):
            self.rows += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkGuard:
    """Compares a source with the catalog before it is written.

    Attributes:
        store: What the catalog has.
        source_id: The source's name in the store.
        prune: Whether products that the source no longer has will be deleted.
        is_whole: Whether all products of the source are looked at.
        limits: From when on the source is refused; None where any loss is meant.
    """

    store: CatalogStore
    source_id: str
    prune: bool
    is_whole: bool
    limits: ShrinkLimits | None

    def examine(self, products: Iterable[SourceProduct], *, name: str) -> None:
        """Refuse a source that says much less than before.

        Args:
            products: What will be written.
            name: The source's name in messages.

        Raises:
            SourceEmpty: It has no product.
            SourceShrunk: The error says what would be lost.
            SourceError: It cannot be read to its end.
        """
        losses = _Losses(before=set(self.store.product_ids(source=self.source_id)))
        for batch in batched(products, _BATCH):
            stored = self.store.products([offered.product.id for offered in batch])
            for offered in batch:
                losses.add(offered, stored.get(offered.product.id), source_id=self.source_id)
        if not losses.products and not (self.prune and self.limits is None):
            raise SourceEmpty(name, known=len(losses.before))
        if self.limits is not None and (reached := self._reached(losses, self.limits)):
            raise SourceShrunk(name, losses=reached)

    def _reached(self, losses: _Losses, limits: ShrinkLimits) -> list[str]:
        gone = losses.before - losses.products if self.is_whole else set()
        total, known = len(losses.before), losses.known
        found = [
            (len(gone) if self.prune else 0, total, "would be deleted"),
            (_renamed(gone, losses.new_photos, self.store), total, "have another id for the same photo"),
            (losses.rows, known, "have a photo but no row any more"),
            (losses.photos, known, "would lose their photos"),
            (losses.letters, known, "would have other letters, as if read in a wrong encoding"),
            *((lost, known, f"would lose their {name}") for name, lost in losses.attributes.most_common()),
        ]
        return _sentences(found, limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedProduct:
    """A product that the catalog has, and what an import would make of it.

    Attributes:
        stored: What the store has.
        described: What a table beside the vectors says; None if it says nothing, and what is known stays.
        loses_photos: Whether it has pictures, and the import has none for it.
    """

    stored: StoredProduct
    described: Product | None
    loses_photos: bool


def examine_import(products: Iterable[ImportedProduct], limits: ShrinkLimits, *, name: str) -> None:
    """Refuse an import that takes much from the products that the catalog has.

    Raises:
        SourceShrunk: The error says what would be lost.
    """
    known = photos = letters = 0
    attributes: Counter[str] = Counter()
    for each in products:
        known += 1
        photos += each.loses_photos
        if each.described is not None:
            attributes.update(_lost(each.stored.product, each.described))
            letters += _loses_letters(each.stored.product, each.described)
    found = [
        (photos, known, "would lose their photos"),
        (letters, known, "would have other letters, as if read in a wrong encoding"),
        *((lost, known, f"would lose their {attribute}") for attribute, lost in attributes.most_common()),
    ]
    if reached := _sentences(found, limits):
        raise SourceShrunk(name, losses=reached)


def _sentences(found: Iterable[tuple[int, int, str]], limits: ShrinkLimits) -> list[str]:
    return [
        f"{lost:,} of {of:,} products {what}"
        for lost, of, what in found
        if lost and limits.is_reached(lost, of=of)
    ]


def _lost(stored: Product, offered: Product) -> list[str]:
    """Names of what the store has and the source no longer says."""
    lost = [name for name in stored.attributes if name not in offered.attributes]
    return [_TITLE, *lost] if stored.title and not offered.title else lost


def _renamed(gone: set[str], photos: set[str], store: CatalogStore) -> int:
    """How many products have left the source while their photo has come with another id."""
    if not photos:
        return 0
    return sum(
        any(photo.name in photos for photo in stored.photos)
        for batch in batched(sorted(gone), _BATCH)
        for stored in store.products(batch).values()
    )


def _loses_letters(stored: Product, offered: Product) -> bool:
    pairs = [
        (stored.title, offered.title),
        *((value, offered.attributes.get(name)) for name, value in stored.attributes.items()),
    ]
    return any(_is_garbled(before, after) for before, after in pairs)


def _is_garbled(before: AttributeValue, after: AttributeValue | None) -> bool:
    """Whether a text is the same but for its letters beyond ASCII, as after a reading in a wrong encoding."""
    if not isinstance(before, str) or not isinstance(after, str) or before == after:
        return False
    if _LOST_LETTER in after and _LOST_LETTER not in before:
        return True
    if before.isascii() or after.isascii() or _plain(before) != _plain(after):
        return False
    return _normal(before) != _normal(after) and not _is_mended(before, after)


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii())


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_mended(before: str, after: str) -> bool:
    """Whether the former text was the garbled one."""
    return any(after.encode().decode(encoding, "replace") == before for encoding in _MOJIBAKE)
