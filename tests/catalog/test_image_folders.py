"""Image folders as Hugging Face's data sets have them: metadata beside the photos, or folders as labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import sartor
from tests.catalog.samples import PHOTO, Contents, read
from tests.fakes import BLUE, RED, photo

MakeSource = Callable[[Contents], Path]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("metadata.csv", "file_name,text\n1.png,A shirt\n2.png,A shoe\n"),
        (
            "metadata.jsonl",
            '{"file_name": "1.png", "text": "A shirt"}\n{"file_name": "2.png"}\n',
        ),
    ],
)
def test_metadata_beside_photos_describes_them(name: str, table: str, make_source: MakeSource) -> None:
    reading = read(make_source({name: table, "1.png": PHOTO, "2.png": PHOTO}))

    assert reading.photos == {"1": ["1.png"], "2": ["2.png"]}
    assert reading.attributes("1") == {"text": "A shirt"}
    assert not reading.counts


def test_each_split_has_its_metadata_and_all_are_read(make_source: MakeSource) -> None:
    reading = read(
        make_source(
            {
                "train/metadata.csv": "file_name,text\n1.png,A\n",
                "train/1.png": PHOTO,
                "test/metadata.csv": "file_name,text,more\n1.png,B,x\n",
                "test/1.png": PHOTO,
                "test/2.png": PHOTO,
            }
        )
    )

    assert reading.photos == {"1": ["test/1.png"], "train/1": ["train/1.png"], "2": ["test/2.png"]}
    assert reading.attributes("train/1") == {"text": "A"}
    assert reading.attributes("1") == {"text": "B", "more": "x"}
    assert reading.counts == {"photos without a row": 1}


@pytest.mark.parametrize(
    "table",
    ["file_names,text\n\"['a.png', 'b.png']\",A\n", "front_file_name,back_file_name,text\na.png,b.png,A\n"],
)
def test_a_row_may_name_several_photos(table: str, make_source: MakeSource) -> None:
    reading = read(make_source({"metadata.csv": table, "a.png": PHOTO, "b.png": PHOTO}))

    assert reading.photos == {"a": ["a.png", "b.png"]}


def test_folders_are_labels(make_source: MakeSource) -> None:
    names = ("train/shirt/1.png", "train/shoe/2.png", "test/shirt/3.png", "test/shoe/4.png")
    reading = read(make_source(dict.fromkeys(names, PHOTO)))

    assert {item.product.id: item.product.attributes["label"] for item in reading.products} == {
        "train/shirt/1": "shirt",
        "train/shoe/2": "shoe",
        "test/shirt/3": "shirt",
        "test/shoe/4": "shoe",
    }


@pytest.mark.parametrize(
    "names",
    [
        ("a.png", "b.png"),
        ("x/a.png", "x/b.png"),
        ("train/a.png", "train/b.png", "test/c.png", "test/d.png"),
        ("shirt-1/front.png", "shirt-2/front.png"),
        ("x/a.png", "x/b.png", "y/c.png", "y/deep/d.png"),
    ],
)
def test_other_folders_are_no_labels(names: tuple[str, ...], make_source: MakeSource) -> None:
    reading = read(make_source(dict.fromkeys(names, PHOTO)))
    assert all(not item.product.attributes for item in reading.products)


def test_labels_stay_when_the_folder_is_indexed_again_and_what_is_known_comes_first(
    home: Path, tmp_path: Path
) -> None:
    for name, color in (("shirt/1", RED), ("shirt/2", BLUE), ("shoe/3", RED), ("shoe/4", BLUE)):
        file = tmp_path / "photos" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo(color, side_px=40 + int(name[-1])))
    with sartor.open(home) as shop:
        assert shop.index(tmp_path / "photos").added == 4
        again = shop.index(tmp_path / "photos", prune=True)

        assert again.unchanged == 4
        assert shop.product("shirt/1").product.attributes == {"label": "shirt"}
