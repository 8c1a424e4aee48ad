"""Models as an evaluation takes them: by name, with what the workspace knows of photos already."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog.files import stem
from sartor.catalog.vectors.files import read_vectors
from sartor.catalog.vectors.names import open_photos, products_beside, repeated_stems
from sartor.encoders.card import ModelCard
from sartor.encoders.heads import Heads
from sartor.encoders.registry import BASELINES, baseline
from sartor.errors import (
    ModelReplaced,
    NoPreviousModel,
    NothingToCompare,
    PromotionRefused,
    UnreadableVectors,
    VectorsDisagree,
)
from sartor.evaluation.promotion import PromotionReport, compare, held_out_split
from sartor.evaluation.task import CandidateModel
from sartor.ingest.embed import SeenPhoto
from sartor.ingest.follow import bring_up_to_date
from sartor.ingest.reembed import embed_catalog
from sartor.ingest.vectors import ImportContext, ImportSource, agreement_of, import_vectors, made_ready
from sartor.recommend.features import FeatureBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sartor.catalog.vectors.names import NamedPhotos
    from sartor.evaluation.promotion import Comparison
    from sartor.index.edge import EdgeIndex
    from sartor.ingest.photos import OnProgress
    from sartor.ingest.reembed import Filled
    from sartor.ingest.vectors import Agreement, ImportedVectors, ImportReport
    from sartor.shop.backends import Backends
    from sartor.types import SourcePhoto


_RNG_SEED = 0  # so that the same comparison gives the same figures


# Names of settings that the store remembers.
_DEFAULT = "default_model"
_PREVIOUS = "previous_model"  # default before the last promotion
NETWORK_OF = "network_of_{}"  # SHA-256 of the network that a model id stood for when it first embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultModel:
    """The default model of a workspace, and how it changes.

    Attributes:
        backends: What the workspace stands on.
        opened_index: Lends the index of a model; the one that is open, where it is that.
        changed: Called when another model has become the default.
    """

    backends: Backends
    opened_index: Callable[[ModelCard], AbstractContextManager[EdgeIndex]]
    changed: Callable[[], None]

    @property
    def id(self) -> str | None:
        """Id of the default model; None where nothing was embedded yet."""
        return self.backends.store.setting(_DEFAULT)

    def card(self) -> ModelCard:
        """The model to use.

        Raises:
            ModelError: There is none, or it is not the one that embedded this catalog.
        """
        card = self.backends.choose_model(self.id)
        self._require_same_network(card)
        return card

    def remember(self, card: ModelCard) -> None:
        """The first model that embeds becomes the default.

        Raises:
            ModelReplaced: Another network of this id embedded the catalog.
        """
        self._require_same_network(card)
        self._remember_network(card)
        if self.id is None:
            self.backends.store.set_setting(_DEFAULT, card.id)

    def promote(self, model: str, *, force: bool, on_progress: OnProgress) -> PromotionReport:
        """Make a model the default, if it is better; see ``Shop.promote``."""
        card = self.backends.models.card(model)
        self._require_same_network(card)
        store, default = self.backends.store, self.id
        compared = default not in (None, card.id)
        if not force and default is None:
            raise NothingToCompare(card.id, reason="the workspace has no default yet to compare it with")
        if not force and compared:
            held_out_split(store, card, embedded_by=[str(default)])  # refuses before anything is embedded
        filled = self._fill(card, on_progress)
        comparison = self._compare(card, str(default), force=force) if compared else None
        if comparison is not None and not comparison.is_better and not force:
            raise PromotionRefused(card.id, default=str(default), figures=comparison.figures)
        if default != card.id:
            self._become(card, previous=default)
        return _report(card, default, filled, comparison)

    def rollback(self, *, on_progress: OnProgress) -> PromotionReport:
        """Return to the default before the last promotion; see ``Shop.rollback``."""
        default, previous = self.id, self.backends.store.setting(_PREVIOUS)
        if previous is None:
            raise NoPreviousModel(default)
        card = self.backends.models.card(previous)
        self._require_same_network(card)
        self._become(card, previous=None)
        return _report(card, default, self._fill(card, on_progress), None)

    def _become(self, card: ModelCard, *, previous: str | None) -> None:
        self.backends.store.set_settings({_DEFAULT: card.id, _PREVIOUS: previous})
        self.changed()

    def _fill(self, card: ModelCard, on_progress: OnProgress) -> Filled:
        """Embed the catalog with a model, and bring its index and that of the default up to date."""
        backends = self.backends
        self._remember_network(card)
        with backends.open_encoder(card) as encoder:
            filled = embed_catalog(
                backends.store, encoder, media=backends.media, urls=backends.urls, on_progress=on_progress
            )
        default = self.id
        for known in backends.models.cards():
            if known.id in {card.id, default}:
                with self.opened_index(known) as index:
                    bring_up_to_date(backends.store, index, FeatureBuilder(known.id, backends.heads(known)))
        return filled

    def _compare(self, card: ModelCard, default: str, *, force: bool) -> Comparison | None:
        store = self.backends.store
        try:
            surveyed = held_out_split(store, card, embedded_by=[card.id, default])
        except NothingToCompare:
            if not force:
                raise
            return None
        return compare(store, surveyed, new=card.id, old=default, rng=np.random.default_rng(_RNG_SEED))

    def _remember_network(self, card: ModelCard) -> None:
        """When a model first embeds, its id stands for its network from then on."""
        store, name = self.backends.store, NETWORK_OF.format(card.id)
        if store.setting(name) is None:
            store.set_setting(name, card.sha256)

    def _require_same_network(self, card: ModelCard) -> None:
        if self.backends.store.setting(NETWORK_OF.format(card.id)) not in (None, card.sha256):
            raise ModelReplaced(card.id)


def _report(
    card: ModelCard, previous: str | None, filled: Filled, comparison: Comparison | None
) -> PromotionReport:
    return PromotionReport(
        model=card.id,
        previous=previous,
        embedded=filled.embedded,
        reduced=filled.reduced,
        rejected=filled.rejected,
        comparison=comparison,
    )


_SAMPLE_SEED = 0  # so that the same photos are embedded again each time


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What to import, and as what.

    Attributes:
        file: The vectors.
        filenames: The names of their photos, where they lie apart.
        images: A folder or ZIP with the photos; None looks where the names say, beside the vectors.
        model: Id of the model of the workspace that made them; None makes one without a network.
        id: Id of that one; None takes ``imported-`` and the length of a vector.
        limit: Take only the first so many products.
        force: Take them as the model's, however little they agree with it.
    """

    file: Path
    filenames: Path | None = None
    images: Path | None = None
    model: str | None = None
    id: str | None = None
    limit: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedModel:
    """Takes vectors in.

    Attributes:
        backends: What the workspace stands on.
        default: The workspace's default model, which imported vectors become where there is none.
        opened_index: Lends the index of a model.
    """

    backends: Backends
    default: DefaultModel
    opened_index: Callable[[ModelCard], AbstractContextManager[EdgeIndex]]

    def take_in(self, order: ImportOptions, *, on_progress: OnProgress) -> ImportReport:
        """Import vectors; see ``Shop.import_embeddings``."""
        started_s = time.perf_counter()
        vectors = made_ready(read_vectors(order.file, order.filenames))
        if not vectors.rows:
            raise UnreadableVectors(
                order.file, reason=f"none of its vectors can be used: {vectors.rejected[0].reason}"
            )
        with open_photos(order.images, beside=order.file) as photos:
            source = ImportSource(
                name=str(order.file),
                source_id=str(order.file.resolve()),
                vectors=vectors,
                find=_finder(vectors, photos),
                told=products_beside(order.images, beside=order.file),
                limit=order.limit,
            )
            card = self._card(order, vectors)
            agreement = self._agreement(order, card, source)
            self.default.remember(card)
            with self.opened_index(card) as index:
                report = import_vectors(
                    source,
                    self._bench(card, index),
                    agreement=agreement,
                    on_progress=on_progress,
                    clock=lambda: time.perf_counter() - started_s,
                )
        return replace(report, by_photo=card.network, is_default=self.default.id == card.id)

    def _card(self, order: ImportOptions, vectors: ImportedVectors) -> ModelCard:
        dimension = vectors.matrix.shape[1]
        models = self.backends.models
        if order.model is None:
            card = ModelCard.of_vectors(
                order.id or f"imported-{dimension}",
                sha256=vectors.sha256,
                dimension=dimension,
                origin=f"imported from {order.file.name}",
            )
            known = next((each for each in models.cards() if each.id == card.id), None)
            if known is not None and (known.sha256, known.network) == (card.sha256, False):
                return known  # the same vectors, whatever the file was called
            models.add(None, card)
            return card
        card = models.card(order.model)
        if card.dimension != dimension:
            reason = (
                f"its vectors have {dimension:,} numbers, those of {card.id} have {card.dimension:,}; "
                "name the model that made them, or leave --model out"
            )
            raise UnreadableVectors(order.file, reason=reason)
        return card

    def _agreement(self, order: ImportOptions, card: ModelCard, source: ImportSource) -> Agreement | None:
        """What some photos say when they are embedded again.

        Raises:
            VectorsDisagree: Another model made the vectors.
        """
        if not card.network:
            return None
        rng = np.random.default_rng(_SAMPLE_SEED)
        with self.backends.open_encoder(card) as encoder:
            found = agreement_of(source.vectors, source.find, encoder, rng=rng)
        if found is not None and not found.is_close and not order.force:
            raise VectorsDisagree(card.id, mean=found.mean, least=found.least, photos=found.photos)
        return found

    def _bench(self, card: ModelCard, index: EdgeIndex) -> ImportContext:
        backends = self.backends
        compose = FeatureBuilder(card.id, backends.heads(card))
        return ImportContext(store=backends.store, index=index, media=backends.media, compose=compose)


def _finder(vectors: ImportedVectors, photos: NamedPhotos) -> Callable[[int], SourcePhoto | None]:
    """From a row to its photo."""
    repeated = repeated_stems(vectors.names)

    def find(row: int) -> SourcePhoto | None:
        name = vectors.names[row]
        return photos.find(name, by_stem=stem(name) not in repeated)

    return find


def candidate_model(backends: Backends, name: str) -> CandidateModel:
    """A model of the workspace, or one of ``BASELINES``.

    Raises:
        ModelNotFound: There is no such model.
    """
    if name in BASELINES and name not in {card.id for card in backends.models.cards()}:
        nothing = Heads((), {}, scale=1.0)
        return CandidateModel(
            name=name, open=lambda: baseline(name), features=FeatureBuilder(name, nothing), known=lambda _: {}
        )
    card = backends.models.card(name)
    same_network = backends.store.setting(NETWORK_OF.format(name)) == card.sha256

    def known(sha256s: Sequence[str]) -> dict[str, SeenPhoto]:
        if not same_network:
            return {}
        vectors = backends.store.embeddings(name, sha256s)
        photos, palettes = backends.store.photos(sha256s), backends.store.palettes(sha256s)
        return {
            sha256: SeenPhoto(
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
        open=lambda: backends.open_encoder(card),
        features=FeatureBuilder(name, backends.heads(card)),
        known=known,
        calibration=card.calibration,
        training=card.training,
    )
