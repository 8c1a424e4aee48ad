"""What is known of one person's taste, by the photos of what the person liked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import EventType
from sartor.recommend.features import Features, mixed
from sartor.recommend.weights import (
    DEFAULT_DIALS,
    DISLIKE_WEIGHT,
    EVENT_WEIGHTS,
    HISTORY_PRODUCTS,
    INTEREST_APART,
    LIKING_HALF_LIFE_S,
    MOST_INTERESTS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from sartor.events.model import Event
    from sartor.index.base import VectorIndex
    from sartor.types import Matrix, Neighbor, Vector

    Places = npt.NDArray[np.int64]


_WORDS = {
    EventType.LIKE: "liked",
    EventType.PURCHASE: "bought",
    EventType.ADD_TO_CART: "put in the cart",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPreferences:
    """What a person likes.

    Attributes:
        weights: How much, by product, the weightiest first; the disliked are not among them.
        deeds: The strongest thing that was done with each of these.
        disliked: Products that were disliked last, and not liked since; of all time.
        done: Products that shall not be recommended: seen lately, bought, or disliked.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    deeds: Mapping[str, EventType] = field(default_factory=dict)
    disliked: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()

    def deed(self, product_id: str) -> str:
        """What was done with a product, as a word after "you"."""
        return _WORDS.get(self.deeds[product_id], "looked at")


def user_preferences(
    recent: Sequence[Event], *, disliked: Collection[str], bought: Collection[str]
) -> UserPreferences:
    """Read a person's events.

    An event counts ``weight 2^(-age / half-life)``, its age being that before the person's last event; what
    is done with a product adds up, as the square root of the sum of squares.

    Args:
        recent: The last events, the newest first.
        disliked: Products that the person dislikes.
        bought: Products that the person ever bought.
    """
    squares: dict[str, float] = {}
    deeds: dict[str, EventType] = {}
    counting = [event for event in recent if EVENT_WEIGHTS.get(event.type) and not event.is_impression]
    for event in counting:
        if event.product_id in disliked:
            continue
        age_s = counting[0].at_s - event.at_s
        weight = EVENT_WEIGHTS[event.type] * 2 ** (-age_s / LIKING_HALF_LIFE_S)
        squares[event.product_id] = squares.get(event.product_id, 0.0) + weight**2
        before = deeds.get(event.product_id, event.type)
        deeds[event.product_id] = max(before, event.type, key=lambda each: EVENT_WEIGHTS[each])
    order = sorted(squares, key=lambda each: (-squares[each], each))[:HISTORY_PRODUCTS]
    return UserPreferences(
        weights={product_id: squares[product_id] ** 0.5 for product_id in order},
        deeds={product_id: deeds[product_id] for product_id in order},
        disliked=frozenset(disliked),
        done=frozenset({*squares, *disliked, *bought}),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """One of somebody's interests.

    Attributes:
        share: How much of all weight it has, above 0 to 1.
        members: Places of the products that it was found in, the weightiest first.
    """

    share: float
    members: tuple[int, ...]


def interests(style: Matrix, weights: Vector) -> list[Interest]:
    """Group products into interests by Ward's method, the weightiest first, at most ``MOST_INTERESTS``.

    Source: A. Pal et al., "PinnerSage" (KDD 2020), section 4.

    Args:
        style: Of the products, ``(n, d)`` of norm 1.
        weights: How much each counts, ``(n,)`` above 0.
    """
    labels = _clusters(style)
    total = float(weights.sum())
    found = [
        Interest(float(weights[members].sum()) / total, _weightiest_first(members, weights))
        for members in (np.flatnonzero(labels == label) for label in np.unique(labels))
    ]
    return sorted(found, key=lambda interest: (-interest.share, interest.members))[:MOST_INTERESTS]


def _clusters(style: Matrix) -> Places:
    if len(style) == 1:
        return np.zeros(1, np.int64)
    from scipy.cluster.hierarchy import fcluster, ward
    from scipy.spatial.distance import pdist

    found = fcluster(ward(pdist(style)), INTEREST_APART, criterion="distance")
    return np.asarray(found)


def _weightiest_first(members: Places, weights: Vector) -> tuple[int, ...]:
    return tuple(sorted((int(member) for member in members), key=lambda member: (-weights[member], member)))


_MOST = 50_000  # products that are kept: 100 MB with the bundled model
_STEP = 512


class MainPhotos:
    """Reads main photos from an index, each once until the index changes; may be asked from several threads."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._kept: tuple[int, dict[str, Neighbor | None]] = (-1, {})

    def warm_up(self, product_ids: Sequence[str]) -> None:
        """Read those of products before anybody asks, as many as are kept."""
        for start in range(0, min(len(product_ids), _MOST), _STEP):
            self.of(product_ids[start : min(start + _STEP, _MOST)])

    def of(self, product_ids: Sequence[str]) -> list[Neighbor]:
        """Those of products, as far as there are any, in their order; their scores are 0."""
        revision, kept = self._kept
        if revision != self._index.revision or len(kept) > _MOST:
            self._kept = _, kept = self._index.revision, {}  # what another thread reads stays as it is
        if missing := [product_id for product_id in product_ids if product_id not in kept]:
            there = {each.product_id: each for each in self._index.entries(missing)}
            kept.update((product_id, there.get(product_id)) for product_id in missing)
        return [each for product_id in product_ids if (each := kept[product_id]) is not None]


_MEMBERS = 8  # products that an interest is looked for by, the weightiest
_DISLIKED = 5  # products that a feed keeps away from


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UserProfile:
    """What a person likes, as it is compared.

    Attributes:
        liking: From the person's events.
        members: What the index has of the liked products, the weightiest first; at least one.
        weights: Of these, ``(m,)``.
        interests: Groups of these, the weightiest first.
        queries: What each interest is compared by, ``(i, n)``.
    """

    liking: UserPreferences
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


def user_profile(liking: UserPreferences, photos: MainPhotos, *, sizes: tuple[int, int]) -> UserProfile | None:
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
    return UserProfile(
        liking=liking,
        members=members,
        weights=weights,
        interests=tuple(found),
        queries=np.stack([each.weighted(DEFAULT_DIALS) for each in queries]),
    )


def split(vector: Vector, sizes: tuple[int, int]) -> Features:
    """The traits of what an index compares, whose style and color have these lengths."""
    style, color = sizes[0], sum(sizes)
    return Features(style=vector[:style], color=vector[style:color], category=vector[color:])
