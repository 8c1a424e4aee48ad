"""The front door: a workspace as one object, with a method for each thing that is done with it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from sartor.catalog import open_source
from sartor.errors import (
    EmptyCatalog,
    EmptyQuery,
    ModelMismatch,
    ModelReplaced,
    NoPreviousModel,
    NothingToCompare,
    PhotoRejected,
    ProductNotFound,
    PromotionRefused,
)
from sartor.imaging import decode
from sartor.pipelines.check import check_index, check_media, check_store, rebuild_index, tidy_media
from sartor.pipelines.fill import embed_catalog
from sartor.pipelines.info import Info, take_stock
from sartor.pipelines.ingest import IngestOptions, Workbench, ingest
from sartor.pipelines.photos import EncodedPhoto, encoded_photo
from sartor.pipelines.promote import PromotionReport, compare, survey
from sartor.pipelines.sync import bring_up_to_date, catch_up
from sartor.recommend.filters import where_of
from sartor.recommend.similar import DEFAULT_K, SimilarQuery, similar
from sartor.types import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sartor.encoders.card import ModelCard
    from sartor.encoders.encoder import Encoder
    from sartor.encoders.registry import ModelRegistry
    from sartor.imaging import MediaStore, UrlPolicy
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.check import Problem
    from sartor.pipelines.fill import Filled
    from sartor.pipelines.promote import Comparison
    from sartor.pipelines.report import IngestReport, OnProgress
    from sartor.recommend.filters import FilterValue
    from sartor.store.lock import WorkspaceLock
    from sartor.store.sqlite import SqliteStore
    from sartor.types import Hit, Photo, StoredProduct, Vector

PhotoInput: TypeAlias = str | Path | bytes | EncodedPhoto

_RNG_SEED = 0  # so that the same comparison gives the same figures

# Names of settings that the store remembers.
_DEFAULT_MODEL = "default_model"
_PREVIOUS_MODEL = "previous_model"  # default before the last promotion
_NETWORK_OF = "network_of_{}"  # SHA-256 of the network that a model id stood for when it first embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """What a shop stands on, as ``sartor.assembly`` chose it.

    Attributes:
        home: Directory of the workspace.
        lock: Held until the shop is closed.
        store: The truth.
        media: Thumbnails.
        urls: Whether photos may be fetched by URL.
        models: Models of the workspace.
        choose_model: From the workspace's default model, if it has one, to the card to use.
        open_encoder: Loads a model.
        open_index: Opens the index of a model's embeddings.
    """

    home: Path
    lock: WorkspaceLock
    store: SqliteStore
    media: MediaStore
    urls: UrlPolicy
    models: ModelRegistry
    choose_model: Callable[[str | None], ModelCard]
    open_encoder: Callable[[ModelCard], Encoder]
    open_index: Callable[[ModelCard], EdgeIndex]


class Shop:
    """A workspace: a catalog, its embeddings, and what is recommended from them.

    Open one with ``sartor.open``, and close it, best with ``with``; until then no other process can open it.
    """

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    @property
    def model(self) -> ModelCard:
        """Card of the model that embeds photos here.

        Raises:
            NoModel: The workspace has none yet.
            ModelNotFound: The one that was asked for is not there.
            ModelNotChosen: There are several, and nothing says which.
        """
        return self._card

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
            bench = Workbench(
                store=self._store,
                index=self._index,
                media=self._backends.media,
                encoder=self._encoder,
                urls=self._backends.urls,
            )
            self._remember_model()
            source_id = str(Path(source).resolve())
            options = IngestOptions(source_id=source_id, limit=limit, prune=prune)
            return ingest(opened, bench, options, on_progress=on_progress)

    def similar(
        self,
        *photos: PhotoInput,
        product: str | None = None,
        k: int = DEFAULT_K,
        where: Mapping[str, FilterValue] | Where | None = None,
        exact: bool = False,
    ) -> tuple[Hit, ...]:
        """Find the products that look most like photos, or like a product of the catalog.

        The query itself is never a hit: neither the product, nor any product that shows a photo identical to
        one of the query. Several photos count as one query, by the mean of their embeddings.

        Args:
            photos: Paths of image files, their bytes, or their URLs where those are allowed.
            product: Id of a product, in place of photos or together with them.
            k: How many products.
            where: Only products with these attributes, such as ``{"gender": "Women", "price": (10, 50)}``.
            exact: Compare with every photo, rather than through an approximate index.

        Returns:
            At most ``k`` distinct products, their scores never rising.

        Raises:
            QueryError: The query is empty, or asks for what the catalog does not have.
            PhotoRejected: A photo cannot be used.
            ModelMismatch: The catalog was embedded with another model.
        """
        if not photos and product is None:
            raise EmptyQuery
        self._require_embeddings()
        encoded = [self.read(photo) for photo in photos]
        vectors = self._embed(encoded)
        without = self._store.products_with_photos([photo.sha256 for photo in encoded])
        if product is not None:
            theirs = self._vectors_of(product)
            vectors += theirs.values()
            without |= self._store.products_with_photos(theirs) | {product}
        query = SimilarQuery(
            vectors=tuple(vectors),
            k=k,
            where=where if isinstance(where, Where) else where_of(where or {}),
            without=frozenset(without),
            exact=exact,
        )
        return similar(query, index=self._index, catalog=self._store)

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
        card = self._backends.models.card(model)
        self._require_same_network(card)
        default = self._store.setting(_DEFAULT_MODEL)
        compared = default not in (None, card.id)
        if not force and default is None:
            raise NothingToCompare(card.id, reason="the workspace has no default yet to compare it with")
        if not force and compared:
            survey(self._store, card, embedded_by=[str(default)])  # refuses before anything is embedded
        filled = self._fill(card, on_progress)
        comparison = self._compare(card, str(default), force=force) if compared else None
        if comparison is not None and not comparison.is_better and not force:
            raise PromotionRefused(card.id, default=str(default), figures=comparison.figures)
        if default != card.id:
            self._make_default(card, previous=default)
        return PromotionReport(
            model=card.id,
            previous=default,
            embedded=filled.embedded,
            reduced=filled.reduced,
            rejected=filled.rejected,
            comparison=comparison,
        )

    def rollback(self, *, on_progress: OnProgress = lambda _: None) -> PromotionReport:
        """Make the model that the last promotion replaced the default again.

        Its embeddings and its index were kept; photos that came since are embedded with it.

        Raises:
            NoPreviousModel: There is none.
            ModelNotFound: The model is no longer there.
        """
        default, previous = self._store.setting(_DEFAULT_MODEL), self._store.setting(_PREVIOUS_MODEL)
        if previous is None:
            raise NoPreviousModel(default)
        card = self._backends.models.card(previous)
        self._require_same_network(card)
        self._make_default(card, previous=None)
        filled = self._fill(card, on_progress)
        return PromotionReport(
            model=card.id,
            previous=default,
            embedded=filled.embedded,
            reduced=filled.reduced,
            rejected=filled.rejected,
        )

    def product_ids(self) -> list[str]:
        """Ids of all products, sorted."""
        return self._store.product_ids()

    def thumbnail(self, photo: Photo) -> Path:
        """Path of a photo as the workspace keeps it, at most 320 px wide and high."""
        return self._backends.media.path(photo.thumbnail)

    def read(self, photo: PhotoInput) -> EncodedPhoto:
        """Read a photo once, to use it several times.

        Raises:
            PhotoRejected: It cannot be read.
        """
        return photo if isinstance(photo, EncodedPhoto) else encoded_photo(photo, urls=self._backends.urls)

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
        return take_stock(
            backends.home, self._store, backends.models, default_model=self._store.setting(_DEFAULT_MODEL)
        )

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
                rebuild_index(self._store, index, model=card.id)
            problems += check_index(self._store, index, model=card.id)
        return tuple(problems)

    def close(self) -> None:
        """Give the workspace back."""
        self._close_model()
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
        card = self._backends.choose_model(self._store.setting(_DEFAULT_MODEL))
        self._require_same_network(card)
        return card

    @cached_property
    def _encoder(self) -> Encoder:
        return self._backends.open_encoder(self._card)

    @cached_property
    def _index(self) -> EdgeIndex:
        index = self._backends.open_index(self._card)
        catch_up(self._store, index, model=self._card.id)
        return index

    def _indexes(self) -> Iterator[tuple[ModelCard, EdgeIndex]]:
        """The index of each model that has embedded photos of this catalog."""
        embedded = self._store.counts().embeddings
        for card in self._backends.models.cards():
            if card.id not in embedded:
                continue
            with self._opened_index(card) as index:
                catch_up(self._store, index, model=card.id)
                yield card, index

    @contextmanager
    def _opened_index(self, card: ModelCard) -> Iterator[EdgeIndex]:
        """The index of a model: the open one, where it is this one, since it cannot be opened twice."""
        if "_index" in vars(self) and card == self._card:
            yield self._index
            return
        with self._backends.open_index(card) as index:
            yield index

    def _remember_model(self) -> None:
        """The first model that embeds becomes the default."""
        self._remember_network(self._card)
        if self._store.setting(_DEFAULT_MODEL) is None:
            self._store.set_setting(_DEFAULT_MODEL, self._card.id)

    def _remember_network(self, card: ModelCard) -> None:
        """When a model first embeds, its id stands for its network from then on."""
        if self._store.setting(_NETWORK_OF.format(card.id)) is None:
            self._store.set_setting(_NETWORK_OF.format(card.id), card.sha256)

    def _require_same_network(self, card: ModelCard) -> None:
        if self._store.setting(_NETWORK_OF.format(card.id)) not in (None, card.sha256):
            raise ModelReplaced(card.id)

    def _fill(self, card: ModelCard, on_progress: OnProgress) -> Filled:
        """Embed the catalog with a model, and bring its index and that of the default up to date."""
        backends = self._backends
        self._remember_network(card)
        with backends.open_encoder(card) as encoder:
            filled = embed_catalog(
                self._store, encoder, media=backends.media, urls=backends.urls, on_progress=on_progress
            )
        default = self._store.setting(_DEFAULT_MODEL)
        for known in backends.models.cards():
            if known.id in {card.id, default}:
                with self._opened_index(known) as index:
                    bring_up_to_date(self._store, index, model=known.id)
        return filled

    def _compare(self, card: ModelCard, default: str, *, force: bool) -> Comparison | None:
        try:
            surveyed = survey(self._store, card, embedded_by=[card.id, default])
        except NothingToCompare:
            if not force:
                raise
            return None
        rng = np.random.default_rng(_RNG_SEED)
        return compare(self._store, surveyed, new=card.id, old=default, rng=rng)

    def _make_default(self, card: ModelCard, *, previous: str | None) -> None:
        self._store.set_settings({_DEFAULT_MODEL: card.id, _PREVIOUS_MODEL: previous})
        self._close_model()  # the next call opens the new one

    def _close_model(self) -> None:
        opened = vars(self)
        opened.pop("_card", None)
        for name in ("_encoder", "_index"):
            if (part := opened.pop(name, None)) is not None:
                part.close()

    def _require_embeddings(self) -> None:
        if self._store.has_embeddings(self._card.id):
            return
        others = list(self._store.counts().embeddings)
        if not others:
            raise EmptyCatalog(self._backends.home)
        raise ModelMismatch(index=others, query=self._card.id)

    def _embed(self, photos: list[EncodedPhoto]) -> list[Vector]:
        fit_px = max(self._card.size_px)
        images = [decode(photo.data, name=photo.name, fit_px=fit_px).image for photo in photos]
        vectors = list(self._encoder.embed(images)) if images else []
        for photo, vector in zip(photos, vectors, strict=True):
            if vector[0] != vector[0]:  # NaN
                raise PhotoRejected(photo.name, reason="the network gave no usable embedding of it")
        return vectors

    def _vectors_of(self, product_id: str) -> dict[str, Vector]:
        photos = self.product(product_id).photos
        vectors = self._store.embeddings(self._card.id, [photo.sha256 for photo in photos])
        if not vectors:
            raise ProductNotFound(product_id, reason="has no photo to compare")
        return vectors
