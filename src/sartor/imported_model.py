"""Which model imported vectors belong to: one of the workspace that they are held against, or one of their own."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sartor.catalog.named_photos import open_photos, products_beside
from sartor.catalog.photo_index import stem
from sartor.catalog.vector_files import read_vectors
from sartor.catalog.vector_names import repeated_stems
from sartor.encoders.card import ModelCard
from sartor.errors import UnreadableVectors, VectorsDisagree
from sartor.pipelines.compose import Composer
from sartor.pipelines.importing.agreement import agreement_of
from sartor.pipelines.importing.run import ImportBench, ImportSource, import_vectors
from sartor.pipelines.importing.vectors import made_ready

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sartor.backends import Backends
    from sartor.catalog.named_photos import NamedPhotos
    from sartor.default_model import DefaultModel
    from sartor.index.edge import EdgeIndex
    from sartor.pipelines.importing.agreement import Agreement
    from sartor.pipelines.importing.report import ImportReport
    from sartor.pipelines.importing.vectors import ImportedVectors
    from sartor.pipelines.report import OnProgress
    from sartor.types import SourcePhoto

_RNG_SEED = 0  # so that the same photos are embedded again each time


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
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

    def take_in(self, order: ImportOrder, *, on_progress: OnProgress) -> ImportReport:
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

    def _card(self, order: ImportOrder, vectors: ImportedVectors) -> ModelCard:
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

    def _agreement(self, order: ImportOrder, card: ModelCard, source: ImportSource) -> Agreement | None:
        """What some photos say when they are embedded again.

        Raises:
            VectorsDisagree: Another model made the vectors.
        """
        if not card.network:
            return None
        rng = np.random.default_rng(_RNG_SEED)
        with self.backends.open_encoder(card) as encoder:
            found = agreement_of(source.vectors, source.find, encoder, rng=rng)
        if found is not None and not found.is_close and not order.force:
            raise VectorsDisagree(card.id, mean=found.mean, least=found.least, photos=found.photos)
        return found

    def _bench(self, card: ModelCard, index: EdgeIndex) -> ImportBench:
        backends = self.backends
        compose = Composer(card.id, backends.heads(card))
        return ImportBench(store=backends.store, index=index, media=backends.media, compose=compose)


def _finder(vectors: ImportedVectors, photos: NamedPhotos) -> Callable[[int], SourcePhoto | None]:
    """From a row to its photo."""
    repeated = repeated_stems(vectors.names)

    def find(row: int) -> SourcePhoto | None:
        name = vectors.names[row]
        return photos.find(name, by_stem=stem(name) not in repeated)

    return find
