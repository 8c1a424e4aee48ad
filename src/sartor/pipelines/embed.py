"""Embedding a source's photos without a workspace: for whoever only wants the vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import PhotoRejected
from sartor.pipelines.photos import PhotoEmbedder, ahead, in_steps, read_photo
from sartor.pipelines.report import OnProgress, Progress, Rejection

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.catalog import Source
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.pipelines.photos import EncodedPhoto, PendingPhotos
    from sartor.types import Matrix, SourceProduct, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """Embeddings of a source's photos.

    Attributes:
        ids: Product id of each row; a product with several photos has several rows.
        photos: The photo's name of each row.
        vectors: ``(n, d)`` float32 with unit norm.
        rejected: Photos that could not be used.
    """

    ids: tuple[str, ...]
    photos: tuple[str, ...]
    vectors: Matrix
    rejected: tuple[Rejection, ...]

    def save(self, path: Path) -> None:
        """Write ``ids``, ``photos`` and ``embeddings`` as a NumPy ``.npz`` file that needs no pickle to read."""
        with path.open("wb") as file:
            np.savez(file, ids=np.array(self.ids, str), photos=np.array(self.photos, str), embeddings=self.vectors)


def embed(
    source: Source,
    encoder: Encoder,
    *,
    urls: UrlPolicy,
    limit: int | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Embeddings:
    """Embed the photos of a source's products, in the source's order.

    Args:
        source: The source.
        encoder: What embeds.
        urls: Whether photos may be fetched by URL.
        limit: Take only the first so many products.
        on_progress: Told after each step.
    """
    with PhotoEmbedder(encoder) as embedder:
        run = _Run(embedder, urls)
        for step in ahead(run.start(offers) for offers in in_steps(islice(source, limit), run.read)):
            run.finish(step)
            on_progress(
                Progress(products=run.products, total=source.product_count, photos=len(run.rows), committed=())
            )
    return Embeddings(
        ids=tuple(product_id for product_id, _, _ in run.rows),
        photos=tuple(name for _, name, _ in run.rows),
        vectors=np.array([vector for _, _, vector in run.rows], np.float32).reshape(-1, encoder.card.dimension),
        rejected=tuple(run.rejected),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    products: int
    rows: list[tuple[str, str, str]]  # product id, photo's name, photo's SHA-256
    pending: PendingPhotos


@dataclass(slots=True)
class _Run:
    embedder: PhotoEmbedder
    urls: UrlPolicy
    products: int = 0
    rows: list[tuple[str, str, Vector]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def read(self, offered: SourceProduct) -> list[EncodedPhoto]:
        readable = []
        for photo in offered.photos:
            try:
                readable.append(read_photo(photo, urls=self.urls))
            except PhotoRejected as error:
                self.rejected.append(Rejection(photo=error.photo, reason=error.reason))
        return readable

    def start(self, offers: list[tuple[SourceProduct, list[EncodedPhoto]]]) -> _Step:
        different = {photo.sha256: photo for _, theirs in offers for photo in theirs}
        rows = [(offered.product.id, photo.name, photo.sha256) for offered, theirs in offers for photo in theirs]
        return _Step(products=len(offers), rows=rows, pending=self.embedder.start(different.values()))

    def finish(self, step: _Step) -> None:
        outcome = step.pending.result()
        self.products += step.products
        self.rejected.extend(outcome.rejected)
        self.rows.extend(
            (product_id, name, outcome.vectors[sha256])
            for product_id, name, sha256 in step.rows
            if sha256 in outcome.vectors
        )
