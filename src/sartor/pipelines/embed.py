"""Embedding a source's photos without a workspace: for whoever only wants the vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.pipelines.gather import gather

if TYPE_CHECKING:
    from pathlib import Path

    from sartor.catalog import Source
    from sartor.encoders.encoder import Encoder
    from sartor.imaging import UrlPolicy
    from sartor.pipelines.report import OnProgress, Rejection
    from sartor.types import Matrix


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
    gathered = gather(source, encoder, urls=urls, limit=limit, on_progress=on_progress)
    counts = np.diff(gathered.firsts, append=len(gathered.photos))  # photos of each product
    return Embeddings(
        ids=tuple(np.repeat([product.id for product in gathered.products], counts).tolist()),
        photos=gathered.names,
        vectors=gathered.vectors,
        rejected=gathered.rejected,
    )
