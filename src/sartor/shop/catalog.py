"""What is in the catalog: bringing products in, reading them, taking them out."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.catalog import open_source
from sartor.errors import EmptyCatalog
from sartor.imaging import reduced
from sartor.ingest.export.run import ExportFormat, ExportOptions, export, require_possible
from sartor.ingest.export.source import ExportSource, selected
from sartor.ingest.photos import PhotoEmbedder
from sartor.ingest.pipeline import IngestContext, IngestOptions, ingest
from sartor.ingest.put import ProductInput, PutOutcome, delete_product, put_products
from sartor.recommend.filters import require_attributes, require_values, where_of
from sartor.recommend.similar import FACET_VALUES
from sartor.shop.models import ImportedModel, ImportOptions
from sartor.shop.workspace import Workspace
from sartor.types import EVERYTHING, Where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sartor.imaging import Thumbnail
    from sartor.ingest.export.run import ExportReport
    from sartor.ingest.photos import IngestReport, OnProgress
    from sartor.ingest.vectors import ImportReport
    from sartor.recommend.filters import FilterValue
    from sartor.store.base import Listing, ListingQuery, StoreCounts
    from sartor.types import FacetValue


class CatalogSide(Workspace):
    """A shop's catalog."""

    def index(
        self,
        source: str | Path,
        *,
        limit: int | None = None,
        prune: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> IngestReport:
        """Bring the products of a source into the catalog; doing it again changes nothing.

        Args:
            source: A folder of images, a ZIP, a Kaggle data set, a CSV or JSON Lines table, a Merchant feed.
            limit: Take only the first so many products.
            prune: Delete the products that once came from this source and have left it.
            on_progress: Told after each step what is committed by then.

        Raises:
            SourceError: The source cannot be read. Photos that cannot be read are in the report instead.
            ModelError: There is no model to embed with.
            ValueError: ``limit`` is below 1, or given together with ``prune``.
        """
        if limit is not None and (limit < 1 or prune):
            msg = "limit must be at least 1, and cannot go with prune, which needs the whole source"
            raise ValueError(msg)
        with open_source(Path(source)) as opened:
            source_id = str(Path(source).resolve())
            options = IngestOptions(source_id=source_id, limit=limit, prune=prune)
            with self._writing:
                self._default.remember(self._card)
                return ingest(opened, self._bench, options, on_progress=on_progress)

    def import_embeddings(  # noqa: PLR0913 - each is a keyword of its own
        self,
        file: str | Path,
        filenames: str | Path | None = None,
        *,
        images: str | Path | None = None,
        model: str | None = None,
        id: str | None = None,  # noqa: A002 - as the command calls it
        limit: int | None = None,
        force: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> ImportReport:
        """Take in embeddings that another program made; doing it again changes nothing.

        A pickle is read without running anything of it. A product is called by the stem of its photo's name. The
        vectors become the workspace's default model where it has none.

        Args:
            file: A pickle, ``.npy``, ``.npz`` or Parquet file of vectors.
            filenames: The names of their photos, where they lie apart: a pickle, ``.npy`` or a text.
            images: A folder or ZIP with the photos; without it they are looked for where their names say, in the
                folder of ``file``. A table in it, or beside it, gives titles and attributes.
            model: Id of the model of this workspace that made the vectors, with which some photos are embedded
                again to see. None makes a model without a network: it answers by product, not by photo.
            id: Id of that one; none is ``imported-`` and the length of a vector.
            limit: Take only the first so many products.
            force: Take the vectors as the model's, however little they agree with it.
            on_progress: Told after each step what is committed by then.

        Raises:
            UnsafePickle: A pickle holds more than lists, strings, numbers and arrays.
            UnreadableVectors: There are no vectors, or they fit neither their names nor the model.
            VectorsDisagree: They are not what the model gives.
            ModelNotFound: There is no such model.
            ModelExists: Other vectors, or a network, have the id.
            ValueError: ``limit`` is below 1, or ``model`` and ``id`` are given both.
        """
        if (limit is not None and limit < 1) or (model is not None and id is not None):
            msg = "limit must be at least 1, and id names a new model where model names one that is there"
            raise ValueError(msg)
        order = ImportOptions(
            file=Path(file),
            filenames=None if filenames is None else Path(filenames),
            images=None if images is None else Path(images),
            model=model,
            id=id,
            limit=limit,
            force=force,
        )
        with self._writing:
            had_default = self._default.id is not None
            imported = ImportedModel(
                backends=self._backends, default=self._default, opened_index=self._opened_index
            )
            report = imported.take_in(order, on_progress=on_progress)
            if not had_default:
                self._close_models()
        return report

    def put(self, *items: ProductInput) -> list[PutOutcome]:
        """Write products; what is returned is committed and can be found. Doing it again changes nothing.

        Args:
            items: Products with their photos; one of which a photo cannot be used stays as it was.

        Returns:
            What became of each, in order.
        """
        with self._writing:
            self._default.remember(self._card)
            return put_products(items, self._bench, self._embedder)

    def delete(self, product_id: str) -> bool:
        """Delete a product, and its photos if no other product shows them; returns whether there was one."""
        with self._writing:
            return delete_product(product_id, self._bench)

    def export(  # noqa: PLR0913 - each is a keyword of its own
        self,
        path: str | Path,
        *,
        format: ExportFormat | str,  # noqa: A002 - as the command calls it
        where: Mapping[str, FilterValue] | Where | None = None,
        images: bool = False,
        force: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> ExportReport:
        """Write the catalog or its embeddings as files that other programs read; writes wait meanwhile.

        Args:
            path: A file for ``npz``, ``parquet``, ``csv`` and ``jsonl``, a folder for the others and with images.
            format: One of ``ExportFormat``.
            where: Only products with these attributes, as the catalog tells them.
            images: For ``csv`` and ``jsonl``: also thumbnails, so that ``index`` reads the folder again.
            force: Replace an earlier export.
            on_progress: Told after each step.

        Returns:
            What was written, and what the format does not hold.

        Raises:
            ExportError: It cannot be written so, or not there.
            EmptyCatalog: There is nothing to export.
            QueryError: The filter asks for what no product has.
            ModelMismatch: The catalog was embedded with another model.
            MissingExtra: The format needs a package that is not installed.
        """
        order = ExportOptions(
            path=Path(path),
            format=ExportFormat(format),
            where=where if isinstance(where, Where) else where_of(where or {}),
            images=images,
            force=force,
        )
        require_possible(order)
        with self._writing:
            return export(order, self._stock(order, on_progress))

    def listing(self, query: ListingQuery) -> Listing:
        """Products of the catalog page by page, by filter and words.

        Raises:
            QueryError: The filter asks about an attribute that no product has, or the cursor is none.
        """
        require_attributes(query.where, self._store.attribute_names())
        return self._store.listing(query)

    def facets(
        self, attributes: Sequence[str] | None = None, *, where: Where = EVERYTHING, words: str = ""
    ) -> Mapping[str, Sequence[FacetValue]]:
        """Values of attributes, with how many products have each.

        Args:
            attributes: Which; None takes those that make good filters.
            where: Only products that pass this filter are counted.
            words: Only products with these words.
        """
        wanted = self._store.facet_names() if attributes is None else attributes
        return self._store.facets(wanted, where=where, words=words, limit=FACET_VALUES)

    def counts(self) -> StoreCounts:
        """How many products, photos and embeddings the catalog has."""
        return self._store.counts()

    def product_ids(self) -> list[str]:
        """Ids of all products, sorted."""
        return self._store.product_ids()

    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes that products have, and of those that the model predicts, sorted."""
        return tuple(sorted({*self._store.attribute_names(), *self._composer.attributes}))

    def picture(self, sha256: str, *, max_px: int) -> Thumbnail | None:
        """A photo of the catalog as a file, at most so large; None where there is none with this SHA-256."""
        photo = self._store.photos([sha256]).get(sha256)
        if photo is None or not photo.has_picture or not self._backends.media.exists(photo.thumbnail):
            return None
        return reduced(self._backends.media.read(photo.thumbnail), photo.thumbnail, max_px=max_px)

    @property
    def _bench(self) -> IngestContext:
        return IngestContext(
            store=self._store,
            index=self._index,
            media=self._backends.media,
            encoder=self._encoder,
            compose=self._composer,
            urls=self._backends.urls,
        )

    @cached_property
    def _embedder(self) -> PhotoEmbedder:
        return PhotoEmbedder(self._encoder, media=self._backends.media)

    def _stock(self, order: ExportOptions, on_progress: OnProgress) -> ExportSource:
        if not order.format.is_table:
            self._require_embeddings()
        elif not self._store.counts().products:
            raise EmptyCatalog(self._backends.home)
        require_attributes(order.where, self._store.attribute_names())
        require_values(order.where, self._store)
        return ExportSource(
            store=self._store,
            media=self._backends.media,
            ids=selected(self._store, order.where),
            on_progress=on_progress,
            model=None if order.format.is_table else self._card,
        )
