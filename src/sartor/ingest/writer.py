"""Writing the catalog: one place that knows which photos it has, and keeps the index up to date with the store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING, TypeVar

from sartor.errors import WriteConflict
from sartor.ingest.predictions import predictions_of
from sartor.store.base import Write
from sartor.types import ListedProduct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sartor.imaging.fetch import EncodedPhoto
    from sartor.index.base import IndexWriter, ListingWriter, RevisionWriter, VectorIndex
    from sartor.media.base import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore
    from sartor.types import Palette, Photo, StoredProduct, Vector

T = TypeVar("T")

logger = logging.getLogger(__name__)

_MAX_ATTEMPTS = 8  # of a write whose products another process changes each time
_PAGE = 512  # products a step; bounds memory


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogWriter:
    """Writes products and the embeddings of one model, a transaction each time, and keeps its index up to date.

    Attributes:
        store: The catalog.
        index: The index of the model.
        media: The thumbnails.
        features: Builds the index entries; it also says which model the embeddings are of.
    """

    store: CatalogStore
    index: VectorIndex
    media: MediaStore
    features: FeatureBuilder

    def split(
        self, photos: Mapping[str, EncodedPhoto], *, embedded: bool = True
    ) -> tuple[dict[str, Photo], list[EncodedPhoto]]:
        """Split photos into those that are ``known``, and the others in the given order.

        Args:
            photos: The photos, by SHA-256.
            embedded: As ``known`` takes it.
        """
        known = self.known(photos, embedded=embedded)
        return known, [photo for sha256, photo in photos.items() if sha256 not in known]

    def known(self, sha256s: Collection[str], *, embedded: bool = True) -> dict[str, Photo]:
        """The photos that the catalog has, by SHA-256.

        Args:
            sha256s: The photos to look for.
            embedded: Whether a photo also needs an embedding to count as known; its colors and its thumbnail are
                needed in any case.
        """
        store = self.store
        computed = store.embedded(self.features.model, sha256s) if embedded else store.palettes(sha256s).keys()
        pictured = {sha256: photo for sha256, photo in store.photos(computed).items() if photo.has_picture}
        kept = self.media.keep_all({photo.thumbnail for photo in pictured.values()})
        return {sha256: photo for sha256, photo in pictured.items() if photo.thumbnail in kept}

    def write(
        self,
        products: Sequence[StoredProduct],
        *,
        embeddings: Mapping[str, Vector],
        palettes: Mapping[str, Palette],
        read_at: int | None = None,
        known: Collection[str] = (),
    ) -> int:
        """Write products, embeddings and colors in one transaction, then update the index.

        Args:
            products: Whole products.
            embeddings: By the photo's SHA-256.
            palettes: By the photo's SHA-256.
            read_at: The revision at which the products were read, if the write depends on what they were.
            known: Photos of the products that ``split`` found, and that have to be there still.

        Returns:
            The store's revision that has the products.

        Raises:
            WriteConflict: Another process changed what the write depends on; nothing is written.
        """
        shown = {photo.sha256 for product in products for photo in product.photos}
        self.media.flush()
        revision = self.store.write(
            Write(
                products=tuple(products),
                model=self.features.model,
                embeddings=embeddings,
                palettes=palettes,
                read_at=read_at,
                known=shown.intersection(known),
            )
        )
        self.catch_up()
        return revision

    def catch_up(self) -> None:
        """Apply every change of the store that the index lacks."""
        catch_up(self.store, self.index, self.features)

    def finish(self) -> None:
        """Build the graph of the index over what was written, so that it answers as well as it can."""
        bring_up_to_date(self.store, self.index, self.features)


def retried(attempt: Callable[[], T]) -> T:
    """Read and write until no other process changed in between what was read.

    Raises:
        WriteConflict: It was changed each time.
    """
    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return attempt()
        except WriteConflict as conflict:
            logger.debug("write again: reason=%s", conflict)
    return attempt()


def catch_up(store: CatalogStore, index: VectorIndex, features: FeatureBuilder) -> int:
    """Apply every change of the store that the index lacks, or notice which ones the indexer has applied.

    Returns:
        How many products had changed.
    """
    if index.writer is None:
        index.refresh()
        return 0
    return write_changes(store, index.writer, features)


def write_changes(
    store: CatalogStore,
    writer: IndexWriter,
    features: FeatureBuilder,
    *,
    before_page: Callable[[], None] = lambda: None,
) -> int:
    """Write every change of the store that an index lacks.

    Repeating a part of it does no harm, so a kill at any moment only costs the work since the index was saved.

    Args:
        store: The catalog.
        writer: Writes the index.
        features: Builds the index entries.
        before_page: Called before each few hundred products; what it raises ends the work between two pages.

    Returns:
        How many products had changed.
    """

    def replace(page: _Page) -> None:
        entries = features.entries(store.embedded_photos(features.model, page.live))
        writer.replace(page.product_ids, entries, revision=page.revision)

    return _follow(store, writer, replace, before_page)


def write_listing(
    store: CatalogStore,
    writer: ListingWriter,
    *,
    before_page: Callable[[], None],
    features: FeatureBuilder | None = None,
) -> int:
    """The same for the index of the catalog's listing, which has products without photos, too.

    Args:
        store: The catalog.
        writer: Writes the listing.
        before_page: As ``write_changes`` takes it.
        features: Of the default model, by which products are described; None before there is one.
    """

    def replace(page: _Page) -> None:
        products, numbers = store.products(page.live), store.numbers(page.live)
        guesses = {} if features is None else predictions_of(store, features, page.live)
        listed = [
            ListedProduct(
                stored=replace_fields(stored, predicted=guesses.get(product_id, {})), number=numbers[product_id]
            )
            for product_id, stored in products.items()
            if product_id in numbers
        ]
        writer.replace(page.product_ids, listed, revision=page.revision)

    return _follow(store, writer, replace, before_page)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Some hundred changes: all products, those that were not deleted, and the last revision."""

    product_ids: list[str]
    live: list[str]
    revision: int


def _follow(
    store: CatalogStore,
    writer: RevisionWriter,
    replace: Callable[[_Page], None],
    before_page: Callable[[], None],
) -> int:
    done = 0
    if writer.revision > store.revision:  # this process may not have followed as far as the one that wrote
        store.follow()
    if writer.revision > store.revision:  # another file was put in the place of the store's
        logger.warning("the index is ahead of the store and is built again: revision=%d", writer.revision)
        writer.clear()
    while changes := store.changes(since=writer.revision, limit=_PAGE):
        before_page()
        page = _Page(
            product_ids=[change.product_id for change in changes],
            live=[change.product_id for change in changes if not change.deleted],
            revision=changes[-1].revision,
        )
        replace(page)
        writer.advance(page.revision, changed=len(changes))
        writer.share()
        done += len(changes)
    if done:
        logger.debug("index caught up: products=%d revision=%d", done, writer.revision)
    return done


def bring_up_to_date(store: CatalogStore, index: VectorIndex, features: FeatureBuilder) -> None:
    """Catch up, and build the graph over what came, so that the index answers as well as it can."""
    catch_up(store, index, features)
    if (writer := index.writer) is not None:
        writer.optimize()
        writer.mark(store.revision)
