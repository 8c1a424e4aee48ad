"""Answers are tables of the libraries that people work with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import sartor
from sartor import Product, ProductInput, Shop
from sartor.errors import MissingExtra
from sartor.recommend.base import Hits
from sartor.types import Hit, Listing, Photo, StoredProduct
from tests.fakes import BLUE, GREEN, RED, photo


@pytest.fixture
def shop(home: Path) -> Shop:
    goods = {
        "red": (RED, {"price": "20.00 EUR", "sale_price": "15.00 EUR", "year": 2024, "color": ("Red", "White")}),
        "blue": (BLUE, {"price": "30.00 EUR", "year": 2025, "color": "Blue", "new": True}),
        "green": (GREEN, {"price": "40.00 EUR", "color": "Green", "score": "good"}),
    }
    opened = sartor.open(home)
    opened.put(
        *(
            ProductInput(
                product=Product(id=name, title=name.title(), attributes=attributes), photos=[photo(color)]
            )
            for name, (color, attributes) in goods.items()
        )
    )
    return opened


def test_hits_are_a_data_frame(shop: Shop) -> None:
    with shop:
        hits = shop.similar(product="red", k=2)
        frame = hits.to_pandas()

    assert list(frame["rank"]) == [1, 2]
    assert list(frame["product_id"]) == [hit.product_id for hit in hits]
    assert frame["score"].tolist() == pytest.approx([hit.score for hit in hits])
    told = frame.set_index("product_id")
    assert told.loc["blue", "price_amount"] == 30
    assert told["price_amount"].mean() == 35
    assert told.loc["blue", "color"] == "Blue"
    assert told.loc["blue", "year"] == 2025
    assert pd.isna(told.loc["green", "year"])
    assert str(frame.dtypes["year"]) == "Int64"
    assert str(frame.dtypes["new"]) == "boolean"
    assert told.loc["green", "attribute_score"] == "good"  # "score" is a column of all hits


def test_hits_are_a_table_of_arrow_and_rows(shop: Shop) -> None:
    with shop:
        hits = shop.similar(product="red", k=2)
        table, rows = hits.to_arrow(), hits.to_records()

    assert table.to_pylist() == rows
    assert table.schema.field("reasons").type == pa.list_(pa.string())
    assert table.schema.field("price_amount").type == pa.float64()
    assert {row["product_id"]: row["price"] for row in rows} == {"blue": "30.00 EUR", "green": "40.00 EUR"}


def test_feeds_and_listings_are_tables_too(shop: Shop) -> None:
    with shop:
        feed = shop.for_user("ann", k=3, now_s=1.7e9).to_pandas()
        listed = shop.listing(sort="price").to_arrow()
        (worn, *_) = shop.looks(photo(RED), k=1)

    assert set(feed["product_id"]) == {"red", "blue", "green"}
    assert listed["product_id"].to_pylist() == ["red", "blue", "green"]
    assert listed["price_amount"].to_pylist() == [15, 30, 40]
    assert listed["color"].to_pylist() == [["Red", "White"], ["Blue"], ["Green"]]
    assert [len(photos) for photos in listed["photos"].to_pylist()] == [1, 1, 1]
    assert worn.found.to_arrow().num_rows == 1


def test_an_answer_without_products_keeps_its_columns() -> None:
    nothing = Hits(hits=())

    assert nothing.to_records() == []
    assert (
        list(nothing.to_pandas().columns)[:3]
        == nothing.to_arrow().column_names[:3]
        == [
            "rank",
            "product_id",
            "title",
        ]
    )
    assert Listing(products=(), total=0, next=None).to_arrow().num_rows == 0


def test_values_of_several_types_become_text_and_predictions_have_columns() -> None:
    shown = Photo(sha256="", name="a.jpg", width_px=1, height_px=1, thumbnail="")
    hits = Hits(
        hits=(
            Hit(product_id="a", score=1.0, title="A", attributes={"size": 38, "on": True}, photo=shown),
            Hit(
                product_id="b",
                score=0.5,
                title="B",
                attributes={"size": "L", "on": "no"},
                photo=shown,
                predicted={"kind": ("Shirt", 0.9)},
            ),
        )
    )

    table = hits.to_arrow()
    assert table["size"].to_pylist() == ["38", "L"]
    assert table["on"].to_pylist() == ["true", "no"]
    assert table["predicted_kind"].to_pylist() == [None, "Shirt"]
    assert "price_amount" not in table.column_names


@pytest.mark.parametrize(
    ("method", "package"), [("to_pandas", "pandas"), ("to_polars", "polars"), ("to_arrow", "pyarrow")]
)
def test_a_missing_library_is_one_line(method: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda _: None)
    listing = Listing(products=(StoredProduct(product=Product(id="a")),), total=1, next=None)

    with pytest.raises(MissingExtra, match=f"needs the package {package}; install it with: pip install {package}"):
        getattr(listing, method)()
