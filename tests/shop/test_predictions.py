"""Photos without a table: what the model predicts is listed, filtered, counted and searched as attributes are."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor import Product, ProductInput, Shop
from sartor.described import described, is_file_name, title_of
from sartor.encoders.card import TrainingRecord
from sartor.errors import UnknownAttribute
from sartor.ingest.predictions import follow_predictions
from sartor.recommend.features import FeatureBuilder
from sartor.store.base import Predicted
from tests.fakes import BLUE, GREEN, RED, add, folder_of, photo

KINDS = ("Shirts", "Dresses", "Jeans")
COLORS = ("Red", "Green", "Navy Blue")
NAMES = {"IMG_1": RED, "IMG_2": GREEN, "IMG_3": BLUE, "IMG_4": (10, 20, 200)}
GRAY = (128, 128, 128)  # as near to one kind as to another


def describe_by(home: Path, model: str, kinds: tuple[str, ...] = KINDS) -> None:
    """Give a model heads: a red photo is of the first kind, a green one of the second, a blue one of the third."""
    folder = home / "models" / model
    path = folder / "card.json"
    card = json.loads(path.read_text())
    heads = {"articleType": kinds, "color": COLORS, "usage": ("NA", "Party", "NA")}
    card["attributes"] = [
        {"name": name, "output": f"attribute_{rank}", "classes": classes}
        for rank, (name, classes) in enumerate(heads.items())
    ]
    record = TrainingRecord(
        base="x",
        multi_level=False,
        scale=12.0,
        started_from="x",
        split_seed=0,
        split_share=0.1,
        products=1,
        photos=1,
        steps=1,
        seconds=1,
        recipe={},
        figures={},
        base_figures={},
        versions={},
    )
    card["training"] = record.model_dump(mode="json")
    path.write_text(json.dumps(card))
    np.savez(folder / "weights.npz", **{f"attribute_{rank}/vectors": np.eye(3) for rank in range(len(heads))})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", NAMES)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("mongodb", marks=pytest.mark.engines),
        pytest.param("shared", marks=pytest.mark.engines),
    ]
)
def engines(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "sqlite":
        return {}
    store = {"store": request.getfixturevalue("mongodb_address")}
    if request.param == "mongodb":
        return store
    return {**store, "index": request.getfixturevalue("opensearch_address"), "catalog": "shared"}


def counts(shop: Shop, name: str) -> dict[str, int]:
    return {facet.value: facet.count for facet in shop.facets([name])[name]}


def listed(shop: Shop, **query: Any) -> list[str]:
    return sorted(stored.product.id for stored in shop.listing(**query).products)


def titles(shop: Shop) -> dict[str, tuple[str, bool]]:
    return {stored.product.id: title_of(stored.product, stored.predicted) for stored in shop.listing().products}


def settle(shop: Shop) -> None:
    """Where an indexer writes the listing, let it."""
    if shop._models.indexer is not None:
        shop._models.indexer.step()


def test_a_folder_of_photos_has_filters_titles_and_words(
    home: Path, photos: Path, engines: dict[str, Any]
) -> None:
    describe_by(home, "color")
    with sartor.open(home, **engines) as shop:
        shop.index(photos)
        settle(shop)
        assert set(shop.facets()) == {"articleType", "color"}  # that a product has no usage is no value of it
        assert counts(shop, "articleType") == {"Jeans": 2, "Dresses": 1, "Shirts": 1}
        assert counts(shop, "color") == {"Navy Blue": 2, "Green": 1, "Red": 1}
        assert listed(shop, where="articleType=Jeans") == ["IMG_3", "IMG_4"]
        assert listed(shop, where={"articleType!": "Jeans"}) == ["IMG_1", "IMG_2"]
        assert listed(shop, words="navy") == ["IMG_3", "IMG_4"]
        assert listed(shop, words="dress") == ["IMG_2"]
        assert titles(shop)["IMG_1"] == ("Red shirt", True)
        assert titles(shop)["IMG_2"] == ("Green dress", True)
        assert [stored.product.id for stored in shop.listing(sort="title", limit=2).products] == ["IMG_2", "IMG_3"]
        assert shop.product("IMG_2").predicted["articleType"][0] == "Dresses"
        assert shop.product("IMG_2").product.title == ""
        assert shop.catalog.predicted_names() == ("articleType", "color", "usage")
        assert shop.check() == ()

        found = shop.similar(product="IMG_3", where="articleType=Jeans", facets=("articleType",))
        assert [(hit.product_id, hit.title, hit.title_predicted) for hit in found] == [
            ("IMG_4", "Navy blue jeans", True)
        ]
        assert {facet.value: facet.count for facet in found.facets["articleType"]} == {"Jeans": 2}


def test_nothing_takes_the_place_of_what_the_catalog_tells(
    home: Path, photos: Path, engines: dict[str, Any]
) -> None:
    describe_by(home, "color")
    with sartor.open(home, **engines) as shop:
        shop.index(photos)
        told = Product(id="IMG_1", title="Silk top", attributes={"articleType": "Tops"})
        shop.put(ProductInput(product=told, photos=None))
        settle(shop)
        assert counts(shop, "articleType") == {"Jeans": 2, "Dresses": 1, "Tops": 1}
        assert titles(shop)["IMG_1"] == ("Silk top", False)
        assert shop.product("IMG_1").predicted.keys() == {"color"}
        (hit,) = shop.similar(product="IMG_2", where="articleType=Tops")
        assert (hit.title, hit.title_predicted, set(hit.predicted)) == ("Silk top", False, {"color"})

        shop.put(ProductInput(product=Product(id="IMG_1"), photos=None))  # the catalog says nothing any more
        settle(shop)
        assert counts(shop, "articleType") == {"Jeans": 2, "Dresses": 1, "Shirts": 1}
        shop.put(ProductInput(product=Product(id="IMG_1"), photos=[photo(BLUE, side_px=50)]))
        settle(shop)
        assert counts(shop, "articleType") == {"Jeans": 3, "Dresses": 1}
        shop.delete("IMG_2")
        settle(shop)
        assert counts(shop, "articleType") == {"Jeans": 3}


def test_a_promoted_model_describes_from_then_on(
    home: Path, photos: Path, color_file: Path, engines: dict[str, Any]
) -> None:
    describe_by(home, "color")
    with sartor.open(home, **engines) as shop:
        shop.index(photos)
        settle(shop)
        assert counts(shop, "articleType") == {"Jeans": 2, "Dresses": 1, "Shirts": 1}
    add(home, color_file, "other")
    describe_by(home, "other", ("Coats", "Skirts", "Hats"))
    with sartor.open(home, **engines) as shop:
        shop.promote("other", force=True)
        settle(shop)
        assert counts(shop, "articleType") == {"Hats": 2, "Coats": 1, "Skirts": 1}
        assert titles(shop)["IMG_1"] == ("Red coat", True)
        assert shop.similar(product="IMG_1", k=1, where="articleType=Skirts")[0].title == "Green skirt"
        shop.rollback()
        settle(shop)
        assert counts(shop, "articleType") == {"Jeans": 2, "Dresses": 1, "Shirts": 1}


def test_an_older_workspace_gets_them_without_embedding(home: Path, photos: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
        assert shop.facets() == {}
    describe_by(home, "color")  # as if the version that indexed it had listed nothing
    with sqlite3.connect(home / "catalog.sqlite3") as store:
        before = store.execute("SELECT sha256, vector FROM embeddings ORDER BY 1").fetchall()
        store.executescript("DROP TABLE predictions; DROP TABLE predicted; PRAGMA user_version = 4")
    with sartor.open(home) as shop:
        assert listed(shop, where="articleType=Dresses") == ["IMG_2"]
        assert shop.similar(product="IMG_1", where="articleType=Dresses")[0].product_id == "IMG_2"
    with sqlite3.connect(home / "catalog.sqlite3") as store:
        assert store.execute("SELECT sha256, vector FROM embeddings ORDER BY 1").fetchall() == before


def test_a_process_sees_what_another_one_predicted(home: Path, photos: Path) -> None:
    describe_by(home, "color")
    with sartor.open(home) as one, sartor.open(home) as other:
        assert other.facets() == {}
        one.index(photos)
        state = one.catalog.store.predicted()
        assert (
            counts(other, "articleType") == counts(one, "articleType") == {"Jeans": 2, "Dresses": 1, "Shirts": 1}
        )
        assert other.catalog.store.predicted() == state
        assert state.revision == one.catalog.store.revision


def test_who_comes_second_writes_nothing(home: Path, photos: Path) -> None:
    describe_by(home, "color")
    with sartor.open(home) as shop:
        shop.index(photos)
        store = shop.catalog.store
        state = store.predicted()
        store.predict({"IMG_1": {}}, Predicted(key="x", revision=9), since=Predicted())
        assert store.predicted() == state
        assert shop.product("IMG_1").predicted


def test_what_is_up_to_date_is_not_read_again(home: Path, photos: Path) -> None:
    describe_by(home, "color")
    with sartor.open(home) as shop:
        shop.index(photos)
        features = shop._models.describing()
        assert isinstance(features, FeatureBuilder)
        assert follow_predictions(shop.catalog.store, features) == 0


def test_a_model_without_heads_says_exactly_why_not(home: Path, photos: Path) -> None:
    with sartor.open(home) as shop:
        shop.index(photos)
        with pytest.raises(UnknownAttribute, match="the catalog tells none, and its model predicts none"):
            shop.listing(where="articleType=Dresses")
    describe_by(home, "color")
    with sartor.open(home) as shop, pytest.raises(UnknownAttribute, match="articletypo.*articleType"):
        shop.listing(where="articletypo=Dresses")


def test_what_a_model_is_not_sure_of_is_neither_filtered_by_nor_said(home: Path, tmp_path: Path) -> None:
    describe_by(home, "color")
    with sartor.open(home) as shop:
        shop.index(folder_of(tmp_path / "photos", {"a": GRAY, "b": RED}))
        kind, probability = shop.product("a").predicted["articleType"]  # which is told all the same
        assert probability < 0.5
        assert counts(shop, "articleType") == {"Shirts": 1}
        assert listed(shop, where="articleType=Shirts") == ["b"]
        assert listed(shop, words=kind) == (["b"] if kind == "Shirts" else [])
        assert titles(shop)["a"] == ("", False)
        found = shop.similar(product="b", facets=("articleType",))
        assert {facet.value: facet.count for facet in found.facets["articleType"]} == {"Shirts": 1}
        assert not shop.similar(photo(GREEN), where="articleType!=Shirts", k=5)[0].title


@pytest.mark.parametrize(
    ("title", "is_name"),
    [
        ("IMG_2034", True),
        ("DSC0001", True),
        ("PXL_20240101_120000", True),
        ("3f2a9c11-77aa-4e1b-9f00-2b1c0d9e8f77", True),
        ("15970", False),
        ("front view.JPG", True),
        ("Nike Air Max 90", False),
        ("Facade", False),
        ("Decade dress", False),
        ("501", False),
        ("Levi's 501", False),
    ],
)
def test_a_title_is_told_from_a_files_name(title: str, is_name: bool) -> None:
    assert is_file_name(title, "x") == is_name


@pytest.mark.parametrize(
    ("kind", "color", "title"),
    [
        ("Tshirts", "Grey Melange", "Grey melange T-shirt"),
        ("Casual Shoes", "Black", "Black casual shoes"),
        ("Dresses", "Multi", "Multicolored dress"),
        ("Watches", "Gold", "Gold watch"),
        ("Accessories", "Red", "Red accessory"),
        ("Ties", "Red", "Red tie"),
        ("Scarves", "Red", "Red scarf"),
        ("Apparel > Tops", "Off White", "Off white top"),
        ("Sunglasses", "Brown", "Brown sunglasses"),
    ],
)
def test_titles_are_as_people_say_them(kind: str, color: str, title: str) -> None:
    predicted = {"articleType": (kind, 0.9), "color": (color, 0.9)}
    assert title_of(Product(id="x"), predicted) == (title, True)
    assert described(Product(id="x", attributes={"price": 3}), predicted).attributes == {
        "articleType": kind,
        "color": color,
        "price": 3,
    }


def test_a_title_needs_a_kind_that_is_sure() -> None:
    assert title_of(Product(id="x"), {"articleType": ("Shirts", 0.4), "color": ("Red", 0.9)}) == ("", False)
    assert title_of(Product(id="x"), {"articleType": ("Shirts", 0.6), "color": ("Red", 0.4)}) == ("Shirt", True)
    told = Product(id="x", attributes={"color": "Petrol"})
    assert title_of(told, {"articleType": ("Shirts", 0.6)}) == ("Petrol shirt", True)
    assert title_of(Product(id="x", attributes={"articleType": "Shirts"}), {"usage": ("Party", 0.9)}) == (
        "",
        False,
    )
