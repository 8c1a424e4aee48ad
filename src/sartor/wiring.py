"""From settings to engines: the one place that chooses a workspace's store, index and media store."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.config import is_address
from sartor.encoders.heads import Heads, Regions
from sartor.errors import BadAddress, CopyFailed, redacted
from sartor.imaging import UrlPolicy
from sartor.ingest.copying import Engines, copy_workspace
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
    from collections.abc import Iterator

    from sartor.config import Settings
    from sartor.encoders.card import ModelCard
    from sartor.encoders.registry import ModelRegistry
    from sartor.index.base import VectorIndex
    from sartor.ingest.copying import CopyReport
    from sartor.ingest.maintenance import Backup
    from sartor.ingest.photos import OnProgress
    from sartor.media.base import MediaStore
    from sartor.recommend.features import FeatureBuilder
    from sartor.store.base import CatalogStore, EventStore

_STORE, _EVENTS, _MEDIA = "catalog.sqlite3", "events.sqlite3", "media"
_STORES = "give mongodb://HOST/DATABASE, or leave it out for SQLite in the directory"
_FOLDERS = (_MEDIA, MODELS, "sources")  # of files; the rest of a workspace can be made from them


def open_shop(settings: Settings, *, many_callers: bool = False) -> Shop:
    """Open a workspace on the engines that its settings name; an empty one is made if there is none.

    Args:
        settings: Where it is and how it is opened.
        many_callers: Whether several threads ask at once: their photos are then embedded together.

    Raises:
        BadAddress: A setting is no address of an engine.
        WorkspaceError: It cannot be used.
    """
    require_embedded_index(settings)
    media = open_media(settings)
    models = open_models(settings)
    store = open_store(settings)
    backends = Backends(
        home=settings.home,
        store=store,
        events=Lazy(lambda: open_events(settings)),
        has_events=lambda: has_events(settings),
        media=media,
        urls=UrlPolicy(enabled=settings.allow_urls),
        models=models,
        choose_model=lambda default: choose_model(settings, models, default=default),
        open_encoder=lambda card: open_encoder(settings, models, card, many_callers=many_callers),
        open_index=lambda card, features: open_index(settings, store, card, features),
        heads=lambda card: Heads.read(models.folders().get(card.id), card),
        regions=lambda card: Regions.read(models.folders().get(card.id), card),
    )
    return Shop(Workspace.of(backends))


def open_store(settings: Settings) -> CatalogStore:
    """The catalog store alone.

    Raises:
        BadAddress: The setting is no address of a store.
        WorkspaceError: It cannot be used.
    """
    if settings.store is None:
        return SqliteCatalogStore(settings.home / _STORE)
    raise BadAddress(settings.store, setting="store", reason=f"there is no such engine; {_STORES}")


def open_media(settings: Settings) -> MediaStore:
    """The thumbnails.

    Raises:
        BadAddress: The setting is no directory.
    """
    if settings.media is None:
        return FolderMediaStore(settings.home / _MEDIA)
    if is_address(settings.media):
        raise BadAddress(
            settings.media, setting="media", reason="there is no such engine; give a directory that all share"
        )
    return FolderMediaStore(Path(settings.media))


def require_embedded_index(settings: Settings) -> None:
    """Check that no index engine is asked for that Sartor does not have.

    Raises:
        BadAddress: One is.
    """
    if settings.index is not None:
        raise BadAddress(
            settings.index,
            setting="index",
            reason="there is no such engine; leave it out, and each process has its own",
        )


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


def copy_between(source: Settings, target: Settings, *, on_progress: OnProgress = lambda _: None) -> CopyReport:
    """Copy a workspace to another store, with the models that were added to it.

    Raises:
        CopyFailed: There is no workspace, the target holds something else, or the copy differs.
        BadAddress: One of them is no address of a store.
    """
    if source.store is None and not (source.home / _STORE).is_file():
        raise CopyFailed(name_of(target), reason=f"there is no workspace in {source.home}")
    with open_engines(source) as (from_, models), open_engines(target) as (to, models_of_copy):
        report = copy_workspace(from_, to, on_progress=on_progress)
        models_of_copy.take_over(models)
    return report


@contextmanager
def open_engines(settings: Settings) -> Iterator[tuple[Engines, ModelRegistry]]:
    """The stores of a workspace, and its models."""
    with closing(open_store(settings)) as store:
        events = Lazy(lambda: open_events(settings))
        try:
            engines = Engines(
                name=name_of(settings),
                store=store,
                events=events,
                has_events=lambda: has_events(settings),
                media=open_media(settings),
            )
            yield engines, open_models(settings)
        finally:
            events.close()


def name_of(settings: Settings) -> str:
    """What messages call a workspace; without a password."""
    return str(settings.home) if settings.store is None else redacted(settings.store)


def open_events(settings: Settings) -> EventStore:
    """What shoppers did."""
    return SqliteEventStore(settings.home / _EVENTS)


def has_events(settings: Settings) -> bool:
    """Whether a workspace has ever taken an event."""
    return (settings.home / _EVENTS).exists()


def back_up_workspace(settings: Settings, directory: Path) -> Backup:
    """Copy a workspace to a directory that can be used in its place; another process may hold it, and write to it.

    The index is not copied: it is made again when the copy is opened.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    return back_up(settings.home, directory, stores=(_STORE, _EVENTS), folders=_FOLDERS, copy_store=copy_store)
