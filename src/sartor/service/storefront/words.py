"""How things are called before a shopper: attributes, values, prices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sartor.index.payload import numbers_of

if TYPE_CHECKING:
    from sartor.types import Attributes, AttributeValue

_LABELS = {
    "articleType": "Type",
    "product_type": "Type",
    "masterCategory": "Category",
    "subCategory": "Subcategory",
    "baseColour": "Color",
    "color": "Color",
    "usage": "Occasion",
    "age_group": "Age",
    "gtin": "GTIN",
    "mpn": "MPN",
    "google_product_category": "Google category",
}
_ORDER = (
    "gender",
    "masterCategory",
    "subCategory",
    "product_type",
    "articleType",
    "color",
    "baseColour",
    "pattern",
    "material",
    "brand",
    "size",
    "season",
    "usage",
)
KIND = ("product_type", "articleType", "subCategory", "masterCategory")  # the first that a product has is its kind
COLOR = ("color", "baseColour")
_UNSPOKEN = frozenset({"price", "sale_price", "link", "image_link", "additional_image_link", "item_group_id"})
_SPOKEN_BY_OTHERS = frozenset({"title", "description", "currency"})
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥"}
_WITHOUT_CENTS = ("₹", "¥")
_CURRENCY = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])|[$€£₹¥]")


def label(attribute: str) -> str:
    """The name of an attribute, as a person writes it."""
    if attribute in _LABELS:
        return _LABELS[attribute]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", attribute).replace("_", " ").split()
    return " ".join(words).capitalize() or attribute


def rank(attribute: str) -> tuple[int, str]:
    """Where an attribute stands among others."""
    place = _ORDER.index(attribute) if attribute in _ORDER else len(_ORDER)
    return place, label(attribute)


def value_text(value: AttributeValue) -> str:
    """A value, as a person writes it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def spoken(attributes: Attributes) -> list[tuple[str, str]]:
    """What is said of a product, by label, the most telling first."""
    said = [name for name in attributes if name not in _UNSPOKEN | _SPOKEN_BY_OTHERS]
    texts = [(label(name), value_text(attributes[name])) for name in sorted(said, key=rank)]
    return [(name, text) for name, text in texts if text]


def first_of(attributes: Attributes, names: tuple[str, ...]) -> str:
    """The text of the first attribute that there is; of a path of categories, the last."""
    for name in names:
        if attributes.get(name):
            return value_text(attributes[name]).rpartition(">")[2].strip()
    return ""


def price_text(attributes: Attributes) -> str:
    """What a product costs; empty where that is unknown."""
    for name in ("sale_price", "price"):
        if name in attributes and (amount := next(iter(numbers_of(attributes[name])), None)) is not None:
            return amount_text(amount, currency_of(attributes))
    return ""


def full_price_text(attributes: Attributes) -> str:
    """What it cost before the sale; empty where there is none."""
    if not price_text({key: value for key, value in attributes.items() if key == "sale_price"}):
        return ""
    return price_text({key: value for key, value in attributes.items() if key in ("price", "currency")})


def amount_text(amount: float, currency: str) -> str:
    """An amount of money."""
    number = f"{amount:,.0f}" if currency in _WITHOUT_CENTS and not amount % 1 else f"{amount:,.2f}"
    return f"{currency}{number}" if len(currency) == 1 else f"{number} {currency}".strip()


def currency_of(attributes: Attributes) -> str:
    """The currency of a product's price, as a sign where it has one; empty where that is unknown."""
    texts = (str(attributes.get(name, "")) for name in ("sale_price", "price", "currency"))
    found = next((match.group() for text in texts if (match := _CURRENCY.search(text))), "")
    return _CURRENCIES.get(found, found)
