"""What a shop offers a product for: which attributes are prices, and what its availability is, however spelled."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.types import Attributes, AttributeValue

PRICE, SALE_PRICE, COMPARE_AT_PRICE = "price", "sale_price", "compare_at_price"
AVAILABILITY = "availability"
PRICE_CURRENCY = "price:currency"  # what a product's price is in; beside it "price:EUR" is the amount in euros

_WORDS_OF_A_NAME = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


class Availability(StrEnum):
    """Whether a product can be bought, in the words of Merchant feeds.

    Source: https://support.google.com/merchants/answer/6324448
    """

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


# Also what https://schema.org/ItemAvailability, Meta, WooCommerce and shops in eight languages say.
_SPELLINGS = {
    Availability.IN_STOCK: (
        "in stock",
        "available",
        "limited availability",
        "online only",
        "in store only",
        "made to order",
        "low stock",
        "auf Lager",
        "lieferbar",
        "sofort lieferbar",
        "verfügbar",
        "vorrätig",
        "en stock",
        "disponible",
        "disponibile",
        "op voorraad",
        "em estoque",
        "disponível",
        "em stock",
        "i lager",
        "dostępny",
        "na stanie",
        "w magazynie",
    ),
    Availability.OUT_OF_STOCK: (
        "out of stock",
        "sold out",
        "unavailable",
        "not available",
        "not in stock",
        "no stock",
        "discontinued",
        "ausverkauft",
        "nicht lieferbar",
        "nicht auf Lager",
        "nicht verfügbar",
        "nicht vorrätig",
        "vergriffen",
        "épuisé",
        "en rupture de stock",
        "rupture de stock",
        "indisponible",
        "agotado",
        "sin stock",
        "no disponible",
        "esaurito",
        "non disponibile",
        "uitverkocht",
        "niet op voorraad",
        "esgotado",
        "indisponível",
        "slutsåld",
        "slut i lager",
        "ej i lager",
        "niedostępny",
        "brak w magazynie",
        "wyprzedany",
    ),
    Availability.PREORDER: (
        "preorder",
        "pre sale",
        "coming soon",
        "vorbestellbar",
        "précommande",
        "preventa",
        "prevendita",
        "pré-venda",
        "förbeställning",
        "przedsprzedaż",
    ),
    Availability.BACKORDER: (
        "backorder",
        "on backorder",
        "available for order",
        "available on request",
        "reserved",
        "nachbestellt",
        "auf Bestellung",
        "sur commande",
        "bajo pedido",
        "su ordinazione",
        "op bestelling",
        "sob encomenda",
        "na zamówienie",
    ),
}


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.strip().rpartition("/")[2].casefold())
    return "".join(letter for letter in folded if letter.isalnum())


_AVAILABILITY_OF = {_key(text): state for state, texts in _SPELLINGS.items() for text in (state.value, *texts)}


@lru_cache(maxsize=1024)
def availability_of(text: str) -> Availability | None:
    """The availability that a text names; None if it names none.

    Example:
        >>> [str(availability_of(text)) for text in ("In Stock", "https://schema.org/SoldOut", "on backorder")]
        ['in_stock', 'out_of_stock', 'backorder']
    """
    return _AVAILABILITY_OF.get(_key(text))


@lru_cache(maxsize=4096)
def is_price(attribute: str) -> bool:
    """Whether an attribute is an amount of money by its name: ``price``, ``sale_price``, ``compareAtPrice``.

    Example:
        >>> is_price("sale_price"), is_price("Price"), is_price("price_range"), is_price("color")
        (True, True, False, False)
    """
    words = [word.casefold() for word in _WORDS_OF_A_NAME.split(attribute.strip()) if word]
    return bool(words) and words[-1] == PRICE


def in_currency(attribute: str, currency: str) -> str:
    """The name by which a price is compared in one currency alone: ``price:EUR``."""
    return f"{attribute}:{currency}"


@lru_cache(maxsize=4096)
def price_named(name: str) -> tuple[str, str] | None:
    """The price that a filter names, and the currency in its name; None if it names none.

    Example:
        >>> price_named("sale_price:EUR"), price_named("price"), price_named("price:currency"), price_named("size")
        (('sale_price', 'EUR'), ('price', ''), None, None)
    """
    attribute, colon, currency = name.rpartition(":")
    if not colon:
        return (name, "") if is_price(name) else None
    return (attribute, currency) if is_price(attribute) and name != PRICE_CURRENCY else None


def price_attribute(attributes: Attributes) -> AttributeValue | None:
    """What a product costs now: its sale price, else its price; None if it has neither."""
    for name in (SALE_PRICE, PRICE):
        if (value := attributes.get(name)) not in {None, ""}:
            return value
    return None
