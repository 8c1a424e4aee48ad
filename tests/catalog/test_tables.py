"""Tables as sources: recognized, read, and reported, Kaggle's styles.csv with every bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import open_source
from sartor.catalog.source import Case
from sartor.errors import PhotoRejected, UnreadableTable, UnrecognizedSource
from sartor.types import Product
from tests.catalog.samples import (
    KAGGLE_HEADER,
    KAGGLE_ROW,
    PHOTO,
    SHARED_DATA,
    Contents,
    read,
    write_folder,
    write_zip,
)

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
        ("a.json", b'[{"id": 1, "image": "1.jpg"}', "neither one object a line nor one whole document"),
        ("a.json", b'{\n"id": 1}', "no column of images (its columns: id)"),
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


def test_a_table_is_read_with_its_title_and_attributes(make_source: MakeSource) -> None:
    table = "SKU;Product Name;Image Path;Colour;Brand;weight\nx1; Red dress ;photos/a.jpg;red;Acme;250\n"

    reading = read(make_source({"products.csv": table, "photos/a.jpg": PHOTO}))

    assert reading.by_id("x1").product.title == "Red dress"
    assert reading.attributes("x1") == {"color": "red", "brand": "Acme", "weight": "250"}
    assert reading.photos == {"x1": ["photos/a.jpg"]}
    assert reading.counts == {}


def test_products_are_named_after_their_photos_when_no_column_holds_an_id(make_source: MakeSource) -> None:
    table = "image,label\n4285fab0,Shirt\nimages/b.v2.jpg,Dress\n"

    reading = read(make_source({"images.csv": table, "images/4285fab0.jpg": PHOTO, "images/b.v2.jpg": PHOTO}))

    assert reading.photos == {"4285fab0": ["images/4285fab0.jpg"], "b.v2": ["images/b.v2.jpg"]}
    assert reading.counts == {}


def test_photos_of_one_name_in_two_folders_are_two_products(make_source: MakeSource) -> None:
    table = "image\na/1.jpg\nb/1.jpg\na/1.jpg\n"

    reading = read(make_source({"images.csv": table, "a/1.jpg": PHOTO, "b/1.jpg": PHOTO}))

    assert reading.photos == {"1": ["a/1.jpg"], "b/1": ["b/1.jpg"]}
    assert reading.examples == {"duplicate ids": ("1 (line 4)",)}


def test_json_lines_keep_their_types(make_source: MakeSource) -> None:
    row = {"id": 7, "title": "Bag", "images": ["a.jpg", "b.jpg"], "price": 9.5, "sale": False, "tags": ["x", "y"]}

    reading = read(make_source({"products.jsonl": json.dumps(row) + "\nbroken\n", "a.jpg": PHOTO, "b.jpg": PHOTO}))

    assert reading.photos == {"7": ["a.jpg", "b.jpg"]}
    assert reading.attributes("7") == {"price": 9.5, "sale": False, "tags": ("x", "y")}
    assert reading.examples == {"lines that are not a JSON object, skipped": ("line 2",)}


def test_columns_that_come_late_in_json_lines_are_kept(make_source: MakeSource) -> None:
    lines = [json.dumps({"id": n, "image": "a.jpg"}) for n in range(3_000)]
    late = json.dumps({"id": "late", "image": "a.jpg", "colour": "red"})

    reading = read(make_source({"products.jsonl": "\n".join([*lines, late]), "a.jpg": PHOTO}))

    assert reading.attributes("late") == {"color": "red"}


def test_further_images_follow_the_main_one(make_source: MakeSource) -> None:
    table = "id\timage link\tadditional image link\n1\ta.jpg\tb.jpg,c.jpg,a.jpg\n"

    reading = read(make_source({"feed.tsv": table, **dict.fromkeys(["a.jpg", "b.jpg", "c.jpg"], PHOTO)}))

    assert reading.kind == "merchant feed"
    assert reading.photos == {"1": ["a.jpg", "b.jpg", "c.jpg"]}


def test_a_feed_in_xml_is_read(make_source: MakeSource) -> None:
    feed = """<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
    <item><g:id>1</g:id><title>Dress</title><g:image_link>img/a.jpg</g:image_link><g:age_group>adult</g:age_group>
    <g:additional_image_link>img/b.jpg</g:additional_image_link>
    <g:additional_image_link>img/c.jpg</g:additional_image_link></item></channel></rss>"""
    photos = [f"img/{name}.jpg" for name in "abc"]

    source = make_source({"feed.xml": feed, **dict.fromkeys(photos, PHOTO)})
    reading = read(source)

    assert reading.kind == "merchant feed"
    assert reading.photos == {"1": photos}
    assert reading.by_id("1").product.title == "Dress"
    assert reading.attributes("1") == {"age_group": "adult"}
    assert reading.counts == {}
    with open_source(source) as opened:
        assert opened.product_count is None


def test_a_feed_with_a_bomb_is_refused(make_source: MakeSource) -> None:
    feed = """<!DOCTYPE rss [<!ENTITY a "aaa">]>
    <rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>&a;</g:id></item></channel></rss>"""

    with (
        pytest.raises(UnreadableTable, match=r"feed\.xml .* declares XML entities"),
        open_source(make_source({"feed.xml": feed})) as source,
    ):
        list(source)


def test_links_to_local_files_are_read(tmp_path: Path) -> None:
    photo = write_folder(tmp_path / "elsewhere", {"a b.jpg": PHOTO}) / "a b.jpg"
    table = f"id,image_link\n1,{photo.as_uri()}\n2,{photo}\n3,../elsewhere/a b.jpg\n"
    write_folder(tmp_path / "shop", {"products.csv": table})

    with open_source(tmp_path / "shop" / "products.csv") as source:
        assert [product.photos[0].read() for product in source] == [PHOTO] * 3


def test_a_photo_that_is_named_by_its_full_path_has_a_row(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.jpg": PHOTO, "products.csv": f"id,image\n1,{tmp_path / 'a.jpg'}\n"})

    reading = read(tmp_path)

    assert reading.photos == {"1": ["a.jpg"]}
    assert reading.counts == {}


def test_a_zip_gives_nothing_but_its_own_entries(tmp_path: Path) -> None:
    outside = write_folder(tmp_path, {"outside.jpg": PHOTO}) / "outside.jpg"
    table = f"id,image\n1,{outside}\n2,../outside.jpg\n3,{outside.as_uri()}\n4,/x/inside.jpg\n"
    archive = write_zip(tmp_path / "shop.zip", {"products.csv": table, "inside.jpg": PHOTO})

    reading = read(archive)

    assert reading.photos == {"1": [], "2": [], "3": [], "4": ["inside.jpg"]}
    assert reading.counts == {"images that a row names, not found": 3, "rows without a photo": 3}


def test_a_url_is_rejected_when_it_is_read(make_source: MakeSource) -> None:
    table = "id,image_link\n1,https://shop.example/1.jpg\n2,a.jpg\n"

    with open_source(make_source({"products.csv": table, "a.jpg": PHOTO})) as source:
        url, local = source
        with pytest.raises(PhotoRejected, match="is a URL, not a file"):
            url.photos[0].read()
        assert url.photos[0].name == "https://shop.example/1.jpg"
        assert local.photos[0].read() == PHOTO
        assert source.findings.snapshot()[0].case == Case.IMAGE_URLS


def test_a_missing_image_leaves_the_product_and_is_counted(make_source: MakeSource) -> None:
    table = "id,image\n1,gone.jpg\n2,\n3,a.jpg;gone.jpg\n"

    reading = read(make_source({"products.csv": table, "a.jpg": PHOTO}))

    assert reading.photos == {"1": [], "2": [], "3": ["a.jpg"]}
    assert reading.examples["rows without a photo"] == ("1", "2")
    assert reading.examples["images that a row names, not found"] == ("line 2: gone.jpg", "line 4: gone.jpg")


def test_an_image_that_could_be_either_is_not_guessed(make_source: MakeSource) -> None:
    reading = read(make_source({"products.csv": "id,image\n7,1.jpg\n", "a/1.jpg": PHOTO, "b/1.jpg": PHOTO}))

    assert reading.photos["7"] == []
    assert reading.examples["images that a row names, found more than once"] == ("line 2: 1.jpg",)


def test_photos_that_no_row_names_are_products_of_their_own(make_source: MakeSource) -> None:
    contents = dict.fromkeys(["a.jpg", "1.jpg", "x/1.jpg", "x/b.jpg"], PHOTO)

    reading = read(make_source({"products.csv": "id,image\n1,a.jpg\n", **contents}))

    assert reading.photos["1"] == ["a.jpg"]
    assert sorted(reading.ids) == ["1", "1.jpg", "b", "x/1"]
    assert reading.counts == {"photos without a row": 3}


def test_photos_beside_a_table_that_is_given_alone_are_not_its_products(tmp_path: Path) -> None:
    write_folder(tmp_path, {"products.csv": "id,image\n1,a.jpg\n", "a.jpg": PHOTO, "other.jpg": PHOTO})

    assert read(tmp_path / "products.csv").ids == ["1"]


def test_a_row_without_an_id_is_named_after_its_photo(make_source: MakeSource) -> None:
    table = "id,image,size\n,a.jpg,M\n,,L\n3,c.jpg,S\n"

    reading = read(make_source({"products.csv": table, "a.jpg": PHOTO, "c.jpg": PHOTO}))

    assert reading.ids == ["a", "3"]
    assert reading.counts == {
        "rows without an id, named after their photo": 1,
        "rows without an id, skipped": 1,
    }


def test_a_source_is_read_lazily(tmp_path: Path) -> None:
    rows = "".join(f"{number},a.jpg\n" for number in range(50_000))
    write_folder(tmp_path, {"products.csv": "id,image\n" + rows + '"', "a.jpg": PHOTO})

    with open_source(tmp_path) as source:
        products = iter(source)
        assert [next(products).product.id for _ in range(3)] == ["0", "1", "2"]


def test_the_real_set_of_worn_clothes_is_named_after_its_photos() -> None:
    path = SHARED_DATA / "clothing-dataset-photos.zip"
    if not path.exists():
        pytest.skip(f"needs {path}, which is not here")

    reading = read(path)

    first = "4285fab0-751a-4b74-8e9b-43af05deee22"
    assert reading.photos[first] == [f"images/{first}.jpg"]
    assert reading.attributes(first) == {"sender_id": "124", "label": "Not sure", "kids": "False"}
    assert reading.counts == {}


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
