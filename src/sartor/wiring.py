"""From settings to engines: the one place that chooses a workspace's store, index and media store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.encoders.heads import Heads, Regions
from sartor.imaging import UrlPolicy
from sartor.ingest.maintenance import back_up
from sartor.media.folder import FolderMediaStore
from sartor.shop import Shop, Workspace
from sartor.shop.backends import Backends, Lazy
from sartor.shop.library import MODELS, choose_model, open_encoder, open_models
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.database import WorkspaceLock, copy_store
from sartor.store.sqlite.events import SqliteEventStore

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.config import Settings
    from sartor.encoders.card import ModelCard
    from sartor.index.base import VectorIndex
    from sartor.ingest.maintenance import Backup
    from sartor.recommend.features import FeatureBuilder

_STORE, _EVENTS, _MEDIA = "catalog.sqlite3", "events.sqlite3", "media"
_FOLDERS = (_MEDIA, MODELS, "sources")  # of files; the rest of a workspace can be made from them


def open_shop(settings: Settings, *, many_callers: bool = False) -> Shop:
    """Open a workspace on the embedded engines; an empty one is made if there is none.

    Args:
        settings: Where it is and how it is opened.
        many_callers: Whether several threads ask at once: their photos are then embedded together.

    Raises:
        WorkspaceError: Another process holds it, or it cannot be used.
    """
    home = settings.home
    models = open_models(settings)
    lock = WorkspaceLock(home)
    try:
        backends = Backends(
            home=home,
            release=lock.release,
            store=SqliteCatalogStore(home / _STORE),
            events=Lazy(lambda: SqliteEventStore(home / _EVENTS)),
            has_events=(home / _EVENTS).exists,
            media=FolderMediaStore(home / _MEDIA),
            urls=UrlPolicy(enabled=settings.allow_urls),
            models=models,
            choose_model=lambda default: choose_model(settings, models, default=default),
            open_encoder=lambda card: open_encoder(settings, models, card, many_callers=many_callers),
            open_index=lambda card, features: open_index(settings, card, features),
            heads=lambda card: Heads.read(models.folders().get(card.id), card),
            regions=lambda card: Regions.read(models.folders().get(card.id), card),
        )
    except BaseException:
        lock.release()
        raise
    return Shop(Workspace.of(backends))


def open_store(settings: Settings) -> SqliteCatalogStore:
    """The catalog store alone, beside a process that holds the workspace: SQLite keeps their writes apart."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return SqliteCatalogStore(settings.home / _STORE)


def open_index(settings: Settings, card: ModelCard, features: FeatureBuilder) -> VectorIndex:
    """The vector index of a model."""
    from sartor.index.edge import EdgeIndex

    return EdgeIndex(
        settings.home / "index" / card.id,
        model=card.sha256,
        dimension=features.dimension(card.dimension),
        metric=settings.metric,
    )


def back_up_workspace(settings: Settings, directory: Path) -> Backup:
    """Copy a workspace to a directory that can be used in its place; another process may hold it, and write to it.

    The index is not copied: it is made again when the copy is opened.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    return back_up(settings.home, directory, stores=(_STORE, _EVENTS), folders=_FOLDERS, copy_store=copy_store)
