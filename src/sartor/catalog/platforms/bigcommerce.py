"""BigCommerce: the product CSV of its present export, and of the one before it.

Sources:
    https://support.bigcommerce.com/articles/en_US/Knowledge/Supported-Product-Fields
    https://support.bigcommerce.com/articles/en_US/Knowledge/Complex-Attributes
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.catalog.cleaning import cleaned
from sartor.catalog.columns import column_key
from sartor.catalog.platforms.base import (
    Picture,
    Variant,
    alts_of,
    by_color,
    colored_id,
    first_text,
    named,
    one_or_several,
    option_name,
    own_columns,
    photos_by_color,
    product_row,
    shares_gallery,
    stock_of,
    titled,
)
from sartor.catalog.source import Case
from sartor.offers import Availability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sartor.catalog.formats import Cell, Row
    from sartor.catalog.platforms.base import Rows
    from sartor.catalog.source import Findings

_COLUMNS = {
    "Item": "Product; Variant: a color or size of it; Image: its photos; Video: left out",
    "Item Type": "Product; SKU and Rule: a color or size of it",
    "ID": "id",
    "Product ID": "id",
    "Name": "title",
    "Product Name": "title; the options of a SKU",
    "SKU": "sku",
    "Product Code/SKU": "sku",
    "Product SKU": "sku",
    "Options": "color, size or the option's own name",
    "Description": "description",
    "Product Description": "description",
    "Brand": "brand",
    "Brand Name": "brand",
    "Price": "price",
    "Sale Price": "sale_price",
    "Retail Price": "compare_at_price",
    "Categories": "product_type",
    "Category": "product_type",
    "Inventory Tracking": "availability",
    "Track Inventory": "availability",
    "Current Stock": "availability",
    "Current Stock Level": "availability",
    "Stock Level": "availability",
    "Allow Purchases?": "availability",
    "Is Visible": "left out if FALSE",
    "Product Visible?": "left out if N",
    "Product Visible": "left out if N",
    "Image URL (Export)": "photos",
    "Image URL (Import)": "photos",
    "Internal Image URL (Export)": "photos",
    "Image Description": "image_alt",
    "Image is Thumbnail": "order of photos",
    "Image Sort Order": "order of photos",
    "Variant Image URL": "photos",
    "Product Image File - 1": "photos",
    "Product Image URL - 1": "photos",
    "Product Image Description - 1": "image_alt",
    "Product Image Is Thumbnail - 1": "order of photos",
    "Product Image Sort - 1": "order of photos",
    "Product UPC/EAN": "gtin",
    "UPC/EAN": "gtin",
    "Product URL": "link",
}
_KNOWN = frozenset(map(column_key, _COLUMNS))
_NUMBERED = re.compile(r"productimage(id|file|url|path|description|isthumbnail|sort)(\d*)")
_OPTION = re.compile(r"Name=(?P<name>[^|]*)\|Value=(?P<value>.*?)(?=Type=|$)", re.DOTALL)
_OLD_OPTION = re.compile(r"\[[A-Z]+\](?P<name>[^=,]+)=(?P<value>(?:[^,]|,(?!\s*\[))*)")
_SWATCH = re.compile(r"(?:\[[^\]]*\]|:#[0-9A-Fa-f]{3,8}.*)$")  # its colors or its pattern
_FALSE = frozenset({"false", "n", "no", "0"})


@dataclass(slots=True, kw_only=True)
class _Item:
    """A product with the rows below it."""

    row: Row
    cells: dict[str, Cell]
    variants: dict[str, Variant] = field(default_factory=dict)
    pictures: list[tuple[int, Picture]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its id in the shop, else its SKU."""
        return _either(self.cells, "id", "productid", "sku", "productcodesku", "productsku")

    def rows(self, findings: Findings) -> Iterator[Row]:
        """A row for each color."""
        if _either(self.cells, "isvisible", "productvisible").casefold() in _FALSE:
            findings.add(Case.DRAFTS, f"{self.id} ({self.row.location})")
            return
        gallery = [picture for _, picture in sorted(self.pictures, key=lambda pair: pair[0])]
        base = _offer(self.row, self.cells)
        tracking = _either(self.cells, "inventorytracking", "trackinventory").casefold()
        if tracking == "none":
            base["availability"] = Availability.IN_STOCK.value
        groups = by_color(list(self.variants.values())) or {"": []}
        photos = photos_by_color(groups, gallery)
        if shares_gallery(photos):
            findings.add(Case.SHARED_GALLERY, f"{self.id} ({self.row.location})")
        title = cleaned(_either(self.cells, "name", "productname"))
        for color, variants in groups.items():
            priced = [_with_price_of(base, variant, tracking) for variant in variants]
            parent = {
                **base,
                "id": colored_id(self.id, color) if color else self.id,
                "title": titled(title, color),
                "item_group_id": self.id if color else None,
                "image_alt": alts_of(gallery, photos[color]),
            }
            yield product_row(self.row.location, parent, priced, photos[color])


class BigCommerceCsv:
    """A product export: a product, and below it its variants and images on rows of their own."""

    name = "BigCommerce"
    meanings = _COLUMNS

    def recognizes(self, keys: frozenset[str]) -> bool:
        """Whether rows say which item they are, and have columns that only BigCommerce has."""
        present = "item" in keys and "name" in keys and ("options" in keys or "inventorytracking" in keys)
        return present or ("itemtype" in keys and "productname" in keys)

    def products(self, rows: Rows, findings: Findings) -> Iterator[Row]:
        """The products, one for each color; hidden ones are counted."""
        item: _Item | None = None
        for row in rows(findings):
            cells = named(row.cells)
            kind = _either(cells, "item", "itemtype").casefold()
            if kind == "product" or (item is None and kind in {"", "variant", "sku"}):
                if item is not None:
                    yield from item.rows(findings)
                item = _Item(row=row, cells=cells, pictures=_numbered(cells))
            elif item is not None and kind in {"variant", "sku", "rule"}:
                _add_variant(item, row, cells, kind)
            elif item is not None and kind == "image":
                item.pictures.append(_picture(cells, rank=len(item.pictures)))
            else:
                findings.add(Case.OTHER_KINDS, f"{kind or 'a row'} ({row.location})")
        if item is not None:
            yield from item.rows(findings)


def _add_variant(item: _Item, row: Row, cells: dict[str, Cell], kind: str) -> None:
    sku = _either(cells, "sku", "productcodesku", "productsku") or row.location
    image = _either(cells, "variantimageurl", "productimagepath", "productimageurl", "productimagefile")
    offer = _offer(row, cells)
    if kind == "rule":  # what a SKU costs and shows, on a row of its own
        known = item.variants.get(sku)
        if known is not None:
            told: dict[str, Cell] = {
                column: cell for column, cell in offer.items() if cell and not known.cells.get(column)
            }
            images = (image,) if image else known.images
            item.variants[sku] = Variant(options=known.options, cells={**known.cells, **told}, images=images)
        return
    if column := next((key for key in ("variantid", "id", "productid") if first_text(cells.get(key))), None):
        offer["variant_id"] = first_text(cells[column])
    options = _options(_either(cells, "options"), _OPTION) or _options(_either(cells, "productname"), _OLD_OPTION)
    item.variants[sku] = Variant(options=options, cells=offer, images=(image,) if image else ())


def _offer(row: Row, cells: Mapping[str, Cell]) -> dict[str, Cell]:
    own = {
        column: cell
        for column, cell in own_columns(row.cells, _KNOWN).items()
        if not _NUMBERED.fullmatch(column_key(column))
    }
    stock = _either(cells, "currentstock", "currentstocklevel", "stocklevel")
    availability = stock_of(stock)
    if _either(cells, "allowpurchases").casefold() in _FALSE:
        availability = Availability.OUT_OF_STOCK.value
    categories = _categories(_either(cells, "categories", "category"))
    return {
        **own,
        "sku": _either(cells, "sku", "productcodesku", "productsku"),
        "description": cleaned(_either(cells, "description", "productdescription")),
        "brand": _either(cells, "brand", "brandname"),
        "price": _either(cells, "price"),
        "sale_price": _sale(_either(cells, "saleprice")),
        "compare_at_price": _sale(_either(cells, "retailprice")),
        "availability": availability,
        "product_type": one_or_several(categories),
        "gtin": _either(cells, "productupcean", "upcean"),
        "link": _either(cells, "producturl"),
    }


def _with_price_of(base: Mapping[str, Cell], variant: Variant, tracking: str) -> Variant:
    """A variant with the prices of its product where it has none of its own."""
    own: dict[str, Cell] = {column: cell for column, cell in variant.cells.items() if cell}
    inherited: dict[str, Cell] = {}
    if not own.get("price"):
        inherited = {column: base.get(column) for column in ("price", "sale_price", "compare_at_price")}
    if tracking in {"none", "product"}:
        own["availability"] = base.get("availability")
    return Variant(options=variant.options, cells={**inherited, **own}, images=variant.images)


def _options(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in pattern.finditer(text):
        value = _SWATCH.sub("", match["value"]).strip(" +|,")
        if match["name"].strip() and value:
            found[option_name(match["name"])] = value
    return found


def _picture(cells: Mapping[str, Cell], *, rank: int) -> tuple[int, Picture]:
    address = _either(cells, "imageurlexport", "imageurlimport", "internalimageurlexport")
    order = first_text(cells.get("imagesortorder"))
    if first_text(cells.get("imageisthumbnail")).casefold() in {"true", "y", "1"}:
        rank = -1
    elif order.isdigit():
        rank = int(order)
    return rank, Picture(address=address, alt=first_text(cells.get("imagedescription")))


def _numbered(cells: Mapping[str, Cell]) -> list[tuple[int, Picture]]:
    """The pictures of a product's own row: ``Product Image File - 1`` and so on."""
    found: dict[int, dict[str, str]] = {}
    for key, cell in cells.items():
        if (match := _NUMBERED.fullmatch(key)) and (text := first_text(cell)):
            found.setdefault(int(match[2] or 0), {})[match[1]] = text
    pictures = []
    for number, parts in sorted(found.items()):
        address = parts.get("url") or parts.get("file") or parts.get("path")
        if address:
            first = parts.get("isthumbnail", "").casefold() in {"y", "true", "1"}
            pictures.append((-1 if first else number, Picture(address=address, alt=parts.get("description", ""))))
    return pictures


def _categories(text: str) -> tuple[str, ...]:
    """Paths of categories: ``Shop/Men;Sale`` is ``Shop > Men`` and ``Sale``."""
    paths = [" > ".join(filter(None, map(str.strip, re.split(r"[/>]", path)))) for path in re.split(r"[;|]", text)]
    return tuple(dict.fromkeys(filter(None, paths)))


def _sale(text: str) -> str:
    """A price that counts only if it is above 0, which stands for none."""
    return "" if re.fullmatch(r"[^1-9]*", text) else text


def _either(cells: Mapping[str, Cell], *keys: str) -> str:
    return next((text for key in keys if (text := first_text(cells.get(key)))), "")
