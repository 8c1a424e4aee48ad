"""Whatever an item has is found again in every form that feeds have: Meta's catalogs and Google's Merchant Center.

Sources:
    https://www.facebook.com/business/help/120325381656392 (columns of a catalog, their order is free)
    https://support.google.com/merchants/answer/7052112 (attributes), /answer/160567 (text and XML feeds)
    https://developers.google.com/merchant/api/reference/rest/products_v1/accounts.productInputs
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.catalog.columns import base_name
from tests.catalog.samples import PHOTO, Reading, read, write_folder

GOOGLE = "http://base.google.com/ns/1.0"
NOW, OVER = "2001-02-03T04:05Z/2999-01-01T00:00Z", "2001-02-03T04:05Z/2001-03-03T04:05Z"
OTHER_COLUMNS = ("custom_label_0", "Fabric weight", "internal_rank", "ads_redirect", "naïve")


@dataclass(frozen=True)
class Item:
    """One row of a feed: a size of a color of a product."""

    id: str
    group: str
    title: str
    description: str
    photos: tuple[str, ...]
    price: str  # "19.90"
    sale: str
    sale_dates: str
    currency: str
    is_there: bool
    colors: tuple[str, ...]
    path: tuple[str, ...]  # of categories
    size: str
    material: str  # a product detail
    others: Mapping[str, str]  # columns that nobody knows

    @property
    def fields(self) -> dict[str, str]:
        """The fields that text and XML feeds have alike; those without a value are left out."""
        told = {
            "id": self.id,
            "item_group_id": self.group,
            "title": self.title,
            "description": self.description,
            "price": f"{self.price} {self.currency}",
            "sale_price": f"{self.sale} {self.currency}" if self.sale else "",
            "sale_price_effective_date": self.sale_dates if self.sale else "",
            "availability": "in stock" if self.is_there else "out of stock",
            "color": "/".join(self.colors),
            "product_type": " > ".join(self.path),
            "size": self.size,
            **self.others,
        }
        return {name: value for name, value in told.items() if value}


_LETTERS = st.characters(
    exclude_categories=("C", "Z"), exclude_characters="/>", codec="utf-8", include_characters="\"',;\t|&<#ß😀"
)
_WORDS = st.text(_LETTERS, min_size=1, max_size=12).map(lambda text: text.strip(" \t")).filter(bool)
_TEXTS = st.lists(_WORDS, min_size=1, max_size=4).map(" ".join)
_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9 ]{0,8}[a-z]", fullmatch=True)
_COLORS = st.lists(st.sampled_from(["Red", "Navy Blue", "Grün", "Off-White"]), min_size=1, max_size=3, unique=True)
_SIZES = st.lists(st.sampled_from(["XS", "S", "M", "L", "42 2/3"]), min_size=1, max_size=4, unique=True)
_PRICES = st.integers(1, 9_999_999).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")


@st.composite
def feeds(draw: st.DrawFn) -> list[Item]:
    """A feed of up to 32 items, in groups that share a title."""
    items: list[Item] = []
    currency = draw(st.sampled_from(["EUR", "USD", "JPY", "INR"]))
    for number in range(draw(st.integers(1, 8))):
        title = draw(_TEXTS)
        for size in draw(
            st.lists(st.sampled_from(["XS", "S", "M", "L", "42 2/3"]), min_size=1, max_size=4, unique=True)
        ):
            key = f"{number}-{size.replace(' ', '').replace('/', '')}"
            others = draw(st.dictionaries(st.sampled_from(OTHER_COLUMNS), _TEXTS, max_size=4))
            items.append(
                Item(
                    id=draw(st.sampled_from(["sku ", "00", "A_", "é-"])) + key,
                    group=f"g{number}",
                    title=title,
                    description="\n".join(draw(st.lists(_TEXTS, max_size=3))),
                    photos=tuple(f"img/{key}-{each}.jpg" for each in range(draw(st.integers(1, 4)))),
                    price=draw(_PRICES),
                    sale=draw(st.just("") | _PRICES),
                    sale_dates=draw(st.sampled_from(["", NOW, OVER])),
                    currency=currency,
                    is_there=draw(st.booleans()),
                    colors=tuple(draw(_COLORS)),
                    path=tuple(draw(st.lists(_NAMES, min_size=1, max_size=3))),
                    size=size,
                    material=draw(st.just("") | _NAMES),
                    others=others,
                )
            )
    return items


def delimited(
    items: Sequence[Item], *, delimiter: str, comment: str = "", quoting: int = csv.QUOTE_MINIMAL
) -> str:
    rows = [
        item.fields
        | {"image_link": item.photos[0], "additional_image_link": ",".join(item.photos[1:])}
        | ({"product_detail": f"General:Material:{item.material}"} if item.material else {})
        for item in items
    ]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return comment + text.getvalue()


def xml(items: Sequence[Item], *, is_atom: bool) -> str:
    tag = "entry" if is_atom else "item"
    told = "".join(f"<{tag}>{_elements(item)}</{tag}>" for item in items)
    if is_atom:
        return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="{GOOGLE}">{told}</feed>'
    return f'<?xml version="1.0"?><rss version="2.0" xmlns:g="{GOOGLE}"><channel>{told}</channel></rss>'


def _elements(item: Item) -> str:
    told = [(name.replace(" ", "_"), value) for name, value in item.fields.items()]
    told += [("image_link", item.photos[0]), *(("additional_image_link", photo) for photo in item.photos[1:])]
    detail = (
        f"<g:product_detail><g:section_name>General</g:section_name><g:attribute_name>Material</g:attribute_name>"
        f"<g:attribute_value>{escape(item.material)}</g:attribute_value></g:product_detail>"
        if item.material
        else ""
    )
    return "".join(f"<g:{name}>{escape(value)}</g:{name}>" for name, value in told) + detail


def merchant_api(items: Sequence[Item]) -> list[dict[str, object]]:
    return [
        {
            "name": f"accounts/1/productInputs/en~US~{item.id}",
            "offerId": item.id,
            "productAttributes": {
                "title": item.title,
                "description": item.description,
                "itemGroupId": item.group,
                "imageLink": item.photos[0],
                "additionalImageLinks": list(item.photos[1:]),
                "price": {"amountMicros": _micros(item.price), "currencyCode": item.currency},
                **(
                    {"salePrice": {"amountMicros": _micros(item.sale), "currencyCode": item.currency}}
                    if item.sale
                    else {}
                ),
                **(
                    {
                        "salePriceEffectiveDate": dict(
                            zip(("startTime", "endTime"), item.sale_dates.split("/"), strict=True)
                        )
                    }
                    if item.sale and item.sale_dates
                    else {}
                ),
                "availability": "IN_STOCK" if item.is_there else "OUT_OF_STOCK",
                "color": "/".join(item.colors),
                "productTypes": [" > ".join(item.path)],
                "sizes": [item.size],
                "productDetails": [
                    {"sectionName": "General", "attributeName": "Material", "attributeValue": item.material}
                ]
                if item.material
                else [],
            },
            "customAttributes": [{"name": name, "value": value} for name, value in item.others.items()],
        }
        for item in items
    ]


def _interval(dates: str) -> dict[str, str]:
    start, end = dates.split("/")
    return {"startTime": start, "endTime": end}


def _micros(amount: str) -> str:
    return str(int(amount.replace(".", "")) * 10_000)


Write = Callable[[Sequence[Item]], tuple[str, str]]
FEEDS: dict[str, Write] = {
    "Meta CSV": lambda items: (
        "catalog.csv",
        delimited(items, delimiter=",", comment="# Required | A unique id; use the SKU if you can\n"),
    ),
    "Meta CSV, all quoted": lambda items: ("catalog.csv", delimited(items, delimiter=",", quoting=csv.QUOTE_ALL)),
    "Meta TSV": lambda items: ("catalog.tsv", delimited(items, delimiter="\t")),
    "Meta XML": lambda items: ("catalog.xml", xml(items, is_atom=False)),
    "Google TSV": lambda items: ("feed.txt", delimited(items, delimiter="\t")),
    "Google RSS": lambda items: ("feed.xml", xml(items, is_atom=False)),
    "Google Atom": lambda items: ("feed.atom", xml(items, is_atom=True)),
    "Merchant API": lambda items: ("products.json", json.dumps({"products": merchant_api(items)})),
    "Merchant API, a line each": lambda items: (
        "products.jsonl",
        "\n".join(json.dumps(product, ensure_ascii=False) for product in merchant_api(items)),
    ),
}


@pytest.mark.parametrize("feed", FEEDS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(items=feeds())
def test_all_that_a_feed_says_is_found_again(feed: str, items: Sequence[Item]) -> None:
    name, content = FEEDS[feed](items)
    photos = {photo: PHOTO + photo.encode() for item in items for photo in item.photos}
    with tempfile.TemporaryDirectory() as directory:
        reading = read(write_folder(Path(directory) / "feed", {name: content, **photos}))

    assert reading.ids == [item.id for item in items]
    for item in items:
        check(item, reading, is_api="API" in feed, is_xml="XML" in feed or feed in {"Google RSS", "Google Atom"})
    expected = {
        "sale prices outside of their dates, kept as scheduled_sale_price",
        "missing cells",
        "empty columns",
    }
    assert reading.counts.keys() <= expected  # nothing was dropped, doubled or misread


def check(item: Item, reading: Reading, *, is_api: bool, is_xml: bool) -> None:
    found = reading.by_id(item.id)
    told = dict(found.product.attributes)
    assert [photo.name for photo in found.photos] == list(item.photos)
    assert all(base_name(photo.name) for photo in found.photos)
    assert found.product.title == item.title
    is_over = bool(item.sale) and item.sale_dates == OVER
    expected: dict[str, object] = {
        "item_group_id": item.group,
        "price": f"{item.price} {item.currency}",
        "availability": "in_stock" if item.is_there else "out_of_stock",
        "color": item.colors if len(item.colors) > 1 else item.colors[0],
        "size": item.size,
        "product_type": " > ".join(item.path),
    }
    if item.description:
        expected["description"] = item.description
    if item.sale:
        expected["scheduled_sale_price" if is_over else "sale_price"] = f"{item.sale} {item.currency}"
        if item.sale_dates:
            expected["sale_price_effective_date"] = item.sale_dates
    if item.material:
        expected["material"] = item.material
    if is_api:
        expected["resource_name"] = f"accounts/1/productInputs/en~US~{item.id}"
    expected |= {name.replace(" ", "_") if is_xml else name: value for name, value in item.others.items()}
    assert {name: plain(name, value) for name, value in told.items()} == {
        name: plain(name, value) for name, value in expected.items()
    }


def plain(name: str, value: object) -> object:
    """A list of one as its value; amounts without needless zeros, as the API has them in micros."""
    if isinstance(value, tuple) and len(value) == 1:
        (value,) = value
    if name.endswith("price"):
        amount, _, currency = str(value).partition(" ")
        return float(amount), currency
    return value


def test_what_a_shop_names_itself_replaces_no_field_and_no_other_value(tmp_path: Path) -> None:
    details = [
        {"attributeName": name, "attributeValue": value} for name, value in (("Fit", "slim"), ("Fit", "long"))
    ]
    product = {
        "offerId": "A",
        "productAttributes": {"title": "T", "imageLink": "a.jpg", "color": "Red", "productDetails": details},
        "customAttributes": [{"name": "color", "value": "crimson"}, {"name": "title", "value": "Other"}],
    }
    api = read(write_folder(tmp_path / "api", {"p.json": json.dumps([product, product | {"offerId": "B"}])}))
    row = "A\tT\ta.jpg\tG:Fit:slim,G:Fit:long,G:color:crimson\tRed"
    feed = read(write_folder(tmp_path / "f", {"f.tsv": f"id\ttitle\timage_link\tproduct_detail\tcolor\n{row}\n"}))

    assert api.by_id("A").product.title == feed.by_id("A").product.title == "T"
    assert api.attributes("A") == {
        "color": "Red",
        "Fit": ("slim", "long"),
        "custom_attribute.color": "crimson",
        "custom_attribute.title": "Other",
    }
    assert feed.attributes("A") == {"color": "Red", "Fit": ("slim", "long"), "product_detail.color": "crimson"}
