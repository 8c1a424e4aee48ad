"""WooCommerce, Magento, BigCommerce, the Merchant API and schema.org, where they are odd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sartor.errors import UnreadableTable
from tests.catalog.platforms.shops import table
from tests.catalog.samples import PHOTO, Reading, read, write_folder

PHOTOS = {f"img/{name}.jpg": PHOTO + name.encode() for name in ("red", "blue", "green")}


def reading_of(tmp_path: Path, name: str, content: str) -> Reading:
    write_folder(tmp_path, {**PHOTOS, name: content})
    return read(tmp_path / name)


def test_a_simple_product_of_woocommerce_keeps_all_that_it_has(tmp_path: Path) -> None:
    row = {
        "ID": 5,
        "Type": "simple, downloadable",
        "SKU": "A",
        "Name": "Tee",
        "Published": 1,
        "Regular price": "20,00",
        "Sale price": "15,00",
        "Date sale price ends": "2001-01-01",
        "In stock?": 0,
        "Backorders allowed?": "notify",
        "Categories": "Clothing > Tees, Sale",
        "Images": "https://x.example/a,b.jpg, https://x.example/c.jpg",
        "Attribute 1 name": "Colour",
        "Attribute 1 value(s)": "Red, Blue",
        "Attribute 2 name": "Fit\\, cut",
        "Attribute 2 value(s)": "Slim\\, long",
        "Weight (kg)": "0.2",
        "Meta: note": "x",
    }
    reading = reading_of(tmp_path, "wc.csv", table([row]))
    assert reading.photos == {"5": ["https://x.example/a,b.jpg", "https://x.example/c.jpg"]}
    assert reading.attributes("5") == {
        "Weight (kg)": "0.2",
        "Meta: note": "x",
        "price": "20.00",
        "scheduled_sale_price": "15.00",
        "sale_price_effective_date": "/2001-01-01",
        "availability": "backorder",
        "product_type": ("Clothing > Tees", "Sale"),
        "color": ("Red", "Blue"),
        "Fit\\, cut": "Slim, long",
        "sku": "A",
    }


def test_variations_without_a_parent_are_products_and_that_is_said(tmp_path: Path) -> None:
    row = {
        "ID": 5,
        "Type": "variation",
        "Name": "Tee",
        "Parent": "gone",
        "Regular price": "2",
        "Images": "img/red.jpg",
    }
    reading = reading_of(tmp_path, "wc.csv", table([row, {**row, "ID": 6, "Published": -1}]))
    assert reading.ids == ["5"]
    assert reading.counts["variants whose product is not in the file, taken as products"] == 2
    assert reading.counts["products that are not published, left out"] == 1


def test_a_variable_product_without_variations_is_a_product(tmp_path: Path) -> None:
    row = {"ID": 5, "Type": "variable", "Name": "Tee", "Regular price": "2", "Images": "img/red.jpg"}
    assert reading_of(tmp_path, "wc.csv", table([row])).ids == ["5"]


def test_a_parent_may_stand_below_its_variations(tmp_path: Path) -> None:
    rows = [
        {"ID": 6, "Type": "variation", "Parent": "T", "Regular price": "2", "Images": "img/red.jpg"}
        | {"Attribute 1 name": "Color", "Attribute 1 value(s)": "Red"},
        {"ID": 5, "Type": "variable", "SKU": "T", "Name": "Tee", "Brands": "Acme"},
    ]
    reading = reading_of(tmp_path, "wc.csv", table(rows))
    assert [(item.product.id, item.product.title) for item in reading.products] == [("6", "Tee Red")]
    assert reading.attributes("6")["brand"] == "Acme"


def test_rows_of_magento_that_are_no_products_are_said(tmp_path: Path) -> None:
    base = {"product_type": "simple", "name": "T", "base_image": "img/red.jpg", "product_online": 1}
    rows = [
        {"sku": "A", **base, "additional_attributes": "color=Red,care=cold, gentle,fit=slim"},
        {"sku": "A", **base, "store_view_code": "fr", "name": "T-fr"},
        {"sku": "SET", **base, "product_type": "bundle"},
        {"sku": "CONF", **base, "product_type": "configurable", "configurable_variations": "sku=GONE,color=Red"},
        {"sku": "OFF", **base, "product_online": 2},
    ]
    reading = reading_of(tmp_path, "m.csv", table(rows))
    assert reading.ids == ["A", "CONF"]
    told = reading.attributes("A")
    assert (told["color"], told["care"], told["fit"]) == ("Red", "cold, gentle", "slim")
    assert reading.counts["rows that are no products, such as files and videos, left out"] == 2
    assert reading.counts["products that are not published, left out"] == 1


def test_the_export_of_bigcommerce_before_is_read(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {
            "Item Type": "Product",
            "Product ID": 9,
            "Product Name": "Shirt",
            "Product Code/SKU": "S",
            "Brand Name": "Acme",
            "Price": "20.00",
            "Sale Price": "0.00",
            "Product Visible?": "Y",
            "Category": "Shop/Men;Sale",
            "Product Image File - 1": "img/blue.jpg",
            "Product Image File - 2": "img/red.jpg",
            "Product Image Is Thumbnail - 2": "Y",
            "Bin Picking Number": "B7",
        },
        {"Item Type": "  SKU", "Product Name": "[S]Color=Red:#ff0000,[RT]Size=S", "Product Code/SKU": "S-R"},
        {"Item Type": "  Rule", "Product Code/SKU": "S-R", "Price": "25.00", "Product Image File": "img/red.jpg"},
    ]
    reading = reading_of(tmp_path, "bc.csv", table(rows))
    assert reading.kind == "BigCommerce"
    assert reading.photos == {"9:red": ["img/red.jpg", "img/blue.jpg"]}
    told = reading.attributes("9:red")
    assert (told["price"], told["size"], told["brand"], told["Bin Picking Number"]) == ("25.00", "S", "Acme", "B7")
    assert told["product_type"] == ("Shop > Men", "Sale")
    assert "sale_price" not in told


def test_products_of_the_merchant_api_are_read(tmp_path: Path) -> None:
    product = {
        "name": "accounts/1/products/en~US~A",
        "offerId": "A",
        "contentLanguage": "en",
        "productAttributes": {
            "title": "Shirt",
            "imageLink": "img/red.jpg",
            "additionalImageLinks": ["img/blue.jpg"],
            "price": {"amountMicros": "29990000", "currencyCode": "USD"},
            "salePrice": {"amountMicros": "19990000", "currencyCode": "USD"},
            "availability": "IN_STOCK",
            "itemGroupId": "G",
            "productDetails": [{"sectionName": "General", "attributeName": "Material", "attributeValue": "Linen"}],
            "shipping": [{"country": "US"}],
        },
        "customAttributes": [{"name": "Fit", "value": "slim"}],
    }
    reading = reading_of(tmp_path, "products.json", json.dumps({"products": [product]}))
    assert reading.kind == "Merchant API"
    assert reading.photos == {"A": ["img/red.jpg", "img/blue.jpg"]}
    told = reading.attributes("A")
    assert (told["price"], told["sale_price"], told["availability"]) == ("29.99 USD", "19.99 USD", "in_stock")
    assert (told["material"], told["Fit"], told["item_group_id"]) == ("Linen", "slim", "G")
    assert told["shipping"] == '[{"country": "US"}]'


def test_a_page_with_one_product_is_read(tmp_path: Path) -> None:
    product = {
        "@context": "https://schema.org/",
        "@type": "Product",
        "name": "Robe d&#39;été",
        "sku": "R1",
        "image": {"@type": "ImageObject", "url": "img/red.jpg"},
        "brand": {"@type": "Brand", "name": "Acme"},
        "color": "Red",
        "aggregateRating": {"@type": "AggregateRating", "ratingValue": 4.5},
        "offers": {
            "@type": "Offer",
            "priceCurrency": "EUR",
            "priceSpecification": [
                {"@type": "UnitPriceSpecification", "price": 49.5},
                {"priceType": "https://schema.org/StrikethroughPrice", "price": 59},
            ],
            "availability": "http://schema.org/LimitedAvailability",
            "url": "https://x.example/r1",
        },
    }
    script = f'<script type="application/ld+json">{json.dumps(product)}</script>'
    broken = '<script type="application/ld+json">{"@type": </script>'
    page = f"<!doctype html><html><body>{broken}<script>var a = 1;</script>{script}</body></html>"
    reading = reading_of(tmp_path, "page.html", page)
    (item,) = reading.products
    assert (item.product.id, item.product.title) == ("R1", "Robe d'été")
    told = dict(item.product.attributes)
    assert (told["price"], told["compare_at_price"], told["availability"]) == (
        "49.50 EUR",
        "59.00 EUR",
        "in_stock",
    )
    assert told["aggregateRating.ratingValue"] == 4.5
    assert reading.counts["lines that are not a JSON object, skipped"] == 1


def test_a_page_without_products_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable, match="without schema.org's Product"):
        reading_of(tmp_path, "page.html", "<!doctype html><html></html>")


def test_a_json_document_is_a_table(tmp_path: Path) -> None:
    document = [
        {"id": 1, "photos": [{"url": "img/red.jpg"}, {"url": "img/blue.jpg"}], "price": 9.5, "currency": "EUR"},
        7,
    ]
    reading = reading_of(tmp_path, "t.json", json.dumps(document, indent=2))
    assert reading.photos == {"1": ["img/red.jpg", "img/blue.jpg"]}
    assert reading.attributes("1") == {"price": "9.50 EUR", "currency": "EUR"}
    assert reading.counts["lines that are not a JSON object, skipped"] == 1


def test_comments_above_a_header_are_passed_over(tmp_path: Path) -> None:
    text = '# Required | the unique id, | and more\n"# Optional | words","x"\nid,image\n1,img/red.jpg\n'
    assert reading_of(tmp_path, "meta.csv", text).photos == {"1": ["img/red.jpg"]}
    assert reading_of(tmp_path, "bars.csv", "#id | image\n1 | img/red.jpg\n").photos == {"1": ["img/red.jpg"]}
    assert reading_of(tmp_path, "plain.csv", "#id,image\n1,img/red.jpg\n").photos == {"1": ["img/red.jpg"]}
