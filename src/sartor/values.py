"""What a value of an attribute is: a text to filter by, a number, words to search, a key to sort by.

Stores and indexes all read values with this module, so a filter means the same in a listing and in a search.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sartor.limits import MAX_FILTERED_TEXT_CHARS

if TYPE_CHECKING:
    from sartor.types import AttributeValue, Product

_SORTED_LETTERS = 200  # of a title
_SEARCHED_LETTERS = 4000  # of a value

# A plain number, with a currency before or after it as the Merchant feed writes prices ("15.00 USD").
# Source: https://support.google.com/merchants/answer/6324371
_NUMBER = re.compile(r"(?:[A-Za-z]{3}\s*)?([-+]?\d+(?:\.\d+)?)(?:\s*[A-Za-z]{3})?")
_LINK = re.compile(r"\s*https?://", re.IGNORECASE)


class Value(NamedTuple):
    """A value of an attribute, as text, as number, or both."""

    attribute: str
    text: str | None
    number: float | None


def values_of(product: Product) -> list[Value]:
    """Everything that a product can be filtered by, each once."""
    values = {
        Value(attribute, *_text_and_number(item)): None
        for attribute, value in product.attributes.items()
        for item in _items(value)
    }
    return [value for value in values if value.text is not None or value.number is not None]


def texts_of(value: AttributeValue) -> list[str]:
    """The texts by which a value is found, such as ``2011`` or ``true``; too long ones are left out."""
    return [text for text, _ in map(_text_and_number, _items(value)) if text is not None]


def numbers_of(value: AttributeValue) -> list[float]:
    """The finite numbers that a value stands for: ``"15.00 USD"`` is 15."""
    return [number for _, number in map(_text_and_number, _items(value)) if number is not None]


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
    """The number that prices are sorted by, the lowest where there are several."""
    numbers = (_text_and_number(item)[1] for item in _items(product.attributes.get("price", ())))
    return min((number for number in numbers if number is not None), default=None)


def storable(text: str) -> str:
    """The text without what UTF-8 cannot hold: halves of surrogate pairs, which JSON can spell."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _text_and_number(item: str | float) -> tuple[str | None, float | None]:
    if isinstance(item, str):
        return _of_text(item)
    if isinstance(item, bool):
        return str(item).lower(), None
    try:
        number = float(item)
    except OverflowError:  # an integer of hundreds of digits
        number = math.nan
    text = str(item)
    return (text if len(text) <= MAX_FILTERED_TEXT_CHARS else None), (number if math.isfinite(number) else None)


@lru_cache(maxsize=4096)  # a catalog says the same of many products
def _of_text(item: str) -> tuple[str | None, float | None]:
    text = storable(item) if len(item) <= MAX_FILTERED_TEXT_CHARS else None
    match = _NUMBER.fullmatch(item.strip())
    number = float(match[1]) if match else math.nan
    return text, (number if math.isfinite(number) else None)


def _items(value: AttributeValue | tuple[()]) -> tuple[str | int | float | bool, ...]:
    return value if isinstance(value, tuple) else (value,)
