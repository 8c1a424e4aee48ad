"""What a person's events say of the person: what is liked and how much, what is not, and what is done with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.events import EventType
from sartor.recommend.tuning import EVENT_WEIGHTS, HISTORY_PRODUCTS, LIKING_HALF_LIFE_S

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sartor.events import Event

_WORDS = {
    EventType.LIKE: "liked",
    EventType.PURCHASE: "bought",
    EventType.ADD_TO_CART: "put in the cart",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Liking:
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


def liking_of(recent: Sequence[Event], *, disliked: Collection[str], bought: Collection[str]) -> Liking:
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
    return Liking(
        weights={product_id: squares[product_id] ** 0.5 for product_id in order},
        deeds={product_id: deeds[product_id] for product_id in order},
        disliked=frozenset(disliked),
        done=frozenset({*squares, *disliked, *bought}),
    )
