"""From a product's attributes to what the index can filter by: each value as text, and as a number if it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sartor.types import AttributeValue, IndexEntry

PRODUCT = "product"
PHOTO = "photo"
MAIN = "main"
YES, NO = "yes", "no"  # Qdrant Edge 0.9 finds no point by a boolean

# Longer texts are descriptions: nobody filters by them, and an index of them costs memory.
_LONGEST_TEXT = 256

# A plain number, with a currency before or after it as the Merchant feed writes prices ("15.00 USD").
# Source: https://support.google.com/merchants/answer/6324371
_NUMBER = re.compile(r"(?:[A-Za-z]{3}\s*)?([-+]?\d+(?:\.\d+)?)(?:\s*[A-Za-z]{3})?")


def text_field(attribute: str) -> str:
    """Path of an attribute's texts in a payload."""
    return f'text."{_key(attribute)}"'


def number_field(attribute: str) -> str:
    """Path of an attribute's numbers in a payload."""
    return f'number."{_key(attribute)}"'


def payload_of(entry: IndexEntry) -> dict[str, Any]:
    """What an index keeps beside a vector."""
    texts = {_key(name): list(texts_of(value)) for name, value in entry.attributes.items()}
    numbers = {_key(name): list(numbers_of(value)) for name, value in entry.attributes.items()}
    return {
        PRODUCT: entry.product_id,
        PHOTO: entry.sha256,
        MAIN: YES if entry.is_main else NO,
        "text": {name: values for name, values in texts.items() if values},
        "number": {name: values for name, values in numbers.items() if values},
    }


def texts_of(value: AttributeValue) -> Iterable[str]:
    """The texts by which an attribute's value is found, such as ``2011`` or ``true``."""
    for item in _items(value):
        text = str(item).lower() if isinstance(item, bool) else str(item)
        if len(text) <= _LONGEST_TEXT:
            yield text


def numbers_of(value: AttributeValue) -> Iterable[float]:
    """The numbers that an attribute's value stands for, if any: ``"15.00 USD"`` is 15."""
    for item in _items(value):
        if isinstance(item, bool):
            continue
        if isinstance(item, int | float):
            yield float(item)
        elif match := _NUMBER.fullmatch(item.strip()):
            yield float(match[1])


def _items(value: AttributeValue) -> tuple[str | int | float | bool, ...]:
    return value if isinstance(value, tuple) else (value,)


def _key(attribute: str) -> str:
    """An attribute's name as Qdrant's JSON paths can quote it."""
    return attribute.replace('"', "'")
