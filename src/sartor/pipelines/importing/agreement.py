"""Whether imported vectors are what a model gives: some of their photos are embedded again, and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.errors import PhotoRejected
from sartor.imaging import UrlPolicy
from sartor.pipelines.photos import PhotoEmbedder, read_photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.encoders.encoder import Encoder
    from sartor.pipelines.importing.vectors import ImportedVectors
    from sartor.pipelines.photos import EncodedPhoto
    from sartor.types import SourcePhoto

SAMPLE = 16
LEAST_COSINE = 0.99  # below it, neighbors of a photo are no longer those of its vector
_NO_URLS = UrlPolicy(enabled=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Cosines of imported vectors with embeddings of the same photos.

    Attributes:
        photos: How many were compared.
        mean: Their mean cosine.
        least: Their least.
    """

    photos: int
    mean: float
    least: float

    @property
    def is_close(self) -> bool:
        """Whether the vectors can stand for the model's own."""
        return self.mean >= LEAST_COSINE


def agreement_of(
    vectors: ImportedVectors,
    find: Callable[[int], SourcePhoto | None],
    encoder: Encoder,
    *,
    rng: np.random.Generator,
) -> Agreement | None:
    """Embed some of the photos again; None where no photo is found."""
    photos = _sample(vectors, find, rng)
    with PhotoEmbedder(encoder) as embedder:
        embedded = embedder.start({photo.sha256: photo for photo in photos.values()}.values()).result()
    cosines = [
        float(vectors.matrix[row] @ embedded.vectors[photo.sha256])
        for row, photo in photos.items()
        if photo.sha256 in embedded.vectors
    ]
    if not cosines:
        return None
    return Agreement(photos=len(cosines), mean=float(np.mean(cosines)), least=min(cosines))


def _sample(
    vectors: ImportedVectors, find: Callable[[int], SourcePhoto | None], rng: np.random.Generator
) -> dict[int, EncodedPhoto]:
    rows = [row for theirs in vectors.rows.values() for row in theirs]
    sample: dict[int, EncodedPhoto] = {}
    for row in rng.permutation(rows):
        if len(sample) == SAMPLE:
            break
        if (photo := find(int(row))) is not None:
            try:
                sample[int(row)] = read_photo(photo, urls=_NO_URLS)
            except PhotoRejected:
                continue  # the import itself reports it
    return sample
