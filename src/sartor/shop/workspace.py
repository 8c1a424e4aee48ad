"""What a workspace stands on, opened when it is first needed: store, model, encoder, index."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Self

from sartor.errors import EmptyCatalog, ModelMismatch, PhotoRejected, ProductNotFound
from sartor.ingest.follow import catch_up
from sartor.recommend.features import FeatureBuilder
from sartor.shop.models import DefaultModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sartor.encoders.card import ModelCard
    from sartor.encoders.encoder import Encoder
    from sartor.index.edge import EdgeIndex
    from sartor.shop.backends import Backends
    from sartor.store.sqlite.catalog import SqliteStore
    from sartor.types import Photo, StoredProduct


class Workspace:
    """A workspace: its parts, and how they are opened and closed."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._writing = RLock()
        self._opening = RLock()  # what is opened at the first need, which several threads may have at once
        self._family: list[Workspace] = [self]  # this one, and the same workspace through other models

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

    def product(self, product_id: str) -> StoredProduct:
        """A product of the catalog.

        Raises:
            ProductNotFound: There is none with this id.
        """
        stored = self._store.products([product_id]).get(product_id)
        if stored is None:
            raise ProductNotFound(product_id)
        return stored

    def thumbnail(self, photo: Photo) -> Path:
        """Path of a photo as the workspace keeps it, at most 640 px wide and high.

        Raises:
            PhotoRejected: Only its embedding was imported.
        """
        if not photo.has_picture:
            raise PhotoRejected(photo.name, reason="only its vector was imported; import it again with --images")
        return self._backends.media.path(photo.thumbnail)

    def close(self) -> None:
        """Give the workspace back."""
        self._close_models()
        for opened in (vars(shop).pop("_opened_events", None) for shop in self._family):
            if opened is not None:
                opened.close()
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
    def _composer(self) -> FeatureBuilder:
        return self._compose(self._card)

    def _compose(self, card: ModelCard) -> FeatureBuilder:
        return FeatureBuilder(card.id, self._backends.heads(card))

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
        for name in ("_card", "_composer", "_main_photos"):
            opened.pop(name, None)
        for name in ("_complements_learner", "_embedder", "_encoder", "_index"):
            if (part := opened.pop(name, None)) is not None:
                part.close()

    def _require_embeddings(self) -> None:
        if self._store.has_embeddings(self._card.id):
            return
        others = list(self._store.counts().embeddings)
        if not others:
            raise EmptyCatalog(self._backends.home)
        raise ModelMismatch(index=others, query=self._card.id)
