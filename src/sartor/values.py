"""What a value of an attribute is: a text to filter by, a number, words to search, a key to sort by.

Stores and indexes all read values with this module, so a filter means the same in a listing and in a search:

- A plain number is one text however it is written: ``10``, ``10.0`` and ``"10.00"`` are ``10``.
- A price is read with its currency (``sartor.money``), and ``price`` is what is paid now: the sale price, if any.
  Beside it, ``price:EUR`` is the amount if it is in euros, and ``price:currency`` says what it is in.
- An availability has one spelling (``sartor.offers``).
- A path of categories is also found by each category above: ``Men > Tees`` is ``Men``, too.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sartor.limits import MAX_FILTERED_TEXT_CHARS
from sartor.money import currency_of, money_of
from sartor.offers import (
    AVAILABILITY,
    PRICE,
    PRICE_CURRENCY,
    availability_of,
    in_currency,
    is_price,
    price_attribute,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.types import Attributes, AttributeValue, Product

_PATH = " > "  # between the categories of a path
_MAX_LEVELS = 8  # of a path
_SORTED_LETTERS = 200  # of a title
_SEARCHED_LETTERS = 4000  # of a value

# A plain number, with a currency before or after it as the Merchant feed writes prices ("15.00 USD").
# Source: https://support.google.com/merchants/answer/6324371
_NUMBER = re.compile(r"(?:[A-Za-z]{3}\s*)?([-+]?\d+(?:\.\d+)?)(?:\s*[A-Za-z]{3})?")
_PLAIN = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?")  # neither "0042", nor "00", which is a size
_LINK = re.compile(r"\s*https?://", re.IGNORECASE)


class Value(NamedTuple):
    """A value of an attribute, as text, as number, or both."""

    attribute: str
    text: str | None
    number: float | None


class Compared(NamedTuple):
    """What filters compare an attribute by: its texts and its numbers, each once."""

    texts: tuple[str, ...]
    numbers: tuple[float, ...]


def values_of(product: Product) -> list[Value]:
    """Everything that a product can be filtered by, each once."""
    values = {
        Value(attribute, text, number): None
        for attribute, pairs in _pairs_of(product.attributes)
        for text, number in pairs
        if text is not None or number is not None
    }
    return list(values)


def compared(attributes: Attributes) -> dict[str, Compared]:
    """What filters compare, by attribute.

    Example:
        >>> compared({"price": "20.00 EUR", "sale_price": "15.00 EUR"})["price"]
        Compared(texts=('20.00 EUR',), numbers=(15.0,))
    """
    return {
        attribute: Compared(
            tuple(dict.fromkeys(text for text, _ in pairs if text is not None)),
            tuple(dict.fromkeys(number for _, number in pairs if number is not None)),
        )
        for attribute, pairs in _pairs_of(attributes)
    }


def compared_text(attribute: str, text: str) -> str:
    """A value of a filter as it is compared with the texts of products.

    Example:
        >>> compared_text("fit", "10.00"), compared_text("sku", "0042"), compared_text("availability", "Sold out")
        ('10', '0042', 'out_of_stock')
    """
    known = availability_of(text) if attribute == AVAILABILITY else None
    return _plain_number(storable(text)) if known is None else known.value


def texts_of(value: AttributeValue) -> list[str]:
    """The texts by which a value is found, such as ``2011`` or ``true``; too long ones are left out."""
    return [text for item in _items(value) for text, _ in _pairs(item) if text is not None]


def numbers_of(value: AttributeValue) -> list[float]:
    """The finite numbers that a value stands for: ``"15.00 USD"`` is 15."""
    return [number for _, number in map(_text_and_number, _items(value)) if number is not None]


def amounts_of(value: AttributeValue) -> list[float]:
    """The amounts that a price stands for: ``"1.299,00 €"`` is 1299."""
    return [number for _, number in map(_text_and_amount, _items(value)) if number is not None]


def searched_of(product: Product) -> str:
    """The texts of a product's attributes that its words are searched in; links have no words."""
    found = [
        str(item)[:_SEARCHED_LETTERS]
        for value in product.attributes.values()
        for item in _items(value)
        if not isinstance(item, bool)
    ]
    return storable("\n".join(text for text in found if not _LINK.match(text)))


def title_key(title: str) -> str | None:
    """What titles are sorted by: no case, no accents; None for a product without a title."""
    letters = storable(title)[:_SORTED_LETTERS].casefold()
    if not letters.isascii():
        decomposed = unicodedata.normalize("NFKD", letters)
        letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return letters.strip() or None


def price_of(product: Product) -> float | None:
    """The number that prices are sorted by: what is paid now, the lowest where there are several."""
    price = price_attribute(product.attributes)
    return None if price is None else min(amounts_of(price), default=None)


def storable(text: str) -> str:
    """The text without what UTF-8 cannot hold: halves of surrogate pairs, which JSON can spell."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _pairs_of(attributes: Attributes) -> Iterator[tuple[str, list[tuple[str | None, float | None]]]]:
    """Text and number of each value, by attribute."""
    for attribute, value in attributes.items():
        items = _items(value)
        if attribute == AVAILABILITY:
            yield attribute, [(_availability(item), None) for item in items]
        elif is_price(attribute):
            pairs = [_text_and_amount(item) for item in items]
            now = price_attribute(attributes) if attribute == PRICE else None
            if now is not None and now is not value and (paid := amounts_of(now)):
                pairs = [(text, paid[0]) for text, _ in pairs]
            else:
                now = None
            yield attribute, pairs
            yield from _in_currencies(attribute, attributes, value if now is None else now)
        else:
            yield attribute, [pair for item in items for pair in _pairs(item)]


def _in_currencies(
    attribute: str, attributes: Attributes, value: AttributeValue
) -> Iterator[tuple[str, list[tuple[str | None, float | None]]]]:
    """A price under a name for each of its currencies, and what ``price`` is in."""
    found: dict[str, list[tuple[str | None, float | None]]] = {}
    for item in _items(value):
        _, amount = _text_and_amount(item)
        currency = "" if amount is None else _currency(item, attributes)
        if currency:
            found.setdefault(currency, []).append((None, amount))
    for currency, pairs in found.items():
        yield in_currency(attribute, currency), pairs
    if found and attribute == PRICE:
        yield PRICE_CURRENCY, [(currency, None) for currency in found]


def _currency(item: str | float, attributes: Attributes) -> str:
    money = money_of(item) if isinstance(item, str) else None
    if money is not None and money.currency:
        return money.currency
    named = attributes.get("currency")
    return (currency_of(named) or "") if isinstance(named, str) else ""


def _pairs(item: str | float) -> Iterator[tuple[str | None, float | None]]:
    """Text and number of a value; of a path of categories the categories above it first."""
    text, number = _text_and_number(item)
    if text is not None and _PATH in text and isinstance(item, str):
        names = text.split(_PATH)[:_MAX_LEVELS]
        for level in range(1, len(names)):
            if upper := _PATH.join(names[:level]):
                yield upper, None
    yield text, number


def _availability(item: str | float) -> str | None:
    known = availability_of(item) if isinstance(item, str) else None
    return _text_and_number(item)[0] if known is None else known.value


def _text_and_amount(item: str | float) -> tuple[str | None, float | None]:
    text, number = _text_and_number(item)
    if isinstance(item, str) and number is None and (money := money_of(item)) is not None:
        return text, money.amount
    return text, number


def _plain_number(text: str) -> str:
    """A plain number without needless zeros, so that ``10.00`` is ``10``; another text as it is."""
    if not _PLAIN.fullmatch(text):
        return text
    text = text.removeprefix("+")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _text_and_number(item: str | float) -> tuple[str | None, float | None]:
    if isinstance(item, str):
        return _of_text(item)
    if isinstance(item, bool):
        return str(item).lower(), None
    try:
        number = float(item)
    except OverflowError:  # an integer of hundreds of digits
        number = math.nan
    text = _plain_number(str(item))
    return (text if len(text) <= MAX_FILTERED_TEXT_CHARS else None), (number if math.isfinite(number) else None)


@lru_cache(maxsize=4096)  # a catalog says the same of many products
def _of_text(item: str) -> tuple[str | None, float | None]:
    text = _plain_number(storable(item)) if len(item) <= MAX_FILTERED_TEXT_CHARS else None
    match = _NUMBER.fullmatch(item.strip())
    number = float(match[1]) if match else math.nan
    return text, (number if math.isfinite(number) else None)


def _items(value: AttributeValue | tuple[()]) -> tuple[str | int | float | bool, ...]:
    return value if isinstance(value, tuple) else (value,)
