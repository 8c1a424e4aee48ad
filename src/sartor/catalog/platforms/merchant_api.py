"""Google's Merchant API and the Content API before it: products as JSON.

Sources:
    https://developers.google.com/merchant/api/reference/rest/products_v1/accounts.productInputs
    https://developers.google.com/shopping-content/reference/rest/v2.1/products
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sartor.catalog.formats import Row, cells_of, merged, with_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.catalog.formats import Cell
    from sartor.catalog.platforms.objects import Objects
    from sartor.catalog.source import Findings

_COLUMNS = {
    "offerId": "id",
    "productAttributes.title": "title",
    "productAttributes.imageLink": "photos",
    "productAttributes.additionalImageLinks": "photos",
    "productAttributes.price": "price",
    "productAttributes.salePrice": "sale_price",
    "productAttributes.salePriceEffectiveDate": "sale_price_effective_date",
    "productAttributes.productDetails": "each under its own name",
    "productAttributes.productTypes": "product_type",
    "customAttributes": "each under its own name",
}
_UPPER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GROUPS = ("productAttributes", "attributes")
_PAIRS = {"customAttributes": ("name", "value"), "productDetails": ("attributeName", "attributeValue")}
_NAMES = {
    "additional_image_links": "additional_image_link",
    "product_types": "product_type",
    "gtins": "gtin",
    "sizes": "size",
    "offer_id": "id",
}


class MerchantApi:
    """Products and product inputs, with their attributes inside or, as the Content API has them, beside the id."""

    name = "Merchant API"
    meanings = _COLUMNS

    def recognizes(self, parsed: Mapping[str, Any]) -> bool:
        """Whether an object has an offer's id, and Google's attributes."""
        return "offerId" in parsed and (any(name in parsed for name in _GROUPS) or "imageLink" in parsed)

    def products(self, objects: Objects, findings: Findings) -> Iterator[Row]:
        """The products."""
        for location, parsed in objects(findings):
            cells, named = merged(_cells(parsed)), _named(parsed)
            yield Row(location=location, cells=with_named(cells, named, group="custom_attribute"))


def _cells(parsed: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    """The fields of a product by the names that feeds have."""
    for name, value in parsed.items():
        column = _UPPER.sub("_", name).lower()
        column = _NAMES.get(column, column)
        if name in _GROUPS and isinstance(value, dict):
            yield from _cells(value)
        elif name in _PAIRS and isinstance(value, list):
            continue
        elif name == "name" and str(value).startswith("accounts/"):
            yield "resource_name", str(value)
        elif column == "sale_price_effective_date" and isinstance(value, dict):
            yield column, f"{value.get('startTime', '')}/{value.get('endTime', '')}"
        else:
            yield from cells_of({column: value}).items()


def _named(parsed: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    """What the product itself names: its details, and its own attributes."""
    for name, value in parsed.items():
        if name in _GROUPS and isinstance(value, dict):
            yield from _named(value)
        elif name in _PAIRS and isinstance(value, list):
            yield from _pairs(value, *_PAIRS[name])


def _pairs(items: Sequence[Any], name: str, value: str) -> Iterator[tuple[str, Cell]]:
    for item in items:
        if isinstance(item, dict) and item.get(name) and item.get(value):
            yield str(item[name]), str(item[value])
