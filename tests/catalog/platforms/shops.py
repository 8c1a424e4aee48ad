"""Invented shops, and how each platform would export them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.catalog.samples import PHOTO, write_folder

Files = Mapping[str, bytes | str]


@dataclass(frozen=True)
class Sku:
    """One size of a color."""

    code: str
    size: str
    price: str
    sale: str
    stock: int


@dataclass(frozen=True)
class Garment:
    """A product in one or several colors, each with its photos and its sizes."""

    key: str
    title: str
    brand: str
    season: str  # in a column that no platform knows
    colors: Mapping[str, tuple[tuple[str, ...], tuple[Sku, ...]]]

    @property
    def skus(self) -> list[tuple[str, Sku]]:
        return [(color, sku) for color, (_, skus) in self.colors.items() for sku in skus]


_WORDS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzäéß"), min_size=3, max_size=8)
_TITLES = st.lists(_WORDS, min_size=1, max_size=3).map(" ".join)
_PRICES = st.integers(100, 99_999).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
_COLORS = st.sampled_from(["Red", "Navy Blue", "Grün", "Off-White", "Black"])
_SIZES = st.lists(st.sampled_from(["XS", "S", "M", "L", "XL"]), min_size=1, max_size=3, unique=True)


@st.composite
def garments(draw: st.DrawFn) -> list[Garment]:
    """A shop of up to six products."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        key = f"p{number}"
        colors = {}
        for rank, color in enumerate(draw(st.lists(_COLORS, min_size=1, max_size=3, unique=True))):
            photos = tuple(f"img/{key}-{rank}-{each}.jpg" for each in range(draw(st.integers(1, 2))))
            skus = tuple(
                Sku(
                    code=f"{key}-{rank}-{size}",
                    size=size,
                    price=(price := draw(_PRICES)),
                    sale=f"{float(price) / 2:.2f}" if draw(st.booleans()) else "",
                    stock=draw(st.integers(0, 3)),
                )
                for size in draw(_SIZES)
            )
            colors[color] = (photos, skus)
        title = draw(_TITLES)
        made.append(
            Garment(key=key, title=f"{title} {key}", brand=draw(_WORDS), season=draw(_WORDS), colors=colors)
        )
    return made


def table(rows: Sequence[Mapping[str, object]], *, delimiter: str = ",") -> str:
    """Rows as delimited text; the columns are those of all rows."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def photos_of(shop: Sequence[Garment]) -> dict[str, bytes]:
    return {
        photo: PHOTO + photo.encode()
        for garment in shop
        for photos, _ in garment.colors.values()
        for photo in photos
    }


def shopify_csv(shop: Sequence[Garment]) -> Files:
    rows: list[dict[str, object]] = []
    for garment in shop:
        images = [photo for photos, _ in garment.colors.values() for photo in photos]
        own = []
        for color, (photos, skus) in garment.colors.items():
            own += [
                {
                    "Option1 Value": color,
                    "Option2 Value": sku.size,
                    "Variant SKU": sku.code,
                    "Variant Price": sku.sale or sku.price,
                    "Variant Compare At Price": sku.price if sku.sale else "",
                    "Variant Inventory Qty": sku.stock,
                    "Variant Image": photos[0],
                }
                for sku in skus
            ]
        count = max(len(own), len(images))
        for rank in range(count):
            row: dict[str, object] = {"Handle": garment.key}
            if rank == 0:
                row |= {"Title": garment.title, "Vendor": garment.brand, "Season": garment.season}
                row |= {"Option1 Name": "Color", "Option2 Name": "Size", "Published": "TRUE", "Status": "active"}
            row |= own[rank] if rank < len(own) else {}
            row |= {"Image Src": images[rank], "Image Position": rank + 1} if rank < len(images) else {}
            rows.append(row)
    return {"products_export.csv": table(rows)}


def shopify_json(shop: Sequence[Garment]) -> Files:
    return {"products.json": json.dumps({"products": list(map(_shopify_object, shop))}, indent=1)}


def shopify_bulk(shop: Sequence[Garment]) -> Files:
    lines: list[dict[str, Any]] = []
    for garment in shop:
        product = _shopify_object(garment)
        gid = f"gid://shopify/Product/{garment.key}"
        lines.append(
            {"id": gid, "handle": garment.key, "title": garment.title, "vendor": garment.brand, "status": "ACTIVE"}
            | {"season": garment.season}
        )
        lines += [
            {
                "id": f"gid://shopify/ProductVariant/{variant['sku']}",
                "sku": variant["sku"],
                "price": variant["price"],
                "compareAtPrice": variant["compare_at_price"],
                "inventoryQuantity": variant["inventory_quantity"],
                "selectedOptions": [
                    {"name": "Color", "value": variant["option1"]},
                    {"name": "Size", "value": variant["option2"]},
                ],
                "image": {"url": variant["featured_image"]["src"]},
                "__parentId": gid,
            }
            for variant in product["variants"]
        ]
        lines += [
            {"id": f"gid://shopify/MediaImage/{number}", "image": {"url": image["src"]}, "__parentId": gid}
            for number, image in enumerate(product["images"])
        ]
    return {"bulk.jsonl": "\n".join(map(json.dumps, lines)) + "\n"}


def _shopify_object(garment: Garment) -> dict[str, Any]:
    images = [photo for photos, _ in garment.colors.values() for photo in photos]
    return {
        "id": 7_000_000 + int(garment.key[1:]),
        "handle": garment.key,
        "title": garment.title,
        "vendor": garment.brand,
        "season": garment.season,
        "published_at": "2026-01-01T00:00:00Z",
        "options": [{"name": "Color", "position": 1}, {"name": "Size", "position": 2}],
        "images": [{"id": rank, "src": image, "position": rank + 1} for rank, image in enumerate(images)],
        "variants": [
            {
                "sku": sku.code,
                "option1": color,
                "option2": sku.size,
                "price": sku.sale or sku.price,
                "compare_at_price": sku.price if sku.sale else None,
                "inventory_quantity": sku.stock,
                "featured_image": {"src": garment.colors[color][0][0]},
            }
            for color, sku in garment.skus
        ],
    }


def woocommerce_csv(shop: Sequence[Garment]) -> Files:
    rows: list[dict[str, object]] = []
    for number, garment in enumerate(shop, start=1):
        rows.append(
            {
                "ID": number * 100,
                "Type": "variable",
                "SKU": garment.key,
                "Name": garment.title,
                "Published": 1,
                "Visibility in catalog": "visible",
                "Brands": garment.brand,
                "Meta: season": garment.season,
                "Images": ", ".join(photo for photos, _ in garment.colors.values() for photo in photos),
                "Attribute 1 name": "Color",
                "Attribute 1 value(s)": ", ".join(garment.colors),
                "Attribute 2 name": "Size",
                "Attribute 2 value(s)": ", ".join(dict.fromkeys(sku.size for _, sku in garment.skus)),
            }
        )
        for rank, (color, sku) in enumerate(garment.skus, start=1):
            rows.append(
                {
                    "ID": number * 100 + rank,
                    "Type": "variation",
                    "SKU": sku.code,
                    "Name": f"{garment.title} - {color}, {sku.size}",
                    "Published": 1,
                    "In stock?": int(sku.stock > 0),
                    "Regular price": sku.price,
                    "Sale price": sku.sale,
                    "Images": ", ".join(garment.colors[color][0]),
                    "Parent": garment.key if rank % 2 else f"id:{number * 100}",
                    "Attribute 1 name": "Color",
                    "Attribute 1 value(s)": color,
                    "Attribute 2 name": "Size",
                    "Attribute 2 value(s)": sku.size,
                }
            )
    return {"wc-product-export.csv": table(rows)}


def woocommerce_json(shop: Sequence[Garment]) -> Files:
    objects: list[dict[str, Any]] = []
    for number, garment in enumerate(shop, start=1):
        shared = {"permalink": f"https://shop.example/{garment.key}", "status": "publish"}
        objects.append(
            shared
            | {
                "id": number * 100,
                "type": "variable",
                "name": garment.title,
                "sku": garment.key,
                "season": garment.season,
            }
            | {"brands": [{"name": garment.brand}], "catalog_visibility": "visible", "images": []}
            | {"attributes": [{"name": "Color", "options": list(garment.colors)}]}
        )
        for rank, (color, sku) in enumerate(garment.skus, start=1):
            objects.append(
                shared
                | {"id": number * 100 + rank, "type": "variation", "parent_id": number * 100, "sku": sku.code}
                | {"regular_price": sku.price, "sale_price": sku.sale}
                | {"stock_status": "instock" if sku.stock else "outofstock"}
                | {"attributes": [{"name": "Color", "option": color}, {"name": "Size", "option": sku.size}]}
                | {"images": [{"src": photo} for photo in garment.colors[color][0]]}
            )
    return {"products.json": json.dumps(objects)}


def magento_csv(shop: Sequence[Garment]) -> Files:
    rows: list[dict[str, object]] = []
    for garment in shop:
        for color, sku in garment.skus:
            photos = garment.colors[color][0]
            rows.append(
                {
                    "sku": sku.code,
                    "product_type": "simple",
                    "name": f"{garment.title} {color} {sku.size}",
                    "price": sku.price,
                    "special_price": sku.sale,
                    "base_image": photos[0],
                    "additional_images": ",".join(photos[1:]),
                    "additional_attributes": f"manufacturer_note=a, b,season={garment.season}",
                    "manufacturer": garment.brand,
                    "qty": sku.stock,
                    "is_in_stock": int(sku.stock > 0),
                    "product_online": 1,
                }
            )
        rows.append(
            {
                "sku": garment.key,
                "product_type": "configurable",
                "name": garment.title,
                "configurable_variations": "|".join(
                    f"sku={sku.code},color={color},size={sku.size}" for color, sku in garment.skus
                ),
                "product_online": 1,
            }
        )
    return {"export_catalog_product.csv": table(rows)}


def bigcommerce_csv(shop: Sequence[Garment]) -> Files:
    rows: list[dict[str, object]] = []
    for number, garment in enumerate(shop, start=1):
        rows.append(
            {
                "Item": "Product",
                "ID": number,
                "Name": garment.title,
                "Type": "Physical",
                "SKU": garment.key,
                "Options": "",
                "Inventory Tracking": "variant",
                "Brand": garment.brand,
                "Season": garment.season,
                "Is Visible": "TRUE",
            }
        )
        for color, sku in garment.skus:
            rows.append(
                {
                    "Item": "Variant",
                    "ID": number * 1000 + len(rows),
                    "SKU": sku.code,
                    "Options": f"Type=Swatch|Name=Color|Value={color}[#f00]Type=Radio|Name=Size|Value={sku.size}",
                    "Price": sku.price,
                    "Sale Price": sku.sale or "0",
                    "Current Stock": sku.stock,
                    "Variant Image URL": garment.colors[color][0][0],
                }
            )
        for photos, _ in garment.colors.values():
            rows += [
                {"Item": "Image", "Image URL (Export)": photo, "Image Sort Order": len(rows)} for photo in photos
            ]
    return {"products.csv": table(rows)}


def schema_org(shop: Sequence[Garment]) -> Files:
    return {"products.jsonld": json.dumps({"@context": "https://schema.org", "@graph": list(map(_group, shop))})}


def schema_org_page(shop: Sequence[Garment]) -> Files:
    graph = json.dumps({"@context": "https://schema.org", "@graph": list(map(_group, shop))})
    page = f'<!DOCTYPE html><html><head><script type="application/ld+json">{graph}</script></head><body/></html>'
    return {"page.html": page}


def _group(garment: Garment) -> dict[str, Any]:
    return {
        "@type": "ProductGroup",
        "productGroupID": garment.key,
        "name": garment.title,
        "brand": {"@type": "Brand", "name": garment.brand},
        "additionalProperty": [{"@type": "PropertyValue", "name": "season", "value": garment.season}],
        "hasVariant": [
            {
                "@type": "Product",
                "sku": sku.code,
                "color": color,
                "size": sku.size,
                "image": list(garment.colors[color][0]),
                "offers": {
                    "@type": "Offer",
                    "price": sku.sale or sku.price,
                    "availability": f"https://schema.org/{'InStock' if sku.stock else 'OutOfStock'}",
                },
            }
            for color, sku in garment.skus
        ],
    }


Export = Callable[[Sequence[Garment]], Files]

EXPORTS: dict[str, Export] = {
    "shopify csv": shopify_csv,
    "shopify json": shopify_json,
    "shopify bulk": shopify_bulk,
    "woocommerce csv": woocommerce_csv,
    "woocommerce json": woocommerce_json,
    "magento csv": magento_csv,
    "bigcommerce csv": bigcommerce_csv,
    "schema.org": schema_org,
    "schema.org page": schema_org_page,
}


def write(root: Path, files: Files, shop: Sequence[Garment]) -> Path:
    """Write an export beside its photos, and return its path."""
    write_folder(root, {**photos_of(shop), **files})
    return root / next(iter(files))
