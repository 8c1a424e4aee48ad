"""Rows that depend on who looks, and on what others did; a row that cannot be had is left out of its page."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from sartor.errors import SartorError
from sartor.events.model import EventType
from sartor.recommend.base import Basis
from sartor.storefront.addresses import Search, product_address
from sartor.storefront.views import Card, hit_card, stored_card
from sartor.storefront.visitor import Via, record_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sartor.events.model import Person
    from sartor.shop import Shop
    from sartor.storefront.visitor import Visitor
    from sartor.types import Hit

logger = logging.getLogger(__name__)
T = TypeVar("T")

_LONG = 10  # products of a row
_RECENT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """Who looks, as every page shows it.

    Attributes:
        is_known: Whether they agreed to be remembered.
        is_asked: Whether the question need not be put again.
        here: The page that they look at.
        opinions: ``like`` or ``dislike`` by product id.
    """

    is_known: bool = False
    is_asked: bool = True
    here: str = "/"
    opinions: Mapping[str, str] = field(default_factory=dict)

    @property
    def favorites(self) -> int:
        """How many products they like."""
        return sum(each == EventType.LIKE for each in self.opinions.values())

    def opinion_of(self, product_id: str) -> str:
        """What they think of a product; empty where they never said."""
        return self.opinions.get(product_id, "")


NOBODY = Shopper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Products in a row that scrolls sideways.

    Attributes:
        name: By which the page knows it, such as ``for-you``.
        title: What stands above.
        aside: A few words beside that.
        cards: The products; a row without any is not shown.
    """

    name: str
    title: str
    aside: str = ""
    cards: tuple[Card, ...] = ()


def shopper_of(shop: Shop, visitor: Visitor) -> Shopper:
    """Who looks at a page, with what they think of its products."""
    person = visitor.person
    opinions = attempt(lambda: shop.opinions(person), "opinions") if person else None
    return Shopper(
        is_known=person is not None,
        is_asked=visitor.has_answered,
        here=visitor.here,
        opinions={product_id: str(opinion) for product_id, opinion in (opinions or {}).items()},
    )


def home_rows(shop: Shop, visitor: Visitor) -> tuple[Row, ...]:
    """The rows of the home page: for them, or else what is on trend, and what they looked at."""
    person = visitor.person
    chosen = attempt(lambda: _for_you(shop, person), "for you") if person else None
    if chosen is None:
        chosen = attempt(lambda: _trending(shop, person), "trending")
    recent = recent_row(shop, visitor)
    return tuple(row for row in (chosen, recent) if row and row.cards)


def together_row(shop: Shop, product_id: str) -> Row | None:
    """What others did with products together with this one, by what they did most; None where nothing was."""
    found = attempt(lambda: shop.together(product_id, k=_LONG), "together") or ()
    cards = tuple(_card(hit, reason="") for hit in found)
    said = _first(found[0]) if found else ""
    title = said[:1].upper() + said[1:] or "Goes together"
    return Row(name="together", title=title, cards=cards) if cards else None


def recent_row(shop: Shop, visitor: Visitor, *, but: str = "") -> Row | None:
    """What they looked at last, but for one product; None where that is nothing."""
    person = visitor.person
    if person is None:
        return None
    found = attempt(lambda: shop.recently_viewed(person, k=_RECENT + 1), "recently viewed") or ()
    cards = tuple(stored_card(each) for each in found if each.product.id != but)[:_RECENT]
    return Row(name="recent", title="Recently viewed", cards=cards) if cards else None


def attempt(call: Callable[[], T], what: str) -> T | None:
    """Ask for something that a page can do without; None where it cannot be had, which is logged."""
    try:
        return call()
    except SartorError as error:
        logger.warning("left out of a page: what=%s reason=%s", what, error)
    except Exception:
        logger.exception("left out of a page: what=%s", what)
    return None


def _for_you(shop: Shop, person: Person) -> Row | None:
    feed = shop.for_user(person, k=_LONG)
    if feed.based_on is not Basis.HISTORY or not feed:
        return None
    cards = _followed(shop, person, [_card(hit, reason=_first(hit)) for hit in feed])
    return Row(name="for-you", title="For you", aside="From what you like and look at here", cards=cards)


def _trending(shop: Shop, person: Person | None) -> Row | None:
    feed = shop.trending(k=_LONG)
    if feed.based_on is not Basis.TRENDING:
        return None
    cards = tuple(_card(hit, reason="") for hit in feed)
    if person is not None:  # it stands where the row for them will
        cards = _followed(shop, person, cards)
    return Row(name="trending", title="Trending now", aside="What shoppers like this week", cards=cards)


def _followed(shop: Shop, person: Person, cards: Sequence[Card]) -> tuple[Card, ...]:
    """Cards of what is recommended to a person: that they were shown is noted, and so is where one is followed."""
    recommendation_id = uuid4().hex
    shown = [card.id for card in cards]
    attempt(lambda: record_shown(shop, person, recommendation_id, shown), "impressions")
    return tuple(
        replace(card, href=_via(card.id, Via(recommendation_id, position)))
        for position, card in enumerate(cards, start=1)
    )


def _card(hit: Hit, *, reason: str) -> Card:
    bare = hit_card(hit, Search(), is_judged=False)
    return replace(bare, note=reason, more_href="", less_href="")


def _first(hit: Hit) -> str:
    """The reason that says most to who looks: one that names what they did, or else the strongest."""
    return next((each for each in hit.reasons if " you " in each), next(iter(hit.reasons), ""))


def _via(product_id: str, via: Via) -> str:
    return f"{product_address(product_id)}?{urlencode({'via': str(via)})}"
