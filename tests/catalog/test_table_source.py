from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sartor.catalog import open_source
from sartor.catalog.source import Case
from sartor.errors import PhotoRejected, UnreadableTable
from tests.catalog.samples import PHOTO, SHARED_DATA, Contents, read, write_folder, write_zip

MakeSource = Callable[[Contents], Path]


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
