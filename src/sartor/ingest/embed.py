"""Embeds the photos of a source without a workspace, for evaluations and for files of vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sartor.ingest.photos import (
    Embedder,
    OnProgress,
    PhotoEmbedder,
    Progress,
    ReadPhoto,
    ReadStep,
    Rejection,
    ahead,
)

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from sartor.catalog import Source
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.ingest.photos import Pending
    from sartor.types import Matrix, Palette, Product, SourceProduct, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoEmbedding:
    """A photo as one model sees it.

    Attributes:
        sha256: SHA-256 of the file.
        vector: Its embedding, ``(d,)`` of unit norm.
        palette: Its colors.
        fingerprint: Perceptual hash, by which copies are found.
    """

    sha256: str
    vector: Vector
    palette: Palette | None
    fingerprint: bytes


Known: TypeAlias = Callable[[Sequence[str]], dict[str, PhotoEmbedding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSource:
    """The products of a source that have a usable photo.

    Attributes:
        products: The n products.
        photos: Their p photos, product by product.
        names: The source's name of each photo.
        firsts: ``(n,)`` index of each product's first photo.
        vectors: ``(p, d)`` float32 of unit norm.
        rejected: Photos that could not be used.
        embedded: Number of photos that were embedded now.
    """

    products: tuple[Product, ...]
    photos: tuple[PhotoEmbedding, ...]
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
    open_embedder: Callable[[Encoder], Embedder] = PhotoEmbedder,
) -> EmbeddedSource:
    """Embed the photos of a source's products, in the source's order.

    Args:
        source: The source.
        encoder: The network.
        urls: Whether photos may be fetched by URL.
        known: Returns the photos that need no inference, by SHA-256.
        limit: Maximum number of products.
        on_progress: Called after each step.
        open_embedder: Opens what reads and embeds the photos with the network.
    """
    with open_embedder(encoder) as embedder:
        run = _Run(known)
        read = embedder.read(
            islice(source, limit), lambda offered: offered.photos, urls=urls, rejected=run.rejected
        )
        for step in ahead(map(run.start, read), embedder):
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
    products: list[tuple[SourceProduct, list[ReadPhoto]]]
    known: dict[str, PhotoEmbedding]
    pending: Pending


@dataclass(slots=True)
class _Run:
    known: Known
    done: int = 0
    embedded: int = 0
    products: list[Product] = field(default_factory=list)
    photos: list[PhotoEmbedding] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def start(self, read: ReadStep[SourceProduct]) -> _Step:
        sha256s = dict.fromkeys(photo.sha256 for _, photos in read.items for photo in photos)
        known = self.known(list(sha256s))
        new = [sha256 for sha256 in sha256s if sha256 not in known]
        return _Step(products=read.items, known=known, pending=read.start(new))

    def finish(self, step: _Step) -> None:
        embedded = step.pending.result()
        self.rejected.extend(embedded.rejected)
        self.embedded += len(embedded.vectors)
        usable = step.known | {
            sha256: PhotoEmbedding(
                sha256=sha256,
                vector=vector,
                palette=embedded.palettes[sha256],
                fingerprint=embedded.photos[sha256].fingerprint,
            )
            for sha256, vector in embedded.vectors.items()
        }
        for offered, readable in step.products:
            self.done += 1
            photos = [photo for photo in readable if photo.sha256 in usable]
            if photos:
                self.products.append(offered.product)
                self.firsts.append(len(self.photos))
                self.photos.extend(usable[photo.sha256] for photo in photos)
                self.names.extend(photo.name for photo in photos)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """Embeddings of a source's photos.

    Attributes:
        ids: Product id of each row; a product with several photos has several rows.
        photos: Name of the photo of each row.
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
        encoder: The network.
        urls: Whether photos may be fetched by URL.
        limit: Maximum number of products.
        on_progress: Called after each step.
    """
    embedded = embed_source(source, encoder, urls=urls, limit=limit, on_progress=on_progress)
    counts = np.diff(embedded.firsts, append=len(embedded.photos))  # photos of each product
    return Embeddings(
        ids=tuple(np.repeat([product.id for product in embedded.products], counts).tolist()),
        photos=embedded.names,
        vectors=embedded.vectors,
        rejected=embedded.rejected,
    )
