"""What a visitor's own pages show: favorites, and all that is held about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sartor.errors import PersonNotFound, ProductNotFound
from sartor.events.model import EventType
from sartor.storefront.addresses import Search
from sartor.storefront.views import Card, stored_card

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sartor.events.model import Event, Person
    from sartor.shop import Shop

_SAID = {
    EventType.VIEW: ("product looked at", "products looked at"),
    EventType.CLICK: ("recommendation followed", "recommendations followed"),
    EventType.LIKE: ("like", "likes"),
    EventType.DISLIKE: ("“Not for me”", "“Not for me”"),
    EventType.ADD_TO_CART: ("addition to a cart", "additions to a cart"),
    EventType.PURCHASE: ("purchase", "purchases"),
    EventType.SEARCH: ("search", "searches"),
}
_SHOWN = ("product shown to you in a list", "products shown to you in lists")
_LIKENESSES = 12  # favorites that products are searched by
_DISMISSED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class FavoritesView:
    """What the page of favorites shows.

    Attributes:
        cards: What they like, the latest first.
        gone: How much of that the catalog no longer has.
        more_href: Products like these.
        dismissed: What is not for them.
    """

    cards: tuple[Card, ...] = ()
    gone: int = 0
    more_href: str = ""
    dismissed: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """What the page of one's data says.

    Attributes:
        counts: What was done, and how often, in words.
        total: All of it.
        first: The day of the first event; empty where there is none.
        last: The day of the last.
    """

    counts: tuple[tuple[str, int], ...] = ()
    total: int = 0
    first: str = ""
    last: str = ""


def favorites_view(shop: Shop, person: Person | None) -> FavoritesView:
    """Look up what the page of favorites shows."""
    if person is None:
        return FavoritesView()
    opinions = shop.opinions(person)
    cards = tuple(stored_card(each) for each in shop.favorites(person))
    liked = sum(opinion is EventType.LIKE for opinion in opinions.values())
    disliked = [product_id for product_id, opinion in opinions.items() if opinion is EventType.DISLIKE]
    like = tuple(card.id for card in cards if card.picture)[:_LIKENESSES]
    return FavoritesView(
        cards=cards,
        gone=max(0, liked - len(cards)),
        more_href=Search(like=like).address if like else "",
        dismissed=tuple(_there(shop, disliked[:_DISMISSED])),
    )


def held_view(shop: Shop, person: Person | None) -> HeldView:
    """Count what is held about somebody."""
    events = _events(shop, person)
    if not events:
        return HeldView()
    counted: dict[tuple[str, str], int] = {}
    for event in events:
        said = _SHOWN if event.is_impression else _SAID[event.type]
        counted[said] = counted.get(said, 0) + 1
    return HeldView(
        counts=tuple((one if count == 1 else many, count) for (one, many), count in counted.items()),
        total=len(events),
        first=_day(min(event.at_s for event in events)),
        last=_day(max(event.at_s for event in events)),
    )


def held_data(shop: Shop, person: Person | None) -> dict[str, Any]:
    """All that is held about somebody, as it is downloaded; the names are those of the API."""
    return {
        "visitor_id": person.id if person else None,
        "events": [_fields(event) for event in _events(shop, person)],
    }


def _events(shop: Shop, person: Person | None) -> tuple[Event, ...]:
    if person is None:
        return ()
    try:
        return shop.person(person).events
    except PersonNotFound:
        return ()


def _fields(event: Event) -> dict[str, Any]:
    """One event; what says nothing is left out."""
    said = {
        "product_id": event.product_id,
        "recommendation_id": event.recommendation_id,
        "position": event.position,
        "quantity": event.quantity if event.type in (EventType.ADD_TO_CART, EventType.PURCHASE) else None,
        "price": event.price,
        "basket_id": event.basket_id,
        "query": event.query,
    }
    return {
        "event_id": event.id,
        "type": str(event.type),
        f"{event.person.kind}_id": event.person.id,
        "timestamp": datetime.fromtimestamp(event.at_s, UTC).isoformat().replace("+00:00", "Z"),
        **{name: value for name, value in said.items() if value not in (None, "")},
    }


def _there(shop: Shop, product_ids: Iterable[str]) -> Iterable[Card]:
    for product_id in product_ids:
        try:
            yield stored_card(shop.product(product_id))
        except ProductNotFound:
            continue


def _day(at_s: float) -> str:
    day = datetime.fromtimestamp(at_s, UTC)
    return f"{day:%B} {day.day}, {day.year}"
