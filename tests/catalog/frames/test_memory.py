"""Tables in memory are read as files are: the same columns, and every value as the catalog holds it."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from sartor.catalog.frames.memory import InMemory
from sartor.catalog.opening import open_table_in_memory
from sartor.errors import MissingExtra, PhotoRejected, UnreadableTable
from sartor.types import SourceProduct
from tests.catalog.samples import PHOTO, Reading, write_folder
from tests.fakes import BLUE, GREEN, RED, photo


def reading_of(data: Any, *, columns: Mapping[str, str] | None = None, images: Path | None = None) -> Reading:
    with open_table_in_memory(InMemory(data=data, images=images), columns=columns) as source:
        products = tuple(source)
        findings = source.findings.snapshot()
        assert tuple(source) == products  # an ingest reads twice
        assert source.findings.snapshot() == findings
    return Reading(
        kind=source.kind,
        products=products,
        counts={finding.case: finding.count for finding in findings},
        examples={finding.case: finding.examples for finding in findings},
    )


def told(data: Any) -> list[tuple[str, str, dict[str, object], list[bytes]]]:
    return [
        (
            item.product.id,
            item.product.title,
            dict(item.product.attributes),
            [each.read() for each in item.photos],
        )
        for item in reading_of(data).products
    ]


COLUMNS: dict[str, list[Any]] = {
    "id": ["a", "b"],
    "Product Name": ["Red Shirt", "Blue Shirt"],
    "image": [photo(RED), photo(BLUE)],
    "Preis": ["1.299,00 €", "12,50 €"],
    "stock": [3, 0],
    "tags": [["new", "linen"], None],
}
EXPECTED = [
    (
        "a",
        "Red Shirt",
        {"price": "1299.00 EUR", "stock": 3, "tags": ("new", "linen"), "availability": "in_stock"},
        [photo(RED)],
    ),
    ("b", "Blue Shirt", {"price": "12.50 EUR", "stock": 0, "availability": "out_of_stock"}, [photo(BLUE)]),
]


class OnlyArrow:
    """Any other library's table."""

    def __init__(self, table: pa.Table) -> None:
        self._reader = table.to_reader()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).set_index("id"),
        pd.DataFrame(COLUMNS).convert_dtypes(),
        pa.table(COLUMNS),
        pa.table(COLUMNS).to_reader(),
        OnlyArrow(pa.table(COLUMNS)),
        pa.table(COLUMNS).to_pylist(),
        COLUMNS,
        (row for row in pa.table(COLUMNS).to_pylist()),
    ],
    ids=["pandas", "index", "nullable", "pyarrow", "reader", "capsule", "mappings", "columns", "generator"],
)
def test_a_table_in_memory_is_read_as_a_file_is(data: Any) -> None:
    assert told(data) == EXPECTED


def test_a_query_is_read_from_its_cursor() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table goods (sku integer, name text, picture blob, price real)")
    connection.execute("insert into goods values (15970, 'Shirt', ?, 12.5)", [photo(RED)])

    cursor = connection.execute("select * from goods")
    assert told(cursor) == [("15970", "Shirt", {"price": 12.5}, [photo(RED)])]

    with pytest.raises(UnreadableTable, match="it has no result; execute a query first"):
        reading_of(connection.cursor())


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_ids_that_a_merge_made_floats_are_whole_and_a_missing_one_is_said(kind: str) -> None:
    frame = pd.DataFrame({"id": [15970.0, None, 15972.0], "image": [photo(RED), photo(BLUE), photo(GREEN)]})
    reading = reading_of(frame if kind == "pandas" else pa.Table.from_pandas(frame))

    assert reading.ids[0] == "15970"
    assert reading.ids[2] == "15972"
    assert reading.counts["rows without an id, named after their photo"] == 1
    nameless = reading_of({"id": [None, "b"], "image": [None, photo(RED)]})
    assert nameless.ids == ["b"]
    assert nameless.counts["rows without an id, skipped"] == 1


def test_values_of_pandas_and_numpy_are_plain() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "image": [photo(RED), photo(BLUE)],
            "whole": [2012, None],
            "half": [1.5, np.nan],
            "kind": pd.Categorical(["Shirt", None]),
            "day": pd.to_datetime(["2026-03-04", None]),
            "hour": pd.to_datetime(["2026-03-04 10:30", None]).tz_localize("UTC"),
            "exact": [Decimal("1.50"), Decimal("NaN")],
            "mixed": [np.int64(7), "seven"],
            "flag": [np.bool_(True), pd.NA],
            "text": ["é", pd.NaT],
        }
    )
    first, second = reading_of(frame).products

    assert dict(first.product.attributes) == {
        "whole": 2012,
        "half": 1.5,
        "kind": "Shirt",
        "day": "2026-03-04",
        "hour": "2026-03-04T10:30:00+00:00",
        "exact": "1.50",
        "mixed": 7,
        "flag": True,
        "text": "é",
    }
    assert dict(second.product.attributes) == {"mixed": "seven"}


def test_values_of_arrow_are_plain() -> None:
    table = pa.table(
        {
            "id": pa.array([b"a1", b"b2"]),
            "image": [photo(RED), photo(BLUE)],
            "at": pa.array([1_772_620_200_000_000_001, None], pa.timestamp("ns", "UTC")),
            "kind": pa.array(["Shirt", None]).dictionary_encode(),
            "price": pa.array([{"amount": 10.5, "currency": "EUR"}, None]),
            "more": pa.array([[("fabric", "Linen")], None], pa.map_(pa.string(), pa.string())),
        }
    )
    first, second = reading_of(table).products

    at = datetime.fromtimestamp(1_772_620_200, UTC).isoformat()
    assert first.product.id == "a1"
    assert dict(first.product.attributes) == {
        "at": at,
        "kind": "Shirt",
        "price": "10.50 EUR",
        "more.fabric": "Linen",
    }
    assert not second.product.attributes


def test_vectors_and_what_has_no_text_are_said_once() -> None:
    vectors = [np.zeros(64, np.float32), np.ones(64, np.float32)]
    reading = reading_of(
        pd.DataFrame(
            {"id": ["a", "b"], "image": [photo(RED), photo(BLUE)], "v": vectors, "o": [object(), object()]}
        )
    )

    assert all(not item.product.attributes for item in reading.products)
    assert reading.examples["arrays or columns of the file, not read"] == (
        "v (from row 1 on)",
        "o (from row 1 on)",
    )


def pixels(item: SourceProduct) -> list[tuple[str, tuple[int, ...]]]:
    found = []
    for each in item.photos:
        with Image.open(io.BytesIO(each.read())) as image:
            found.append((each.name, image.convert("RGB").getpixel((0, 0))))
    return found


def test_pictures_may_be_images_arrays_structs_paths_and_lists(tmp_path: Path) -> None:
    (tmp_path / "green.png").write_bytes(photo(GREEN))
    array = np.zeros((4, 4, 3), np.uint8) + np.array(BLUE, np.uint8)
    cells: list[Any] = [
        Image.new("RGB", (4, 4), RED),
        array,
        {"bytes": photo(RED), "path": "there/red.png"},
        {"bytes": None, "path": str(tmp_path / "green.png")},
        tmp_path / "green.png",
        [photo(RED), {"bytes": photo(BLUE), "path": None}],
    ]
    reading = reading_of(pd.DataFrame({"id": range(6), "image": cells}))

    shown = [[color for _, color in pixels(item)] for item in reading.products]
    assert shown == [[RED], [BLUE], [RED], [GREEN], [GREEN], [RED, BLUE]]
    assert reading.photos["2"] == ["there/red.png"]


def test_pictures_are_found_by_their_type_and_named_by_their_content() -> None:
    first, second = {"bytes": photo(RED), "path": "1.png"}, {"bytes": photo(BLUE), "path": "1.png"}
    reading = reading_of({"x": [first, second, photo(GREEN)], "label": ["Shirt", "Shirt", "Shoe"]})

    assert len(set(reading.ids)) == 3  # neither the same name nor none loses a product
    assert reading.ids[0] == "1"
    assert [dict(item.product.attributes) for item in reading.products] == [
        {"label": "Shirt"},
        {"label": "Shirt"},
        {"label": "Shoe"},
    ]


def test_bytes_that_are_no_picture_are_rejected_by_name_and_a_large_one_too() -> None:
    reading = reading_of({"id": ["a"], "image": [b"\xff\xd8\xff" + bytes(2**26)]})

    with pytest.raises(PhotoRejected, match="is larger than 64 MiB"):
        reading.products[0].photos[0].read()


def test_photos_are_looked_up_below_the_folder_that_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos", {"deep/a.jpg": PHOTO, "b.jpg": PHOTO})

    assert reading_of({"id": ["a", "b"]}, images=folder).photos == {"a": ["deep/a.jpg"], "b": ["b.jpg"]}
    named = reading_of({"id": ["1", "2"], "image": ["a.jpg", "c.jpg"]}, images=folder)
    assert named.photos == {"1": ["deep/a.jpg"], "2": []}
    assert named.counts["images that a row names, not found"] == 1


def test_an_export_of_a_platform_is_known_in_a_frame() -> None:
    frame = pd.DataFrame(
        {
            "Handle": ["shirt", "shirt", "hat"],
            "Title": ["Shirt", None, "Hat"],
            "Option1 Name": ["Color", None, None],
            "Option1 Value": ["Red", "Blue", None],
            "Variant Price": [19.9, 21.0, None],
            "Image Src": ["https://shop.example/r.jpg", "https://shop.example/b.jpg", None],
            "Published": [True, None, False],
        }
    )
    reading = reading_of(frame)

    assert reading.kind == "Shopify"
    assert reading.ids == ["shirt:red", "shirt:blue"]
    assert reading.counts["products that are not published, left out"] == 1


def test_columns_are_given_as_for_files() -> None:
    frame = pd.DataFrame({"Nr": [7], "Foto": [photo(RED)], "VK": ["9,99 €"]})

    reading = reading_of(frame, columns={"id": "Nr", "image": "Foto", "price": "VK"})
    assert reading.ids == ["7"]
    assert reading.attributes("7") == {"price": "9.99 EUR"}
    with pytest.raises(UnreadableTable, match="no column 'Bild', which --columns names"):
        reading_of(frame, columns={"image": "Bild"})


def test_labels_of_hugging_face_are_texts() -> None:
    features = '{"info": {"features": {"label": {"names": ["Shirt", "Shoe"], "_type": "ClassLabel"}}}}'
    table = pa.table({"image": [photo(RED), photo(BLUE), photo(GREEN)], "label": [1, 0, -1]})
    reading = reading_of(table.replace_schema_metadata({"huggingface": features}))

    assert [item.product.attributes.get("label") for item in reading.products] == ["Shoe", "Shirt", None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (42, "int cannot be read"),
        ([1, 2], "its row 1 is of the type int, not a mapping"),
        ({"id": ["a"], "image": ["b", "c"]}, "all of one length"),
        ({"train": pa.table(COLUMNS), "test": pa.table(COLUMNS)}, r"it holds several \(train, test\)"),
        ({"id": ["a"], "pic": ["a.jpg"]}, r"columns=\{'image': 'pic'\}"),
        ({"total": [1]}, "it has no column of images"),
    ],
)
def test_what_is_no_table_of_products_is_said_in_one_line(data: Any, reason: str) -> None:
    with pytest.raises(UnreadableTable, match=reason) as error:
        reading_of(data)
    assert "\n" not in str(error.value)


def test_a_capsule_needs_pyarrow_and_pandas_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda package: None if package == "pyarrow" else package)

    assert told(pd.DataFrame(COLUMNS)) == EXPECTED
    with pytest.raises(MissingExtra, match="needs the package pyarrow"):
        reading_of(pa.table(COLUMNS))
