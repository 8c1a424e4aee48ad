"""Every row of the plan's table of bad input that concerns styles.csv, with files made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.types import Product
from tests.catalog.samples import (
    KAGGLE_HEADER,
    KAGGLE_ROW,
    PHOTO,
    Contents,
    read,
    write_folder,
    write_zip,
)

MakeSource = Callable[[Contents], Path]


@pytest.mark.parametrize("folder", ["", "archive/fashion-dataset/"])
def test_a_row_becomes_a_product_with_merchant_names(make_source: MakeSource, folder: str) -> None:
    source = make_source({f"{folder}styles.csv": KAGGLE_HEADER + KAGGLE_ROW, f"{folder}images/15970.jpg": PHOTO})

    reading = read(source)

    assert reading.products[0].product == Product(
        id="15970",
        title="Turtle Check Men Navy Blue Shirt",
        attributes={
            "gender": "Men",
            "masterCategory": "Apparel",
            "subCategory": "Topwear",
            "articleType": "Shirts",
            "color": "Navy Blue",
            "season": "Fall",
            "year": "2011",
            "usage": "Casual",
        },
    )
    assert reading.photos == {"15970": [f"{folder}images/15970.jpg"]}
    assert reading.counts == {}


def test_the_table_alone_may_be_given(tmp_path: Path) -> None:
    write_folder(
        tmp_path,
        {"styles.csv": KAGGLE_HEADER + KAGGLE_ROW, "images/15970.jpg": PHOTO, "images/2.jpg": PHOTO},
    )

    reading = read(tmp_path / "styles.csv")

    assert reading.kind == "kaggle"
    assert reading.photos == {"15970": ["images/15970.jpg"]}


def test_rows_with_unquoted_commas_are_kept_and_counted(make_source: MakeSource) -> None:
    row = "6044,Men,Footwear,Shoes,Casual Shoes,Brown,Summer,2013,Casual,U.S. Polo Assn. Leather, Brown, Shoes\n"

    reading = read(make_source({"styles.csv": KAGGLE_HEADER + row, "images/6044.jpg": PHOTO}))

    assert reading.by_id("6044").product.title == "U.S. Polo Assn. Leather, Brown, Shoes"
    assert reading.attributes("6044")["usage"] == "Casual"
    assert reading.counts == {"rows with unquoted commas": 1}


def test_missing_cells_are_dropped_and_counted_by_column(make_source: MakeSource) -> None:
    rows = "1,Men,,,Shirts,Blue,,2011,,A shirt\n2,Women,Apparel,,Dress,NA,,2012,Casual,\n3\n"

    reading = read(make_source({"styles.csv": KAGGLE_HEADER + rows, "images/1.jpg": PHOTO}))

    assert reading.attributes("1") == {"gender": "Men", "articleType": "Shirts", "color": "Blue", "year": "2011"}
    assert reading.attributes("2")["color"] == "NA"
    assert reading.attributes("3") == {}
    assert reading.examples["empty columns"] == ("subCategory", "season")
    assert reading.counts["missing cells"] == 10
    assert "masterCategory (2)" in reading.examples["missing cells"]


def test_unknown_columns_are_kept_and_counted(make_source: MakeSource) -> None:
    table = "id,articleType,productDisplayName,sleeve\n1,Shirts,A shirt,long\n"

    reading = read(make_source({"styles.csv": table, "images/1.jpg": PHOTO}))

    assert reading.kind == "kaggle"
    assert reading.attributes("1") == {"articleType": "Shirts", "sleeve": "long"}
    assert reading.examples == {"unknown columns": ("sleeve",)}


def test_of_duplicate_ids_the_first_row_is_kept(make_source: MakeSource) -> None:
    again = KAGGLE_ROW.replace("Navy Blue", "Red")

    reading = read(make_source({"styles.csv": KAGGLE_HEADER + KAGGLE_ROW + again, "images/15970.jpg": PHOTO}))

    assert reading.ids == ["15970"]
    assert reading.attributes("15970")["color"] == "Navy Blue"
    assert reading.examples == {"duplicate ids": ("15970 (line 3)",)}


def test_a_row_without_a_photo_is_kept_and_counted(make_source: MakeSource) -> None:
    reading = read(make_source({"styles.csv": KAGGLE_HEADER + KAGGLE_ROW, "images/1.jpg": PHOTO}))

    assert reading.photos["15970"] == []
    assert reading.examples["rows without a photo"] == ("15970",)


def test_a_photo_without_a_row_is_kept_and_counted(make_source: MakeSource) -> None:
    source = make_source(
        {"styles.csv": KAGGLE_HEADER + KAGGLE_ROW, "images/15970.jpg": PHOTO, "images/7.jpg": PHOTO}
    )

    reading = read(source)

    assert reading.photos == {"15970": ["images/15970.jpg"], "7": ["images/7.jpg"]}
    assert reading.products[-1].product == Product(id="7")
    assert reading.examples == {"photos without a row": ("images/7.jpg",)}


def test_a_row_without_an_id_is_counted_and_the_others_are_kept(make_source: MakeSource) -> None:
    reading = read(make_source({"styles.csv": KAGGLE_HEADER + ",Men,,,,,,,,\n" + KAGGLE_ROW}))

    assert reading.ids == ["15970"]
    assert reading.examples["rows without an id, skipped"] == ("line 2",)


def test_a_table_in_windows_1252_is_read_and_counted(make_source: MakeSource) -> None:
    table = (KAGGLE_HEADER + KAGGLE_ROW).replace("Turtle", "Tortue été").encode("cp1252")

    reading = read(make_source({"styles.csv": table, "images/15970.jpg": PHOTO}))

    assert reading.products[0].product.title.startswith("Tortue été")
    assert reading.counts == {"lines that are not UTF-8, read as Windows-1252": 1}


_fields = st.lists(st.text(alphabet="ab ,é'", max_size=5), max_size=12)


@settings(max_examples=25, deadline=None)
@given(rows=st.dictionaries(st.integers(1, 30), _fields, max_size=12), photos=st.sets(st.integers(1, 30)))
def test_no_mixture_of_rows_and_photos_loses_one(rows: dict[int, list[str]], photos: set[int]) -> None:
    table = KAGGLE_HEADER + "".join(f"{','.join([str(key), *cells])}\n" for key, cells in rows.items())
    contents = {"styles.csv": table, **{f"images/{key}.jpg": PHOTO for key in photos}}
    with TemporaryDirectory() as temporary:
        reading = read(write_zip(Path(temporary, "shop.zip"), contents))

    assert reading.ids[: len(rows)] == [str(key) for key in rows]
    assert set(reading.ids) == {str(key) for key in rows.keys() | photos}
    assert len(reading.ids) == len(set(reading.ids))
    assert reading.counts.get("photos without a row", 0) == len(photos - rows.keys())
    assert reading.counts.get("rows without a photo", 0) == len(rows.keys() - photos)
