"""The front door: a workspace as one object, with a method for each thing that is done with it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Self

from PIL import Image

from sartor.catalog import open_source
from sartor.contenders import contender
from sartor.default_model import DefaultModel
from sartor.errors import (
    EmptyCatalog,
    EmptyQuery,
    ModelMismatch,
    PhotoRejected,
    ProductNotFound,
)
from sartor.evaluation.label_map import LabelMap
from sartor.imaging import reduced
from sartor.imaging.oklab import named_color
from sartor.imaging.palette import palette_of_color
from sartor.imported_model import ImportedModel, ImportOrder
from sartor.pipelines.atlas import MOST_PLACED, lay_out
from sartor.pipelines.check import check_index, check_media, check_store, rebuild_index, tidy_media
from sartor.pipelines.compose import Composer
from sartor.pipelines.duplicates import DuplicatePhoto, find_duplicates
from sartor.pipelines.evaluating.evaluate import ShowProgress, evaluate, silent
from sartor.pipelines.evaluating.order import DEFAULT_KS, EvaluationOrder
from sartor.pipelines.explain import Explained, explain
from sartor.pipelines.exporting.export import export, require_possible
from sartor.pipelines.exporting.formats import ExportFormat
from sartor.pipelines.exporting.report import ExportOrder
from sartor.pipelines.exporting.stock import Stock, selected
from sartor.pipelines.health import examine
from sartor.pipelines.info import Info, take_stock
from sartor.pipelines.ingest import IngestOptions, Workbench, ingest
from sartor.pipelines.photos import PhotoEmbedder
from sartor.pipelines.put import ProductInput, PutOutcome, delete_product, put_products
from sartor.pipelines.query import Part, PhotoInput, Reader, parts_of
from sartor.pipelines.sync import catch_up
from sartor.pipelines.wardrobe import StoredWardrobe
from sartor.recommend.colors import color_vector
from sartor.recommend.filters import require_attributes, require_values, where_of
from sartor.recommend.match import Matching
from sartor.recommend.outfits import LookQuery, Outfit, outfit
from sartor.recommend.reasons import Seen
from sartor.recommend.similar import DEFAULT_K, FACET_VALUES, Model, Recommendation, SimilarQuery, similar
from sartor.recommend.slots import slot_named
from sartor.recommend.traits import recolored
from sartor.recommend.tuning import (
    COLOR_ONLY_DIALS,
    COLORED_DIALS,
    DEFAULT_DIALS,
    DISLIKE_WEIGHT,
    LIKE_WEIGHT,
)
from sartor.types import EVERYTHING, Metric, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.backends import Backends
    from sartor.encoders.card import ModelCard
    from sartor.encoders.encoder import Encoder
    from sartor.evaluation.results import CatalogHealth, Evaluation
    from sartor.imaging import Thumbnail
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.atlas import CatalogMap
    from sartor.pipelines.check import Problem
    from sartor.pipelines.exporting.report import ExportReport
    from sartor.pipelines.importing.report import ImportReport
    from sartor.pipelines.photos import EncodedPhoto
    from sartor.pipelines.promote import PromotionReport
    from sartor.pipelines.report import IngestReport, OnProgress
    from sartor.recommend.filters import FilterValue
    from sartor.recommend.traits import Dials
    from sartor.store.records import Listing, ListingQuery, StoreCounts
    from sartor.store.sqlite import SqliteStore
    from sartor.types import FacetValue, Hit, Photo, StoredProduct


class Shop:
    """A workspace: a catalog, its embeddings, and what is recommended from them.

    Open one with ``sartor.open``, and close it, best with ``with``; until then no other process can open it.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._writing = RLock()
        self._family = [self]  # this one, and the same workspace through other models

    @property
    def home(self) -> Path:
        """Directory of the workspace."""
        return self._backends.home

    @property
    def model(self) -> ModelCard:
        """Card of the model that embeds photos here.

        Raises:
            NoModel: The workspace has none yet.
            ModelNotFound: The one that was asked for is not there.
            ModelNotChosen: There are several, and nothing says which.
        """
        return self._card

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of all models that are here, whether or not they have embedded the catalog."""
        return self._backends.models.cards()

    def through(self, model: str) -> Shop:
        """The same workspace as another of its models sees it, to ask; closing either closes both.

        Ask for it anew after a write or a promotion, which it does not see.

        Raises:
            ModelNotFound: There is no such model.
        """
        card = self._backends.models.card(model)
        with self._writing:
            found = next((shop for shop in self._family if shop.model == card), None)
            if found is None:
                found = Shop(replace(self._backends, choose_model=lambda _: card))
                found._family = self._family
                self._family.append(found)
            found._follow()
        return found

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
        order = ImportOrder(
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

    def warm_up(self) -> None:
        """Load the model and the index, so that the first query is as fast as the next.

        The graph of the index is built over what came since the last time. That halts all else in this process,
        for minutes after tens of thousands of products, so it is done here and not while others ask.
        """
        if self._card.network:
            height_px, width_px = self._card.size_px
            self._encoder.embed([Image.new("RGB", (width_px, height_px), "white")])
        with self._writing:
            self._index.optimize()
            self._index.mark(self._store.revision)

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

    def describe(self, photo: PhotoInput | Part) -> Seen:
        """What is seen in a photo: attributes with their probability, and colors.

        Raises:
            PhotoRejected: It cannot be used.
        """
        return self._reader.understand(photo if isinstance(photo, Part) else Part(photo=photo)).seen

    def similar(  # noqa: PLR0913 - each is a keyword of its own
        self,
        *photos: PhotoInput | Part,
        product: str | Part | None = None,
        products: Sequence[str | Part] = (),
        like: Sequence[str] = (),
        dislike: Sequence[str] = (),
        color: str | None = None,
        dials: Dials | None = None,
        k: int = DEFAULT_K,
        where: Mapping[str, FilterValue] | Where | None = None,
        diversity: float = 0.0,
        facets: Sequence[str] = (),
        exclude: Sequence[str] = (),
        exact: bool = False,
        metric: Metric | str | None = None,
    ) -> Recommendation:
        """Find the products that look most like photos, products of the catalog, or a color.

        All parts together are one query, see ``docs/explanation/recommendations.md`` for the formula. The query
        itself is never a hit: neither a product of it, nor any that shows an identical photo, nor their variants.

        Args:
            photos: Paths of image files, their bytes, or their URLs where those are allowed; or a ``Part``, which
                has a weight and a region.
            product: Id of a product, in place of photos or together with them.
            products: More of them.
            like: Ids of products that the answer shall come near to, half as much as to the query.
            dislike: Ids of products that it shall keep away from; they are never hits.
            color: A name of CSS or ``#rrggbb``: alone, or in place of the color of the other parts.
            dials: How much style, color and category count; the default was chosen by measurement.
            k: How many products.
            where: Only products with these attributes, such as ``{"gender": "Women", "color!": "Black"}``.
            diversity: From 0, the closest, to 1, only what differs from each other.
            facets: Attributes whose values are counted among all products that pass the filter.
            exclude: Ids of products that are never hits.
            exact: Compare with every photo, rather than through an approximate index.
            metric: ``cosine`` or ``euclidean``, which rank alike and differ in their scores; none is the one that
                the workspace was opened with.

        Returns:
            At most ``k`` distinct products; without diversity their scores never rise.

        Raises:
            QueryError: The query is empty, or asks for what the catalog does not have.
            PhotoRejected: A photo cannot be used.
            ModelMismatch: The catalog was embedded with another model.
        """
        given = parts_of(photos, [*(() if product is None else (product,)), *products])
        if not given and not like and color is None:
            raise EmptyQuery
        self._require_embeddings()
        query = self._query(given, like, dislike, color, dials)
        wanted = replace(
            query,
            without=query.without | frozenset(exclude),
            k=k,
            where=where if isinstance(where, Where) else where_of(where or {}),
            diversity=diversity,
            facets=tuple(facets),
            exact=exact,
        )
        index = self._index if metric is None else self._index.by(Metric(metric))
        return similar(wanted, index=index, catalog=self._store, model=self._knowledge)

    def outfit(
        self,
        *products: str,
        slots: Sequence[str] | None = None,
        where: Mapping[str, FilterValue] | Where | None = None,
        max_price: float | None = None,
        alternatives: int = 3,
    ) -> Outfit:
        """Complete the look: for products, one product of each other slot that suits them.

        What is chosen is for the same person and occasion; colors go together; styles are close.

        Args:
            products: Ids of the pieces that are in it, at least one.
            slots: Which slots are wanted, such as ``("shoes", "bag")``; none takes top, bottom, shoes, bag, watch
                and eyewear, as far as they are free.
            where: Only products with these attributes.
            max_price: What the chosen pieces may cost together; those without a price are left out then.
            alternatives: How many for each slot.

        Raises:
            QueryError: There is no such product or slot, a product is not worn, or two cannot be in one look.
            ModelMismatch: The catalog was embedded with another model.
        """
        if not products:
            raise EmptyQuery
        self._require_embeddings()
        query = LookQuery(
            products=products,
            slots=None if slots is None else tuple(slot_named(name) for name in slots),
            where=where if isinstance(where, Where) else where_of(where or {}),
            max_price=max_price,
            alternatives=alternatives,
        )
        wardrobe = StoredWardrobe(self._store, self._composer)
        return outfit(
            query,
            index=self._index,
            catalog=self._store,
            wardrobe=wardrobe,
            known=self._knowledge.attributes,
        )

    def explain(self, query: PhotoInput | Part, hit: Hit) -> Explained:
        """Which regions of a query's photo and of a hit's make them close in style.

        What each place adds is exact: the places of either photo sum to the cosine of the two embeddings.

        Args:
            query: A photo, or a ``Part``: a region of one, or a product, of which the main photo counts.
            hit: What was found for it.

        Raises:
            NoRegions: The model does not give what this needs.
            PhotoRejected: A photo cannot be used.
            ProductNotFound: There is no such product, or it has no photo.
        """
        part = query if isinstance(query, Part) else Part(photo=query)
        regions = self._backends.regions(self._card)
        if part.product is not None:
            part = replace(part, photo=self.thumbnail(self._main_photo(part.product)), product=None)
        photos = (self._reader.decoded(part), self._reader.decoded(Part(photo=self.thumbnail(hit.photo))))
        return explain(self._encoder, regions, photos)

    def duplicates(self) -> tuple[tuple[DuplicatePhoto, ...], ...]:
        """Groups of the catalog's photos that show the same thing, identical files among them.

        Every photo is compared with every other: some seconds for 40,000.
        """
        self._require_embeddings()
        return find_duplicates(self._store, self._card.id)

    def _main_photo(self, product_id: str) -> Photo:
        photos = self.product(product_id).photos
        if not photos:
            raise ProductNotFound(product_id, reason="has no photo to compare")
        return photos[0]

    def _query(
        self,
        given: Sequence[Part],
        like: Sequence[str],
        dislike: Sequence[str],
        color: str | None,
        dials: Dials | None,
    ) -> SimilarQuery:
        reader = self._reader
        parts = [reader.understand(part) for part in given]
        liked = [reader.understand(Part(product=each, weight=LIKE_WEIGHT)) for each in like]
        disliked = [reader.understand(Part(product=each, weight=DISLIKE_WEIGHT)) for each in dislike]
        toward = [(each.traits, each.weight) for each in (*parts, *liked)]
        default = DEFAULT_DIALS
        if color is not None:
            shade = color_vector(palette_of_color(named_color(color)))
            toward = recolored(toward, shade) or [(self._composer.of_color(self._card.dimension, shade), 1.0)]
            default = COLORED_DIALS if parts or liked else COLOR_ONLY_DIALS
        understood = (*parts, *liked, *disliked)
        return SimilarQuery(
            parts=tuple(toward),
            against=tuple((each.traits, each.weight) for each in disliked),
            seen=parts[0].seen if parts else Seen(),
            dials=dials or default,
            without=frozenset().union(*(each.products for each in understood)),
            groups=frozenset().union(*(each.groups for each in understood)),
        )

    def evaluate(  # noqa: PLR0913 - each is a keyword of its own
        self,
        gallery: str | Path,
        *models: str,
        queries: str | Path | None = None,
        relevance: Sequence[str] = (),
        label_map: str | Path | None = None,
        instances: bool = False,
        held_out: bool = False,
        as_recommended: bool = False,
        ann: bool = False,
        pictures: bool = False,
        ks: Sequence[int] = DEFAULT_KS,
        seed: int = 0,
        limit: int | None = None,
        command: str = "",
        show: ShowProgress = silent,
    ) -> Evaluation:
        """Measure how good models are at finding what is relevant, on sources of products.

        What the workspace has embedded is not embedded again; nothing is written.

        Args:
            gallery: Source of the products that are searched.
            models: Ids of models, the first one being what the others are compared with; ``color-histogram`` and
                ``random`` are floors. None takes the workspace's default.
            queries: Source of the queries; None asks with each product of the gallery, and leaves itself out.
            relevance: Attributes that make products relevant; none takes kind, gender and color.
            label_map: TOML file that says which labels of the queries mean which of the gallery.
            instances: Look for the same product by its id in both sources, and by damaged photos.
            held_out: Ask only about products that the first model has not learned from.
            as_recommended: Compare as ``similar`` does, rather than by embeddings alone.
            ann: Measure the approximate index against exact search.
            pictures: Make what a report shows: queries beside their hits, and a map of the gallery.
            ks: Lengths of lists.
            seed: Of all that is random.
            limit: Take only the first so many products of each source.
            command: What asked for it, for a report.
            show: Shows the progress of something named.

        Raises:
            SourceError: A source cannot be read.
            ModelNotFound: There is no such model.
            UnknownAttribute: No product has an attribute that makes relevant.
            EvaluationError: There is nothing to evaluate, or the map of labels is none.
            ValueError: A length is below 1.
        """
        if not ks or min(ks) < 1:
            msg = f"lists have at least 1 product, not {tuple(ks)}"
            raise ValueError(msg)
        order = EvaluationOrder(
            gallery=Path(gallery),
            queries=None if queries is None else Path(queries),
            relevance=tuple(relevance),
            label_map=None if label_map is None else LabelMap.read(Path(label_map)),
            instances=instances,
            held_out=held_out,
            as_recommended=as_recommended,
            ann=ann,
            pictures=pictures,
            ks=tuple(sorted(set(ks))),
            seed=seed,
            limit=limit,
            command=command,
        )
        names = dict.fromkeys(models or (self._card.id,))
        contenders = [contender(self._backends, name) for name in names]
        return evaluate(order, contenders, urls=self._backends.urls, show=show)

    def map(self, *, most: int = MOST_PLACED, seed: int = 0) -> CatalogMap:
        """The catalog in two dimensions, so that products that look alike are near each other.

        Args:
            most: How many products at most, drawn at random; 1,500 take about 8 s, 3,000 about 19 s.
            seed: Of all that is random.

        Raises:
            EmptyCatalog: There is nothing to lay out.
            ModelMismatch: The catalog was embedded with another model.
        """
        self._require_embeddings()
        return lay_out(self._store, self._composer, most=most, seed=seed)

    def health(self) -> CatalogHealth:
        """What about the catalog makes recommendations worse, or may: photos, attributes, labels, neighbors.

        Every photo is compared with every other: about a minute for 40,000.

        Raises:
            ModelMismatch: The catalog was embedded with another model.
        """
        if self._store.counts().embeddings:
            self._require_embeddings()
        return examine(self._store, self._composer)

    def promote(
        self, model: str, *, force: bool = False, on_progress: OnProgress = lambda _: None
    ) -> PromotionReport:
        """Make a model the workspace's default, if it is better on held-out products of this catalog.

        The whole catalog is embedded with it first, while the present default goes on answering; what was
        embedded stays, so that trying again costs little.

        Args:
            model: Id of the model.
            force: Promote it whatever the comparison says.
            on_progress: Told after each step what is embedded by then.

        Raises:
            ModelNotFound: There is no such model.
            PromotionRefused: It is not shown to be better than the default.
            NothingToCompare: The catalog cannot tell which of them is better.
        """
        return self._default.promote(model, force=force, on_progress=on_progress)

    def rollback(self, *, on_progress: OnProgress = lambda _: None) -> PromotionReport:
        """Make the model that the last promotion replaced the default again.

        Its embeddings and its index were kept; photos that came since are embedded with it.

        Raises:
            NoPreviousModel: There is none.
            ModelNotFound: The model is no longer there.
        """
        return self._default.rollback(on_progress=on_progress)

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
        order = ExportOrder(
            path=Path(path),
            format=ExportFormat(format),
            where=where if isinstance(where, Where) else where_of(where or {}),
            images=images,
            force=force,
        )
        require_possible(order)
        with self._writing:
            return export(order, self._stock(order, on_progress))

    def _stock(self, order: ExportOrder, on_progress: OnProgress) -> Stock:
        if not order.format.is_table:
            self._require_embeddings()
        elif not self._store.counts().products:
            raise EmptyCatalog(self._backends.home)
        require_attributes(order.where, self._store.attribute_names())
        require_values(order.where, self._store)
        return Stock(
            store=self._store,
            media=self._backends.media,
            ids=selected(self._store, order.where),
            on_progress=on_progress,
            model=None if order.format.is_table else self._card,
        )

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

    def thumbnail(self, photo: Photo) -> Path:
        """Path of a photo as the workspace keeps it, at most 640 px wide and high.

        Raises:
            PhotoRejected: Only its embedding was imported.
        """
        if not photo.has_picture:
            raise PhotoRejected(photo.name, reason="only its vector was imported; import it again with --images")
        return self._backends.media.path(photo.thumbnail)

    def read(self, photo: PhotoInput) -> EncodedPhoto:
        """Read a photo once, to use it several times.

        Raises:
            PhotoRejected: It cannot be read.
        """
        return self._reader.read(photo)

    def product(self, product_id: str) -> StoredProduct:
        """A product of the catalog.

        Raises:
            ProductNotFound: There is none with this id.
        """
        stored = self._store.products([product_id]).get(product_id)
        if stored is None:
            raise ProductNotFound(product_id)
        return stored

    def info(self) -> Info:
        """What the workspace holds."""
        backends = self._backends
        return take_stock(backends.home, self._store, backends.models, default_model=self._default.id)

    def check(self, *, repair: bool = False) -> tuple[Problem, ...]:
        """Whether store, index and media agree; empty when they do.

        Args:
            repair: First rebuild the index from the store and delete thumbnails of no photo. Nothing is
                embedded again.
        """
        media = self._backends.media
        if repair:
            tidy_media(self._store, media)
        problems = [*check_store(self._store), *check_media(self._store, media)]
        for card, index in self._indexes():
            if repair:
                rebuild_index(self._store, index, self._compose(card))
            problems += check_index(self._store, index, model=card.id)
        return tuple(problems)

    def close(self) -> None:
        """Give the workspace back."""
        self._close_models()
        self._store.close()
        self._backends.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _store(self) -> SqliteStore:
        return self._backends.store

    @cached_property
    def _card(self) -> ModelCard:
        return self._default.card()

    @property
    def _default(self) -> DefaultModel:
        return DefaultModel(backends=self._backends, opened_index=self._opened_index, changed=self._close_models)

    @cached_property
    def _encoder(self) -> Encoder:
        return self._backends.open_encoder(self._card)

    @cached_property
    def _index(self) -> EdgeIndex:
        index = self._backends.open_index(self._card, self._composer)
        catch_up(self._store, index, self._composer)
        return index

    @cached_property
    def _composer(self) -> Composer:
        return self._compose(self._card)

    @property
    def _bench(self) -> Workbench:
        return Workbench(
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

    @property
    def _reader(self) -> Reader:
        return Reader(self._store, self._encoder, self._composer, self._backends.urls)

    @property
    def _knowledge(self) -> Model:
        composer, calibration = self._composer, self._card.calibration
        return Model(
            attributes=tuple({*self._store.attribute_names(), *composer.attributes}),
            predicted=lambda vectors: composer.describe(vectors[:, : self._card.dimension]),
            matching=None
            if calibration is None
            else Matching((calibration.slope, calibration.color, calibration.category), calibration.intercept),
        )

    def _compose(self, card: ModelCard) -> Composer:
        return Composer(card.id, self._backends.heads(card))

    def _indexes(self) -> Iterator[tuple[ModelCard, EdgeIndex]]:
        """The index of each model that has embedded photos of this catalog."""
        embedded = self._store.counts().embeddings
        for card in self._backends.models.cards():
            if card.id not in embedded:
                continue
            with self._opened_index(card) as index:
                catch_up(self._store, index, self._compose(card))
                yield card, index

    @contextmanager
    def _opened_index(self, card: ModelCard) -> Iterator[EdgeIndex]:
        """The index of a model: the open one, where there is one, since it cannot be opened twice."""
        for shop in self._family:
            if "_index" in vars(shop) and card == shop.model:
                yield shop._index  # noqa: SLF001 - of its own class
                return
        with self._backends.open_index(card, self._compose(card)) as index:
            yield index

    def _follow(self) -> None:
        """Open the index, or bring it up to date, where the model has embedded anything."""
        if self._store.has_embeddings(self._card.id):
            catch_up(self._store, self._index, self._composer)

    def _close_models(self) -> None:
        for shop in self._family:
            shop._close_model()  # noqa: SLF001 - of its own class

    def _close_model(self) -> None:
        opened = vars(self)
        for name in ("_card", "_composer"):
            opened.pop(name, None)
        for name in ("_embedder", "_encoder", "_index"):
            if (part := opened.pop(name, None)) is not None:
                part.close()

    def _require_embeddings(self) -> None:
        if self._store.has_embeddings(self._card.id):
            return
        others = list(self._store.counts().embeddings)
        if not others:
            raise EmptyCatalog(self._backends.home)
        raise ModelMismatch(index=others, query=self._card.id)
