"""Magento and Adobe Commerce: their product CSV, with configurable products and their variations.

Sources:
    https://experienceleague.adobe.com/docs/commerce-admin/systems/data-transfer/data-attributes-product.html
    https://experienceleague.adobe.com/en/docs/commerce-admin/systems/data-transfer/data-attributes-complex
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sartor.catalog.cleaning import cleaned
from sartor.catalog.columns import column_key
from sartor.catalog.formats import texts
from sartor.catalog.platforms.base import (
    Variant,
    by_color,
    first_text,
    named,
    one_or_several,
    option_name,
    own_columns,
    product_row,
    stock_of,
    titled,
)
from sartor.catalog.source import Case, Findings
from sartor.offers import Availability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.catalog.formats import Cell, Row
    from sartor.catalog.platforms.base import Rows

_COLUMNS = {
    "sku": "id",
    "product_type": "configurable, grouped and bundle: no product of their own",
    "store_view_code": "rows of single store views are left out",
    "name": "title",
    "description": "description",
    "short_description": "short_description",
    "price": "price",
    "special_price": "sale_price",
    "special_price_from_date": "sale_price_effective_date",
    "special_price_to_date": "sale_price_effective_date",
    "base_image": "photos",
    "small_image": "photos, if there is no base_image",
    "thumbnail_image": "photos, if there is no base_image",
    "additional_images": "photos",
    "base_image_label": "image_alt",
    "additional_image_labels": "image_alt",
    "configurable_variations": "item_group_id, color, size and others",
    "configurable_variation_labels": "not kept",
    "additional_attributes": "each under its own name",
    "categories": "product_type",
    "manufacturer": "brand",
    "qty": "availability",
    "is_in_stock": "availability",
    "allow_backorders": "availability",
    "product_online": "left out unless 1",
}
_KNOWN = frozenset(map(column_key, _COLUMNS))
_SETS = frozenset({"grouped", "bundle"})
_PAIR = re.compile(r"([^=,]+)=((?:[^,]|,(?![^=,|]+=))*)")  # a value may have commas itself
_ROOTS = frozenset({"default category", "root catalog"})


@dataclass(slots=True, kw_only=True)
class _Parent:
    """A configurable product: what it says, and its variations."""

    sku: str
    cells: dict[str, Cell]
    title: str
    images: tuple[str, ...]
    is_online: bool
    options: dict[str, dict[str, str]]  # by the sku of a variation
    expected: int = 0
    children: list[tuple[Row, Variant]] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """A row for each color of the variations."""
        of = {id(variant): row for row, variant in self.children}
        for color, variants in by_color([variant for _, variant in self.children]).items():
            first = of[id(variants[0])]
            photos = tuple(dict.fromkeys(image for variant in variants for image in variant.images))
            title = first_text(named(first.cells).get("name"))
            if len(variants) > 1 or not title:
                title = titled(self.title, color)
            cells: dict[str, Cell] = {
                **{
                    name: cell
                    for name, cell in self.cells.items()
                    if name not in {"price", "sale_price", "availability"}
                },
                "id": first_text(named(first.cells).get("sku")),
                "title": cleaned(title),
                "item_group_id": self.sku,
            }
            yield product_row(first.location, cells, variants, photos or self.images)


class MagentoCsv:
    """A product export: simple products, and configurable ones that name them as their variations."""

    name = "Magento"
    meanings = _COLUMNS

    def recognizes(self, keys: frozenset[str]) -> bool:
        """Whether there is a SKU, and columns that only Magento has."""
        return "sku" in keys and bool(
            keys & {"configurablevariations", "productonline", "attributesetcode", "additionalattributes"}
        )

    def products(self, rows: Rows, findings: Findings) -> Iterator[Row]:
        """The products; variations of one color are one."""
        by_sku, of_child = _parents(rows)
        for row in rows(findings):
            cells = named(row.cells)
            sku = first_text(cells.get("sku"))
            parent = of_child.get(sku)
            if (left_out := _why_left_out(cells, parent)) is not None:
                case, why = left_out
                findings.add(case, f"{sku}{why} ({row.location})")
            elif parent is not None:
                parent.children.append((row, _variant(row, parent.options[sku])))
                if len(parent.children) == parent.expected:
                    yield from parent.rows()
            elif sku not in by_sku or not by_sku[sku].expected:  # else its variations stand for it
                variant = _variant(row, {})
                own = {"id": sku, "title": cleaned(first_text(cells.get("name")))}
                yield product_row(row.location, {**own, **variant.cells, **variant.options}, (), variant.images)


def _why_left_out(cells: Mapping[str, Cell], parent: _Parent | None) -> tuple[Case, str] | None:
    if first_text(cells.get("storeviewcode")):
        return Case.OTHER_KINDS, ", of one store view"
    if first_text(cells.get("producttype")).casefold() in _SETS:
        return Case.OTHER_KINDS, ", a set of products"
    if not _is_online(cells):
        return Case.DRAFTS, ""
    return (Case.DRAFTS, f", of {parent.sku}") if parent is not None and not parent.is_online else None


def _parents(rows: Rows) -> tuple[dict[str, _Parent], dict[str, _Parent]]:
    """The configurable products by their SKU and by those of their variations, which are counted."""
    parents = _configurable(rows(Findings()))
    of_child = {sku: parent for parent in parents for sku in parent.options}
    for row in rows(Findings()):
        cells = named(row.cells)
        parent = of_child.get(first_text(cells.get("sku")))
        if parent is not None and _why_left_out(cells, parent) is None:
            parent.expected += 1
    return {parent.sku: parent for parent in parents}, of_child


def _configurable(rows: Iterator[Row]) -> list[_Parent]:
    parents = []
    for row in rows:
        cells = named(row.cells)
        variations = first_text(cells.get("configurablevariations"))
        if variations and not first_text(cells.get("storeviewcode")):
            variant = _variant(row, {})
            parents.append(
                _Parent(
                    sku=first_text(cells.get("sku")),
                    title=first_text(cells.get("name")),
                    cells={**variant.cells, **variant.options},
                    images=variant.images,
                    is_online=_is_online(cells),
                    options=dict(_variations(variations)),
                )
            )
    return parents


def _variations(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The options of each variation: ``sku=A,color=Red,size=S|sku=B,...``."""
    for variation in text.split("|"):
        pairs = {key.strip(): value.strip() for key, value in _PAIR.findall(variation)}
        sku = pairs.pop("sku", "")
        if sku:
            yield (
                sku,
                {
                    option_name(key): value
                    for key, value in pairs.items()
                    if value and key not in {"price", "display", "image", "qty", "name"}
                },
            )


def _variant(row: Row, options: Mapping[str, str]) -> Variant:
    cells = named(row.cells)
    quantity, in_stock = first_text(cells.get("qty")), first_text(cells.get("isinstock"))
    sells_without = first_text(cells.get("allowbackorders")) in {"1", "2"}
    availability = stock_of(quantity, sells_without=sells_without)
    if in_stock:
        is_available = in_stock.casefold() in {"1", "true", "yes"}
        availability = (Availability.IN_STOCK if is_available else Availability.OUT_OF_STOCK).value
    starts, ends = first_text(cells.get("specialpricefromdate")), first_text(cells.get("specialpricetodate"))
    categories = _categories(first_text(cells.get("categories")))
    attributes = {
        option_name(key): value.strip()
        for key, value in _PAIR.findall(first_text(cells.get("additionalattributes")))
        if value.strip()
    }
    base = next(
        (
            first_text(cells[key])
            for key in ("baseimage", "smallimage", "thumbnailimage")
            if first_text(cells.get(key))
        ),
        "",
    )
    alts = [*texts(cells.get("baseimagelabel")), *_parts(first_text(cells.get("additionalimagelabels")))]
    return Variant(
        options={**{name: value for name, value in attributes.items() if name in {"color", "size"}}, **options},
        cells={
            **{name: value for name, value in attributes.items() if name not in {"color", "size", *options}},
            **own_columns(row.cells, _KNOWN),
            "sku": first_text(cells.get("sku")),
            "description": cleaned(first_text(cells.get("description"))),
            "short_description": cleaned(first_text(cells.get("shortdescription"))),
            "price": first_text(cells.get("price")),
            "sale_price": first_text(cells.get("specialprice")),
            "sale_price_effective_date": f"{starts}/{ends}" if starts or ends else None,
            "availability": availability,
            "qty": quantity,
            "product_type": one_or_several(categories),
            "brand": first_text(cells.get("manufacturer")),
            "image_alt": tuple(dict.fromkeys(alts)) or None,
        },
        images=tuple(dict.fromkeys(filter(None, [base, *_parts(first_text(cells.get("additionalimages")))]))),
    )


def _categories(text: str) -> tuple[str, ...]:
    """Paths of categories: ``Default Category/Men/Tees`` is ``Men > Tees``, which stands for ``Men`` as well."""
    paths = []
    for path in text.split(","):
        names = [name.strip() for name in path.split("/") if name.strip()]
        if names and names[0].casefold() in _ROOTS:
            names = names[1:]
        if names:
            paths.append(" > ".join(names))
    each = dict.fromkeys(paths)
    return tuple(path for path in each if not any(other.startswith(f"{path} > ") for other in each))


def _parts(text: str) -> Sequence[str]:
    """The parts of a cell, which exports part by a comma, and shops that set so by a semicolon or a bar."""
    return [part.strip() for part in re.split(r"[,;|]", text) if part.strip()]


def _is_online(cells: Mapping[str, Cell]) -> bool:
    return first_text(cells.get("productonline")) in {"", "1"}
