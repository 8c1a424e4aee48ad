"""From settings to engines: the one place that chooses a workspace's store, index and media store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.encoders.heads import Heads, Regions
from sartor.imaging import UrlPolicy
from sartor.ingest.maintenance import back_up
from sartor.media.folder import FolderMediaStore
from sartor.replicas import Replicas
from sartor.shop import Shop, Workspace
from sartor.shop.backends import Backends, Lazy
from sartor.shop.library import MODELS, choose_model, open_encoder, open_models
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.database import copy_store
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.config import Settings
    from sartor.encoders.card import ModelCard
    from sartor.index.base import VectorIndex
    from sartor.ingest.maintenance import Backup
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore

_STORE, _EVENTS, _MEDIA = "catalog.sqlite3", "events.sqlite3", "media"
_FOLDERS = (_MEDIA, MODELS, "sources")  # of files; the rest of a workspace can be made from them


def open_shop(settings: Settings, *, many_callers: bool = False) -> Shop:
    """Open a workspace on the embedded engines; an empty one is made if there is none.

    Args:
        settings: Where it is and how it is opened.
        many_callers: Whether several threads ask at once: their photos are then embedded together.

    Raises:
        WorkspaceError: It cannot be used.
    """
    home = settings.home
    models = open_models(settings)
    store = open_store(settings)
    backends = Backends(
        home=home,
        store=store,
        events=Lazy(lambda: SqliteEventStore(home / _EVENTS)),
        has_events=(home / _EVENTS).exists,
        media=FolderMediaStore(home / _MEDIA),
        urls=UrlPolicy(enabled=settings.allow_urls),
        models=models,
        choose_model=lambda default: choose_model(settings, models, default=default),
        open_encoder=lambda card: open_encoder(settings, models, card, many_callers=many_callers),
        open_index=lambda card, features: open_index(settings, store, card, features),
        heads=lambda card: Heads.read(models.folders().get(card.id), card),
        regions=lambda card: Regions.read(models.folders().get(card.id), card),
    )
    return Shop(Workspace.of(backends))


def open_store(settings: Settings) -> SqliteCatalogStore:
    """The catalog store alone."""
    return SqliteCatalogStore(settings.home / _STORE)


def open_index(settings: Settings, store: CatalogStore, card: ModelCard, features: FeatureBuilder) -> VectorIndex:
    """The vector index of a model, in a directory that is this process's until the index is closed."""
    from sartor.index.edge import EdgeIndex, revision_in

    dimension = features.dimension(card.dimension)
    replicas = Replicas(
        settings.home / "index" / card.id,
        revision_of=lambda path: revision_in(path, model=card.sha256, dimension=dimension),
    )
    replica = replicas.claim(revision=store.revision)
    try:
        return EdgeIndex(
            replica.path, model=card.sha256, dimension=dimension, metric=settings.metric, replica=replica
        )
    except BaseException:
        replica.release()
        raise


def back_up_workspace(settings: Settings, directory: Path) -> Backup:
    """Copy a workspace to a directory that can be used in its place; another process may hold it, and write to it.

    The index is not copied: it is made again when the copy is opened.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    return back_up(settings.home, directory, stores=(_STORE, _EVENTS), folders=_FOLDERS, copy_store=copy_store)
