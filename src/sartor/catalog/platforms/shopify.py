"""Shopify: its product CSV, ``products.json``, and the JSON Lines of a bulk export.

Sources:
    https://help.shopify.com/en/manual/products/import-export/using-csv
    https://shopify.dev/docs/api/admin-rest/latest/resources/product
    https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sartor.catalog.cleaning import cleaned
from sartor.catalog.columns import column_key
from sartor.catalog.formats import cells_of, texts
from sartor.catalog.platforms.base import (
    Picture,
    Variant,
    alts_of,
    by_color,
    colored_id,
    first_text,
    named,
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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sartor.catalog.formats import Cell, Row
    from sartor.catalog.platforms.base import Rows
    from sartor.catalog.platforms.objects import Objects
    from sartor.catalog.source import Findings

# Headings since 2025 beside those before.
_COLUMNS = {
    "Handle": "id",
    "URL handle": "id",
    "Title": "title",
    "Body (HTML)": "description",
    "Description": "description",
    "Vendor": "brand",
    "Product Category": "product_category",
    "Type": "product_type",
    "Tags": "tags",
    "Published": "left out if FALSE",
    "Published on online store": "left out if FALSE",
    "Status": "left out unless active",
    "Option1 Name": "name of an attribute",
    "Option2 Name": "name of an attribute",
    "Option3 Name": "name of an attribute",
    "Option1 Value": "color, size or the option's own name",
    "Option2 Value": "color, size or the option's own name",
    "Option3 Value": "color, size or the option's own name",
    "Variant SKU": "sku",
    "SKU": "sku",
    "Variant Barcode": "gtin",
    "Barcode": "gtin",
    "Variant Price": "price",
    "Price": "price",
    "Variant Compare At Price": "compare_at_price",
    "Compare-at price": "compare_at_price",
    "Variant Inventory Qty": "availability",
    "Inventory quantity": "availability",
    "Variant Inventory Tracker": "availability",
    "Inventory tracker": "availability",
    "Variant Inventory Policy": "availability",
    "Continue selling when out of stock": "availability",
    "Image Src": "photos",
    "Product image URL": "photos",
    "Image Position": "order of photos",
    "Image position": "order of photos",
    "Image Alt Text": "image_alt",
    "Image alt text": "image_alt",
    "Variant Image": "photos",
    "Variant image URL": "photos",
}
_JSON_COLUMNS = {
    "handle": "id",
    "title": "title",
    "body_html, descriptionHtml": "description",
    "vendor": "brand",
    "product_type, productType": "product_type",
    "category": "product_category",
    "tags": "tags",
    "status, published_at": "left out unless active and published",
    "options, variants": "a product for each color; size and others",
    "variants.price": "price",
    "variants.compare_at_price": "compare_at_price",
    "variants.available, inventory_quantity": "availability",
    "images": "photos; alt texts are image_alt",
    "id": "shopify_id",
}
_KNOWN = frozenset(map(column_key, _COLUMNS))
_VARIANT_COLUMNS = frozenset(map(column_key, ("Cost per item", "Weight value (grams)", "Weight unit for display")))
_HANDLES = frozenset({"handle", "urlhandle"})
_TELLING = frozenset({"option1name", "variantsku", "variantprice", "imagesrc", "productimageurl", "variantimage"})
_NO_OPTION = ("Title", "Default Title")
_OPTIONS = (1, 2, 3)
_GID = "gid://shopify/"
_PRODUCT_FIELDS = (
    "id handle title body_html bodyHtml descriptionHtml description vendor product_type productType tags status "
    "published_at publishedAt options variants images image media featuredImage featuredMedia category "
    "published_scope admin_graphql_api_id __parentId"
)
_VARIANT_FIELDS = (
    "id sku barcode price compare_at_price compareAtPrice option1 option2 option3 selectedOptions title available "
    "availableForSale inventory_quantity inventoryQuantity inventory_policy inventoryPolicy inventory_management "
    "featured_image image image_id product_id admin_graphql_api_id __parentId"
)
_JSON_KNOWN, _JSON_VARIANT_KNOWN = frozenset(_PRODUCT_FIELDS.split()), frozenset(_VARIANT_FIELDS.split())


@dataclass(slots=True, kw_only=True)
class _Item:
    """A product of a shop, from whichever file."""

    location: str
    handle: str
    cells: dict[str, Cell]
    is_published: bool = True
    variants: list[Variant] = field(default_factory=list)
    gallery: list[Picture] = field(default_factory=list)

    def rows(self, findings: Findings) -> Iterator[Row]:
        """A row for each color."""
        if not self.is_published:
            findings.add(Case.DRAFTS, f"{self.handle} ({self.location})")
            return
        title = first_text(self.cells.get("title"))
        groups = by_color(self.variants) or {"": []}
        photos = photos_by_color(groups, self.gallery)
        if shares_gallery(photos):
            findings.add(Case.SHARED_GALLERY, f"{self.handle} ({self.location})")
        for color, variants in groups.items():
            parent = {
                **self.cells,
                "id": colored_id(self.handle, color) if color else self.handle,
                "title": titled(title, color),
                "item_group_id": self.handle if color else None,
                "image_alt": alts_of(self.gallery, photos[color]),
            }
            yield product_row(self.location, parent, variants, photos[color])


class ShopifyCsv:
    """A product export: the rows of one handle are a product, its variants and its further images."""

    name = "Shopify"
    meanings = _COLUMNS

    def recognizes(self, keys: frozenset[str]) -> bool:
        """Whether there is a handle, and a column that only Shopify has."""
        return bool(keys & _HANDLES) and bool(keys & _TELLING)

    def products(self, rows: Rows, findings: Findings) -> Iterator[Row]:
        """The products, one for each color; drafts are counted."""
        numbered = ((_handle(row), row) for row in rows(findings))
        for handle, group in groupby(numbered, key=lambda pair: pair[0]):
            yield from _item_of(handle, [row for _, row in group]).rows(findings)


class ShopifyJson:
    """``products.json`` of a shop, or the products of its Admin API."""

    name = "Shopify"
    meanings = _JSON_COLUMNS

    def recognizes(self, parsed: Mapping[str, Any]) -> bool:
        """Whether an object is a product with its variants."""
        return isinstance(parsed.get("variants"), list) and "handle" in parsed and "title" in parsed

    def products(self, objects: Objects, findings: Findings) -> Iterator[Row]:
        """The products, one for each color; drafts are counted."""
        for location, parsed in objects(findings):
            yield from _item_of_object(location, parsed).rows(findings)


class ShopifyBulk:
    """A bulk export of the GraphQL Admin API: a product's variants and images follow it on lines of their own."""

    name = "Shopify"
    meanings = _JSON_COLUMNS

    def recognizes(self, parsed: Mapping[str, Any]) -> bool:
        """Whether an object has an id of Shopify's GraphQL API."""
        return str(parsed.get("id", "")).startswith(f"{_GID}Product/")

    def products(self, objects: Objects, findings: Findings) -> Iterator[Row]:
        """The products, one for each color; drafts are counted."""
        product: tuple[str, dict[str, Any]] | None = None
        for location, parsed in objects(findings):
            if "__parentId" not in parsed:
                if product is not None:
                    yield from _item_of_object(*product).rows(findings)
                product = location, {**parsed, "variants": [], "images": []}
            elif product is None or parsed["__parentId"] != product[1].get("id"):
                findings.add(Case.OTHER_KINDS, f"{parsed.get('id', 'an object')} ({location})")
            elif "ProductVariant" in str(parsed.get("id")) or "sku" in parsed or "price" in parsed:
                product[1]["variants"].append(parsed)
            else:
                product[1]["images"].append(parsed)
        if product is not None:
            yield from _item_of_object(*product).rows(findings)


def _handle(row: Row) -> str:
    cells = named(row.cells)
    return next((first_text(cells[key]) for key in sorted(_HANDLES) if first_text(cells.get(key))), "")


def _item_of(handle: str, rows: Sequence[Row]) -> _Item:
    """The product that consecutive rows of a handle make."""
    first = named(rows[0].cells)
    names = [first_text(first.get(f"option{number}name")) for number in _OPTIONS]
    pictures: list[tuple[int, Picture]] = []
    variants: list[Variant] = []
    kept: dict[str, dict[str, None]] = {}
    for row in rows:
        cells = named(row.cells)
        own = own_columns(row.cells, _KNOWN)
        if image := _either(cells, "imagesrc", "productimageurl"):
            rank = first_text(cells.get("imageposition"))
            alt = first_text(cells.get("imagealttext"))
            pictures.append((int(rank) if rank.isdigit() else len(pictures), Picture(address=image, alt=alt)))
        of_variant = {column: cell for column, cell in own.items() if _is_of_variant(column)}
        if variant := _variant_of(cells, names, of_variant):
            variants.append(variant)
        for column, cell in own.items():
            if column not in of_variant or not variant:
                kept.setdefault(column, {}).update(dict.fromkeys(texts(cell)))
    category = first_text(first.get("productcategory"))
    product: dict[str, Cell] = {
        **{column: tuple(told) if len(told) > 1 else next(iter(told)) for column, told in kept.items()},
        "title": first_text(first.get("title")),
        "description": cleaned(_either(first, "bodyhtml", "description")),
        "brand": first_text(first.get("vendor")),
        "product_type": first_text(first.get("type")) or category,
        "product_category": category,
        "tags": _listed(first_text(first.get("tags"))),
    }
    published = _either(first, "publishedononlinestore", "published").casefold() not in {"false", "0", "no"}
    status = first_text(first.get("status")).casefold()
    return _Item(
        location=rows[0].location,
        handle=handle,
        cells=product,
        is_published=published and status in {"", "active"},
        variants=variants,
        gallery=[picture for _, picture in sorted(pictures, key=lambda pair: pair[0])],
    )


def _variant_of(cells: Mapping[str, Cell], names: Sequence[str], own: dict[str, Cell]) -> Variant | None:
    """The variant of a row; None for a row that only adds an image."""
    values = [first_text(cells.get(f"option{number}value")) for number in _OPTIONS]
    sku, price = _either(cells, "variantsku", "sku"), _either(cells, "variantprice", "price")
    if not any(values) and not sku and not price:
        return None
    image = _either(cells, "variantimage", "variantimageurl")
    tracker_column = next((key for key in ("variantinventorytracker", "inventorytracker") if key in cells), None)
    policy = _either(cells, "variantinventorypolicy", "continuesellingwhenoutofstock").casefold()
    quantity = _either(cells, "variantinventoryqty", "inventoryquantity")
    availability = stock_of(quantity, sells_without=policy in {"continue", "true"})
    if tracker_column is not None and not first_text(cells[tracker_column]):
        availability = Availability.IN_STOCK.value  # what is not tracked is sold
    return Variant(
        options=_options(zip(names, values, strict=True)),
        cells={
            **own,
            "sku": sku,
            "gtin": _either(cells, "variantbarcode", "barcode").lstrip("'"),
            "price": price,
            "compare_at_price": _either(cells, "variantcompareatprice", "compareatprice"),
            "availability": availability,
        },
        images=(image,) if image else (),
    )


def _options(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {option_name(name): value for name, value in pairs if name and value and (name, value) != _NO_OPTION}


def _is_of_variant(column: str) -> bool:
    return column.casefold().startswith("variant ") or column_key(column) in _VARIANT_COLUMNS


def _item_of_object(location: str, parsed: Mapping[str, Any]) -> _Item:
    status = str(parsed.get("status") or "active").casefold()
    has_date = "published_at" in parsed or "publishedAt" in parsed
    published = not has_date or bool(parsed.get("published_at") or parsed.get("publishedAt"))
    names = [str(option.get("name", "")) for option in _objects(parsed.get("options"))]
    gallery, shown = [], dict[str, list[str]]()
    for image in sorted(_objects(parsed.get("images")), key=lambda each: each.get("position") or 0):
        address = _address(image)
        if address:
            gallery.append(Picture(address=address, alt=str(image.get("alt") or image.get("altText") or "")))
            for key in (image.get("id"), *(image.get("variant_ids") or ())):
                shown.setdefault(str(key), []).append(address)
    if not gallery and (address := _address(parsed.get("image") or parsed.get("featuredImage"))):
        gallery.append(Picture(address=address))
    category = parsed.get("category")
    tags = parsed.get("tags")
    product_type = str(parsed.get("product_type") or parsed.get("productType") or "")
    body = next(
        (
            str(parsed[key])
            for key in ("body_html", "bodyHtml", "descriptionHtml", "description")
            if parsed.get(key)
        ),
        "",
    )
    cells: dict[str, Cell] = {
        **cells_of({key: value for key, value in parsed.items() if key not in _JSON_KNOWN}),
        "title": str(parsed.get("title") or ""),
        "description": cleaned(body),
        "brand": str(parsed.get("vendor") or ""),
        "product_type": product_type,
        "product_category": str(category.get("fullName") or category.get("name") or "")
        if isinstance(category, dict)
        else None,
        "tags": tuple(map(str, tags)) if isinstance(tags, list) else _listed(str(tags or "")),
        "shopify_id": str(parsed.get("id") or ""),
    }
    return _Item(
        location=location,
        handle=str(parsed.get("handle") or parsed.get("id") or ""),
        cells=cells,
        is_published=published and status == "active",
        variants=[_variant_of_object(each, names, shown) for each in _objects(parsed.get("variants"))],
        gallery=gallery,
    )


def _variant_of_object(parsed: Mapping[str, Any], names: Sequence[str], shown: Mapping[str, list[str]]) -> Variant:
    values = [str(parsed.get(f"option{number}") or "") for number in _OPTIONS]
    chosen = [(str(each.get("name")), str(each.get("value"))) for each in _objects(parsed.get("selectedOptions"))]
    own = _address(parsed.get("featured_image") or parsed.get("image"))
    images = [own] if own else shown.get(str(parsed.get("id"))) or shown.get(str(parsed.get("image_id"))) or []
    available = parsed.get("available", parsed.get("availableForSale"))
    quantity = parsed.get("inventory_quantity", parsed.get("inventoryQuantity"))
    policy = str(parsed.get("inventory_policy") or parsed.get("inventoryPolicy") or "").casefold()
    availability = None if quantity is None else stock_of(str(quantity), sells_without=policy == "continue")
    if isinstance(available, bool):
        availability = (Availability.IN_STOCK if available else Availability.OUT_OF_STOCK).value
    elif "inventory_management" in parsed and not parsed["inventory_management"]:
        availability = Availability.IN_STOCK.value
    return Variant(
        options=_options(chosen or zip(names, values, strict=False)),
        cells={
            **cells_of({key: value for key, value in parsed.items() if key not in _JSON_VARIANT_KNOWN}),
            "sku": str(parsed.get("sku") or ""),
            "gtin": str(parsed.get("barcode") or ""),
            "price": _amount(parsed.get("price")),
            "compare_at_price": _amount(parsed.get("compare_at_price", parsed.get("compareAtPrice"))),
            "availability": availability,
        },
        images=tuple(images),
    )


def _amount(price: Any) -> str | None:
    """A price, which GraphQL may write as an object."""
    if isinstance(price, dict):
        return f"{price.get('amount', '')} {price.get('currencyCode', '')}".strip() or None
    return None if price is None else str(price)


def _address(image: Any) -> str:
    """The address of an image, whichever of its forms it has."""
    if isinstance(image, str):
        return image
    if not isinstance(image, dict):
        return ""
    inner = image.get("image") or image.get("preview")
    return next((str(image[key]) for key in ("src", "url", "originalSrc") if image.get(key)), "") or _address(
        inner
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, of GraphQL's ``nodes`` or of its ``edges``."""
    if isinstance(value, dict):
        value = value.get("nodes") or [
            edge.get("node") for edge in value.get("edges") or () if isinstance(edge, dict)
        ]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _listed(text: str) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip())) or None


def _either(cells: Mapping[str, Cell], *keys: str) -> str:
    return next((text for key in keys if (text := first_text(cells.get(key)))), "")
