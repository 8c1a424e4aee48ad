"""schema.org's ``Product`` and ``ProductGroup`` as JSON-LD: a file, or a saved page of a shop.

Sources:
    https://schema.org/Product
    https://developers.google.com/search/docs/appearance/structured-data/product-variants
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from sartor.catalog.cleaning import cleaned
from sartor.catalog.formats import Row, cells_of, with_named
from sartor.catalog.platforms.base import (
    Variant,
    by_color,
    colored_id,
    one_or_several,
    option_name,
    product_row,
    titled,
)
from sartor.catalog.platforms.objects import objects_in
from sartor.catalog.source import Case, Findings
from sartor.errors import UnreadableTable
from sartor.limits import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sartor.catalog.formats import Cell, TableStream
    from sartor.catalog.platforms.objects import Objects

_COLUMNS = {
    "sku, productID, mpn, gtin, @id, url": "id: the first of these",
    "name": "title",
    "image": "photos",
    "offers.price, offers.lowPrice": "price",
    "offers.priceCurrency": "price",
    "offers.priceSpecification": "compare_at_price",
    "offers.availability": "availability",
    "brand.name": "brand",
    "category": "product_type",
    "hasVariant": "a product for each color",
    "isVariantOf, inProductGroupWithID, productGroupID": "item_group_id",
    "additionalProperty": "each under its own name",
    "url": "link",
}
_PRODUCTS = frozenset({"Product", "ProductModel", "IndividualProduct", "Vehicle", "SomeProducts"})
_GROUP = "ProductGroup"
_FIELDS = (
    "@context @type @id name image offers brand category hasVariant isVariantOf inProductGroupWithID variesBy "
    "productGroupID additionalProperty url description sku productID mpn gtin gtin8 gtin12 gtin13 gtin14 color "
    "size material pattern audience review mainEntityOfPage"
)
_KNOWN = frozenset(_FIELDS.split())
_IDS = ("sku", "productID", "mpn", "gtin", "gtin13", "gtin14", "gtin12", "gtin8", "@id", "url", "name")
_MAX_DEPTH = 6
_STRIKETHROUGH = "StrikethroughPrice"


class SchemaOrg:
    """Products as schema.org describes them."""

    name = "schema.org"
    meanings = _COLUMNS

    def recognizes(self, parsed: Mapping[str, Any]) -> bool:
        """Whether an object is a product or a group of products, or has one inside."""
        return next(_products_in(parsed, 0), None) is not None

    def products(self, objects: Objects, findings: Findings) -> Iterator[Row]:
        """The products; the variants of one color are one."""
        groups: dict[str, Mapping[str, Any]] = {}
        parents: set[str] = set()
        for _, product in _all(objects(Findings())):
            if _is(product, {_GROUP}):
                keys = filter(None, (_text(product.get(key)) for key in ("@id", "productGroupID")))
                groups.update(dict.fromkeys(keys, product))
            parents.add(_parent_key(product))
        for location, product in _all(objects(findings)):
            is_group = _is(product, {_GROUP})
            if is_group and product.get("hasVariant"):
                yield from _group_rows(location, product)
            elif not is_group or parents.isdisjoint((_group_id(product), _text(product.get("@id")))):
                yield _single_row(location, product, groups.get(_parent_key(product)))


def _all(objects: Iterator[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((location, product) for location, parsed in objects for product in _products_in(parsed, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A saved page of a shop, with JSON-LD in its ``script`` elements."""

    @classmethod
    def sniff(cls, head: str) -> Page | None:
        """The format if a file starts as HTML."""
        start = head.lstrip("\ufeff \t\r\n")[:256].lower()
        return cls() if start.startswith(("<!doctype html", "<html", "<head", "<script")) else None

    def objects(self, table: TableStream) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The objects of the page's JSON-LD.

        Raises:
            UnreadableTable: The page is too large, or has no products as JSON-LD.
        """
        content = table.stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(content) > MAX_DOCUMENT_BYTES:
            raise UnreadableTable(table.label, reason=f"it is a page over {MAX_DOCUMENT_BYTES // 2**20} MiB")
        scripts = _Scripts()
        scripts.feed(content.decode("utf-8", "replace"))
        is_empty = True
        for number, text in enumerate(scripts.texts, start=1):
            try:
                document = json.loads(text, strict=False)
            except (ValueError, RecursionError):
                table.findings.add(Case.BAD_JSON, f"script {number}")
                continue
            for parsed in objects_in(document):
                if isinstance(parsed, dict) and next(_products_in(parsed, 0), None) is not None:
                    is_empty = False
                    yield f"script {number}", parsed
        if is_empty:
            raise UnreadableTable(table.label, reason="it is a page without schema.org's Product as JSON-LD")


class _Scripts(HTMLParser):
    """Collects the texts of ``<script type="application/ld+json">``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").partition(";")[0].strip().lower()
        self._is_inside = tag == "script" and kind == "application/ld+json"
        if self._is_inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - no element is inside of a script
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.texts[-1] += data


def _products_in(parsed: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The products in an object, such as those of ``@graph`` or ``mainEntity``; not those inside of a product."""
    if isinstance(parsed, list):
        for item in parsed:
            yield from _products_in(item, depth)
    elif isinstance(parsed, dict) and depth < _MAX_DEPTH:
        if _is(parsed, _PRODUCTS | {_GROUP}):
            yield parsed
            return
        for key in ("@graph", "mainEntity", "itemListElement", "item", "about"):
            yield from _products_in(parsed.get(key), depth + 1)


def _is(parsed: Mapping[str, Any], kinds: frozenset[str] | set[str]) -> bool:
    given = parsed.get("@type")
    names = given if isinstance(given, list) else [given]
    return any(str(name).rpartition("/")[2] in kinds for name in names)


def _group_rows(location: str, group: Mapping[str, Any]) -> Iterator[Row]:
    """A row for each color of a group."""
    base, title = _cells(group), cleaned(_text(group.get("name")))
    variants = [each for each in _list(group.get("hasVariant")) if isinstance(each, dict)]
    made = [(_variant(each), each) for each in variants]
    of = {id(variant): parsed for variant, parsed in made}
    group_id = _group_id(group)
    colors = by_color([variant for variant, _ in made])
    for color, of_color in colors.items():
        first = of[id(of_color[0])]
        photos = tuple(dict.fromkeys(image for variant in of_color for image in variant.images))
        name = cleaned(_text(first.get("name")))
        cells = {
            **base,
            "id": _id(first) if len(of_color) == 1 else colored_id(group_id, color) if color else group_id,
            "title": name if name and len(of_color) == 1 else titled(title or name, color),
            "item_group_id": group_id,
        }
        yield product_row(location, cells, of_color, photos or tuple(_images(group.get("image"))))


def _single_row(location: str, product: Mapping[str, Any], group: Mapping[str, Any] | None) -> Row:
    variant = _variant(product)
    own = {name: cell for name, cell in {**variant.cells, **variant.options}.items() if cell}
    cells: dict[str, Cell] = {
        **({} if group is None else _cells(group)),
        **own,
        "id": _id(product),
        "title": cleaned(_text(product.get("name")) or _text((group or {}).get("name"))),
        "item_group_id": _parent_key(product) or None,
    }
    images = variant.images or tuple(_images((group or {}).get("image")))
    return product_row(location, cells, (), images)


def _variant(product: Mapping[str, Any]) -> Variant:
    options = {
        option_name(name): _text(product[name])
        for name in ("color", "size", "pattern", "material")
        if product.get(name)
    }
    cells = _cells(product)
    cells["sku"] = _text(product.get("sku"))
    return Variant(
        options={name: value for name, value in options.items() if value},
        cells=cells,
        images=tuple(_images(product.get("image")) or _images(_offer(product).get("image"))),
    )


def _cells(product: Mapping[str, Any]) -> dict[str, Cell]:
    """What a product says, beside its id, its title, its options and its photos."""
    offer = _offer(product)
    currency = _text(offer.get("priceCurrency"))
    price, before = _text(offer.get("price") or offer.get("lowPrice")), ""
    for each in map(_object, _list(offer.get("priceSpecification"))):
        currency = currency or _text(each.get("priceCurrency"))
        if _text(each.get("priceType")).endswith((_STRIKETHROUGH, "ListPrice", "SRP")):
            before = _text(each.get("price"))
        else:
            price = price or _text(each.get("price"))
    audience = _object(product.get("audience"))
    cells: dict[str, Cell] = {
        **cells_of({name: value for name, value in product.items() if name not in _KNOWN}),
        "description": cleaned(_text(product.get("description"))),
        "brand": _text(product.get("brand")),
        "product_type": _category(product.get("category")),
        "price": f"{price} {currency}".strip(),
        "compare_at_price": f"{before} {currency}".strip() if before else None,
        "availability": _text(offer.get("availability")),
        "link": _text(product.get("url") or offer.get("url")),
        "gtin": next((_text(product[key]) for key in _IDS if key.startswith("gtin") and product.get(key)), None),
        "mpn": _text(product.get("mpn")),
        "gender": _text(audience.get("suggestedGender")).rpartition("/")[2],
    }
    told = {name: cell for name, cell in cells.items() if cell not in {None, ""}}
    properties = map(_object, _list(product.get("additionalProperty")))
    named = ((_text(each.get("name")), _text(each.get("value"))) for each in properties)
    return with_named(told, ((name, value) for name, value in named if name and value), group="additionalProperty")


def _offer(product: Mapping[str, Any]) -> Mapping[str, Any]:
    """The offer of a product; of several the cheapest, as far as they tell."""
    offers = [_object(each) for each in _list(product.get("offers"))]
    if (
        len(offers) == 1
        and not offers[0].get("price")
        and not offers[0].get("lowPrice")
        and offers[0].get("offers")
    ):
        return {**offers[0], **_offer(offers[0])}
    priced = [(_number(each.get("price") or each.get("lowPrice")), rank) for rank, each in enumerate(offers)]
    return offers[min(priced)[1]] if offers else {}


def _number(price: Any) -> float:
    try:
        return float(str(price))
    except ValueError:
        return float("inf")


def _images(value: Any) -> list[str]:
    found = []
    for each in _list(value):
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict):
            found.extend(_images(each.get("contentUrl") or each.get("url") or each.get("@id")))
    return list(dict.fromkeys(found))


def _category(value: Any) -> Cell:
    paths = tuple(dict.fromkeys(filter(None, map(_text, _list(value)))))
    paths = tuple(
        " > ".join(part.strip() for part in path.replace("/", ">").split(">")) if ">" in path else path
        for path in paths
    )
    return one_or_several(paths)


def _id(product: Mapping[str, Any]) -> str:
    return next((text for key in _IDS if (text := _text(product.get(key)))), "")


def _group_id(group: Mapping[str, Any]) -> str:
    return _text(group.get("productGroupID")) or _id(group)


def _parent_key(product: Mapping[str, Any]) -> str:
    """The id of the group that a product is in; empty if in none."""
    parent = _object(product.get("isVariantOf"))
    return _text(product.get("inProductGroupWithID")) or _text(parent.get("productGroupID") or parent.get("@id"))


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _object(value: Any) -> Mapping[str, Any]:
    value = next(iter(value), None) if isinstance(value, list) else value
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A value as text; of an object its name or value."""
    if isinstance(value, list):
        return next(filter(None, map(_text, value)), "")
    if isinstance(value, dict):
        return next((_text(value[key]) for key in ("name", "value", "@id") if value.get(key)), "")
    return "" if value is None else str(value).strip()
