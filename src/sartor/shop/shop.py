"""The front door: a workspace as one object, with a method for each thing that is done with it.

``Shop`` takes plain keywords, and its parts do the work: ``catalog`` what is in it, ``recommender`` what comes out
of it, ``shoppers`` who shops there, ``evaluator`` how good it is, and ``Models`` which model embeds it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sartor.catalog.frames.memory import InMemory
from sartor.choices import ExportFormat
from sartor.errors import EmptyQuery
from sartor.evaluation.pictures import MAX_PRODUCTS
from sartor.evaluation.relevance import LabelMap
from sartor.evaluation.task import DEFAULT_KS, EvaluationRequest, ShowProgress, silent
from sartor.events.model import Event, EventCounts, EventType, Person, PersonRecord, RelationType
from sartor.events.vocabulary import Vocabulary
from sartor.ingest.export.run import ExportOptions
from sartor.limits import MAX_GARMENTS
from sartor.recommend.base import FeedRequest
from sartor.recommend.outfit.outfit import LookQuery, Outfit
from sartor.recommend.outfit.rules import slot_named
from sartor.recommend.query import Part, PhotoInput, parts_of
from sartor.recommend.similar import DEFAULT_K, Recommendation
from sartor.recommend.weights import FEED_DIVERSITY, TREND_WINDOW_S
from sartor.shop.catalog import Catalog
from sartor.shop.evaluator import Evaluator
from sartor.shop.models import ImportOptions, Models
from sartor.shop.recommender import Recommender, SearchRequest, SimilarRequest
from sartor.shop.shoppers import Shoppers, person_of
from sartor.types import ListingQuery, Metric, Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sartor.catalog.fetching import OnFetch
    from sartor.catalog.frames.memory import FrameInput
    from sartor.encoders.card import Measured, ModelCard
    from sartor.evaluation.pictures import CatalogMap
    from sartor.evaluation.promotion import PromotionReport
    from sartor.evaluation.replay.results import Replay
    from sartor.evaluation.results import CatalogHealth, Evaluation
    from sartor.events.model import Taken
    from sartor.imaging import Thumbnail
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.ingest.events import EventImportReport, OnEvents
    from sartor.ingest.export.run import ExportReport
    from sartor.ingest.maintenance import Info, Problem
    from sartor.ingest.photos import IngestReport, OnProgress
    from sartor.ingest.preview import Preview
    from sartor.ingest.put import ProductInput, PutOutcome
    from sartor.ingest.vectors import ImportReport
    from sartor.recommend.base import Feed
    from sartor.recommend.boxes import GarmentBox, GarmentHits
    from sartor.recommend.duplicates import DuplicatePhoto
    from sartor.recommend.explain import Explained, QueryAttributes
    from sartor.recommend.features import FeatureWeights
    from sartor.recommend.filters import Filter
    from sartor.recommend.search import Found
    from sartor.shop.backends import Backends
    from sartor.shop.text_training import TrainedText
    from sartor.store.base import StoreCounts
    from sartor.training.text import OnText
    from sartor.types import FacetValue, Hit, Listing, Photo, StoredProduct


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a shop shares with its views through other models."""

    backends: Backends
    models: Models
    shoppers: Shoppers
    views: list[Shop] = field(default_factory=list)

    @classmethod
    def of(cls, backends: Backends) -> Self:
        """A workspace on these engines."""
        return cls(backends, Models(backends), Shoppers(backends))


class Shop:
    """A workspace: a catalog, its embeddings, and what is recommended from them.

    Open one with ``sartor.open``, and close it, best with ``with``. Its methods may be called from several
    threads, and several processes may have it open: each sees within a moment what another one writes.

    A filter, ``where``, is a mapping such as ``{"gender": "Women", "color": ["Red", "Pink"], "price": (10, 50),
    "brand!": "Acme"}``, or text as the command line has it, such as ``'material="Cotton, Linen"'``, or several of
    them. A ``str`` for a person is the id of a user.

    Attributes:
        catalog: What is in it.
        recommender: What comes out of it.
        shoppers: Who shops there, and what they did.
        evaluator: How good it is.
    """

    def __init__(self, workspace: Workspace, *, model: str | None = None) -> None:
        """``model`` is the id of the model to look through; None is the workspace's."""
        self._workspace, self._backends, self._models = workspace, workspace.backends, workspace.models
        in_use = partial(self._models.in_use, model)
        self._model = in_use
        self.shoppers = workspace.shoppers
        self.catalog = Catalog(self._backends, self._models, in_use)
        self.recommender = Recommender(self._backends, in_use, catalog=self.catalog, shoppers=self.shoppers)
        self.evaluator = Evaluator(self._backends, self._models, in_use, self.recommender)
        workspace.views.append(self)

    @property
    def home(self) -> Path:
        """Directory of the workspace.

        Example:
            >>> shop.home
            PosixPath('shop')
        """
        return self._backends.home

    @property
    def derived(self) -> Path:
        """Directory of what can be made again: that of the workspace, or one in the cache if that is read-only.

        Example:
            >>> shop.derived == shop.home
            True
        """
        return self._backends.derived

    @property
    def model(self) -> ModelCard:
        """Card of the model that embeds photos here.

        Raises:
            NoModel: The workspace has none yet.
            ModelNotFound: The model that was asked for is missing.
            ModelNotChosen: There are several, and nothing says which.

        Example:
            >>> shop.model.id
            'color'
        """
        return self._model().card

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of all models of the workspace, whether or not they have embedded the catalog.

        Example:
            >>> [card.id for card in shop.models]
            ['color']
        """
        return self._models.cards()

    @property
    def revision(self) -> int:
        """Revision of the workspace that this process has followed to; each written product raises it.

        All that was written up to it, by any process, is in every search. Another process may be ahead.

        Example:
            >>> item = ProductInput(product=Product(id="new", title="Wine Tshirt"), photos=["photos/red.png"])
            >>> shop.put(item)[0].revision == shop.revision
            True
        """
        index, listed = self._model().index_if_open, self._backends.store.listed_revision
        return listed if index is None else min(listed, index.revision)  # a shared index may be ahead

    @property
    def stale_since(self) -> float | None:
        """Since when the store has not answered, in seconds since 1970 (UTC); None while it does.

        Until it answers again, searches and listings go on from what this process has, and writes are refused.

        Example:
            >>> shop.stale_since is None
            True
        """
        return self._backends.store.away_since

    def through(self, model: str) -> Shop:
        """The same workspace as another of its models sees it, for queries; closing either closes both.

        Ask for it again after a write or a promotion, which it does not see.

        Raises:
            ModelNotFound: There is no such model.

        Example:
            >>> shop.through("color").similar(product="red", k=1)[0].product_id
            'pink'
        """
        card = self._models.card(model)
        with self._backends.writing:
            view = next((view for view in self._workspace.views if view.model == card), None)
            view = view or Shop(self._workspace, model=model)
            self._models.in_use(model).follow()
        return view

    def warm_up(self) -> None:
        """Load the model, the index and what shoppers did, so that the first query is as fast as the next.

        The graph of the index is built over what came since the last time. That halts all else in this process,
        for minutes after tens of thousands of products, so call this before others ask.

        Example:
            >>> shop.warm_up()
        """
        self.recommender.warm_up()

    def optimize(self) -> None:
        """Bring the index up to date, its graph too, and leave the model and the shoppers as they are.

        Processes that open the workspace afterwards begin with this index or a copy of it, so that the graph is
        built once. This too halts all else in this process.

        Example:
            >>> shop.optimize()
        """
        self.recommender.optimize()

    def close(self) -> None:
        """Free what is open.

        Example:
            >>> shop = sartor.open("shop")
            >>> shop.close()
        """
        self._models.stop()
        self._models.close()
        self._backends.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def index(  # noqa: PLR0913 - each is a keyword of its own
        self,
        source: str | Path | FrameInput,
        *,
        limit: int | None = None,
        prune: bool = False,
        ray: str | None = None,
        allow_shrink: bool = False,
        columns: Mapping[str, str] | None = None,
        name: str | None = None,
        images: str | Path | None = None,
        on_progress: OnProgress = lambda _: None,
        on_fetch: OnFetch = lambda _: None,
    ) -> IngestReport:
        """Bring the products of a source into the catalog; doing it again changes nothing.

        A source that says much less than the catalog knows of it is refused before anything changes: most nights
        that is an export that failed. Photos and attributes that a source does not speak of stay as they are.

        Args:
            source: A folder of images, a ZIP, a Kaggle data set, a CSV, JSON Lines or JSON table, a Merchant feed,
                an export of a shop platform (``docs/reference/sources.md``). Or the address of one in a bucket,
                ``"s3://BUCKET/KEY"``, which is fetched first. Or a table in memory: a data frame of pandas or
                polars, a table of pyarrow or DuckDB, a data set of Hugging Face, the result of a query, rows as
                mappings.
            limit: Take only the first so many products.
            prune: Delete the products that once came from this source and have left it.
            ray: Embed the photos on a Ray cluster: ``"auto"``, ``"local"`` or ``"ray://HOST:PORT"``. Its hosts
                need to see the source under the same path, or the bucket. By default, this process embeds them.
            allow_shrink: Take the source whatever is lost by it.
            columns: What the columns of its table hold, where their names do not tell: ``{"image": "Bild",
                "images": "Weitere", "id": "Nr", "title": "Text", "price": "VK"}``; other names become attributes.
                The table is then read as a plain one, whichever platform exported it. It is remembered for this
                source, of a table in memory if it has a name; ``{}`` forgets it.
            name: What the catalog calls a table in memory, so that ``prune`` knows what came from it before.
            images: Folder of the photos that a table in memory names; by default paths begin at the working
                directory.
            on_progress: Called after each step with what is committed by then.
            on_fetch: Called while a source in a bucket is fetched.

        Raises:
            SourceShrunk: It says much less than before. The error says what would be lost.
            SourceError: The source cannot be read, or has no product. Photos that cannot be read are in the report
                instead.
            ModelError: There is no model to embed with.
            ClusterError: The cluster cannot be used, or broke down. What was committed until then stays.
            MissingExtra: Ray is not installed, or pyarrow, which tables of others than pandas need.
            ValueError: ``limit`` is below 1, or given together with ``prune``. Or a file has a ``name`` or
                ``images``, or a table in memory is to be pruned without a name.

        Example:
            >>> report = shop.index("photos")
            >>> report.products, report.embedded
            (4, 0)
            >>> shop.index([{"id": "new", "image": "photos/red.png", "price": 15.0}]).added
            1
        """
        if limit is not None and (limit < 1 or prune):
            msg = "limit must be at least 1, and cannot go with prune, which needs the whole source"
            raise ValueError(msg)
        if prune and name is None and not isinstance(source, str | Path):
            msg = "to prune, a table in memory needs a name: what came from it before is known by that"
            raise ValueError(msg)
        return self.catalog.index(
            _source(source, name=name, images=images),
            limit=limit,
            prune=prune,
            allow_shrink=allow_shrink,
            ray=ray,
            columns=columns,
            on_progress=on_progress,
            on_fetch=on_fetch,
        )

    def preview(  # noqa: PLR0913 - each is a keyword of its own
        self,
        source: str | Path | FrameInput,
        *,
        limit: int | None = None,
        columns: Mapping[str, str] | None = None,
        name: str | None = None,
        images: str | Path | None = None,
        on_fetch: OnFetch = lambda _: None,
    ) -> Preview:
        """What ``index`` would find in a source: nothing is written, and no photo is read.

        Args:
            source: As ``index`` takes it.
            limit: Look only at the first so many products.
            columns: As ``index`` takes them.
            name: As ``index`` takes it.
            images: As ``index`` takes it.
            on_fetch: Called while a source in a bucket is fetched.

        Raises:
            SourceError: The source cannot be read.

        Example:
            >>> found = shop.preview("photos")
            >>> found.kind, found.products, found.first[0].photos
            ('table', 4, ('red.png',))
        """
        opened = _source(source, name=name, images=images)
        return self.catalog.preview(opened, limit=limit, columns=columns, on_fetch=on_fetch)

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
        allow_shrink: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> ImportReport:
        """Take in embeddings that another program made; doing it again changes nothing.

        Nothing in a pickle is run. A product's id is the stem of its photo's name. The vectors become the
        workspace's default model if it has none.

        Args:
            file: A pickle, ``.npy``, ``.npz`` or Parquet file of vectors.
            filenames: A pickle, ``.npy`` or text file with the names of their photos, if ``file`` has none.
            images: A folder or ZIP with the photos. By default they are looked for where their names say, in the
                folder of ``file``. A table in it, or beside it, gives titles and attributes.
            model: Id of the model of this workspace that made the vectors; some photos are embedded again to check
                that. By default the vectors get a model without a network, which answers by product, not by photo.
            id: Id of that new model; by default ``imported-`` and the length of a vector.
            limit: Take only the first so many products.
            force: Take the vectors as the model's although they disagree with it.
            allow_shrink: Also take from products that are there their photos, or what the table beside the vectors
                does not say of them.
            on_progress: Called after each step with what is committed by then.

        Raises:
            UnsafePickle: A pickle holds more than lists, strings, numbers and arrays.
            UnreadableVectors: There are no vectors, or they fit neither their names nor the model.
            VectorsDisagree: The model gives other vectors for the same photos.
            ModelNotFound: There is no such model.
            ModelExists: Other vectors, or a network, have the id.
            SourceShrunk: Many products would lose photos, title or attributes; nothing was changed.
            ValueError: ``limit`` is below 1, or both ``model`` and ``id`` are given.

        Example:
            >>> exported = shop.export("vectors.npz", format="npz")
            >>> report = shop.import_embeddings("vectors.npz", images="photos", id="theirs")
            >>> report.vectors, report.dimension, report.by_photo
            (4, 3, False)
        """
        if (limit is not None and limit < 1) or (model is not None and id is not None):
            msg = "limit must be at least 1, and id names a new model where model names one that is there"
            raise ValueError(msg)
        options = ImportOptions(
            file=Path(file),
            filenames=None if filenames is None else Path(filenames),
            images=None if images is None else Path(images),
            model=model,
            id=id,
            limit=limit,
            force=force,
            allow_shrink=allow_shrink,
        )
        return self._models.import_vectors(options, on_progress=on_progress)

    def put(self, *items: ProductInput) -> list[PutOutcome]:
        """Write products; what is returned is committed. Doing it again changes nothing.

        It can be found at once; where all processes share an index, as soon as its indexer has taken it in.

        Args:
            items: Products with their photos. If a photo cannot be used, its product stays as it was.

        Returns:
            What became of each, in order.

        Example:
            >>> item = ProductInput(product=Product(id="new", title="Wine Tshirt"), photos=["photos/red.png"])
            >>> shop.put(item)[0].created
            True
        """
        return self.catalog.put(items)

    def delete(self, product_id: str) -> int | None:
        """Delete a product, and its photos if no other product shows them.

        Returns:
            The revision of the workspace that no longer has it, from 1; None if there was no such product.

        Example:
            >>> shop.delete("green") == shop.revision
            True
            >>> shop.delete("green") is None
            True
        """
        return self.catalog.delete(product_id)

    def export(  # noqa: PLR0913 - each is a keyword of its own
        self,
        path: str | Path,
        *,
        format: ExportFormat | str,  # noqa: A002 - as the command calls it
        where: Filter | None = None,
        images: bool = False,
        force: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> ExportReport:
        """Write the catalog or its embeddings as files that other programs read; writes wait meanwhile.

        Args:
            path: A file for ``npz``, ``parquet``, ``csv`` and ``jsonl``, a folder for the others and with images.
            format: One of ``ExportFormat``.
            where: Only products with these attributes, as the catalog has them.
            images: For ``csv`` and ``jsonl``: also thumbnails, so that ``index`` reads the folder again.
            force: Replace an earlier export.
            on_progress: Called after each step.

        Returns:
            What was written, and what the format does not hold.

        Raises:
            ExportError: The path is taken or does not fit the format, or it cannot be written.
            EmptyCatalog: There is nothing to export.
            QueryError: The filter asks for what no product has.
            ModelMismatch: The catalog was embedded with another model.
            MissingExtra: The format needs a package that is not installed.

        Example:
            >>> shop.export("catalog.csv", format="csv", where={"price": (None, 30)}).products
            2
        """
        options = ExportOptions(
            path=Path(path),
            format=ExportFormat(format),
            where=self.catalog.where(where),
            images=images,
            force=force,
        )
        return self.catalog.export(options, on_progress=on_progress)

    def listing(
        self,
        *,
        where: Filter | None = None,
        words: str = "",
        sort: Sort | str = Sort.RELEVANCE,
        limit: int = 24,
        after: str | None = None,
    ) -> Listing:
        """Products of the catalog page by page, by filter and words.

        Args:
            where: Only products with these attributes.
            words: Only products in whose title or attributes each of these words occurs, and the one with this id.
            sort: ``relevance`` to the words, ``newest``, ``title``, ``price`` or ``-price``.
            limit: Products on a page, at most.
            after: ``Listing.next`` of the page before; None for the first page.

        Raises:
            QueryError: The filter names an attribute that no product has, or ``after`` is not from this listing.

        Example:
            >>> page = shop.listing(where={"gender": "Women"}, sort="price", limit=2)
            >>> [stored.product.id for stored in page.products], page.total
            (['red', 'pink'], 4)
        """
        return self.catalog.listing(
            ListingQuery(where=self.catalog.where(where), words=words, sort=Sort(sort), limit=limit, after=after)
        )

    def facets(
        self, attributes: Sequence[str] | None = None, *, where: Filter | None = None, words: str = ""
    ) -> Mapping[str, Sequence[FacetValue]]:
        """Values of attributes, with how many products have each.

        Args:
            attributes: Their names; by default those that make good filters.
            where: Count only products with these attributes.
            words: Count only products with these words.

        Example:
            >>> shop.facets(["articleType"])["articleType"][0]
            FacetValue(value='Tshirts', count=2)
        """
        return self.catalog.facets(attributes, where=self.catalog.where(where), words=words)

    def product(self, product_id: str) -> StoredProduct:
        """A product by its id.

        Raises:
            ProductNotFound: No product has this id.

        Example:
            >>> shop.product("red").product.title
            'Red Tshirt'
        """
        return self.catalog.product(product_id)

    def product_ids(self) -> list[str]:
        """Ids of all products, sorted.

        Example:
            >>> shop.product_ids()
            ['blue', 'green', 'pink', 'red']
        """
        return self.catalog.product_ids()

    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes that products have, and of those that the model predicts, sorted.

        Example:
            >>> shop.attribute_names()
            ('articleType', 'gender', 'price')
        """
        return self.catalog.attribute_names()

    def counts(self) -> StoreCounts:
        """How many products, photos and embeddings the catalog has.

        Example:
            >>> shop.counts().products
            4
        """
        return self.catalog.counts()

    def thumbnail(self, photo: Photo) -> Path:
        """Path of a photo as the workspace keeps it, at most 640 px wide and high.

        Raises:
            PhotoRejected: Only its embedding was imported.

        Example:
            >>> shop.thumbnail(shop.product("red").photos[0]).suffix
            '.png'
        """
        return self.catalog.thumbnail(photo)

    def picture(self, sha256: str, *, max_px: int) -> Thumbnail | None:
        """A photo as the bytes of an image file at most ``max_px`` wide and high; None for an unknown SHA-256.

        Example:
            >>> shop.picture(shop.product("red").photos[0].sha256, max_px=32).media_type
            'image/jpeg'
        """
        return self.catalog.picture(sha256, max_px=max_px)

    def similar(  # noqa: PLR0913 - each is a keyword of its own
        self,
        *photos: PhotoInput | Part,
        product: str | Part | None = None,
        products: Sequence[str | Part] = (),
        like: Sequence[str] = (),
        dislike: Sequence[str] = (),
        color: str | None = None,
        weights: FeatureWeights | Mapping[str, float] | None = None,
        k: int = DEFAULT_K,
        where: Filter | None = None,
        diversity: float = 0.0,
        facets: Sequence[str] = (),
        exclude: Sequence[str] = (),
        exact: bool = False,
        metric: Metric | str | None = None,
        include_unavailable: bool | None = None,
    ) -> Recommendation:
        """Find the products most similar to photos, products, or a color.

        All parts together are one query, see ``docs/explanation/recommendations.md`` for the formula. The query
        itself is never a hit: neither its products, nor those that show an identical photo, nor their variants.

        Args:
            photos: Paths of image files, their bytes, or their URLs where those are allowed; or a ``Part``, which
                has a weight and a region.
            product: Id of a product, in place of photos or together with them.
            products: More of them.
            like: Ids of products that the hits should resemble, half as much as the query.
            dislike: Ids of products that the hits should differ from; they are never hits.
            color: A CSS name or ``#rrggbb``: alone, or in place of the color of the other parts.
            weights: How much style, color and category count: all of them, or some by name, as in
                ``{"color": 0.5}``; the defaults were chosen by measurement.
            k: Number of products, at least 1.
            where: Only products with these attributes, such as ``{"gender": "Women", "color!": "Black"}``.
            diversity: From 0, the most similar, to 1, the most varied (maximal marginal relevance).
            facets: Attributes whose values are counted among all products that pass the filter.
            exclude: Ids of products that are never hits.
            exact: Compare with every photo, rather than through an approximate index.
            metric: ``cosine`` or ``euclidean``, which rank alike and differ in their scores. Defaults to the
                workspace's metric.
            include_unavailable: Whether to recommend what is out of stock as well; None is the shop's setting. A
                filter on ``availability`` decides alone.

        Returns:
            At most ``k`` distinct products; without diversity their scores never rise.

        Raises:
            QueryError: The query is empty, or asks for what the catalog does not have.
            PhotoRejected: A photo cannot be used.
            ModelMismatch: The catalog was embedded with another model.

        Example:
            >>> shop.similar("photos/red.png", k=2, where={"gender": "Women"})[0].title
            'Pink Tshirt'
            >>> [hit.product_id for hit in shop.similar(product="blue", color="red", k=2)]
            ['red', 'pink']
        """
        request = SimilarRequest(
            parts=tuple(parts_of(photos, [*(() if product is None else (product,)), *products])),
            like=tuple(like),
            dislike=tuple(dislike),
            color=color,
            weights=weights,
            k=k,
            where=self.catalog.offered(where, include_unavailable=include_unavailable),
            diversity=diversity,
            facets=tuple(facets),
            exclude=frozenset(exclude),
            exact=exact,
            metric=None if metric is None else Metric(metric),
        )
        return self.recommender.similar(request)

    def search(  # noqa: PLR0913 - each is a keyword of its own
        self,
        words: str,
        *,
        k: int = DEFAULT_K,
        where: Filter | None = None,
        plain: Sequence[str] = (),
        facets: Sequence[str] = (),
        exclude: Sequence[str] = (),
        include_unavailable: bool | None = None,
    ) -> Found:
        """Find products by words: their titles and attributes, and what their photos show.

        A model with a text tower compares photos with the words; any other one finds by titles and attributes
        alone. Words that are values of the catalog are filters: for whom, which color, which kind, what price.

        Args:
            words: Such as ``"women's red dress under 50"``, in English or five more languages for attributes.
            k: Number of products, at least 1.
            where: Only products with these attributes, such as ``{"gender": "Women"}``.
            plain: Words that are to be no filters, as ``Found.understood`` has them.
            facets: Attributes whose values are counted among all products that pass the filters.
            exclude: Ids of products that are never hits.
            include_unavailable: Whether to recommend what is out of stock as well; None is the shop's setting. A
                filter on ``availability`` decides alone.

        Returns:
            At most ``k`` distinct products whose scores never rise, and how the words were understood.

        Raises:
            QueryError: There is no word, or the query asks for what the catalog does not have.
            ModelMismatch: The catalog was embedded with another model.

        Example:
            >>> found = shop.search("pink tee under 30", k=1)
            >>> found[0].title, [meaning.typed for meaning in found.understood]
            ('Pink Tshirt', ['under 30', 'tee'])
        """
        if k < 1:
            msg = f"k must be at least 1, not {k}"
            raise ValueError(msg)
        request = SearchRequest(
            words=words,
            k=k,
            where=self.catalog.offered(where, include_unavailable=include_unavailable),
            plain=tuple(plain),
            facets=tuple(facets),
            exclude=frozenset(exclude),
        )
        return self.recommender.search(request)

    def train_text(
        self,
        *,
        output: Path | None = None,
        epochs: float | None = None,
        seed: int | None = None,
        on_progress: OnText = lambda _: None,
    ) -> TrainedText:
        """Teach the model in use words, from the titles and attributes of this catalog.

        ``search`` uses the result from then on; other processes that have the workspace open do when they are
        started anew. Photos and their embeddings stay as they are. A tenth of the products is held out.

        Args:
            output: A directory for the result, which is then not used; the workspace by default.
            epochs: Passes over the products.
            seed: Of all that is random.
            on_progress: Called with how far the learning is.

        Raises:
            EmptyCatalog: Nothing is embedded.
            NothingToLearn: There are too few products with words and photos.
            WorkspaceReadOnly: The workspace cannot be written.
        """
        from sartor.shop.text_training import train_text_tower
        from sartor.training.text import TextRecipe

        recipe = TextRecipe()
        if epochs is not None:
            recipe = replace(recipe, epochs=epochs)
        if seed is not None:
            recipe = replace(recipe, seed=seed)
        model = self._model()
        trained = train_text_tower(self._backends, model, recipe, output=output, on_progress=on_progress)
        if output is None:
            model.forget_text()
        return trained

    def outfit(
        self,
        *products: str,
        slots: Sequence[str] | None = None,
        where: Filter | None = None,
        max_price: float | None = None,
        alternatives: int = 3,
        include_unavailable: bool | None = None,
    ) -> Outfit:
        """Complete the look: for products, one product of each other slot that suits them.

        All pieces are for the same person, occasion and weather; their colors go together, and their styles are
        close. If there are enough baskets, what shoppers bought together counts as well.

        Args:
            products: Ids of the pieces that are in it, at least one.
            slots: The slots to fill, such as ``("shoes", "bag")``; by default those of top, bottom, shoes, bag,
                watch and eyewear that are free.
            where: Only products with these attributes.
            max_price: What the chosen pieces may cost together; products without a price are then left out, and in
                a catalog with several currencies those that are in another one than the given products.
            alternatives: Number of alternatives for each slot.
            include_unavailable: Whether to recommend what is out of stock as well; None is the shop's setting. A
                filter on ``availability`` decides alone.

        Raises:
            QueryError: There is no such product or slot, a product is not worn, or two cannot be in one look.
            ModelMismatch: The catalog was embedded with another model.

        Example:
            >>> look = shop.outfit("red", slots=["bottom", "shoes"])
            >>> [piece.product_id for piece in look.pieces]
            ['blue', 'green']
        """
        if not products:
            raise EmptyQuery
        offered = self.catalog.offered(where, include_unavailable=include_unavailable)
        query = LookQuery(
            products=products,
            slots=None if slots is None else tuple(slot_named(name) for name in slots),
            where=self.catalog.budgeted(offered, products, budget=max_price),
            max_price=max_price,
            alternatives=alternatives,
        )
        return self.recommender.outfit(query)

    def for_user(  # noqa: PLR0913 - each is a keyword of its own
        self,
        user: str | Person,
        *,
        k: int = 12,
        where: Filter | None = None,
        context: Filter | None = None,
        diversity: float | None = None,
        exclude: Sequence[str] = (),
        now_s: float | None = None,
        include_unavailable: bool | None = None,
    ) -> Feed:
        """Recommend products to a person, by what the person did up to now and what others did.

        What the person bought, dislikes or looked at lately is left out. For a person without a history it is what
        others like and what is new, other products for each person.

        Args:
            user: Id of a user, or a ``Person``: also a visitor.
            k: Number of products.
            where: Only products with these attributes.
            context: What the person looks at now, such as ``{"gender": "Women"}``; for a person without a history,
                products that have it come first.
            diversity: From 0, the best, to 1, the most varied; None is the default.
            exclude: Ids of products that are left out.
            now_s: Now, in seconds since 1970 UTC; None asks the clock.
            include_unavailable: Whether to recommend what is out of stock as well; None is the shop's setting. A
                filter on ``availability`` decides alone.

        Raises:
            QueryError: The catalog is empty, or a filter asks for what it does not have.
            NoIdentity: The id is a placeholder for a missing one, such as ``undefined``.
            ModelMismatch: The catalog was embedded with another model.

        Example:
            >>> like = Event(id="1", type=EventType.LIKE, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> shop.record(like).added
            1
            >>> shop.for_user("ann", k=1, now_s=1.7e9)[0].product_id
            'pink'
        """
        request = FeedRequest(
            person=person_of(user).identified(),
            k=k,
            now_s=_now(now_s),
            where=self.catalog.offered(where, include_unavailable=include_unavailable),
            context=self.catalog.where(context),
            diversity=FEED_DIVERSITY if diversity is None else diversity,
            without=frozenset(exclude),
        )
        return self.recommender.for_user(request)

    def trending(
        self,
        *,
        k: int = 12,
        window_s: float = TREND_WINDOW_S,
        where: Filter | None = None,
        now_s: float | None = None,
        include_unavailable: bool | None = None,
    ) -> Feed:
        """The products that people like most lately; each person counts once for a product.

        Args:
            k: Number of products, at most.
            window_s: Events of the last so many seconds count; after half of them an event counts half.
            where: Only products with these attributes.
            now_s: Now, in seconds since 1970 UTC; None asks the clock.
            include_unavailable: Whether to recommend what is out of stock as well; None is the shop's setting. A
                filter on ``availability`` decides alone.

        Raises:
            QueryError: The catalog is empty, or the filter asks for what it does not have.

        Example:
            >>> like = Event(id="1", type=EventType.LIKE, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> _ = shop.record(like)
            >>> [hit.product_id for hit in shop.trending(now_s=1.7e9)]
            ['red']
        """
        return self.recommender.trending(
            k=k,
            window_s=window_s,
            where=self.catalog.offered(where, include_unavailable=include_unavailable),
            now_s=_now(now_s),
        )

    def together(
        self,
        product_id: str,
        *,
        by: RelationType | str | None = None,
        k: int = 12,
        where: Filter | None = None,
        include_unavailable: bool | None = None,
    ) -> Feed:
        """The products that people bought or looked at together with one, the most frequent first.

        Args:
            product_id: The product.
            by: ``bought``, in one basket; ``seen``, in one session; ``liked``, by one person within a month; None
                takes all of them.
            k: Number of products, at most.
            where: Only products with these attributes.
            include_unavailable: Whether to recommend what is out of stock as well; None is the shop's setting. A
                filter on ``availability`` decides alone.

        Raises:
            ProductNotFound: There is no such product.
            QueryError: The filter asks for what the catalog does not have.

        Example:
            >>> shop.together("red", by="bought").hits
            ()
        """
        relation = None if by is None else RelationType(by)
        return self.recommender.together(
            product_id,
            by=relation,
            k=k,
            where=self.catalog.offered(where, include_unavailable=include_unavailable),
        )

    def describe(self, photo: PhotoInput | Part) -> QueryAttributes:
        """What is seen in a photo: attributes with their probability, and colors.

        Raises:
            PhotoRejected: It cannot be used.

        Example:
            >>> shop.describe("photos/red.png").colors[0]
            'red'
        """
        return self.recommender.describe(_part(photo))

    def boxes(self, photo: PhotoInput, *, limit: int = MAX_GARMENTS) -> tuple[GarmentBox, ...]:
        """The garments on a photo: where each is, and what it is.

        The first is the one that the photo shows most of. ``Part(photo, box=…)`` searches with one of them.

        Args:
            photo: A photo, such as of a person, a bed with clothes, or one product.
            limit: Number of garments, 1 to 8.

        Raises:
            PhotoRejected: It cannot be used.
            ValueError: ``limit`` is not from 1 to 8.

        Example:
            >>> shop.boxes("photos/red.png")[0].box  # the model of this shop sees no outlines
            (0.0, 0.0, 1.0, 1.0)
        """
        return self.recommender.boxes(photo, limit=_garments(limit))

    def looks(  # noqa: PLR0913 - each is a keyword of its own
        self,
        photo: PhotoInput,
        *,
        k: int = DEFAULT_K,
        where: Filter | None = None,
        weights: FeatureWeights | Mapping[str, float] | None = None,
        limit: int = MAX_GARMENTS,
        include_unavailable: bool | None = None,
    ) -> tuple[GarmentHits, ...]:
        """What is similar to each garment that a dressed person wears on a photo.

        Each garment is searched as ``similar`` searches its region of the photo.

        Args:
            photo: A photo of a dressed person; of one product, there is one garment.
            k: Number of products for each garment, 1 or more.
            where: A filter; see ``Shop``.
            weights: How much style, color and category count, as in ``similar``.
            limit: Number of garments, 1 to 8.
            include_unavailable: As in ``similar``.

        Raises:
            PhotoRejected: The photo cannot be used.
            EmptyCatalog: Nothing is embedded.
            ModelMismatch: The catalog was embedded with another model.
            UnknownAttribute: The filter names an attribute that no product has.
            UnknownValue: No product has a value that the filter names.
            ValueError: ``limit`` is not from 1 to 8, or ``k`` below 1.

        Example:
            >>> [worn.found[0].product_id for worn in shop.looks("photos/red.png", k=1)]
            ['pink']
        """
        offered = self.catalog.offered(where, include_unavailable=include_unavailable)
        request = SimilarRequest(k=k, where=offered, weights=weights)
        return self.recommender.looks(photo, request, limit=_garments(limit))

    def explain(self, query: PhotoInput | Part, hit: Hit) -> Explained:
        """Which regions of a query's photo and of a hit's make them close in style.

        The contributions are exact: those of either photo sum to the cosine of the two embeddings.

        Args:
            query: A photo, or a ``Part``: a region of a photo, or a product, of which the main photo counts.
            hit: A hit that ``similar`` returned for it.

        Raises:
            NoRegions: The model does not give what this needs.
            PhotoRejected: A photo cannot be used.
            ProductNotFound: There is no such product, or it has no photo.

        Example:
            >>> hit = shop.similar("photos/red.png", k=1)[0]
            >>> shop.explain("photos/red.png", hit)  # the model of this shop is a plain mean of colors
            Traceback (most recent call last):
            sartor.errors.NoRegions: the model 'color' gives no feature maps, so it cannot show regions; ...
        """
        return self.recommender.explain(_part(query), hit)

    def read(self, photo: PhotoInput) -> EncodedPhoto:
        """Read a photo once, to use it several times.

        Raises:
            PhotoRejected: It cannot be read.

        Example:
            >>> photo = shop.read("photos/red.png")
            >>> shop.similar(photo, k=1)[0].product_id
            'pink'
        """
        return self.recommender.read(photo)

    def record(self, *events: Event) -> Taken:
        """Take in what people did; it is on disk when this returns, and counts for the next feed.

        Events may come in any order, and again; those about products that the catalog does not have are kept.

        Raises:
            NoIdentity: Somebody's id is a placeholder for a missing one, such as ``undefined``; no event is taken.

        Example:
            >>> view = Event(id="1", type=EventType.VIEW, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> shop.record(view).added, shop.record(view).added
            (1, 0)
        """
        return self.shoppers.record(events)

    def import_events(
        self,
        file: str | Path,
        *,
        columns: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        on_progress: OnEvents = lambda _: None,
    ) -> EventImportReport:
        r"""Take in events from a CSV or JSON Lines file; doing it again changes nothing.

        The usual names of columns and types are known, such as ``event_time`` and ``cart``.

        Args:
            file: The file.
            columns: Fields by the file's columns, for other names; an empty field ignores the column.
            types: Types by the file's types, likewise; an empty type leaves such events out, and the type ``""``
                is that of events without one.
            on_progress: Called after every batch.

        Raises:
            BadVocabulary: There is no such field or type.
            SourceError: The file cannot be read. Events that cannot be taken are in the report instead.

        Example:
            >>> from pathlib import Path
            >>> rows = "like,ann,red,2026-03-04", "view,bob,sold-out,2026-03-05"
            >>> _ = Path("events.csv").write_text("\n".join(("type,user_id,product_id,timestamp", *rows)))
            >>> report = shop.import_events("events.csv")
            >>> report.added, report.unknown_examples
            (2, ('sold-out',))
        """
        vocabulary = Vocabulary(columns or {}, types or {})
        return self.shoppers.import_events(Path(file), vocabulary, on_progress=on_progress)

    def merge(self, visitor_id: str, *, into: str) -> int:
        """Make a visitor a user, at login: what the visitor did and will do is the user's.

        Returns:
            How many events moved; 0 when it was done before.

        Raises:
            VisitorTaken: The visitor was merged into another user before.
            NoIdentity: An id is a placeholder for a missing one, such as ``undefined``.

        Example:
            >>> shop.merge("a-browser", into="ann")
            0
        """
        return self.shoppers.merge(visitor_id, into=into)

    def person(self, person: Person | str) -> PersonRecord:
        """All that is held about a person.

        Raises:
            PersonNotFound: Nothing is held.

        Example:
            >>> view = Event(id="1", type=EventType.VIEW, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> _ = shop.record(view)
            >>> [event.product_id for event in shop.person("ann").events]
            ['red']
        """
        return self.shoppers.person(person)

    def forget(self, person: Person | str) -> int:
        """Erase all that is held about a person, with the visitors who were merged into it; no trace is left.

        Returns:
            How many events that were.

        Raises:
            PersonNotFound: Nothing is held.

        Example:
            >>> view = Event(id="1", type=EventType.VIEW, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> _ = shop.record(view)
            >>> shop.forget("ann")
            1
        """
        return self.shoppers.forget(person)

    def withdraw(self, person: Person | str, type: EventType, product_id: str) -> int:  # noqa: A002 - the field's word
        """Take back what a person did with a product, such as a like; returns how many events are erased.

        Example:
            >>> like = Event(id="1", type=EventType.LIKE, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> _ = shop.record(like)
            >>> shop.withdraw("ann", EventType.LIKE, "red")
            1
        """
        return self.shoppers.withdraw(person, type, product_id)

    def recently_viewed(self, person: Person | str, *, k: int = 12) -> tuple[StoredProduct, ...]:
        """Products of the catalog that a person looked at, the last first.

        Example:
            >>> view = Event(id="1", type=EventType.VIEW, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> _ = shop.record(view)
            >>> [stored.product.id for stored in shop.recently_viewed("ann")]
            ['red']
        """
        return self.shoppers.recently_viewed(person, k=k)

    def favorites(self, person: Person | str) -> tuple[StoredProduct, ...]:
        """Products of the catalog that a person likes, the last first.

        Example:
            >>> like = Event(id="1", type=EventType.LIKE, person=Person.user("ann"), at_s=1.7e9, product_id="red")
            >>> _ = shop.record(like)
            >>> [stored.product.id for stored in shop.favorites("ann")]
            ['red']
        """
        return self.shoppers.favorites(person)

    def opinions(self, person: Person | str) -> dict[str, EventType]:
        """What a person said last of each product, ``LIKE`` or ``DISLIKE``; the last said comes first.

        Example:
            >>> shop.opinions("ann")
            {}
        """
        return self.shoppers.opinions(person)

    def event_counts(self) -> EventCounts:
        """How many events there are, of how many people, and how many are about unknown products.

        Example:
            >>> shop.event_counts().events
            0
        """
        return self.shoppers.event_counts()

    def info(self) -> Info:
        """What the workspace holds.

        Example:
            >>> shop.info().default_model
            'color'
        """
        return self.evaluator.info()

    def check(self, *, repair: bool = False) -> tuple[Problem, ...]:
        """Whether store, index and media agree; empty when they do.

        Args:
            repair: First rebuild the index from the store and delete thumbnails that no photo has. Nothing is
                embedded again.

        Example:
            >>> shop.check()
            ()
        """
        return self.evaluator.check(repair=repair)

    def health(self) -> CatalogHealth:
        """What about the catalog makes recommendations worse, or may: photos, attributes, labels, neighbors.

        Every photo is compared with every other: about a minute for 40,000.

        Raises:
            ModelMismatch: The catalog was embedded with another model.

        Example:
            >>> shop.health().products
            4
        """
        return self.evaluator.health()

    def duplicates(self) -> tuple[tuple[DuplicatePhoto, ...], ...]:
        """Groups of the catalog's photos that show the same thing, identical files among them.

        Every photo is compared with every other: some seconds for 40,000.

        Example:
            >>> shop.duplicates()
            ()
        """
        return self.evaluator.duplicates()

    def map(self, *, limit: int = MAX_PRODUCTS, seed: int = 0) -> CatalogMap:
        """The catalog in two dimensions, so that products that look alike are near each other.

        Args:
            limit: How many products at most, drawn at random; 1,500 take about 8 s, 3,000 about 19 s.
            seed: Seed of everything random.

        Raises:
            EmptyCatalog: There is nothing to lay out.
            ModelMismatch: The catalog was embedded with another model.

        Example:
            >>> for product in shop.map().products:
            ...     print(product.product_id, f"{product.x:.1f} {product.y:.1f}")
            blue -0.5 ...
            green -0.5 ...
            pink 0.3 ...
            red 0.7 ...
        """
        return self.evaluator.map(limit=limit, seed=seed)

    def evaluate_words(self) -> dict[str, Measured]:
        """How well words find photos here: titles their product, phrases of attributes what they describe.

        The queries are about a tenth of the products, which ``train_text`` holds out; each is asked as typed, and
        with one typing error in each word.

        Raises:
            EmptyCatalog: Nothing is embedded.
            NoTextTower: The model in use has no text tower.
        """
        from sartor.shop.text_training import measure_text_tower

        return measure_text_tower(self._backends, self._model())

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
        ray: str | None = None,
        show: ShowProgress = silent,
    ) -> Evaluation:
        """Measure how good models are at finding what is relevant, on sources of products.

        What the workspace has embedded is not embedded again; nothing is written.

        Args:
            gallery: Source of the products that are searched.
            models: Ids of models; the others are compared with the first. ``color-histogram`` and ``random`` are
                baselines. Defaults to the workspace's model.
            queries: Source of the queries; by default each product of the gallery asks, and is left out itself.
            relevance: Attributes that make products relevant; by default kind, gender and color.
            label_map: TOML file that says which labels of the queries mean which of the gallery.
            instances: Look for the same product by its id in both sources, and by perturbed photos.
            held_out: Only products ask that the first model has not learned from.
            as_recommended: Compare as ``similar`` does, rather than by embeddings alone.
            ann: Measure the approximate index against exact search.
            pictures: Make what a report shows: queries beside their hits, and a map of the gallery.
            ks: Lengths of lists.
            seed: Seed of everything random.
            limit: Take only the first so many products of each source.
            command: The command that asked for it, for a report.
            ray: Embed on a Ray cluster what the workspace has not embedded, as ``index`` does.
            show: Shows the progress of something named.

        Raises:
            SourceError: A source cannot be read.
            ClusterError: The cluster cannot be used, or broke down.
            ModelNotFound: There is no such model.
            UnknownAttribute: No product has an attribute of ``relevance``.
            EvaluationError: There is nothing to evaluate, or the label map cannot be used.
            ValueError: A length is below 1.

        Example:
            >>> evaluation = shop.evaluate("photos", "color", relevance=["articleType"])
            >>> [result.model for result in evaluation.models]
            ['color']
        """
        if not ks or min(ks) < 1:
            msg = f"lists have at least 1 product, not {tuple(ks)}"
            raise ValueError(msg)
        request = EvaluationRequest(
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
        return self.evaluator.evaluate(request, models, ray=ray, show=show)

    def replay(  # noqa: PLR0913 - each is a keyword of its own
        self,
        *logs: Iterable[Event],
        k: int = 10,
        people: int = 1000,
        histories: Sequence[int] = (1, 5, 20),
        eta: float = 1.0,
        clip: float | None = None,
        seed: int = 0,
        names: Sequence[str] = (),
        command: str = "",
        show: ShowProgress = silent,
    ) -> Replay:
        """Go back to a time in logs, recommend with what was known then, and see what people did afterwards.

        For-you stands beside popularity, item-to-item co-occurrence, visual similarity and chance, all over this
        catalog. Nothing is written to the workspace, and its own events do not count.

        Args:
            logs: Events in any order. Each log is replayed by itself, and the people of all logs are judged
                together, as if each person were in one of them only.
            k: Length of lists.
            people: At most so many people of a log are asked for, drawn at random, and at most half of all.
            histories: How many of a person's last events are known, an experiment each.
            eta: How fast attention falls with the rank in recorded answers: ``1 / rank ** eta``.
            clip: Upper bound of the weights of recorded rewards; None for no bound.
            seed: Seed of everything random.
            names: What the logs are called.
            command: The command that asked for it, for a report.
            show: Shows the progress of something named.

        Raises:
            EvaluationError: There is no log; or in one, nobody did something before the split and wanted something
                after it.
            QueryError: The catalog is empty.
            ModelMismatch: The catalog was embedded with another model.
            ValueError: A length or a number is below 1.

        Example:
            >>> log = [
            ...     Event(id=f"{who}{day}", type="like", person=Person.user(who), at_s=1e9 + day, product_id=liked)
            ...     for who in ("ann", "bob", "eve")
            ...     for day, liked in enumerate(("red", "pink", "green", "blue"))
            ... ]
            >>> (experiment,) = shop.replay(log, k=2, histories=[1]).experiments
            >>> [(result.method, result.metrics["recall@2"].mean) for result in experiment.methods]
            [('for-you', 1.0), ('popularity', 0.0), ('item-to-item', 0.0), ('visual', 1.0), ('random', 1.0)]
        """
        if min((k, people, *(histories or (0,)))) < 1 or eta < 0 or (clip is not None and clip <= 0):
            msg = "k, people and histories are at least 1, eta is not below 0, and clip is above it"
            raise ValueError(msg)
        from sartor.evaluation.replay.lists import ReplayRequest

        request = ReplayRequest(
            k=k, people=people, histories=tuple(histories), seed=seed, eta=eta, clip=clip, command=command
        )
        return self.evaluator.replay(request, logs, names=names, show=show)

    def promote(
        self,
        model: str,
        *,
        force: bool = False,
        ray: str | None = None,
        on_progress: OnProgress = lambda _: None,
    ) -> PromotionReport:
        """Make a model the workspace's default, if it is better on held-out products of this catalog.

        The whole catalog is embedded with it first, while the present default goes on answering. The embeddings
        stay, so trying again costs little.

        Args:
            model: Id of the model.
            force: Promote it whatever the comparison says.
            ray: Embed the catalog on a Ray cluster, as ``index`` does.
            on_progress: Called after each step with what is embedded by then.

        Raises:
            ModelNotFound: There is no such model.
            ClusterError: The cluster cannot be used, or broke down.
            PromotionRefused: It is not shown to be better than the default.
            NothingToCompare: The catalog cannot tell which of them is better.

        Example:
            >>> shop.promote("color", force=True).model
            'color'
        """
        return self._models.promote(model, force=force, ray=ray, on_progress=on_progress)

    def rollback(self, *, on_progress: OnProgress = lambda _: None) -> PromotionReport:
        """Make the model that the last promotion replaced the default again.

        Its embeddings and its index were kept; photos that came since are embedded with it.

        Raises:
            NoPreviousModel: No promotion replaced a model.
            ModelNotFound: The model was removed.

        Example:
            >>> shop.rollback()
            Traceback (most recent call last):
            sartor.errors.NoPreviousModel: no model was replaced by a promotion that could be undone; ...
        """
        return self._models.rollback(on_progress=on_progress)


def _source(
    source: str | Path | FrameInput, *, name: str | None, images: str | Path | None
) -> str | Path | InMemory:
    if not isinstance(source, str | Path):
        return InMemory(data=source, name=name, images=None if images is None else Path(images))
    if name is not None or images is not None:
        msg = "name and images are of tables in memory; a file has its path, and its photos beside it"
        raise ValueError(msg)
    return source


def _part(photo: PhotoInput | Part) -> Part:
    return photo if isinstance(photo, Part) else Part(photo=photo)


def _garments(limit: int) -> int:
    if not 1 <= limit <= MAX_GARMENTS:
        msg = f"limit must be from 1 to {MAX_GARMENTS}, not {limit}"
        raise ValueError(msg)
    return limit


def _now(now_s: float | None) -> float:
    return time.time() if now_s is None else now_s
