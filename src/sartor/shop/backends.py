"""What a shop stands on: the engines that ``sartor.wiring`` chose, each opened when it is first needed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sartor.encoders.text.words import Vocabulary
from sartor.errors import EmptyCatalog, ModelMismatch
from sartor.ingest.photos import PhotoEmbedder
from sartor.ingest.pipeline import IngestContext
from sartor.ingest.writer import CatalogWriter, catch_up
from sartor.recommend.boxes import GarmentFinder
from sartor.recommend.candidates import MainPhotos
from sartor.recommend.facts import Candidates
from sartor.recommend.features import FeatureBuilder
from sartor.recommend.matching import Matcher, matcher_of
from sartor.recommend.outfit.complements import ComplementsLearner
from sartor.recommend.outfit.garments import GarmentReader
from sartor.recommend.query import EncodedPhotos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sartor.catalog.fetching import Sources
    from sartor.encoders.card import ModelCard
    from sartor.encoders.detector import Detector
    from sartor.encoders.encoder import Encoder
    from sartor.encoders.foreground import Foreground
    from sartor.encoders.heads import Heads, Regions
    from sartor.encoders.registry import ModelRegistry
    from sartor.encoders.text.tower import TextTower
    from sartor.imaging import UrlPolicy
    from sartor.index.base import IndexWriter, ListingWriter, VectorIndex
    from sartor.ingest.guard import ShrinkLimits
    from sartor.ingest.photos import Embedder
    from sartor.ingest.web import FetchedNotes
    from sartor.media.base import MediaStore
    from sartor.recommend.personal.published import Files
    from sartor.store.base import CatalogStore, EventStore

T = TypeVar("T")


class OpenEmbedder(Protocol):
    """Opens what embeds many photos."""

    def __call__(self, encoder: Encoder, *, media: MediaStore | None = None, ray: str | None = None) -> Embedder:
        """Open it.

        Args:
            encoder: The network.
            media: Where thumbnails go; without it, none are made.
            ray: The cluster that embeds, as ``sartor index --ray`` takes it; None for this host.
        """
        ...


class Lazy(Generic[T]):
    """A value that is made at the first call, once, however many threads call.

    ``functools.cached_property`` has no lock since Python 3.12: two threads would open the same index twice.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: T | None = None

    def __call__(self) -> T:
        """The value, made now if it was not made yet."""
        if (made := self._made) is not None:
            return made
        with self._lock:
            made = self._made = self._make() if self._made is None else self._made
            return made

    @property
    def made(self) -> T | None:
        """The value, or None before the first call."""
        return self._made

    def close(self) -> None:
        """Close the value if it can be closed, and forget it: the next call makes it anew."""
        with self._lock:
            made, self._made = self._made, None
            if (close := getattr(made, "close", None)) is not None:
                close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """The engines of a workspace.

    Attributes:
        home: Directory of the workspace, or of what is derived from it where a server holds it.
        derived: Directory of what can be made again: the same, or one in the cache where that is read-only.
        name: What messages call the workspace.
        store: The catalog.
        events: What shoppers did; its file is made at the first call.
        has_events: Whether that file exists.
        learned: What one process has learned from very many events, for the others.
        media: Thumbnails.
        sources: Opens sources, by path or address.
        urls: Whether photos may be fetched by URL.
        fetched: Remembers what was fetched by URL.
        include_unavailable: Whether recommendations have what is out of stock, unless they are asked otherwise.
        shrink: From when on a source that says less than before is refused.
        models: Models of the workspace.
        choose_model: From the id of the workspace's default model, or None, to the card of the model to use.
        open_encoder: Opens the network of a model.
        open_embedder: Opens what embeds many photos with a network, on this host or on a cluster.
        open_index: Opens the vector index of a model.
        open_detector: Opens the detector of garments that was added to the workspace; it returns None without one.
        open_writer: Opens the index of a model for the indexer that has the lease of a term; None where each
            process has an index of its own.
        open_listing: Opens the index of the listing for the indexer; it returns None if no process has one.
        lists_elsewhere: Whether listings come from that index.
        heads: The classifiers of a model.
        regions: Splits a model's embeddings over the regions of a photo.
        foreground: What tells the product from its background on a model's feature maps; None without it.
        text: The text tower of a model; None for one that embeds photos only.
        vocabulary: What words mean in this workspace.
        fetch_models: Fetches the models that other hosts have added.
        on_close: Closes what the index stands on.
        writing: Held while this process writes the catalog or an index.
    """

    home: Path
    derived: Path
    name: str
    store: CatalogStore
    events: Lazy[EventStore]
    has_events: Callable[[], bool]
    learned: Files
    media: MediaStore
    sources: Sources
    urls: UrlPolicy
    fetched: FetchedNotes
    include_unavailable: bool
    shrink: ShrinkLimits
    models: ModelRegistry
    choose_model: Callable[[str | None], ModelCard]
    open_encoder: Callable[[ModelCard], Encoder]
    open_embedder: OpenEmbedder
    open_index: Callable[[ModelCard, FeatureBuilder], VectorIndex]
    heads: Callable[[ModelCard], Heads]
    regions: Callable[[ModelCard], Regions]
    foreground: Callable[[ModelCard], Foreground | None] = lambda _: None
    open_detector: Callable[[], Detector | None] = lambda: None
    text: Callable[[ModelCard], TextTower | None] = lambda _: None
    vocabulary: Callable[[], Vocabulary] = Vocabulary.read
    open_writer: Callable[[ModelCard, FeatureBuilder, int], IndexWriter] | None = None
    open_listing: Callable[[int], ListingWriter | None] = lambda _: None
    lists_elsewhere: bool = False
    fetch_models: Callable[[], object] = lambda: None
    on_close: Callable[[], None] = lambda: None
    writing: RLock = field(default_factory=RLock)

    @property
    def is_read_only(self) -> bool:
        """Whether the workspace cannot be written."""
        return self.derived != self.home

    def features(self, card: ModelCard) -> FeatureBuilder:
        """What turns a model's embeddings into the vectors that are compared."""
        return FeatureBuilder(card.id, self.heads(card))

    def close(self) -> None:
        """Close the stores, and what belongs to them."""
        self.media.close()
        self.events.close()
        self.store.close()
        self.on_close()


class OpenModel:
    """A model with its network, its index and what is read from them; each is opened when first needed.

    ``close`` frees all of it. A thread that still answers a query afterwards opens what it needs again.
    """

    def __init__(self, card: ModelCard, backends: Backends, *, on_index: Callable[[], None]) -> None:
        """``on_index`` is called when the index was opened, which has to follow the store from then on."""
        self.card = card
        self._backends, self._on_index = backends, on_index
        self.candidates, self.photos = Candidates(), EncodedPhotos()  # of earlier answers
        self._features = Lazy(lambda: backends.features(card))
        self._matcher = Lazy(lambda: matcher_of(card, self.features.heads))
        self._encoder = Lazy(lambda: backends.open_encoder(card))
        self._index = Lazy(self._open_index)
        self._foreground = Lazy(lambda: (backends.foreground(card),))
        self._text = Lazy(lambda: (backends.text(card),))
        self._detector = Lazy(lambda: (backends.open_detector(),))
        self._embedder = Lazy(lambda: PhotoEmbedder(self.encoder, media=backends.media))
        self._main_photos = Lazy(lambda: MainPhotos(self.index))
        self._complements = Lazy(lambda: ComplementsLearner(backends.store, self.garments))

    @property
    def features(self) -> FeatureBuilder:
        """What turns its embeddings into the vectors that are compared."""
        return self._features()

    @property
    def matcher(self) -> Matcher | None:
        """What computes its matches; None without a calibration."""
        return self._matcher()

    @property
    def encoder(self) -> Encoder:
        """Its network."""
        return self._encoder()

    @property
    def foreground(self) -> Foreground | None:
        """What tells the product from its background on a photo; None for a model without it."""
        return self._foreground()[0]

    @property
    def text(self) -> TextTower | None:
        """What embeds words in the space of its photos; None for a model that embeds photos only."""
        return self._text()[0]

    def forget_text(self) -> None:
        """Read the text tower anew when it is needed next."""
        self._text.close()

    @property
    def garment_finder(self) -> GarmentFinder:
        """Finds the garments on photos, with the workspace's detector if it has one."""
        return GarmentFinder(self.encoder, self.features, self.foreground, detector=self._detector()[0])

    @property
    def index(self) -> VectorIndex:
        """Its vector index, which has caught up with the store when it is opened."""
        return self._index()

    @property
    def index_if_open(self) -> VectorIndex | None:
        """Its vector index; None before it was needed."""
        return self._index.made

    @property
    def embedder(self) -> PhotoEmbedder:
        """Decodes and embeds photos beside each other."""
        return self._embedder()

    @property
    def main_photos(self) -> MainPhotos:
        """The vectors of the products' main photos."""
        return self._main_photos()

    @property
    def complements(self) -> ComplementsLearner:
        """Learns from baskets which products are bought together."""
        return self._complements()

    @property
    def garments(self) -> GarmentReader:
        """Photos and kinds of the products, for outfits."""
        return GarmentReader(self._backends.store, self.features)

    def ingest_context(self, *, ray: str | None = None) -> IngestContext:
        """Where an ingest with this model reads from and writes to, and the cluster that embeds for it."""
        backends = self._backends
        catalog = CatalogWriter(
            store=backends.store, index=self.index, media=backends.media, features=self.features
        )
        return IngestContext(
            catalog=catalog,
            encoder=self.encoder,
            open_embedder=lambda: backends.open_embedder(self.encoder, media=backends.media, ray=ray),
            urls=backends.urls,
            fetched=backends.fetched if ray is None else None,
            writing=backends.writing,
        )

    def follow(self) -> None:
        """Bring the index up to date; it is opened if the model has embedded anything."""
        if self.index_if_open is not None or self._backends.store.has_embeddings(self.card.id):
            catch_up(self._backends.store, self.index, self.features)

    def require_embeddings(self) -> None:
        """Check that the catalog is embedded with this model.

        Raises:
            EmptyCatalog: Nothing is embedded.
            ModelMismatch: The catalog was embedded with another model.
        """
        store = self._backends.store
        if store.has_embeddings(self.card.id):
            return
        others = list(store.counts().embeddings)
        if not others:
            raise EmptyCatalog(self._backends.name)
        raise ModelMismatch(index=others, query=self.card.id)

    @contextmanager
    def borrowed_index(self) -> Iterator[VectorIndex]:
        """The index if it is open, as it was left; else one that is open within the block only."""
        if (index := self._index.made) is not None:
            yield index
            return
        with self._backends.open_index(self.card, self.features) as index:
            yield index

    def close(self) -> None:
        """Free the network, the index and what was read from them."""
        for part in (
            self._complements,
            self._embedder,
            self._main_photos,
            self._encoder,
            self._index,
            self._foreground,
            self._text,
            self._detector,
            self._features,
        ):
            part.close()

    def _open_index(self) -> VectorIndex:
        index = self._backends.open_index(self.card, self.features)
        catch_up(self._backends.store, index, self.features)
        self._on_index()
        return index
