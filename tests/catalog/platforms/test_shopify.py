from __future__ import annotations

import json
from pathlib import Path

from sartor.catalog import open_source
from tests.catalog.platforms.shops import table
from tests.catalog.samples import PHOTO, read, write_folder

PHOTOS = {f"img/{name}.jpg": PHOTO + name.encode() for name in ("red", "back", "blue", "chart", "all")}


def shopify(tmp_path: Path, *rows: dict[str, object]) -> Path:
    write_folder(tmp_path, {**PHOTOS, "products.csv": table(rows)})
    return tmp_path / "products.csv"


def test_the_headings_of_today_are_those_of_before(tmp_path: Path) -> None:
    reading = read(
        shopify(
            tmp_path,
            {
                "Title": "Shirt",
                "URL handle": "shirt",
                "Description": "<p>Soft &amp; light</p>",
                "Vendor": "Acme",
                "Product category": "Apparel & Accessories > Clothing",
                "Published on online store": "TRUE",
                "Status": "Active",
                "SKU": "S1",
                "Option1 name": "Colour",
                "Option1 value": "Red",
                "Price": "49.00",
                "Compare-at price": "59.00",
                "Inventory tracker": "shopify",
                "Inventory quantity": "0",
                "Continue selling when out of stock": "CONTINUE",
                "Product image URL": "img/red.jpg",
                "Image position": "1",
                "Image alt text": "Red shirt",
                "Color (product.metafields.shopify.color-pattern)": "red",
            },
        )
    )
    assert reading.kind == "Shopify"
    assert reading.photos == {"shirt:red": ["img/red.jpg"]}
    assert reading.attributes("shirt:red") == {
        "description": "Soft & light",
        "brand": "Acme",
        "product_type": "Apparel & Accessories > Clothing",
        "product_category": "Apparel & Accessories > Clothing",
        "item_group_id": "shirt",
        "image_alt": ("Red shirt",),
        "sku": "S1",
        "price": "49.00",
        "compare_at_price": "59.00",
        "availability": "backorder",
        "color": "Red",
        "Color (product.metafields.shopify.color-pattern)": "red",
    }


def test_photos_go_to_the_color_that_they_show(tmp_path: Path) -> None:
    images = [("all", ""), ("red", ""), ("back", ""), ("blue", ""), ("chart", "the red one from afar")]
    rows: list[dict[str, object]] = [
        {"Handle": "s", "Image Src": f"img/{name}.jpg", "Image Position": rank, "Image Alt Text": alt}
        for rank, (name, alt) in enumerate(images, start=1)
    ]
    rows[0] |= {"Title": "Shirt", "Option1 Name": "Color", "Option1 Value": "Red", "Variant SKU": "r"}
    rows[0] |= {"Variant Image": "img/red.jpg"}
    rows[1] |= {"Option1 Value": "Blue", "Variant SKU": "b", "Variant Image": "img/blue.jpg"}
    assert read(shopify(tmp_path, *rows)).photos == {
        "s:red": ["img/red.jpg", "img/all.jpg", "img/back.jpg", "img/chart.jpg"],
        "s:blue": ["img/blue.jpg", "img/all.jpg"],
    }


def test_colors_that_nothing_tells_apart_share_all_photos_and_that_is_said(tmp_path: Path) -> None:
    first = {"Handle": "s", "Title": "Shirt", "Option1 Name": "Color", "Option1 Value": "Red", "Variant SKU": "r"}
    second = {"Handle": "s", "Option1 Value": "Blue", "Variant SKU": "b", "Image Src": "img/all.jpg"}
    reading = read(shopify(tmp_path, first | {"Image Src": "img/red.jpg"}, second))
    assert reading.photos == {
        "s:red": ["img/red.jpg", "img/all.jpg"],
        "s:blue": ["img/red.jpg", "img/all.jpg"],
    }
    assert reading.counts == {"products whose colors share all photos": 1}


def test_what_is_not_published_is_counted(tmp_path: Path) -> None:
    rows = [
        {"Handle": str(number), "Title": "T", "Variant SKU": str(number), "Image Src": "img/red.jpg"}
        | {"Published": published, "Status": status}
        for number, (published, status) in enumerate(
            [("TRUE", "active"), ("FALSE", "active"), ("TRUE", "draft"), ("TRUE", "archived"), ("", "")]
        )
    ]
    reading = read(shopify(tmp_path, *rows))
    assert reading.ids == ["0", "4"]
    assert reading.counts == {"products that are not published, left out": 3}


def test_a_variant_of_a_bulk_export_without_its_product_is_said(tmp_path: Path) -> None:
    lines = [
        {"id": "gid://shopify/Product/1", "handle": "a", "title": "A", "status": "ACTIVE"},
        {"id": "gid://shopify/ProductVariant/9", "sku": "x", "__parentId": "gid://shopify/Product/2"},
    ]
    write_folder(tmp_path, {"bulk.jsonl": "\n".join(map(json.dumps, lines))})
    reading = read(tmp_path / "bulk.jsonl")
    assert reading.ids == ["a"]
    assert reading.counts["rows that are no products, such as files and videos, left out"] == 1


def test_a_preview_shows_the_columns_of_the_file_alone(tmp_path: Path) -> None:
    row = {"Handle": "a", "Title": "A", "Variant SKU": "x", "Image Src": "img/red.jpg", "Season": "Fall"}
    with open_source(shopify(tmp_path, row)) as source:
        assert source.mapping == (
            ("Handle", "id"),
            ("Title", "title"),
            ("Variant SKU", "sku"),
            ("Image Src", "photos"),
            ("Season", "Season"),
        )
