"""WooCommerce: its product CSV, and the products of its REST API.

Sources:
    https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
    https://woocommerce.github.io/woocommerce-rest-api-docs/#product-properties
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sartor.catalog.cleaning import cleaned
from sartor.catalog.columns import column_key
from sartor.catalog.formats import cells_of
from sartor.catalog.platforms.base import (
    Picture,
    Variant,
    by_color,
    first_text,
    named,
    one_or_several,
    option_name,
    own_columns,
    photos_by_color,
    product_row,
    shares_gallery,
    titled,
)
from sartor.catalog.source import Case, Findings
from sartor.offers import Availability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sartor.catalog.formats import Cell, Row
    from sartor.catalog.platforms.base import Rows
    from sartor.catalog.platforms.objects import Objects

_COLUMNS = {
    "ID": "id",
    "Type": "variation: a color or size of its parent; variable and grouped: no product of their own",
    "SKU": "sku",
    "Name": "title",
    "Published": "left out unless 1",
    "Visibility in catalog": "left out if hidden",
    "Short description": "short_description",
    "Description": "description",
    "In stock?": "availability",
    "Backorders allowed?": "availability",
    "Regular price": "price",
    "Sale price": "sale_price",
    "Date sale price starts": "sale_price_effective_date",
    "Date sale price ends": "sale_price_effective_date",
    "Categories": "product_type",
    "Tags": "tags",
    "Brands": "brand",
    "Images": "photos",
    "Parent": "item_group_id",
    "GTIN, UPC, EAN, or ISBN": "gtin",
    "Attribute 1 name": "name of an attribute",
    "Attribute 1 value(s)": "color, size or the attribute's own name",
    "Attribute 1 visible": "not kept",
    "Attribute 1 global": "not kept",
    "Attribute 1 default": "not kept",
}
_REST_COLUMNS = {
    "id": "id",
    "name": "title",
    "images": "photos",
    "regular_price": "price",
    "sale_price": "sale_price",
    "date_on_sale_from, date_on_sale_to": "sale_price_effective_date",
    "stock_status": "availability",
    "status, catalog_visibility": "left out unless published and visible",
    "categories": "product_type",
    "tags": "tags",
    "brands": "brand",
    "attributes": "each under its own name; color and size",
    "parent_id": "item_group_id",
    "permalink": "link",
}
_ATTRIBUTE = re.compile(r"attribute(\d+)(name|values|visible|global|default)")
_KNOWN = frozenset(map(column_key, _COLUMNS))
_COMMA = re.compile(r"(?<!\\),")
_URLS = re.compile(r"\s*,\s*(?=https?://)")
_FIELDS = (
    "id name type status catalog_visibility description short_description sku global_unique_id price"
    " regular_price sale_price date_on_sale_from date_on_sale_to date_on_sale_from_gmt date_on_sale_to_gmt"
    " stock_status backorders categories tags brands images image attributes default_attributes variations"
    " parent_id permalink _links price_html meta_data"
)
_REST_KNOWN = frozenset(_FIELDS.split())


@dataclass(slots=True, kw_only=True)
class _Item:
    """A row of the export."""

    location: str
    id: str
    sku: str
    kinds: frozenset[str]
    parent: str
    is_published: bool
    title: str
    cells: dict[str, Cell]
    attributes: dict[str, tuple[str, ...]]
    images: tuple[str, ...]
    alts: tuple[str, ...] = ()

    @property
    def is_parent(self) -> bool:
        return "variable" in self.kinds or "grouped" in self.kinds


@dataclass(slots=True, kw_only=True)
class _Family:
    """A variable product, and how many of its variations are still to come."""

    parent: _Item
    expected: int = 0
    variations: list[_Item] = field(default_factory=list)

    def rows(self, findings: Findings) -> Iterator[Row]:
        """A row for each color."""
        parent = self.parent
        if not parent.is_published:
            findings.add(Case.DRAFTS, f"{parent.id} ({parent.location})")
            return
        published = [each for each in self.variations if each.is_published]
        for draft in self.variations:
            if not draft.is_published:
                findings.add(Case.DRAFTS, f"{draft.id} ({draft.location})")
        variants = {id(variant): (item, variant) for item in published for variant in [_variant(item)]}
        groups = by_color([variant for _, variant in variants.values()])
        photos = photos_by_color(groups, [Picture(address=image) for image in parent.images])
        if any(each.images for each in published):  # a color of its own photos shows no other one's
            photos = {
                color: tuple(dict.fromkeys(image for each in of_color for image in each.images)) or photos[color]
                for color, of_color in groups.items()
            }
        if shares_gallery(photos):
            findings.add(Case.SHARED_GALLERY, f"{parent.id} ({parent.location})")
        for color, of_color in groups.items():
            first, _ = variants[id(of_color[0])]
            common = {
                name: values for name, values in parent.attributes.items() if name not in of_color[0].options
            }
            cells: dict[str, Cell] = {
                **parent.cells,
                **common,
                "id": first.id or first.sku,
                "title": titled(parent.title, color) if parent.title else first.title,
                "item_group_id": parent.sku or parent.id,
                "parent_id": parent.id,
                "image_alt": parent.alts or None,
            }
            yield product_row(first.location, cells, of_color, photos[color])


def _variant(item: _Item) -> Variant:
    options = {name: values[0] for name, values in item.attributes.items() if len(values) == 1}
    several = {name: values for name, values in item.attributes.items() if len(values) > 1}
    return Variant(
        options=options,
        cells={**item.cells, **several, "sku": item.sku, "variant_id": item.id if item.sku else ""},
        images=item.images,
    )


def _simple(item: _Item, findings: Findings) -> Iterator[Row]:
    if not item.is_published:
        findings.add(Case.DRAFTS, f"{item.id or item.sku} ({item.location})")
        return
    cells: dict[str, Cell] = {
        **item.cells,
        **{name: one_or_several(values) for name, values in item.attributes.items()},
        "id": item.id or item.sku,
        "sku": item.sku,
        "title": item.title,
        "item_group_id": item.parent or None,
        "image_alt": item.alts or None,
    }
    yield product_row(item.location, cells, (), item.images)


def _products(items: Iterator[_Item], again: Iterator[_Item], findings: Findings) -> Iterator[Row]:
    """The products, from two passes: the first finds the parents, and how many variations each has."""
    families = _families(items)
    for item in again:
        family = families.get(item.parent) if item.parent else None
        if item.is_parent:
            own = families.get(f"id:{item.id}") or families.get(item.sku)
            if own is None or not own.expected:  # else its variations stand for it
                yield from _simple(item, findings)
        elif family is not None:
            family.variations.append(item)
            if len(family.variations) == family.expected:
                yield from family.rows(findings)
        else:
            if item.parent and "variation" in item.kinds:
                findings.add(Case.NO_PARENT, f"{item.id or item.sku} ({item.location})")
            yield from _simple(item, findings)


def _families(items: Iterator[_Item]) -> dict[str, _Family]:
    """The variable products, by whatever their variations call them."""
    families: dict[str, _Family] = {}
    children: Counter[str] = Counter()
    for item in items:
        if item.is_parent:
            family = _Family(parent=item)
            for key in (f"id:{item.id}", item.sku, item.id):
                if key not in {"", "id:"}:
                    families.setdefault(key, family)
        elif item.parent:
            children[item.parent] += 1
    for key, count in children.items():
        if key in families:
            families[key].expected += count
    return families


class WooCommerceCsv:
    """A product export: a variable product, and a row for each of its variations."""

    name = "WooCommerce"
    meanings = _COLUMNS

    def recognizes(self, keys: frozenset[str]) -> bool:
        """Whether there is a type, and columns that only WooCommerce has."""
        return "type" in keys and (
            "regularprice" in keys or "visibilityincatalog" in keys or "attribute1name" in keys
        )

    def products(self, rows: Rows, findings: Findings) -> Iterator[Row]:
        """The products; a variable one is one product for each color."""
        return _products(map(_item_of, rows(Findings())), map(_item_of, rows(findings)), findings)


class WooCommerceJson:
    """Products of the REST API; variations are read if they are in the same file."""

    name = "WooCommerce"
    meanings = _REST_COLUMNS

    def recognizes(self, parsed: Mapping[str, Any]) -> bool:
        """Whether an object has fields that only WooCommerce has."""
        return "permalink" in parsed and ("regular_price" in parsed or "catalog_visibility" in parsed)

    def products(self, objects: Objects, findings: Findings) -> Iterator[Row]:
        """The products; a variable one is one product for each color."""
        first = (_item_of_object(*pair) for pair in objects(Findings()))
        return _products(first, (_item_of_object(*pair) for pair in objects(findings)), findings)


def _item_of(row: Row) -> _Item:
    cells = named(row.cells)
    attributes = {}
    for key in cells:
        match = _ATTRIBUTE.fullmatch(key)
        if match and match[2] == "name" and (name := first_text(cells[key])):
            values = _listed(first_text(cells.get(f"attribute{match[1]}values")))
            if values:
                attributes[option_name(name)] = values
    kept = {
        column: cell
        for column, cell in own_columns(row.cells, _KNOWN).items()
        if not _ATTRIBUTE.fullmatch(column_key(column))
    }
    starts, ends = first_text(cells.get("datesalepricestarts")), first_text(cells.get("datesalepriceends"))
    categories = _listed(first_text(cells.get("categories")))
    published = first_text(cells.get("published"))
    hidden = first_text(cells.get("visibilityincatalog")).casefold() == "hidden"
    return _Item(
        location=row.location,
        id=first_text(cells.get("id")),
        sku=first_text(cells.get("sku")),
        kinds=frozenset(part.strip().casefold() for part in first_text(cells.get("type")).split(",")),
        parent=first_text(cells.get("parent")),
        is_published=published in {"", "1", "true", "yes"} and not hidden,
        title=cleaned(first_text(cells.get("name"))),
        cells={
            **kept,
            "description": cleaned(first_text(cells.get("description"))),
            "short_description": cleaned(first_text(cells.get("shortdescription"))),
            "price": first_text(cells.get("regularprice")),
            "sale_price": first_text(cells.get("saleprice")),
            "sale_price_effective_date": f"{starts}/{ends}" if starts or ends else None,
            "availability": _availability(
                first_text(cells.get("instock")), first_text(cells.get("backordersallowed"))
            ),
            "product_type": one_or_several(categories),
            "tags": _listed(first_text(cells.get("tags"))) or None,
            "brand": first_text(cells.get("brands")),
            "gtin": first_text(cells.get("gtinupceanorisbn")),
        },
        attributes=attributes,
        images=tuple(_images(first_text(cells.get("images")))),
    )


def _item_of_object(location: str, parsed: Mapping[str, Any]) -> _Item:
    attributes: dict[str, tuple[str, ...]] = {}
    for each in parsed.get("attributes") or ():
        values = each.get("options") or ([each["option"]] if each.get("option") else [])
        if isinstance(each, dict) and each.get("name") and values:
            attributes[option_name(str(each["name"]))] = tuple(map(str, values))
    images = parsed.get("images") or ([parsed["image"]] if parsed.get("image") else [])
    names = {
        field_: tuple(str(each.get("name")) for each in parsed.get(field_) or () if isinstance(each, dict))
        for field_ in ("categories", "tags", "brands")
    }
    starts, ends = parsed.get("date_on_sale_from") or "", parsed.get("date_on_sale_to") or ""
    parent = parsed.get("parent_id")
    stock = {"instock": Availability.IN_STOCK, "outofstock": Availability.OUT_OF_STOCK}
    status = str(parsed.get("stock_status") or "")
    return _Item(
        location=location,
        id=str(parsed.get("id") or ""),
        sku=str(parsed.get("sku") or ""),
        kinds=frozenset({str(parsed.get("type") or "simple")}),
        parent=f"id:{parent}" if parent else "",
        is_published=str(parsed.get("status") or "publish") == "publish"
        and parsed.get("catalog_visibility") != "hidden",
        title=cleaned(str(parsed.get("name") or "")),
        cells={
            **cells_of({key: value for key, value in parsed.items() if key not in _REST_KNOWN}),
            "description": cleaned(str(parsed.get("description") or "")),
            "short_description": cleaned(str(parsed.get("short_description") or "")),
            "price": str(parsed.get("regular_price") or parsed.get("price") or ""),
            "sale_price": str(parsed.get("sale_price") or ""),
            "sale_price_effective_date": f"{starts}/{ends}" if starts or ends else None,
            "availability": stock[status].value if status in stock else status,
            "product_type": one_or_several(names["categories"]),
            "tags": one_or_several(names["tags"]),
            "brand": one_or_several(names["brands"]),
            "gtin": str(parsed.get("global_unique_id") or ""),
            "link": str(parsed.get("permalink") or ""),
        },
        attributes=attributes,
        images=tuple(str(each["src"]) for each in images if isinstance(each, dict) and each.get("src")),
        alts=tuple(str(each["alt"]) for each in images if isinstance(each, dict) and each.get("alt")),
    )


def _availability(in_stock: str, backorders: str) -> str | None:
    if in_stock.casefold() in {"1", "true", "yes"}:
        return Availability.IN_STOCK.value
    if in_stock.casefold() == "backorder":
        return Availability.BACKORDER.value
    if in_stock.casefold() in {"0", "false", "no"}:
        return (Availability.BACKORDER if backorders in {"1", "notify"} else Availability.OUT_OF_STOCK).value
    return in_stock or None


def _listed(text: str) -> tuple[str, ...]:
    """The values of a cell; a comma that belongs to a value has a backslash."""
    parts = (part.replace("\\,", ",").strip() for part in _COMMA.split(text))
    return tuple(dict.fromkeys(filter(None, parts)))


def _images(text: str) -> list[str]:
    """The images of a cell; addresses may have commas of their own."""
    return _URLS.split(text.strip()) if text.lstrip().startswith("http") else list(_listed(text))
