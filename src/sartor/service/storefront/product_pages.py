"""The page of a product: what it is, what is like it, what completes the look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sartor.errors import QueryError
from sartor.recommend.similar import GROUP
from sartor.service.storefront.addresses import PAGE, Search
from sartor.service.storefront.views import Card, Picture, hit_card, picture_of, stored_card, worn_card
from sartor.service.storefront.words import (
    KIND,
    amount_text,
    currency_of,
    first_of,
    full_price_text,
    price_text,
    spoken,
)
from sartor.store.records import ListingQuery, Sort
from sartor.types import AnyOf, Where

if TYPE_CHECKING:
    from sartor.shop import Shop
    from sartor.types import Attributes, StoredProduct

_VARIANTS = 12
_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceView:
    """A piece of a look, and what could take its place."""

    slot: str
    card: Card
    alternatives: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookView:
    """What completes the look for a product."""

    pieces: tuple[PieceView, ...]
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """What the page of a product shows.

    Attributes:
        id: The product.
        title: Its title, or what stands for it.
        kind: What it is.
        brand: Who makes it.
        pictures: Its photos.
        description: What its shop says of it.
        attributes: Label and value.
        price: What it costs.
        full_price: What it cost before the sale.
        link: Where it is sold; empty where that is unknown.
        variants: The same in other colors or sizes.
        similar: Products like it.
        similar_href: All of them.
        look: What completes the look; None where it has no place in one.
    """

    id: str
    title: str
    kind: str
    brand: str
    pictures: tuple[Picture, ...]
    description: str
    attributes: tuple[tuple[str, str], ...]
    price: str
    full_price: str
    link: str
    variants: tuple[Card, ...]
    similar: tuple[Card, ...]
    similar_href: str
    look: LookView | None


def product_view(shop: Shop, product_id: str) -> ProductView:
    """Look up what the page of a product shows.

    Raises:
        ProductNotFound: There is none with this id.
    """
    stored = shop.product(product_id)
    product, attributes = stored.product, stored.product.attributes
    return ProductView(
        id=product.id,
        title=product.title or product.id,
        kind=first_of(attributes, KIND),
        brand=first_of(attributes, ("brand",)),
        pictures=tuple(picture for photo in stored.photos if (picture := picture_of(photo))),
        description=first_of({"description": attributes.get("description", "")}, ("description",)),
        attributes=tuple(spoken(attributes)),
        price=price_text(attributes),
        full_price=full_price_text(attributes),
        link=_link(attributes),
        variants=_variants(shop, stored),
        similar=_similar(shop, stored),
        similar_href=Search(products=(product.id,)).address,
        look=_look(shop, stored),
    )


def _similar(shop: Shop, stored: StoredProduct) -> tuple[Card, ...]:
    product_id = stored.product.id
    if not stored.photos:
        return ()
    try:
        found = shop.similar(product=product_id, k=PAGE)
    except QueryError:  # a photo that could not be embedded
        return ()
    return tuple(hit_card(hit, Search(products=(product_id,))) for hit in found)


def _look(shop: Shop, stored: StoredProduct) -> LookView | None:
    try:
        look = shop.outfit(stored.product.id, alternatives=_ALTERNATIVES)
    except QueryError:  # it is nothing that is worn
        return None
    if not look.pieces:
        return None
    pieces = tuple(
        PieceView(
            slot=str(piece.slot).capitalize(),
            card=worn_card(piece),
            alternatives=tuple(worn_card(each) for each in look.alternatives.get(piece.slot, ())),
        )
        for piece in look.pieces
    )
    currency = currency_of(look.pieces[0].attributes)
    return LookView(pieces=pieces, price="" if look.price is None else amount_text(look.price, currency))


def _variants(shop: Shop, stored: StoredProduct) -> tuple[Card, ...]:
    group = str(stored.product.attributes.get(GROUP, ""))
    if not group:
        return ()
    where = Where((AnyOf(attribute=GROUP, values=(group,)),))
    query = ListingQuery(where=where, words="", sort=Sort.TITLE, limit=_VARIANTS, after=None)
    others = [each for each in shop.listing(query).products if each.product.id != stored.product.id]
    return tuple(stored_card(each) for each in others)


def _link(attributes: Attributes) -> str:
    """The product's page in its shop; anything but an address of the web is left out."""
    text = str(attributes.get("link", ""))
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""
