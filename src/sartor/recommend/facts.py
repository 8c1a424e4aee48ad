"""What matching and ranking need of candidates, kept from one answer to the next.

Store and index hand out the same objects for a product and a photo until somebody writes them. So what follows
from them is kept for as long as they are the same objects, and nothing has to be told of a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.matching import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sartor.recommend.matching import Matcher
    from sartor.types import Guesses, Matrix, Neighbor, Photo, StoredProduct, Vector

GROUP = "item_group_id"  # the attribute that variants of one product share
_REMEMBERED = 10_000  # about 20 MB


class Candidate:
    """A product that may be a hit, by one of its photos.

    Attributes:
        stored: The product as the store has it.
        vector: Of the photo, as the index has it.
        photo: The photo that was found.
        group: The product's item group; empty without one.
        guesses: What the model predicts by the vector; None before it was asked for.
        known: What its matches depend on: a row of each array of ``Known``; None before it was asked for.
    """

    __slots__ = ("group", "guesses", "known", "photo", "stored", "vector")

    def __init__(self, neighbor: Neighbor, stored: StoredProduct) -> None:
        photos = stored.photos
        self.stored, self.vector = stored, neighbor.vector
        self.photo: Photo = next((photo for photo in photos if photo.sha256 == neighbor.sha256), photos[0])
        self.group = str(stored.product.attributes.get(GROUP, ""))
        self.guesses: Guesses | None = None
        self.known: tuple[Vector, Vector] | None = None


class Candidates:
    """Makes candidates, and remembers them; threads may share it."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Candidate] = {}

    def of(self, neighbors: Sequence[Neighbor], products: Mapping[str, StoredProduct]) -> list[Candidate]:
        """The candidates of neighbors whose products the store has, in order."""
        made = self._made
        found = []
        for neighbor in neighbors:
            key, stored = (neighbor.product_id, neighbor.sha256), products[neighbor.product_id]
            candidate = made.get(key)
            if candidate is None or candidate.stored is not stored or candidate.vector is not neighbor.vector:
                candidate = made[key] = Candidate(neighbor, stored)
            found.append(candidate)
        if len(made) > _REMEMBERED:
            self._made = {}  # another thread keeps the dict that it reads
        return found


def known_of(candidates: Sequence[Candidate], vectors: Matrix, matcher: Matcher, *, dimension: int) -> Known:
    """What matches of candidates depend on.

    Args:
        candidates: The candidates.
        vectors: Theirs, joined features ``(n, d + m + c)``.
        matcher: Computes matches.
        dimension: Length of an embedding, ``d``.
    """
    missing = [row for row, candidate in enumerate(candidates) if candidate.known is None]
    if missing:
        made = matcher.known(
            matcher.heads.probabilities(vectors[missing, :dimension]),
            [candidates[row].stored.product.attributes for row in missing],
        )
        for row, sure, codes in zip(missing, made.sure, made.codes, strict=True):
            candidates[row].known = sure.copy(), codes.copy()  # a view would keep those of all others
    rows = [candidate.known for candidate in candidates if candidate.known is not None]
    return Known(np.stack([sure for sure, _ in rows]), np.stack([codes for _, codes in rows]))


def guesses_of(
    candidates: Sequence[Candidate], vectors: Matrix, predicted: Callable[[Matrix], Sequence[Guesses]]
) -> list[Guesses]:
    """What the model predicts of candidates by their vectors ``(n, d + m + c)``."""
    missing = [row for row, candidate in enumerate(candidates) if candidate.guesses is None]
    if missing:
        for row, guesses in zip(missing, predicted(vectors[missing]), strict=True):
            candidates[row].guesses = guesses
    return [candidate.guesses or {} for candidate in candidates]
