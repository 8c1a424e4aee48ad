"""The models of an open workspace: the one in use, the default, promotion, imported vectors, candidates."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog.files import stem
from sartor.catalog.source import Case, Findings
from sartor.catalog.vectors.files import read_vectors
from sartor.catalog.vectors.names import open_photos, products_beside, repeated_stems
from sartor.encoders.card import ModelCard
from sartor.encoders.heads import Heads
from sartor.encoders.registry import BASELINES, baseline
from sartor.errors import (
    ModelError,
    ModelReplaced,
    NoPreviousModel,
    NothingToCompare,
    PromotionRefused,
    UnreadableVectors,
    VectorsDisagree,
)
from sartor.evaluation.promotion import PromotionReport, compare, held_out_split
from sartor.evaluation.task import CandidateModel
from sartor.ingest.embed import PhotoEmbedding
from sartor.ingest.indexer import Indexer
from sartor.ingest.predictions import follow_predictions
from sartor.ingest.reembed import embed_catalog
from sartor.ingest.vectors import ImportSource, agreement_of, import_vectors, prepare_vectors, require_no_loss
from sartor.ingest.writer import CatalogWriter, bring_up_to_date, catch_up
from sartor.limits import INDEXER_WAIT_S
from sartor.recommend.features import FeatureBuilder
from sartor.shop.backends import OpenModel
from sartor.shop.follower import Follower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sartor.catalog.vectors.names import NamedPhotos
    from sartor.evaluation.promotion import Comparison
    from sartor.index.base import IndexWriter, VectorIndex
    from sartor.ingest.photos import OnProgress
    from sartor.ingest.reembed import ReembedReport
    from sartor.ingest.vectors import Agreement, ImportedVectors, ImportReport
    from sartor.shop.backends import Backends
    from sartor.types import SourcePhoto

logger = logging.getLogger(__name__)

_LOOK_S = 0.5  # between two looks at which models have an index

# Settings that the store remembers.
DEFAULT_MODEL = "default_model"
_PREVIOUS = "previous_model"  # the default before the last promotion
_NETWORK_OF = "network_of_{}"  # SHA-256 of the network that a model id stood for when it first embedded

_COMPARISON_SEED = 0  # the same comparison gives the same figures
_SAMPLE_SEED = 0  # the same photos are embedded again each time


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What ``Shop.import_embeddings`` takes."""

    file: Path
    filenames: Path | None = None
    images: Path | None = None
    model: str | None = None
    id: str | None = None
    limit: int | None = None
    force: bool = False
    allow_shrink: bool = False


class Models:
    """The models of a workspace, each opened once; may be asked from several threads."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._lock = Lock()
        self.follower = Follower(backends, follow=self.follow, lags=self.lags, share=self.share)
        self.indexer = (
            None
            if backends.open_writer is None
            else Indexer(
                backends.store,
                models=self._indexed,
                open_writer=partial(self._open_writer, backends.open_writer),
                open_listing=backends.open_listing,
                describes=self._listed_by,
            )
        )
        self._opened: dict[str, OpenModel] = {}  # by id, until the workspace is closed
        self._features: dict[str, tuple[ModelCard, FeatureBuilder]] = {}  # of the models that the indexer writes
        self._predicting = Lock()  # held while this process brings predictions up to date
        self._describing: tuple[str, FeatureBuilder] | None = None  # the default model, and its features
        self._described_at_s = 0.0  # when the default was last looked at for the indexer
        self._looked_at = -1, 0.0  # the store's revision, and when
        self._in_use: dict[
            str | None, OpenModel
        ] = {}  # by the id that was asked for; None for the workspace's choice

    def cards(self) -> tuple[ModelCard, ...]:
        """Cards of all models, sorted by id."""
        return self._backends.models.cards()

    def card(self, model: str) -> ModelCard:
        """The card of a model.

        Raises:
            ModelNotFound: No model has this id.
        """
        return self._backends.models.card(model)

    @property
    def default(self) -> str | None:
        """Id of the default model; None before the first ingest."""
        return self._backends.store.setting(DEFAULT_MODEL)

    def in_use(self, model: str | None = None) -> OpenModel:
        """A model by its id, or the one that this workspace embeds with.

        Raises:
            ModelError: There is no such model, or another network of this id embedded the catalog.
        """
        with self._lock:
            if (used := self._in_use.get(model)) is None:
                card = self._backends.choose_model(self.default) if model is None else self.card(model)
                self._require_same_network(card)
                used = self._in_use[model] = self._open(card)
            return used

    def indexes(self) -> Iterator[tuple[OpenModel, VectorIndex]]:
        """Each model that has embedded photos of this catalog, with its index, which has caught up."""
        embedded = self._backends.store.counts().embeddings
        for card in self.cards():
            if card.id in embedded:
                with self._index(card) as (opened, index):
                    catch_up(self._backends.store, index, opened.features)
                    yield opened, index

    def describing(self) -> FeatureBuilder | None:
        """Features of the default model, which predicts what the catalog does not tell; None without one."""
        default = self.default
        if default is None:
            return None
        if (known := self._describing) is None or known[0] != default:
            try:
                card = self._backends.choose_model(default)
            except ModelError as error:  # another host has it
                logger.warning("nothing is predicted: reason=%s", error)
                return None
            if card.id != default:  # this process was told to use another one
                card = self.card(default)
            known = self._describing = default, self._backends.features(card)
        return known[1]

    def describe(self) -> None:
        """Bring the predictions that the listing has up to date; nothing to do where an indexer writes it.

        Raises:
            WorkspaceBusy: Another process writes for too long.
        """
        if self._backends.store.predicted() is not None and (features := self.describing()) is not None:
            with self._predicting:
                follow_predictions(self._backends.store, features)

    def _listed_by(self) -> FeatureBuilder | None:
        now_s = time.monotonic()
        if (known := self._describing) is None or now_s > self._described_at_s + _LOOK_S:
            self._described_at_s = now_s
            return self.describing()
        return known[1]

    def follow(self) -> None:
        """Take in what other processes wrote: their products, and a new default model, which is opened first."""
        self.describe()
        with self._lock:
            opened = [model for model in self._opened.values() if model.index_if_open is not None]
            used = self._in_use.get(None)
        for model in opened:
            model.follow()
        if used is None or (card := self._backends.choose_model(self.default)) == used.card:
            return
        with self._lock:
            self._require_same_network(card)
            new = self._open(card)
        new.follow()
        with self._lock:
            self._in_use[None] = new
        used.close()

    def settle(self, index: VectorIndex) -> None:
        """After many writes, have a shared index take them in, by this process if no indexer runs.

        Raises:
            IndexAway: The engine does not answer; what was written is in the store.
        """
        revision = self._backends.store.revision
        if self.indexer is not None and not self.indexer.settle(
            revision, wait_s=INDEXER_WAIT_S, reached=partial(self._reached, index)
        ):
            logger.warning("the index lags behind: revision=%d catalog=%d", index.revision, revision)

    def lags(self) -> bool:
        """Whether the indexer of an index that processes share has yet to take in what the store has."""
        shared = [index for index in self._open_indexes() if index.writer is None]
        return bool(shared) and min(index.revision for index in shared) < self._backends.store.revision

    def share(self) -> None:
        """Give processes that wait for it a copy of an index that is open here."""
        for index in self._open_indexes():
            if index.writer is not None:
                index.writer.share()

    def remember(self, card: ModelCard) -> None:
        """Note that a model is about to embed; the first one becomes the default.

        Raises:
            ModelReplaced: Another network of this id embedded the catalog.
        """
        self._require_same_network(card)
        self._remember_network(card)
        if self.default is None:
            self._backends.store.claim_setting(DEFAULT_MODEL, card.id)

    def promote(self, model: str, *, force: bool, ray: str | None, on_progress: OnProgress) -> PromotionReport:
        """Make a model the default if it is better; see ``Shop.promote``."""
        card = self.card(model)
        self._require_same_network(card)
        store, default = self._backends.store, self.default
        compared = default not in (None, card.id)
        if not force and default is None:
            raise NothingToCompare(card.id, reason="the workspace has no default yet to compare it with")
        if not force and compared:
            held_out_split(store, card, embedded_by=[str(default)])  # refuses before anything is embedded
        filled = self._fill(card, on_progress, ray=ray)
        comparison = self._compare(card, str(default), force=force) if compared else None
        if comparison is not None and not comparison.is_better and not force:
            raise PromotionRefused(card.id, default=str(default), figures=comparison.figures)
        if default != card.id:
            self._become_default(card, previous=default)
        return _report(card, default, filled, comparison)

    def rollback(self, *, on_progress: OnProgress) -> PromotionReport:
        """Return to the default before the last promotion; see ``Shop.rollback``."""
        default, previous = self.default, self._backends.store.setting(_PREVIOUS)
        if previous is None:
            raise NoPreviousModel(default)
        card = self.card(previous)
        self._require_same_network(card)
        self._become_default(card, previous=None)
        return _report(card, default, self._fill(card, on_progress), None)

    def import_vectors(self, options: ImportOptions, *, on_progress: OnProgress) -> ImportReport:
        """Take in vectors that another program made; see ``Shop.import_embeddings``."""
        started_s = time.perf_counter()
        backends = self._backends
        named = read_vectors(options.file, options.filenames)
        vectors, findings = prepare_vectors(named), Findings()
        for name in named.unread:
            findings.add(Case.SPARE_ARRAYS, name)
        if not vectors.rows:
            raise UnreadableVectors(
                options.file, reason=f"none of its vectors can be used: {vectors.rejected[0].reason}"
            )
        with open_photos(options.images, beside=options.file) as photos, backends.writing:
            source = ImportSource(
                name=str(options.file),
                source_id=str(options.file.resolve()),
                vectors=vectors,
                find=_finder(vectors, photos),
                table=products_beside(options.images, beside=options.file, findings=findings),
                findings=findings,
                has_images=options.images is not None,
                limit=options.limit,
                shrink=None if options.allow_shrink else backends.shrink,
            )
            require_no_loss(source, backends.store)
            card = self._card_of_vectors(options, vectors)
            agreement = self._agreement(options, card, source)
            had_default = self.default is not None
            self.remember(card)
            with self._index(card) as (opened, index):
                catalog = CatalogWriter(
                    store=backends.store, index=index, media=backends.media, features=opened.features
                )
                report = import_vectors(
                    source,
                    catalog,
                    agreement=agreement,
                    on_progress=on_progress,
                    clock=lambda: time.perf_counter() - started_s,
                )
            self.settle(index)
            if not had_default:
                self.close()
        return replace(report, by_photo=card.network, is_default=self.default == card.id)

    def candidate(self, name: str, *, ray: str | None = None) -> CandidateModel:
        """A model of the workspace, or one of ``BASELINES``, as an evaluation takes it.

        Args:
            name: Its id.
            ray: The cluster that embeds; a baseline is computed on this host.

        Raises:
            ModelNotFound: There is no such model.
        """
        if name in BASELINES and name not in {card.id for card in self.cards()}:
            features = FeatureBuilder(name, Heads((), {}, scale=1.0))
            return CandidateModel(name=name, open=lambda: baseline(name), features=features, known=lambda _: {})
        card = self.card(name)
        store = self._backends.store
        same_network = store.setting(_NETWORK_OF.format(name)) == card.sha256

        def known(sha256s: Sequence[str]) -> dict[str, PhotoEmbedding]:
            if not same_network:
                return {}
            vectors = store.embeddings(name, sha256s)
            photos, palettes = store.photos(sha256s), store.palettes(sha256s)
            return {
                sha256: PhotoEmbedding(
                    sha256=sha256,
                    vector=vector,
                    palette=palettes[sha256],
                    fingerprint=photos[sha256].fingerprint,
                )
                for sha256, vector in vectors.items()
                if sha256 in palettes and sha256 in photos and len(vector) == card.dimension
            }

        return CandidateModel(
            name=name,
            open=lambda: self._backends.open_encoder(card),
            features=self._backends.features(card),
            known=known,
            open_embedder=partial(self._backends.open_embedder, ray=ray),
            calibration=card.calibration,
            training=card.training,
        )

    def stop(self) -> None:
        """End the threads that follow the store."""
        self.follower.stop()
        if self.indexer is not None:
            self.indexer.close()

    def close(self) -> None:
        """Free what is open; the next call of ``in_use`` chooses anew."""
        with self._lock:
            self._in_use.clear()
            for opened in self._opened.values():
                opened.close()

    def _indexed(self) -> dict[str, FeatureBuilder]:
        """The models whose indexes the indexer writes: those with embeddings, the default, and those of before.

        A model of which the last product was deleted still has an index that has to lose it.
        """
        revision, now_s = self._backends.store.revision, time.monotonic()
        if revision != self._looked_at[0] and now_s > self._looked_at[1] + _LOOK_S:
            self._looked_at = revision, now_s
            wanted = {*self._backends.store.counts().embeddings, *self._features, *filter(None, [self.default])}
            cards = {card.id: card for card in self.cards()}
            if not wanted <= cards.keys():  # another host has added it
                self._backends.fetch_models()
                cards = {card.id: card for card in self.cards()}
            for model in wanted & cards.keys():
                if model not in self._features or self._features[model][0] != cards[model]:
                    self._features[model] = cards[model], self._backends.features(cards[model])
        return {model: features for model, (_, features) in self._features.items()}

    def _open_writer(
        self,
        opens: Callable[[ModelCard, FeatureBuilder, int], IndexWriter],
        model: str,
        features: FeatureBuilder,
        term: int,
    ) -> IndexWriter:
        return opens(self._features[model][0], features, term)

    def _reached(self, index: VectorIndex) -> int:
        """The revision that the shared indexes have."""
        index.refresh()
        if not self._backends.lists_elsewhere:
            return index.revision
        return min(index.revision, self._backends.store.listed_revision)

    def _open_indexes(self) -> list[VectorIndex]:
        with self._lock:
            indexes = [model.index_if_open for model in self._opened.values()]
        return [index for index in indexes if index is not None]

    def _open(self, card: ModelCard) -> OpenModel:
        """The model of a card; the same object each time, since an index cannot be opened twice."""
        opened = self._opened.get(card.id)
        if opened is None or opened.card != card:
            if opened is not None:
                opened.close()
            opened = self._opened[card.id] = OpenModel(card, self._backends, on_index=self.follower.start)
        return opened

    @contextmanager
    def _index(self, card: ModelCard) -> Iterator[tuple[OpenModel, VectorIndex]]:
        with self._lock:
            opened = self._open(card)
        with opened.borrowed_index() as index:
            yield opened, index

    def _become_default(self, card: ModelCard, *, previous: str | None) -> None:
        self._backends.store.set_settings({DEFAULT_MODEL: card.id, _PREVIOUS: previous})
        self._describing = None  # the next one to ask looks at the default anew
        with self._backends.writing:  # the follower reads no index meanwhile
            self.close()
        self.describe()

    def _fill(self, card: ModelCard, on_progress: OnProgress, *, ray: str | None = None) -> ReembedReport:
        """Embed the catalog with a model, and bring its index and that of the default up to date."""
        backends = self._backends
        self._remember_network(card)
        with backends.open_encoder(card) as encoder:
            filled = embed_catalog(
                backends.store,
                encoder,
                media=backends.media,
                urls=backends.urls,
                on_progress=on_progress,
                open_embedder=partial(backends.open_embedder, ray=ray),
                open_source=backends.sources.open,
            )
        default = self.default
        for known in self.cards():
            if known.id in {card.id, default}:
                with backends.writing, self._index(known) as (opened, index):
                    bring_up_to_date(backends.store, index, opened.features)
                    self.settle(index)
        return filled

    def _compare(self, card: ModelCard, default: str, *, force: bool) -> Comparison | None:
        store = self._backends.store
        try:
            split = held_out_split(store, card, embedded_by=[card.id, default])
        except NothingToCompare:
            if not force:
                raise
            return None
        return compare(store, split, new=card.id, old=default, rng=np.random.default_rng(_COMPARISON_SEED))

    def _card_of_vectors(self, options: ImportOptions, vectors: ImportedVectors) -> ModelCard:
        dimension = vectors.matrix.shape[1]
        if options.model is None:
            card = ModelCard.of_vectors(
                options.id or f"imported-{dimension}",
                sha256=vectors.sha256,
                dimension=dimension,
                origin=f"imported from {options.file.name}",
            )
            known = next((other for other in self.cards() if other.id == card.id), None)
            if known is not None and (known.sha256, known.network) == (card.sha256, False):
                return known  # the same vectors, whatever the file was called
            self._backends.models.add(None, card)
            return card
        card = self.card(options.model)
        if card.dimension != dimension:
            reason = (
                f"its vectors have {dimension:,} numbers, those of {card.id} have {card.dimension:,}; "
                "name the model that made them, or leave --model out"
            )
            raise UnreadableVectors(options.file, reason=reason)
        return card

    def _agreement(self, options: ImportOptions, card: ModelCard, source: ImportSource) -> Agreement | None:
        """How close vectors are to the embeddings of some of their photos; None if the photos are missing.

        Raises:
            VectorsDisagree: Another model made the vectors.
        """
        if not card.network:
            return None
        rng = np.random.default_rng(_SAMPLE_SEED)
        with self._backends.open_encoder(card) as encoder:
            agreement = agreement_of(source.vectors, source.find, encoder, rng=rng)
        if agreement is not None and not agreement.is_close and not options.force:
            raise VectorsDisagree(card.id, mean=agreement.mean, least=agreement.least, photos=agreement.photos)
        return agreement

    def _remember_network(self, card: ModelCard) -> None:
        """From its first embedding on, a model's id stands for its network."""
        name = _NETWORK_OF.format(card.id)
        if (
            self._backends.store.setting(name) or self._backends.store.claim_setting(name, card.sha256)
        ) != card.sha256:
            raise ModelReplaced(card.id)  # another process was first, with another network

    def _require_same_network(self, card: ModelCard) -> None:
        if self._backends.store.setting(_NETWORK_OF.format(card.id)) not in (None, card.sha256):
            raise ModelReplaced(card.id)


def _report(
    card: ModelCard, previous: str | None, filled: ReembedReport, comparison: Comparison | None
) -> PromotionReport:
    return PromotionReport(
        model=card.id,
        previous=previous,
        embedded=filled.embedded,
        reduced=filled.reduced,
        rejected=filled.rejected,
        comparison=comparison,
    )


def _finder(vectors: ImportedVectors, photos: NamedPhotos) -> Callable[[int], Sequence[SourcePhoto]]:
    """From a row of the vectors to the photos that its name may mean."""
    repeated = repeated_stems(vectors.names)

    def find(row: int) -> Sequence[SourcePhoto]:
        name = vectors.names[row]
        return photos.find(name, by_stem=stem(name) not in repeated)

    return find
