"""From settings to engines: the one place that chooses a workspace's store, index and media store."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sartor.catalog.fetching import Sources
from sartor.choices import CatalogChoice
from sartor.config import SETTINGS_FILE, Settings, is_address
from sartor.encoders.foreground import Foreground
from sartor.encoders.heads import Heads, Regions
from sartor.errors import BackupFailed, BadAddress, CopyFailed, ModelNotFound, redacted, require_extra
from sartor.footprint import cache_directory, is_writable
from sartor.imaging import UrlPolicy
from sartor.ingest.copying import COPY_OF, SHARED_LISTING, WORKSPACE_ID, Engines, copy_workspace
from sartor.ingest.guard import ShrinkLimits
from sartor.ingest.maintenance import back_up
from sartor.ingest.photos import PhotoEmbedder
from sartor.limits import SERVER_FILE_S
from sartor.media.folder import FolderMediaStore
from sartor.media.pack import PackMediaStore
from sartor.replicas import Replicas
from sartor.shop import Shop, Workspace
from sartor.shop.backends import Backends, Lazy
from sartor.shop.library import (
    MODELS,
    WORDS,
    choose_model,
    load_runtime,
    open_detector,
    open_encoder,
    open_models,
    open_text_tower,
    read_vocabulary,
)
from sartor.store.sqlite.catalog import SqliteCatalogStore
from sartor.store.sqlite.database import copy_store
from sartor.store.sqlite.events import SqliteEventStore
from sartor.store.sqlite.fetched import SqliteFetched
from sartor.store.sqlite.files import FolderFiles
from sartor.store.sqlite.pack import SqlitePack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sartor.catalog.fetching import Remote
    from sartor.encoders.card import ModelCard
    from sartor.encoders.encoder import Encoder
    from sartor.encoders.registry import ModelRegistry
    from sartor.index.base import IndexWriter, ListingWriter, VectorIndex
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.ingest.copying import CopyReport
    from sartor.ingest.maintenance import Backup
    from sartor.ingest.photos import Embedder, OnProgress
    from sartor.media.base import MediaStore
    from sartor.media.s3 import S3Bucket
    from sartor.recommend.features import FeatureBuilder
    from sartor.recommend.personal.published import Files
    from sartor.store.base import CatalogStore, EventStore
    from sartor.store.mongo.database import MongoDatabase

_STORE, _EVENTS, _LEARNED = "catalog.sqlite3", "events.sqlite3", "learned"
_PACK, _MEDIA = "media.sqlite3", "media"  # thumbnails, and those of before there was a pack
INDEX = "index"  # the directory of the replicas
SHARED_INDEX = "unix://"  # and the socket of an ``IndexServer``; `sartor serve` gives it to its workers
_STORES = "give mongodb://HOST/DATABASE, or leave it out for SQLite in the directory"
_INDEXES = "give opensearch://HOST:PORT, or leave it out, and each process has its own"
_MEDIA_STORES = "give s3://BUCKET/PREFIX, or a directory that all share"
_SOURCES, _FETCHED = "sources", "fetched"  # uploads, and the copies of sources from a server
_FETCHED_PHOTOS = "photos.sqlite3"  # in the latter: what is known of photos by URL
_PARTS = (
    _MEDIA,
    MODELS,
    WORDS,
    _SOURCES,
    SETTINGS_FILE,
)  # of files; the rest of a workspace can be made from them


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where the truth of a workspace is kept, and where what is derived from it goes.

    Attributes:
        name: What messages call it, without a password.
        home: Directory of the workspace, or of what is derived from it where a server holds it.
        derived: Directory of what is derived: the same, or one in the cache where that is read-only.
        store: The catalog; closing it closes the connection, too.
        events: What shoppers did.
        has_events: Whether there may be any.
        learned: What one process has learned from very many of them, for the others.
        media: The thumbnails.
        models: The models.
        fetch_models: Fetches the models that other hosts have added.
    """

    name: str
    home: Path
    derived: Path
    store: CatalogStore
    events: Lazy[EventStore]
    has_events: Callable[[], bool]
    learned: Files
    media: MediaStore
    models: ModelRegistry
    fetch_models: Callable[[], object] = lambda: None

    def close(self) -> None:
        """Close the stores."""
        self.media.close()
        self.events.close()
        self.store.close()


def open_shop(settings: Settings, *, many_callers: bool = False) -> Shop:
    """Open a workspace, as ``open_workspace`` does, as one object."""
    return Shop(open_workspace(settings, many_callers=many_callers))


def open_workspace(settings: Settings, *, many_callers: bool = False) -> Workspace:
    """Open a workspace on the engines that its settings name; an empty one is made if there is none.

    Args:
        settings: Where it is and how it is opened.
        many_callers: Whether several threads ask at once: their photos are then embedded together.

    Raises:
        BadAddress: A setting is no address of an engine.
        WorkspaceError: It cannot be used.
    """
    _require_servers(settings)
    # Two connections: while one finds that the cluster is too busy to write, the other one goes on reading.
    cluster, writing = open_cluster(settings), open_cluster(settings)
    connections = ExitStack()
    for connection in (cluster, writing):
        if connection is not None:
            connections.callback(connection.close)
    truth = open_truth(settings, cluster=cluster)
    models = truth.models

    def choose(default: str | None) -> ModelCard:
        try:
            return choose_model(settings, models, default=default)
        except ModelNotFound:
            truth.fetch_models()
            return choose_model(settings, models, default=default)

    fetched = SqliteFetched(truth.home / _FETCHED / _FETCHED_PHOTOS)
    connections.callback(fetched.close)
    backends = Backends(
        home=truth.home,
        derived=truth.derived,
        name=truth.name,
        store=truth.store,
        events=truth.events,
        has_events=truth.has_events,
        learned=truth.learned,
        media=truth.media,
        sources=Sources(truth.home / _FETCHED, truth.store, _remote),
        urls=UrlPolicy(enabled=settings.allow_urls),
        fetched=fetched,
        include_unavailable=settings.include_unavailable,
        shrink=ShrinkLimits(share=settings.shrink_share, products=settings.shrink_products),
        models=models,
        choose_model=choose,
        open_encoder=lambda card: open_encoder(settings, models, card, many_callers=many_callers),
        open_embedder=partial(_embedder, settings, models, connections),
        open_index=lambda card, features: open_index(settings, truth, card, features, cluster=cluster),
        open_writer=None if writing is None else partial(index_writer, writing, workspace_id(truth.store)),
        open_listing=(lambda _: None) if writing is None else partial(_listing_writer, writing, truth.store),
        lists_elsewhere=settings.catalog is CatalogChoice.SHARED,
        heads=lambda card: Heads.read(models.folders().get(card.id), card),
        regions=lambda card: Regions.read(models.folders().get(card.id), card),
        foreground=lambda card: Foreground.read(models.folders().get(card.id), card),
        open_detector=lambda: open_detector(settings, models),
        text=lambda card: open_text_tower(truth.home, models, card),
        vocabulary=lambda: read_vocabulary(truth.home),
        fetch_models=truth.fetch_models,
        on_close=connections.close,
    )
    workspace = Workspace.of(backends)
    if settings.indexer and workspace.models.indexer is not None:
        workspace.models.indexer.start()
    return workspace


def _embedder(  # noqa: PLR0913 - the first three are of the workspace
    settings: Settings,
    models: ModelRegistry,
    connections: ExitStack,
    encoder: Encoder,
    *,
    media: MediaStore | None = None,
    ray: str | None = None,
) -> Embedder:
    """What embeds many photos: this process, or a cluster for a network that is in the registry."""
    if ray is None or encoder.card.id not in models.folders():
        return PhotoEmbedder(encoder, media=media)
    require_extra("ray", "ray")
    from sartor.ingest.ray.connection import RayCluster
    from sartor.ingest.ray.embedder import RayEmbedder
    from sartor.ingest.ray.worker import Network

    if settings.device not in {"auto", "cpu"}:
        reason = f"a cluster embeds on processors, and device={settings.device!r} is another device"
        raise BadAddress(ray, setting="ray", reason=reason)
    card = encoder.card
    # What travels holds no address and no password of the workspace.
    load = partial(load_runtime, Settings(runtime=settings.runtime, precision=settings.precision, threads=1))
    network = Network(card=card, data=models.file(card).read_bytes(), load=load)
    cluster = connections.enter_context(closing(RayCluster(ray)))
    return RayEmbedder(cluster, network, media=media)


def open_truth(settings: Settings, *, cluster: OpenSearch | None = None, origin: str | None = None) -> Truth:
    """The stores of a workspace, and its models.

    Args:
        settings: Where they are.
        cluster: Where the index is, if it is open already.
        origin: Id of the workspace that this one is about to become a copy of; they may share a bucket.

    Raises:
        BadAddress: A setting is no address of an engine.
        WorkspaceError: A store cannot be used.
    """
    _require_servers(settings)
    bucket = _bucket(settings)
    if settings.store is not None:
        return _mongodb(settings, settings.store, bucket, cluster=cluster, origin=origin)
    home = settings.home
    store = SqliteCatalogStore(home / _STORE)
    try:
        media = _media(settings, bucket, home, store, origin=origin) or _pack(settings, home)
    except BaseException:
        store.close()
        raise
    return Truth(
        name=str(home),
        home=home,
        derived=_derived(settings, home),
        store=store,
        events=Lazy(lambda: SqliteEventStore(home / _EVENTS)),
        has_events=(home / _EVENTS).exists,
        learned=FolderFiles(home / _LEARNED),
        media=media,
        models=open_models(settings),
    )


def _pack(settings: Settings, home: Path) -> PackMediaStore:
    """The thumbnails of a workspace in its directory."""
    folder, derived = FolderMediaStore(home / _MEDIA), _derived(settings, home)
    files = None if derived == home else FolderMediaStore(derived / _MEDIA, durable=False)
    return PackMediaStore(SqlitePack(home / _PACK), folder=folder, files=files)


def _derived(settings: Settings, home: Path) -> Path:
    """Where the files go that each process derives."""
    if is_writable(home):
        return home
    return cache_directory(settings.cache) / "workspaces" / sha256(str(home.resolve()).encode()).hexdigest()[:12]


def open_store(settings: Settings) -> CatalogStore:
    """The catalog store alone.

    Raises:
        BadAddress: The setting is no address of a store.
        WorkspaceError: It cannot be used.
    """
    if settings.store is None:
        return SqliteCatalogStore(settings.home / _STORE)
    return open_truth(settings).store


@contextmanager
def open_beside(settings: Settings, shop: Shop) -> Iterator[CatalogStore]:
    """The catalog store for API keys beside an open shop, which does not wait for the shop's own long reads.

    On a server it is the shop's: a second one would be a second replica of the catalog.
    """
    if settings.store is not None:
        yield shop.catalog.store
        return
    with closing(open_store(settings)) as store:
        yield store


def _remote(address: str) -> Remote:
    """The source at an address."""
    if not address.startswith("s3://"):
        reason = "give s3://BUCKET/KEY, or a path; photos by URL are read from a table with --allow-urls"
        raise BadAddress(address, setting="source", reason=reason)
    require_extra("s3", "boto3")
    from sartor.media.s3_files import S3Source

    return S3Source(address)


def _bucket(settings: Settings) -> S3Bucket | None:
    """The bucket that the settings name for thumbnails; opened before a store is made, as it may be refused."""
    address = settings.media
    if address is None or not is_address(address):
        return None
    if not address.startswith("s3://"):
        raise BadAddress(address, setting="media", reason=f"there is no such engine; {_MEDIA_STORES}")
    require_extra("s3", "boto3")
    from sartor.media.s3 import S3Bucket

    return S3Bucket(address)


def _media(
    settings: Settings, bucket: S3Bucket | None, home: Path, store: CatalogStore, *, origin: str | None
) -> MediaStore | None:
    """The thumbnails where the settings say; None if they are where the store's are."""
    if settings.media is None:
        return None
    if bucket is None:
        return FolderMediaStore(Path(settings.media))
    from sartor.media.bucket import BucketMediaStore
    from sartor.media.s3 import OWNER

    # A workspace deletes the thumbnails that it does not know, so a bucket belongs to one, and to its copies.
    own = workspace_id(store)
    if bucket.claim(own) not in {own, store.setting(COPY_OF), origin}:
        reason = (
            "its photos belong to another workspace; name another prefix, as in s3://BUCKET/SHOP, or delete the "
            f"object {OWNER!r} there if that one is gone"
        )
        raise BadAddress(settings.media, setting="media", reason=reason)
    cache = f"{_MEDIA}-{sha256(settings.media.encode()).hexdigest()[:12]}"
    folder = FolderMediaStore(_derived(settings, home) / cache, durable=False)
    return BucketMediaStore(bucket, folder=folder, originals=bucket)


def _require_servers(settings: Settings) -> None:
    """Check that the settings name the servers that a shared catalog is read from."""
    if settings.catalog is CatalogChoice.LOCAL:
        return
    missing = [
        f"SARTOR_{name.upper()}={scheme}://HOST"
        for name, scheme in (("store", "mongodb"), ("index", "opensearch"))
        if not (getattr(settings, name) or "").startswith((f"{scheme}://", f"{scheme}+srv://"))
    ]
    if missing:
        reason = f"it needs MongoDB and OpenSearch; set {' and '.join(missing)}, or leave SARTOR_CATALOG out"
        raise BadAddress(settings.catalog, setting="catalog", reason=reason)


def _mongodb(
    settings: Settings,
    address: str,
    bucket: S3Bucket | None,
    *,
    cluster: OpenSearch | None,
    origin: str | None,
) -> Truth:
    if not address.startswith(("mongodb://", "mongodb+srv://")):
        raise BadAddress(address, setting="store", reason=f"there is no such engine; {_STORES}")
    require_extra("mongodb", "pymongo")
    from sartor.media.bucket import BucketMediaStore
    from sartor.store.mongo.catalog import MongoCatalogStore
    from sartor.store.mongo.database import MongoDatabase
    from sartor.store.mongo.events import MongoEventStore
    from sartor.store.mongo.files import MongoFiles
    from sartor.store.mongo.models import ModelFiles

    database = MongoDatabase(address, sessions=settings.home / "mongodb-sessions")
    try:
        # Another workspace has other revisions, so nothing that is derived from one may be taken for the other.
        home = settings.home / f"mongodb-{database.workspace_id[:12]}"
        models = ModelFiles(database, settings.home / MODELS)
        models.exchange()
        store: CatalogStore
        if settings.catalog is CatalogChoice.SHARED:
            store = _shared_catalog(settings, database, cluster)
        else:
            store = MongoCatalogStore(database, home / "catalog", on_close=database.close)
        media = _media(settings, bucket, home, store, origin=origin)
        if media is None:
            cache = FolderMediaStore(home / _MEDIA, durable=False)
            media = BucketMediaStore(MongoFiles(database, "media"), folder=cache)
        return Truth(
            name=database.shown,
            home=home,
            derived=home,
            store=store,
            events=Lazy(lambda: MongoEventStore(database)),
            has_events=lambda: True,
            learned=MongoFiles(database, _LEARNED, call_s=SERVER_FILE_S),
            media=media,
            models=open_models(settings),
            fetch_models=models.pull,
        )
    except BaseException:
        database.close()
        raise


def _shared_catalog(settings: Settings, database: MongoDatabase, cluster: OpenSearch | None) -> CatalogStore:
    """The catalog of which this process keeps nothing."""
    from sartor.index.opensearch.listing import OpenSearchListing
    from sartor.store.mongo.shared import SharedMongoCatalogStore

    closing_ = ExitStack()
    closing_.callback(database.close)
    server = cluster or open_cluster(settings)
    if server is None:  # _require_servers has seen to it
        raise BadAddress(settings.catalog, setting="catalog", reason=_INDEXES)
    if cluster is None:
        closing_.callback(server.close)
    store = SharedMongoCatalogStore(
        database,
        lambda store: OpenSearchListing(server, workspace=workspace_id(store)),
        on_close=closing_.close,
    )
    store.claim_setting(SHARED_LISTING, "1")
    return store


def open_cluster(settings: Settings) -> OpenSearch | None:
    """The cluster that holds the index for all processes; None if each has its own. Nobody is asked yet.

    Raises:
        BadAddress: The setting is no address of an index.
    """
    address = settings.index
    if address is None or address.startswith(SHARED_INDEX):
        return None
    if not address.startswith("opensearch://"):
        raise BadAddress(address, setting="index", reason=f"there is no such engine; {_INDEXES}")
    require_extra("opensearch", "opensearchpy")
    from sartor.index.opensearch.connection import OpenSearch

    return OpenSearch(address)


def workspace_id(store: CatalogStore) -> str:
    """An id that no other workspace has, for what it keeps elsewhere; a copy of it gets another one."""
    return store.setting(WORKSPACE_ID) or store.claim_setting(WORKSPACE_ID, uuid4().hex)


def index_writer(
    cluster: OpenSearch, workspace: str, card: ModelCard, features: FeatureBuilder, term: int
) -> IndexWriter:
    """The index of a model in a cluster, for the indexer that has the lease of a term."""
    from sartor.index.opensearch.writer import OpenSearchWriter

    return OpenSearchWriter(
        cluster,
        workspace=workspace,
        model_id=card.id,
        model=card.sha256,
        dimension=features.dimension(card.dimension),
        term=term,
    )


def _listing_writer(cluster: OpenSearch, store: CatalogStore, term: int) -> ListingWriter | None:
    """Writes the listing, once a process has asked for it: any indexer of the workspace writes it from then on."""
    if store.setting(SHARED_LISTING) is None:
        return None
    from sartor.index.opensearch.listing import OpenSearchListingWriter

    return OpenSearchListingWriter(cluster, workspace=workspace_id(store), term=term)


def open_index(
    settings: Settings,
    truth: Truth,
    card: ModelCard,
    features: FeatureBuilder,
    *,
    cluster: OpenSearch | None = None,
) -> VectorIndex:
    """The vector index of a model: in a cluster, in another process, or in a directory that is this process's."""
    dimension = features.dimension(card.dimension)
    if cluster is not None:
        from sartor.index.opensearch.reader import OpenSearchIndex

        return OpenSearchIndex(
            cluster,
            workspace=workspace_id(truth.store),
            model_id=card.id,
            model=card.sha256,
            dimension=dimension,
            metric=settings.metric,
        )
    if settings.index is not None:
        from sartor.index.shared import SharedIndex

        address = Path(settings.index.removeprefix(SHARED_INDEX))
        return SharedIndex(address, model=card.id, metric=settings.metric)
    from sartor.index.edge import EdgeIndex, revision_in

    replicas = Replicas(
        truth.derived / INDEX / card.id,
        revision_of=lambda path: revision_in(path, model=card.sha256, dimension=dimension),
    )
    replica = replicas.claim(revision=truth.store.revision)
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
        raise CopyFailed(_name_of(target), reason=f"there is no workspace in {source.home}")
    # A replica shows all that is in the store, whether or not an indexer has seen it.
    source, target = (each.model_copy(update={"catalog": CatalogChoice.LOCAL}) for each in (source, target))
    with ExitStack() as stack:
        from_ = stack.enter_context(closing(open_truth(source)))
        origin = workspace_id(from_.store)
        to = stack.enter_context(closing(open_truth(target, origin=origin)))
        if clash := to.models.clash_with(from_.models):
            raise CopyFailed(_name_of(target), reason=f"it has another model {clash!r}; name an empty workspace")
        report = copy_workspace(_engines(from_), _engines(to), on_progress=on_progress)
        to.models.take_over(from_.models)
    if target.store is not None:
        open_truth(target).close()  # which puts the models on the server
    return replace(report, left_out=_not_copied(source.home))


def _not_copied(home: Path) -> tuple[str, ...]:
    """What a workspace has beside its store, its models and its thumbnails."""
    parts = {SETTINGS_FILE: "the settings", _SOURCES: "the ZIPs that were uploaded in the studio"}
    return tuple(f"{what}, in {home / name}" for name, what in parts.items() if (home / name).exists())


def _engines(truth: Truth) -> Engines:
    return Engines(
        name=truth.name, store=truth.store, events=truth.events, has_events=truth.has_events, media=truth.media
    )


def _name_of(settings: Settings) -> str:
    return str(settings.home) if settings.store is None else redacted(settings.store)


def back_up_workspace(settings: Settings, directory: Path) -> Backup:
    """Copy a workspace to a directory that can be used in its place; another process may hold it, and write to it.

    The index is not copied: it is made again when the copy is opened.

    Raises:
        BackupFailed: There is no workspace, something is in the way, or a file cannot be copied.
    """
    if settings.store is not None:
        reason = "MongoDB holds it: back that up with mongodump, or copy the workspace with: sartor copy FROM TO"
        raise BackupFailed(redacted(settings.store), reason=reason)
    copy = back_up(settings.home, directory, stores=(_STORE, _EVENTS, _PACK), parts=_PARTS, copy_store=copy_store)
    if settings.media is None:
        return copy
    where = redacted(settings.media) if is_address(settings.media) else settings.media
    return replace(copy, left_out=f"the photos, which are in {where}; open it with the same SARTOR_MEDIA")
