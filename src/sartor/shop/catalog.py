"""What is in the catalog: products are brought in, read, written as files and deleted."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

from sartor.errors import EmptyCatalog, ExportFailed, PhotoRejected, ProductNotFound, SartorError
from sartor.imaging import reduced
from sartor.ingest.export.run import export, require_possible
from sartor.ingest.export.source import ExportSource, selected
from sartor.ingest.pipeline import IngestOptions, ingest
from sartor.ingest.predictions import predictions_of
from sartor.ingest.preview import Preview, preview
from sartor.ingest.put import delete_product, put_products
from sartor.offers import AVAILABILITY, PRICE_CURRENCY, Availability
from sartor.recommend.filters import (
    currencies_of,
    currency_in,
    parse_where,
    require_attributes,
    require_clear,
    require_names,
    require_one_currency,
    require_values,
    where_of,
)
from sartor.recommend.similar import FACET_VALUES
from sartor.types import EVERYTHING, AnyOf, Not, Sort, Where
from sartor.values import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sartor.catalog.fetching import AnySource, OnFetch
    from sartor.imaging import Thumbnail
    from sartor.ingest.export.run import ExportOptions, ExportReport
    from sartor.ingest.photos import IngestReport, OnProgress
    from sartor.ingest.put import ProductInput, PutOutcome
    from sartor.recommend.filters import Filter
    from sartor.shop.backends import Backends, OpenModel
    from sartor.shop.models import Models
    from sartor.store.base import CatalogStore, StoreCounts
    from sartor.types import FacetValue, Listing, ListingQuery, Photo, StoredProduct

logger = logging.getLogger(__name__)


_UPLOADS = "sources"  # the directory of uploads
_MAX_KEY_CHARS = 100
_CHUNK_BYTES = 1 << 20


class Catalog:
    """The products of a shop.

    Args:
        backends: The engines of the workspace.
        models: Remembers which model embeds.
        model: Gives the model to embed with.
    """

    def __init__(self, backends: Backends, models: Models, model: Callable[[], OpenModel]) -> None:
        self._backends, self._models, self._model = backends, models, model
        self._store, self._media = backends.store, backends.media

    @property
    def home(self) -> Path:
        """Directory of the workspace, or of what is derived from it where a server holds it."""
        return self._backends.home

    @property
    def store(self) -> CatalogStore:
        """What holds the catalog, and the API keys."""
        return self._store

    def index(  # noqa: PLR0913 - each is a keyword of its own
        self,
        source: AnySource,
        *,
        limit: int | None,
        prune: bool,
        allow_shrink: bool,
        ray: str | None,
        columns: Mapping[str, str] | None,
        on_progress: OnProgress,
        on_fetch: OnFetch = lambda _: None,
        keeps_network: bool = False,
    ) -> IngestReport:
        """Bring the products of a source in; the mapping of its columns is remembered.

        Other writes of this process get in between its steps. With ``keeps_network``, so do queries by photo at
        once, as the network stays loaded.
        """
        sources = self._backends.sources
        with sources.open(source, columns=columns, on_fetch=on_fetch) as opened:
            options = IngestOptions(
                source_id=sources.id_of(source),
                limit=limit,
                prune=prune,
                shrink=None if allow_shrink else self._backends.shrink,
                keeps_network=keeps_network,
            )
            with self._backends.writing:
                model = self._embedding_model()
                context = model.ingest_context(ray=ray)
            report = ingest(opened, context, options, on_progress=on_progress)
            with self._backends.writing:
                if columns is not None:
                    sources.remember_columns(source, columns)
                self._models.settle(model.index)
                self._models.describe()
            for folder in sources.sweep(self._store.counts().sources):
                logger.info("copy of a source deleted, as no product came from it: folder=%s", folder)
            return report

    def state_of(self, source: str | Path) -> str:
        """What changes with a source: the times and sizes of its files, or their versions at an address."""
        return self._backends.sources.state_of(source)

    def preview(
        self,
        source: AnySource,
        *,
        limit: int | None,
        columns: Mapping[str, str] | None,
        on_fetch: OnFetch = lambda _: None,
    ) -> Preview:
        """What ``index`` would find in a source."""
        with self._backends.sources.open(source, columns=columns, on_fetch=on_fetch) as opened:
            return preview(opened, limit=limit)

    def keep_upload(self, name: str, file: BinaryIO) -> str:
        """Keep an uploaded ZIP where it is found again, and return what ``index`` takes for it.

        Where the photos are in a bucket, it goes there, too, for all hosts; else into the workspace's directory.
        Another file of the same name stays as it is.
        """
        name = name.replace("\\", "/").rpartition("/")[2].lstrip(".") or "upload.zip"
        digest = _digest(file)
        if (originals := self._media.originals) is not None:
            plain = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII)  # an address has no other letters
            key = plain[-_MAX_KEY_CHARS:]
            return originals.put_source(f"{digest[:16]}/{key}", file)
        directory = self._backends.home / _UPLOADS
        directory.mkdir(exist_ok=True)
        kept, number = directory / name, 1
        while kept.exists() and _digest_of(kept) != digest:
            number += 1
            kept = (directory / name).with_stem(f"{(directory / name).stem}-{number}")
        file.seek(0)
        with kept.open("wb") as target:
            shutil.copyfileobj(file, target)
        return str(kept)

    def put(self, items: Sequence[ProductInput]) -> list[PutOutcome]:
        """Write products."""
        with self._backends.writing:
            model = self._embedding_model()
            outcomes = put_products(items, model.ingest_context(), model.embedder)
            self._models.describe()
            return outcomes

    def delete(self, product_id: str) -> int | None:
        """Delete a product; returns the revision without it, None if there was none."""
        with self._backends.writing:
            return delete_product(product_id, self._model().ingest_context())

    def export(self, options: ExportOptions, *, on_progress: OnProgress) -> ExportReport:
        """Write the catalog or its embeddings as files; writes to the catalog wait meanwhile."""
        require_possible(options)
        with self._backends.writing:
            return export(options, self._export_source(options, on_progress))

    def where(self, given: Filter | None) -> Where:
        """A filter as it was given, read.

        Raises:
            BadFilter: It cannot be understood, or its text can be read in two ways.
        """
        if isinstance(given, str):
            given = parse_where([given])
        elif not isinstance(given, Where | Mapping | None):
            given = parse_where(given)
        where = given if isinstance(given, Where) else where_of(given or {})
        require_clear(where, self._store)
        require_one_currency(where, self._store)
        return where

    def budgeted(self, where: Where, products: Sequence[str], *, budget: float | None) -> Where:
        """A filter for a budget: in a catalog with several currencies, in that of the first product with a price.

        Raises:
            MixedCurrencies: None of the products tells a currency, and neither does the filter.
        """
        if budget is None or len(currencies_of(self._store)) <= 1 or currency_in(where) is not None:
            return where
        stored = self._store.products(products)
        found = (
            value.text
            for product_id in products
            if product_id in stored
            for value in values_of(stored[product_id].product)
            if value.attribute == PRICE_CURRENCY
        )
        if (currency := next(found, None)) is not None:
            only = AnyOf(attribute=PRICE_CURRENCY, values=(currency,))
            return Where((*where.conditions, only), where.unclear)
        require_one_currency(where, self._store, budget=budget)
        return where

    def currencies(self, where: Where = EVERYTHING) -> dict[str, int]:
        """What the prices of products that pass are in, and how many products have each."""
        return currencies_of(self._store, where)

    def offered(self, given: Filter | None, *, include_unavailable: bool | None) -> Where:
        """A filter for recommendations: also without what is out of stock, unless the filter or the shop wants it.

        Args:
            given: The filter as it was given.
            include_unavailable: Whether to recommend what is out of stock; None is the shop's setting.
        """
        where = self.where(given)
        include = self._backends.include_unavailable if include_unavailable is None else include_unavailable
        if include or AVAILABILITY in where.attributes or AVAILABILITY not in self._store.attribute_names():
            return where
        gone = AnyOf(attribute=AVAILABILITY, values=(Availability.OUT_OF_STOCK.value,))
        return Where((*where.conditions, Not(condition=gone)), where.unclear)

    def listing(self, query: ListingQuery) -> Listing:
        """A page of products."""
        self._describe()
        require_attributes(query.where, self._listed_names())
        sorts = query.sort in {Sort.PRICE_UP, Sort.PRICE_DOWN}
        require_one_currency(query.where, self._store, sorts=sorts)
        return self._store.listing(query)

    def facets(
        self, attributes: Sequence[str] | None, *, where: Where, words: str
    ) -> Mapping[str, Sequence[FacetValue]]:
        """Values of attributes, with how many products have each.

        Raises:
            UnknownAttribute: No product has one of them.
        """
        self._describe()
        names = self._store.facet_names() if attributes is None else attributes
        if attributes:
            require_names(attributes, self._listed_names())
        return self._store.facets(names, where=where, words=words, limit=FACET_VALUES)

    def product(self, product_id: str) -> StoredProduct:
        """A product by its id."""
        self._describe()
        stored = self._store.products([product_id]).get(product_id)
        if stored is None:
            raise ProductNotFound(product_id)
        if self._store.predicted() is None and (features := self._models.describing()) is not None:
            guesses = predictions_of(self._store, features, [product_id])  # the listing has them, elsewhere
            stored = replace(stored, predicted=guesses.get(product_id, {}))
        return stored

    def product_ids(self) -> list[str]:
        """Ids of all products, sorted."""
        return self._store.product_ids()

    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes that products have, and of those that the model predicts, sorted."""
        return tuple(sorted({*self._store.attribute_names(), *self._model().features.attributes}))

    def predicted_names(self) -> tuple[str, ...]:
        """Names of the attributes that the default model predicts where the catalog does not tell them, sorted."""
        features = self._models.describing()
        return () if features is None else tuple(sorted(features.attributes))

    def counts(self) -> StoreCounts:
        """How many products, photos and embeddings there are."""
        return self._store.counts()

    def thumbnail(self, photo: Photo) -> Path:
        """Path of a photo as the workspace keeps it."""
        if not photo.has_picture:
            raise PhotoRejected(photo.name, reason="only its vector was imported; import it again with --images")
        return self._media.path(photo.thumbnail)

    def picture(self, sha256: str, *, max_px: int) -> Thumbnail | None:
        """The photo as image bytes, at most ``max_px`` on a side; None for an unknown SHA-256."""
        photo = self._store.photos([sha256]).get(sha256)
        if photo is None or not photo.has_picture or not self._media.exists(photo.thumbnail):
            return None
        return reduced(self._media.read(photo.thumbnail), photo.thumbnail, max_px=max_px)

    def _listed_names(self) -> tuple[str, ...]:
        return tuple(sorted({*self._store.attribute_names(), *self.predicted_names()}))

    def _describe(self) -> None:
        """Bring predictions up to date before they are read, unless another process is in the way."""
        try:
            self._models.describe()
        except SartorError as error:
            logger.warning("predictions are behind: reason=%s", error)

    def _embedding_model(self) -> OpenModel:
        model = self._model()
        self._models.remember(model.card)
        return model

    def _export_source(self, options: ExportOptions, on_progress: OnProgress) -> ExportSource:
        if not options.format.is_table:
            self._model().require_embeddings()
        elif not self._store.counts().products:
            raise EmptyCatalog(self._backends.name)
        self._describe()
        require_attributes(options.where, self._listed_names())
        require_values(options.where, self._store)
        ids = selected(self._store, options.where)
        if not ids:
            raise ExportFailed(options.path, reason="no product passes the filter")
        return ExportSource(
            store=self._store,
            media=self._media,
            ids=ids,
            on_progress=on_progress,
            model=None if options.format.is_table else self._model().card,
        )


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file)
