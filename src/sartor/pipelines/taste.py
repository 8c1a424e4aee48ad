"""What is known of one person's taste, by the photos of what the person liked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sartor.recommend.interests import interests
from sartor.recommend.traits import Traits, mixed
from sartor.recommend.tuning import DEFAULT_DIALS, DISLIKE_WEIGHT

if TYPE_CHECKING:
    from sartor.pipelines.main_photos import MainPhotos
    from sartor.recommend.interests import Interest
    from sartor.recommend.liking import Liking
    from sartor.types import Matrix, Neighbor, Vector

_MEMBERS = 8  # products that an interest is looked for by, the weightiest
_DISLIKED = 5  # products that a feed keeps away from


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Taste:
    """What a person likes, as it is compared.

    Attributes:
        liking: From the person's events.
        members: What the index has of the liked products, the weightiest first; at least one.
        weights: Of these, ``(m,)``.
        interests: Groups of these, the weightiest first.
        queries: What each interest is compared by, ``(i, n)``.
    """

    liking: Liking
    members: tuple[Neighbor, ...]
    weights: Vector
    interests: tuple[Interest, ...]
    queries: Matrix

    @property
    def shares(self) -> Vector:
        """Of each interest, ``(i,)``, the greatest first."""
        return np.array([each.share for each in self.interests], np.float32)

    def nearest(self, vector: Vector) -> int:
        """The place of the liked product that comes nearest to what an index has of another one."""
        interest = self.interests[int((self.queries @ vector).argmax())]
        return max(interest.members[:_MEMBERS], key=lambda place: float(self.members[place].vector @ vector))


def taste_of(liking: Liking, photos: MainPhotos, *, sizes: tuple[int, int]) -> Taste | None:
    """Look up what a person likes; None where the index has nothing of it.

    Args:
        liking: From the person's events.
        photos: What the products look like.
        sizes: Lengths of style and color in what the index compares.
    """
    members = tuple(photos.of(list(liking.weights)))
    if not members:
        return None
    traits = [split(each.vector, sizes) for each in members]
    weights = np.array([liking.weights[each.product_id] for each in members], np.float32)
    found = interests(np.stack([each.style for each in traits]), weights)
    disliked = photos.of(sorted(liking.disliked)[:_DISLIKED])
    against = [(split(each.vector, sizes), DISLIKE_WEIGHT / len(disliked)) for each in disliked]
    queries = [
        mixed([(traits[place], float(weights[place])) for place in each.members[:_MEMBERS]], against)
        for each in found
    ]
    return Taste(
        liking=liking,
        members=members,
        weights=weights,
        interests=tuple(found),
        queries=np.stack([each.weighted(DEFAULT_DIALS) for each in queries]),
    )


def split(vector: Vector, sizes: tuple[int, int]) -> Traits:
    """The traits of what an index compares, whose style and color have these lengths."""
    style, color = sizes[0], sum(sizes)
    return Traits(style=vector[:style], color=vector[style:color], category=vector[color:])
