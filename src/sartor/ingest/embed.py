"""Embedding a source's photos without a workspace: for whoever only wants the vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.ingest.photos import OnProgress, PhotoEmbedder, Progress, Rejection, ahead, in_steps, read_usable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from sartor.catalog import Source
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.imaging.fetch import EncodedPhoto
    from sartor.ingest.photos import PendingPhotos
    from sartor.types import Matrix, Palette, Product, SourceProduct, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPhoto:
    """A photo as one model sees it.

    Attributes:
        sha256: Its identity.
        vector: Its embedding, ``(d,)`` of unit norm.
        palette: Its colors.
        fingerprint: By which copies are found.
    """

    sha256: str
    vector: Vector
    palette: Palette | None
    fingerprint: bytes


Known: TypeAlias = Callable[[Sequence[str]], dict[str, SeenPhoto]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSource:
    """The products of a source that have a usable photo.

    Attributes:
        products: The products, n of them.
        photos: All their photos, p of them, product by product.
        names: What the source calls each photo.
        firsts: ``(n,)`` place of each product's first photo.
        vectors: ``(p, d)`` float32 of unit norm.
        rejected: Photos that could not be used.
        embedded: How many went through the network.
    """

    products: tuple[Product, ...]
    photos: tuple[SeenPhoto, ...]
    names: tuple[str, ...]
    firsts: npt.NDArray[np.int64]
    vectors: Matrix
    rejected: tuple[Rejection, ...]
    embedded: int


def embed_source(  # noqa: PLR0913 - each is a keyword of its own
    source: Source,
    encoder: Encoder,
    *,
    urls: UrlPolicy,
    known: Known = lambda _: {},
    limit: int | None = None,
    on_progress: OnProgress = lambda _: None,
) -> EmbeddedSource:
    """See the photos of a source's products, in the source's order.

    Args:
        source: The source.
        encoder: What embeds.
        urls: Whether photos may be fetched by URL.
        known: What is known already of photos, by SHA-256.
        limit: Take only the first so many products.
        on_progress: Told after each step.
    """
    with PhotoEmbedder(encoder) as embedder:
        run = _Run(embedder, known, urls)
        for step in ahead(run.start(offers) for offers in in_steps(islice(source, limit), run.read)):
            run.finish(step)
            on_progress(
                Progress(products=run.done, total=source.product_count, photos=len(run.photos), committed=())
            )
    vectors = [photo.vector for photo in run.photos]
    return EmbeddedSource(
        products=tuple(run.products),
        photos=tuple(run.photos),
        names=tuple(run.names),
        firsts=np.array(run.firsts, np.int64),
        vectors=np.array(vectors, np.float32).reshape(-1, encoder.card.dimension),
        rejected=tuple(run.rejected),
        embedded=run.embedded,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    offers: list[tuple[SourceProduct, list[EncodedPhoto]]]
    known: dict[str, SeenPhoto]
    pending: PendingPhotos


@dataclass(slots=True)
class _Run:
    embedder: PhotoEmbedder
    known: Known
    urls: UrlPolicy
    done: int = 0
    embedded: int = 0
    products: list[Product] = field(default_factory=list)
    photos: list[SeenPhoto] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def read(self, offered: SourceProduct) -> list[EncodedPhoto]:
        return list(read_usable(offered.photos, urls=self.urls, rejected=self.rejected))

    def start(self, offers: list[tuple[SourceProduct, list[EncodedPhoto]]]) -> _Step:
        different = {photo.sha256: photo for _, theirs in offers for photo in theirs}
        known = self.known(list(different))
        new = [photo for sha256, photo in different.items() if sha256 not in known]
        return _Step(offers=offers, known=known, pending=self.embedder.start(new))

    def finish(self, step: _Step) -> None:
        outcome = step.pending.result()
        self.rejected.extend(outcome.rejected)
        self.embedded += len(outcome.vectors)
        seen = step.known | {
            sha256: SeenPhoto(
                sha256=sha256,
                vector=vector,
                palette=outcome.palettes[sha256],
                fingerprint=outcome.photos[sha256].fingerprint,
            )
            for sha256, vector in outcome.vectors.items()
        }
        for offered, theirs in step.offers:
            self.done += 1
            usable = [photo for photo in theirs if photo.sha256 in seen]
            if usable:
                self.products.append(offered.product)
                self.firsts.append(len(self.photos))
                self.photos.extend(seen[photo.sha256] for photo in usable)
                self.names.extend(photo.name for photo in usable)


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
    gathered = embed_source(source, encoder, urls=urls, limit=limit, on_progress=on_progress)
    counts = np.diff(gathered.firsts, append=len(gathered.photos))  # photos of each product
    return Embeddings(
        ids=tuple(np.repeat([product.id for product in gathered.products], counts).tolist()),
        photos=gathered.names,
        vectors=gathered.vectors,
        rejected=gathered.rejected,
    )
