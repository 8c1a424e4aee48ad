"""A person's profile: preferences from events, and interests as groups of products that look alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sartor.events.model import EventType
from sartor.recommend.features import Features, mixed
from sartor.recommend.weights import (
    DEFAULT_FEATURE_WEIGHTS,
    DISLIKE_WEIGHT,
    EVENT_WEIGHTS,
    HISTORY_PRODUCTS,
    INTEREST_DISTANCE,
    MAX_INTERESTS,
    PREFERENCE_HALF_LIFE_S,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from sartor.events.model import Event, Person
    from sartor.recommend.candidates import MainPhotos
    from sartor.store.base import EventStore
    from sartor.types import Matrix, Neighbor, Vector

    Rows = npt.NDArray[np.int64]

_DEEDS = {
    EventType.LIKE: "liked",
    EventType.PURCHASE: "bought",
    EventType.ADD_TO_CART: "put in the cart",
}
_OPINIONS = (EventType.LIKE, EventType.DISLIKE)
_ALL_EVENTS = 1 << 30
_MAX_MEMBERS = 8  # products of an interest that its query is made of, the weightiest
_MAX_DISLIKED = 5  # products that a feed keeps away from


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPreferences:
    """What a person likes and dislikes, by product."""

    weights: Mapping[str, float] = field(default_factory=dict)  # without disliked products, the most liked first
    deeds: Mapping[str, EventType] = field(default_factory=dict)  # the strongest event with each of these
    disliked: frozenset[str] = frozenset()  # and not liked since; of all time
    done: frozenset[str] = frozenset()  # not to be recommended: seen lately, bought, or disliked

    def deed(self, product_id: str) -> str:
        """What the person did with a product, as words after "you"."""
        return _DEEDS.get(self.deeds[product_id], "looked at")


def user_preferences(
    recent: Sequence[Event], *, disliked: Collection[str], bought: Collection[str]
) -> UserPreferences:
    """A person's preferences, from events.

    An event counts ``weight 2^(-age / half-life)``, by its age before the person's last event; several events with
    a product count as the square root of the sum of their squares. ``recent`` has the newest event first.
    """
    squares: dict[str, float] = {}
    deeds: dict[str, EventType] = {}
    counting = [event for event in recent if EVENT_WEIGHTS.get(event.type) and not event.is_impression]
    for event in counting:
        if event.product_id in disliked:
            continue
        age_s = counting[0].at_s - event.at_s
        weight = EVENT_WEIGHTS[event.type] * 2 ** (-age_s / PREFERENCE_HALF_LIFE_S)
        squares[event.product_id] = squares.get(event.product_id, 0.0) + weight**2
        before = deeds.get(event.product_id, event.type)
        deeds[event.product_id] = max(before, event.type, key=lambda type_: EVENT_WEIGHTS[type_])
    order = sorted(squares, key=lambda product_id: (-squares[product_id], product_id))[:HISTORY_PRODUCTS]
    return UserPreferences(
        weights={product_id: squares[product_id] ** 0.5 for product_id in order},
        deeds={product_id: deeds[product_id] for product_id in order},
        disliked=frozenset(disliked),
        done=frozenset({*squares, *disliked, *bought}),
    )


def opinions(events: EventStore, person: Person) -> dict[str, EventType]:
    """A person's last like or dislike of each product, the latest first."""
    latest: dict[str, EventType] = {}
    for event in events.recent(person, limit=_ALL_EVENTS, types=_OPINIONS):
        latest.setdefault(event.product_id, event.type)
    return latest


def disliked_products(events: EventStore, person: Person) -> frozenset[str]:
    """Products that a person disliked, and has not liked since."""
    disliked = frozenset(events.products_of(person, (EventType.DISLIKE,)))
    if disliked.isdisjoint(events.products_of(person, (EventType.LIKE,))):
        return disliked
    return frozenset(product for product, type_ in opinions(events, person).items() if type_ is EventType.DISLIKE)


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """A group of liked products that look alike."""

    share: float  # of all weight, above 0 to 1
    members: tuple[int, ...]  # rows of its products, the weightiest first


def interests(style: Matrix, weights: Vector) -> list[Interest]:
    """Group products of a style ``(n, d)`` into interests by Ward's method, the weightiest first.

    Source: A. Pal et al., "PinnerSage" (KDD 2020), section 4.
    """
    labels = _clusters(style)
    total = float(weights.sum())
    groups = [
        Interest(float(weights[members].sum()) / total, _weightiest_first(members, weights))
        for members in (np.flatnonzero(labels == label) for label in np.unique(labels))
    ]
    return sorted(groups, key=lambda interest: (-interest.share, interest.members))[:MAX_INTERESTS]


def _clusters(style: Matrix) -> Rows:
    if len(style) == 1:
        return np.zeros(1, np.int64)
    from scipy.cluster.hierarchy import fcluster, ward
    from scipy.spatial.distance import pdist

    return np.asarray(fcluster(ward(pdist(style)), INTEREST_DISTANCE, criterion="distance"))


def _weightiest_first(members: Rows, weights: Vector) -> tuple[int, ...]:
    return tuple(sorted((int(member) for member in members), key=lambda member: (-weights[member], member)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UserProfile:
    """A person's preferences as they are compared."""

    preferences: UserPreferences
    members: tuple[Neighbor, ...]  # liked products that the index has, the most liked first; at least one
    weights: Vector  # how much each member is liked, (m,)
    interests: tuple[Interest, ...]  # groups of the members, the weightiest first
    queries: Matrix  # a query vector for each interest, (i, n)

    @property
    def shares(self) -> Vector:
        """Shares of the interests, ``(i,)``, falling."""
        return np.array([interest.share for interest in self.interests], np.float32)

    def nearest(self, vector: Vector) -> int:
        """Row of the member nearest to a vector of the index, within the interest nearest to it."""
        interest = self.interests[int((self.queries @ vector).argmax())]
        return max(interest.members[:_MAX_MEMBERS], key=lambda row: float(self.members[row].vector @ vector))


def user_profile(
    preferences: UserPreferences, photos: MainPhotos, *, sizes: tuple[int, int]
) -> UserProfile | None:
    """A person's profile; None if the index has none of the liked products.

    ``sizes`` are the lengths of style and color in the index's vectors.
    """
    members = tuple(photos.of(list(preferences.weights)))
    if not members:
        return None
    features = [Features.of_joined(member.vector, sizes) for member in members]
    weights = np.array([preferences.weights[member.product_id] for member in members], np.float32)
    groups = interests(np.stack([own.style for own in features]), weights)
    disliked = photos.of(sorted(preferences.disliked)[:_MAX_DISLIKED])
    negatives = [(Features.of_joined(photo.vector, sizes), DISLIKE_WEIGHT / len(disliked)) for photo in disliked]
    queries = [
        mixed([(features[row], float(weights[row])) for row in group.members[:_MAX_MEMBERS]], negatives)
        for group in groups
    ]
    return UserProfile(
        preferences=preferences,
        members=members,
        weights=weights,
        interests=tuple(groups),
        queries=np.stack([query.weighted(DEFAULT_FEATURE_WEIGHTS) for query in queries]),
    )
