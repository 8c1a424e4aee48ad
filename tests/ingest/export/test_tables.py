"""Catalogs as CSV and JSON Lines, read again as ``sartor index`` reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import open_source
from sartor.imaging import Thumbnail
from sartor.ingest.export.tables import (
    CopiedImages,
    file_stem,
    plan_table,
    text_of,
    write_delimited,
    write_json_lines,
)
from sartor.media.folder import FolderMediaStore
from sartor.types import AttributeValue, Product, StoredProduct
from tests.ingest.export.warehouse import IDS, catalogs, photo, stored, typed, warehouse, with_photos

EXAMPLES = settings(max_examples=15, deadline=None)


def read_again(path: Path) -> dict[str, Product]:
    with open_source(path) as source:
        return {each.product.id: each.product for each in source}


def as_csv(products: list[StoredProduct]) -> tuple[dict[str, Product], tuple[str, ...]]:
    with warehouse(products) as made:
        path = made.out / "products.csv"
        lost = write_delimited(path, plan_table(made.source, made.out, images=False, header=True))
        return read_again(path), lost


def as_json_lines(products: list[StoredProduct]) -> tuple[dict[str, Product], tuple[str, ...]]:
    with warehouse(products) as made:
        path = made.out / "products.jsonl"
        lost = write_json_lines(path, plan_table(made.source, made.out, images=False, header=False))
        return read_again(path), lost


@EXAMPLES
@given(catalogs())
def test_json_lines_are_read_again_as_the_same_products_with_their_types(products: list[Product]) -> None:
    again, _ = as_json_lines(with_photos(products))
    assert again.keys() == {product.id for product in products}
    for product in products:
        assert again[product.id].title == product.title
        assert typed(again[product.id].attributes) == typed(product.attributes)


@EXAMPLES
@given(catalogs())
def test_csv_is_read_again_as_the_same_products_with_values_as_texts(products: list[Product]) -> None:
    again, lost = as_csv(with_photos(products, each=2))
    assert again.keys() == {product.id for product in products}
    for product in products:
        found = again[product.id]
        assert found.title == product.title
        if not any("header cannot hold" in sentence for sentence in lost):
            assert typed(found.attributes) == typed({n: as_text(v) for n, v in product.attributes.items()})
        else:
            values = [as_text(value) for value in product.attributes.values()]
            assert sorted(map(str, found.attributes.values())) == sorted(map(str, values))


def as_text(value: AttributeValue) -> AttributeValue:
    return value if isinstance(value, tuple) else text_of(value)


def test_several_values_are_several_columns_of_one_name() -> None:
    products = [
        stored(Product(id="a", attributes={"size": ("S", "M, L")}), "1.jpg", "2.jpg"),
        stored(Product(id="b")),
    ]
    with warehouse(products) as made:
        path = made.out / "products.csv"
        write_delimited(path, plan_table(made.source, made.out, images=False, header=True))
        assert path.read_text() == (
            '"id","title","image_path","image_path","size","size"\na,,1.jpg,2.jpg,S,"M, L"\nb,,,,,\n'
        )


@pytest.mark.parametrize("write", [as_csv, as_json_lines])
def test_attributes_that_a_reader_would_rename_keep_their_names(write) -> None:
    products = [
        stored(Product(id="a", attributes={"Brand": "x", "baseColour": "Red"}), "1.jpg"),
        stored(Product(id="b", attributes={"color": "Blue"}), "2.jpg"),
    ]
    again, _ = write(products)
    assert again["a"].attributes == {"Brand": "x", "baseColour": "Red"}
    assert again["b"].attributes == {"color": "Blue"}


@pytest.mark.parametrize("write", [as_csv, as_json_lines])
def test_attributes_that_a_reader_would_take_for_something_else_are_named_as_lost(write) -> None:
    product = Product(id="a", title="t", attributes={"id": "no", "additional_image_link": "x.jpg", "size": "S"})
    again, lost = write([stored(product, "1.jpg")])
    assert again == {"a": Product(id="a", title="t", attributes={"size": "S"})}
    assert any("additional_image_link, id" in sentence for sentence in lost)


def test_names_that_a_header_cannot_hold_are_changed_and_told() -> None:
    attributes = {" a": "1", "a": "2", "": "3", "b\nc": "4"}
    again, lost = as_csv([stored(Product(id="p", attributes=attributes), "1.jpg")])
    assert again["p"].attributes == {"a_2": "1", "a": "2", "attribute": "3", "b c": "4"}
    assert any("'b\\nc' is 'b c'" in sentence for sentence in lost)
    assert (
        as_json_lines([stored(Product(id="p", attributes=attributes), "1.jpg")])[0]["p"].attributes == attributes
    )


def test_a_text_too_long_for_csv_is_told() -> None:
    _, lost = as_csv([stored(Product(id="p", attributes={"description": "x" * 131_072}), "1.jpg")])
    assert any("do not" in sentence or "does not" in sentence for sentence in lost if "so long" in sentence)


def test_json_lines_are_strict_json_without_nan() -> None:
    with warehouse([stored(Product(id="p", attributes={"x": float("nan"), "y": 1.5}), "1.jpg")]) as made:
        path = made.out / "products.jsonl"
        write_json_lines(path, plan_table(made.source, made.out, images=False, header=False))
        assert json.loads(path.read_text(), parse_constant=pytest.fail)["x"] is None


def test_missing_products_of_a_stock_are_passed_over() -> None:
    with warehouse(with_photos([Product(id="a"), Product(id="b")])) as made:
        made.source.store.delete(["a"])
        write_json_lines(made.out / "p.jsonl", plan_table(made.source, made.out, images=False, header=False))
        assert made.source.tally.products == 1


@given(IDS)
def test_a_file_is_named_without_ways_out_of_its_folder(product_id: str) -> None:
    name = file_stem(product_id)
    assert name
    assert name.isascii()
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) <= 120


@given(st.lists(IDS, unique=True, max_size=20))
def test_different_ids_have_different_stems(ids: list[str]) -> None:
    assert len({file_stem(each) for each in ids}) == len(ids)


def test_ids_that_differ_by_case_or_by_a_number_get_files_of_their_own(tmp_path: Path) -> None:
    media, kept = FolderMediaStore(tmp_path / "media"), photo("1")
    media.put(kept.sha256, Thumbnail(data=b"jpeg", suffix="jpg"))
    (tmp_path / "out").mkdir()
    images = CopiedImages(media, tmp_path / "out")
    names = [
        name
        for product_id, photos in {"A": 1, "a": 1, "x": 2, "x_2": 1}.items()
        for name in images.of(StoredProduct(product=Product(id=product_id), photos=(kept,) * photos))
    ]
    assert len({name.casefold() for name in names}) == len(names) == images.copied == 5
    assert names[0] == "images/A.jpg"
    assert names[3] == "images/x_2.jpg"
    assert all((tmp_path / "out" / name).read_bytes() == b"jpeg" for name in names)


def test_a_thumbnail_that_is_gone_is_counted(tmp_path: Path) -> None:
    images = CopiedImages(FolderMediaStore(tmp_path / "media"), tmp_path)
    assert images.of(StoredProduct(product=Product(id="a"), photos=(photo("1"),))) == []
    assert images.missing == 1


def test_a_photo_of_which_only_the_vector_was_imported_is_counted_as_one_without_a_thumbnail(
    tmp_path: Path,
) -> None:
    images = CopiedImages(FolderMediaStore(tmp_path / "media"), tmp_path)
    assert images.of(StoredProduct(product=Product(id="a"), photos=(replace(photo("1"), thumbnail=""),))) == []
    assert (images.copied, images.missing) == (0, 1)
