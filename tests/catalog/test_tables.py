from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sartor.catalog import open_source
from sartor.errors import UnreadableTable, UnrecognizedSource
from tests.catalog.samples import KAGGLE_HEADER, KAGGLE_ROW, PHOTO, Contents, read, write_folder

MakeSource = Callable[[Contents], Path]


def complaint(path: Path) -> str:
    with pytest.raises(UnreadableTable) as unreadable, open_source(path):
        pass
    return str(unreadable.value)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"id,price\n1,2\n", "no column of images (its columns: id, price)"),
        ("a.csv", b"color,price\nred,2\n", "no column of images (its columns: color, price)"),
        ("a.csv", b"id,image\n\0\0", "it is not text"),
        ("a.csv", "id,image\n1,1.jpg\n".encode("utf-16"), "it is UTF-16 text; save it as UTF-8"),
        ("a.json", b'[{"id": 1, "image": "1.jpg"}]', "write it as JSON Lines"),
        ("a.json", b'{\n"id": 1}', "write it as JSON Lines"),
        ("a.xml", b"<annotation/>", "no RSS or Atom feed"),
    ],
)
def test_a_table_that_cannot_be_understood_says_why(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    write_folder(tmp_path, {name: content})

    message = complaint(tmp_path / name)

    assert reason in message
    assert name in message


@pytest.mark.parametrize("content", ["", "color\nred\n", b"\0\0"])
def test_a_styles_csv_that_cannot_be_understood_is_not_passed_over(
    make_source: MakeSource, content: bytes | str
) -> None:
    assert "styles.csv" in complaint(make_source({"styles.csv": content, "images/1.jpg": PHOTO}))


def test_a_table_may_have_any_suffix_when_it_is_given(tmp_path: Path) -> None:
    write_folder(tmp_path, {"products": "id|image\n1|a.jpg\n", "a.jpg": PHOTO})

    assert read(tmp_path / "products").photos == {"1": ["a.jpg"]}


def test_a_table_may_name_its_photos_by_id_alone(make_source: MakeSource) -> None:
    reading = read(make_source({"articles.csv": "article_id,prod_name\n010,Top\n", "images/01/010.jpg": PHOTO}))

    assert reading.kind == "table"
    assert reading.photos == {"010": ["images/01/010.jpg"]}
    assert reading.by_id("010").product.title == "Top"


def test_a_table_of_something_else_is_left_alone(make_source: MakeSource) -> None:
    contents = {
        "log.csv": "file,size\nx.txt,5\n",
        "sales.csv": "order,total\n1,2\n",
        "requirements.txt": "numpy\n",
    }

    reading = read(make_source({**contents, "a.jpg": PHOTO}))

    assert reading.ids == ["a"]
    assert reading.examples == {"other tables, not read": ("log.csv", "sales.csv")}


def test_a_folder_of_tables_alone_is_unrecognized(make_source: MakeSource) -> None:
    with pytest.raises(UnrecognizedSource), open_source(make_source({"sales.csv": "order,total\n1,2\n"})):
        pass


def test_the_table_nearest_to_the_top_counts(make_source: MakeSource) -> None:
    table = "id,image\n1,a.jpg\n"
    reading = read(make_source({"shop/b.csv": table, "shop/old/b.csv": table, "shop/a.jpg": PHOTO}))

    assert reading.photos == {"1": ["shop/a.jpg"]}
    assert reading.examples["other tables, not read"] == ("shop/old/b.csv",)


def test_of_several_tables_the_user_has_to_choose(make_source: MakeSource) -> None:
    table = "id,image\n1,a.jpg\n"

    message = complaint(make_source({"train.csv": table, "test.csv": table, "a.jpg": PHOTO}))

    assert "it holds several (test.csv, train.csv); give one of them" in message


def test_a_styles_csv_wins_over_the_links_beside_it_and_the_copy_below_it(make_source: MakeSource) -> None:
    table = KAGGLE_HEADER + KAGGLE_ROW
    reading = read(
        make_source(
            {
                "images.csv": "filename,link\n15970.jpg,http://shop/15970.jpg\n",
                "styles.csv": table,
                "images/15970.jpg": PHOTO,
                "styles/15970.json": '{"id": 15970}',
                "myntradataset/styles.csv": table,
                "myntradataset/images/15970.jpg": PHOTO,
            }
        )
    )

    assert reading.kind == "kaggle"
    assert reading.photos == {"15970": ["images/15970.jpg"]}
    assert reading.examples == {
        "other tables, not read": ("images.csv", "myntradataset/styles.csv"),
        "further photos of the same product, not used": ("myntradataset/images/15970.jpg",),
    }


def test_the_number_of_rows_is_known_before_reading(tmp_path: Path) -> None:
    write_folder(
        tmp_path,
        {"a.csv": "id,image\n1,a.jpg\n2,b.jpg", "b.jsonl": '{"id": 1, "image": "a.jpg"}\n', "c.csv": "image"},
    )

    counts = []
    for name in ("a.csv", "b.jsonl", "c.csv"):
        with open_source(tmp_path / name) as source:
            counts.append(source.product_count)

    assert counts == [2, 1, 0]
