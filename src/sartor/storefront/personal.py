"""What pages show to one visitor: opinions, rows of recommendations, favorites, and the data that is held.

A row that cannot be loaded is left out of its page.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from sartor.errors import PersonNotFound, ProductNotFound, SartorError
from sartor.events.model import EventType
from sartor.limits import MAX_DISMISSED, RECENT_PRODUCTS, ROW_PRODUCTS
from sartor.recommend.base import Basis
from sartor.storefront.addresses import Search, product_address
from sartor.storefront.views import Card, hit_card, stored_card
from sartor.storefront.visitor import Referral, record_impressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sartor.events.model import Event, Person
    from sartor.shop import Shop
    from sartor.storefront.visitor import Visitor
    from sartor.types import Hit

logger = logging.getLogger(__name__)
T = TypeVar("T")

_QUERY_FAVORITES = 12  # favorites that "find more like these" searches by
_EVENT_NAMES = {
    EventType.VIEW: ("product looked at", "products looked at"),
    EventType.CLICK: ("recommendation followed", "recommendations followed"),
    EventType.LIKE: ("like", "likes"),
    EventType.DISLIKE: ("“Not for me”", "“Not for me”"),
    EventType.ADD_TO_CART: ("addition to a cart", "additions to a cart"),
    EventType.PURCHASE: ("purchase", "purchases"),
    EventType.SEARCH: ("search", "searches"),
}
_IMPRESSION_NAMES = ("product shown to you in a list", "products shown to you in lists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """The visitor as the templates see them.

    Attributes:
        is_remembered: Whether they gave consent.
        has_answered: Whether they gave or refused it.
        url: The page that they look at.
        root: What the paths of the shop begin with, where a proxy has it below a prefix; else empty.
        opinions: ``like`` or ``dislike`` by product id.
    """

    is_remembered: bool = False
    has_answered: bool = True
    url: str = "/"
    root: str = ""
    opinions: Mapping[str, str] = field(default_factory=dict)

    @property
    def favorites(self) -> int:
        """Number of products that they like."""
        return sum(opinion == EventType.LIKE for opinion in self.opinions.values())

    def opinion_of(self, product_id: str) -> str:
        """Their opinion of a product; empty without one."""
        return self.opinions.get(product_id, "")


STRANGER = Shopper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Products in a row that scrolls sideways.

    Attributes:
        name: Id of the row on its page, such as ``for-you``.
        aside: A few words beside the title.
    """

    name: str
    title: str
    aside: str = ""
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FavoritesView:
    """What the page of favorites shows.

    Attributes:
        cards: Products that they like, the latest first.
        gone: Number of liked products that left the catalog.
        more_href: Results for products like these; empty if none has a photo.
        dismissed: Products that they dislike, the latest first.
        further: Number of products that they dislike beside those.
    """

    cards: tuple[Card, ...] = ()
    gone: int = 0
    more_href: str = ""
    dismissed: tuple[Card, ...] = ()
    further: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """What the page of a visitor's data shows.

    Attributes:
        counts: Number of events by what was done, in words.
        first: Day of the first event; empty without any.
        last: Day of the last event.
    """

    counts: tuple[tuple[str, int], ...] = ()
    total: int = 0
    first: str = ""
    last: str = ""


def attempt(call: Callable[[], T], what: str) -> T | None:
    """Call what a page can do without. An error is logged and gives None."""
    try:
        return call()
    except SartorError as error:
        logger.warning("left out of a page: what=%s reason=%s", what, error)
    except Exception:
        logger.exception("left out of a page: what=%s", what)
    return None


def shopper_of(shop: Shop, visitor: Visitor) -> Shopper:
    """The visitor with their opinions."""
    person = visitor.person
    opinions = attempt(lambda: shop.opinions(person), "opinions") if person else None
    return Shopper(
        is_remembered=person is not None,
        has_answered=visitor.has_answered,
        url=visitor.url,
        root=visitor.root,
        opinions={product_id: str(opinion) for product_id, opinion in (opinions or {}).items()},
    )


def home_rows(shop: Shop, visitor: Visitor) -> tuple[Row, ...]:
    """The rows of the home page: for the visitor, or else trending; and recently viewed."""
    person = visitor.person
    first = attempt(lambda: _for_you(shop, person, is_shown=visitor.is_looking), "for_you") if person else None
    if first is None:
        first = attempt(lambda: _trending(shop, person, is_shown=visitor.is_looking), "trending")
    return tuple(row for row in (first, recent_row(shop, visitor)) if row and row.cards)


def together_row(shop: Shop, product_id: str) -> Row | None:
    """Products that others bought, looked at or liked together with one; None without any."""
    hits = attempt(lambda: shop.together(product_id, k=ROW_PRODUCTS), "together") or ()
    cards = tuple(_card(hit, note="") for hit in hits)
    reason = _main_reason(hits[0]) if hits else ""
    title = reason[:1].upper() + reason[1:] or "Goes together"
    return Row(name="together", title=title, cards=cards) if cards else None


def recent_row(shop: Shop, visitor: Visitor, *, without: str = "") -> Row | None:
    """Products that the visitor looked at last, without one; None without any."""
    person = visitor.person
    if person is None:
        return None
    viewed = attempt(lambda: shop.recently_viewed(person, k=RECENT_PRODUCTS + 1), "recently_viewed") or ()
    cards = tuple(stored_card(stored) for stored in viewed if stored.product.id != without)[:RECENT_PRODUCTS]
    return Row(name="recent", title="Recently viewed", cards=cards) if cards else None


def favorites_view(shop: Shop, person: Person | None) -> FavoritesView:
    """What the page of favorites shows to a person."""
    if person is None:
        return FavoritesView()
    opinions = shop.opinions(person)
    cards = tuple(stored_card(stored) for stored in shop.favorites(person))
    liked = sum(opinion is EventType.LIKE for opinion in opinions.values())
    disliked = [product_id for product_id, opinion in opinions.items() if opinion is EventType.DISLIKE]
    like = tuple(card.id for card in cards if card.picture)[:_QUERY_FAVORITES]
    return FavoritesView(
        cards=cards,
        gone=max(0, liked - len(cards)),
        more_href=Search(like=like).address if like else "",
        dismissed=tuple(_existing(shop, disliked[:MAX_DISMISSED])),
        further=len(disliked[MAX_DISMISSED:]),
    )


def held_view(shop: Shop, person: Person | None) -> HeldView:
    """A summary of the events that are held about a person."""
    events = _events(shop, person)
    if not events:
        return HeldView()
    counts: dict[tuple[str, str], int] = {}
    for event in events:
        names = _IMPRESSION_NAMES if event.is_impression else _EVENT_NAMES[event.type]
        counts[names] = counts.get(names, 0) + 1
    return HeldView(
        counts=tuple((one if count == 1 else many, count) for (one, many), count in counts.items()),
        total=len(events),
        first=_day(min(event.at_s for event in events)),
        last=_day(max(event.at_s for event in events)),
    )


def held_data(shop: Shop, person: Person | None) -> dict[str, Any]:
    """All that is held about a person as JSON, with the names of the API."""
    return {
        "visitor_id": person.id if person else None,
        "events": [_event_data(event) for event in _events(shop, person)],
    }


def _for_you(shop: Shop, person: Person, *, is_shown: bool) -> Row | None:
    feed = shop.for_user(person, k=ROW_PRODUCTS)
    if feed.based_on is not Basis.HISTORY or not feed:
        return None
    cards = _tracked(shop, person, [_card(hit, note=_main_reason(hit)) for hit in feed], is_shown=is_shown)
    return Row(name="for-you", title="For you", aside="From what you like and look at here", cards=cards)


def _trending(shop: Shop, person: Person | None, *, is_shown: bool) -> Row | None:
    feed = shop.trending(k=ROW_PRODUCTS)
    if feed.based_on is not Basis.TRENDING:
        return None
    cards = tuple(_card(hit, note="") for hit in feed)
    if person is not None:  # it takes the place of their own row
        cards = _tracked(shop, person, cards, is_shown=is_shown)
    return Row(name="trending", title="Trending now", aside="What shoppers like this week", cards=cards)


def _tracked(shop: Shop, person: Person, cards: Sequence[Card], *, is_shown: bool) -> tuple[Card, ...]:
    """The cards of a recommendation whose impressions are recorded, with links that record clicks."""
    recommendation_id = uuid4().hex
    if is_shown:
        attempt(
            lambda: record_impressions(shop, person, recommendation_id, [card.id for card in cards]), "impressions"
        )
    referrals = (Referral(recommendation_id, position) for position in range(1, len(cards) + 1))
    return tuple(
        replace(card, href=f"{product_address(card.id)}?{urlencode({'via': str(referral)})}")
        for card, referral in zip(cards, referrals, strict=True)
    )


def _card(hit: Hit, *, note: str) -> Card:
    return replace(hit_card(hit, Search(), shows_likeness=False), note=note, more_href="", less_href="")


def _main_reason(hit: Hit) -> str:
    """A reason that names what the shopper did, or else the strongest."""
    return next((reason for reason in hit.reasons if " you " in reason), next(iter(hit.reasons), ""))


def _existing(shop: Shop, product_ids: Iterable[str]) -> Iterable[Card]:
    for product_id in product_ids:
        try:
            yield stored_card(shop.product(product_id))
        except ProductNotFound:
            continue


def _events(shop: Shop, person: Person | None) -> tuple[Event, ...]:
    if person is None:
        return ()
    try:
        return shop.person(person).events
    except PersonNotFound:
        return ()


def _event_data(event: Event) -> dict[str, Any]:
    """The fields of an event; empty ones are left out."""
    fields = {
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
        **{name: value for name, value in fields.items() if value not in (None, "")},
    }


def _day(at_s: float) -> str:
    day = datetime.fromtimestamp(at_s, UTC)
    return f"{day:%B} {day.day}, {day.year}"
