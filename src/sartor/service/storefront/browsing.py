"""The home page: a place to drop a photo, and the catalog below it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sartor.service.storefront.facets import refinement
from sartor.service.storefront.filters import PRICE
from sartor.service.storefront.views import Card, Refinement, stored_card
from sartor.store.records import ListingQuery, Sort

if TYPE_CHECKING:
    from sartor.service.storefront.addresses import Browse
    from sartor.shop import Shop

PAGE = 24
_SORTS = {
    Sort.RELEVANCE: "Featured",
    Sort.NEWEST: "Newest",
    Sort.TITLE: "Title",
    Sort.PRICE_UP: "Price, low to high",
    Sort.PRICE_DOWN: "Price, high to low",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """What the home page shows.

    Attributes:
        browse: What is asked for.
        cards: Products.
        total: How many there are in all.
        next_href: Where the next ones are; empty at the end.
        refinement: Filters; None in an empty catalog.
        sorts: Orders that make sense here, by value.
        size: How many products the catalog has.
    """

    browse: Browse
    cards: tuple[Card, ...]
    total: int
    next_href: str
    refinement: Refinement | None
    sorts: tuple[tuple[str, str], ...]
    size: int


def home_view(shop: Shop, browse: Browse) -> HomeView:
    """Look up what the home page shows.

    Raises:
        QueryError: It is asked for what the catalog does not have.
    """
    size = shop.counts().products
    if not size:
        return HomeView(browse=browse, cards=(), total=0, next_href="", refinement=None, sorts=(), size=0)
    where = browse.filters.where()
    query = ListingQuery(where=where, words=browse.words, sort=browse.sort, limit=PAGE, after=browse.after)
    page = shop.listing(query)
    filters = refinement(shop, browse, words=browse.words)
    return HomeView(
        browse=browse,
        cards=tuple(stored_card(stored) for stored in page.products),
        total=page.total,
        next_href=replace(browse, after=page.next).address if page.next else "",
        refinement=filters,
        sorts=tuple(
            (sort.value, name) for sort, name in _SORTS.items() if filters.has_price or PRICE not in sort.value
        ),
        size=size,
    )
