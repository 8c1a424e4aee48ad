"""The files of a source, the photos among them, and the source of photos."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import files as files_module
from sartor.catalog import open_source
from sartor.catalog.files import FolderFiles, PhotoIndex
from sartor.catalog.source import Findings
from sartor.errors import PhotoRejected, UnreadableTable
from tests.catalog.samples import PHOTO, Contents, read, write_folder, write_zip

if TYPE_CHECKING:
    from pathlib import Path


def test_names_are_sorted_and_relative(tmp_path: Path) -> None:
    write_folder(tmp_path, {"b/2.jpg": PHOTO, "b/1.jpg": PHOTO, "a.jpg": PHOTO, "c.csv": ""})

    assert FolderFiles(tmp_path, Findings()).names == ["a.jpg", "b/1.jpg", "b/2.jpg", "c.csv"]


def test_links_to_folders_are_counted_and_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "shop", {"a.jpg": PHOTO})
    (tmp_path / "shop" / "loop").symlink_to(tmp_path / "shop")
    findings = Findings()

    assert FolderFiles(tmp_path / "shop", findings).names == ["a.jpg"]
    assert [(finding.case, finding.examples) for finding in findings.snapshot()] == [
        ("links to folders, not followed", ("loop",))
    ]


def test_a_folder_that_cannot_be_read_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, {"a.jpg": PHOTO, "private/b.jpg": PHOTO})
    scan = os.scandir

    def refuse_private(path: Path) -> object:
        if path.name == "private":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse_private)
    findings = Findings()

    assert FolderFiles(tmp_path, findings).names == ["a.jpg"]
    assert findings.snapshot()[0].examples == ("private",)


def test_a_photo_that_vanished_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    files = FolderFiles(tmp_path, Findings())

    assert files.names == ["broken.jpg"]
    with pytest.raises(PhotoRejected, match=r"broken\.jpg cannot be used: is no longer there"):
        files.read("broken.jpg")


def test_a_photo_over_the_limit_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "MAX_PHOTO_BYTES", 2**20)
    write_folder(tmp_path, {"fits.jpg": bytes(2**20), "large.jpg": bytes(2**20 + 1)})
    files = FolderFiles(tmp_path, Findings())

    assert len(files.read("fits.jpg")) == 2**20
    with pytest.raises(PhotoRejected, match="is larger than 1 MiB"):
        files.read("large.jpg")


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    files = FolderFiles(tmp_path, Findings())

    assert files.names == []
    with pytest.raises(PhotoRejected, match="is not a plain file"):
        files.read("pipe.jpg")


def test_a_folder_is_neither_a_photo_nor_a_table(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    files = FolderFiles(tmp_path, Findings())

    assert files.locate("folder.jpg") is None
    with pytest.raises(PhotoRejected):
        files.read("folder.jpg")
    with pytest.raises(UnreadableTable, match="not a plain file"), files.open_table("folder.jpg"):
        pass


def test_any_text_may_be_asked_for(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path, Findings())

    assert [files.locate(name) for name in ("", "x" * 5_000, "a\0b", "\ud800")] == [None] * 4


def test_a_path_that_leads_into_the_folder_from_outside_is_a_name_inside(tmp_path: Path) -> None:
    write_folder(tmp_path, {"shop/a.jpg": PHOTO, "b.jpg": PHOTO})
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    files = FolderFiles(tmp_path / "link", Findings())

    for path in ("a.jpg", "../shop/a.jpg", f"{tmp_path}/shop/a.jpg", f"{tmp_path}/link/a.jpg"):
        assert files.locate(path) == "a.jpg"
    assert files.locate(f"{tmp_path}/b.jpg") == f"{tmp_path}/b.jpg"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file names that are not Unicode")
def test_a_name_that_is_not_utf8_can_be_stored_and_read(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(PHOTO)
    files = FolderFiles(tmp_path, Findings())

    (name,) = files.names

    assert name.encode("utf-8") == rb"caf\xe9.jpg"
    assert files.read(name) == PHOTO


NAMES = (
    "shop/images/1.jpg",
    "shop/images/Ünder.JPG",
    "shop/images/4285fab0.jpg",
    "shop/images/front/2.jpg",
    "shop/images/back/2.jpg",
    "shop/copies/1.jpg",
    "3.jpg",
)


@pytest.fixture
def index(tmp_path: Path) -> PhotoIndex:
    return PhotoIndex(FolderFiles(write_folder(tmp_path, dict.fromkeys(NAMES, PHOTO)), Findings()))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("images/1.jpg", ["shop/images/1.jpg"]),
        ("./copies/../images/1.jpg", ["shop/images/1.jpg"]),
        ("../3.jpg", ["3.jpg"]),
        ("3.jpg", ["3.jpg"]),
        ("1.jpg", ["shop/images/1.jpg"]),
        ("1", ["shop/images/1.jpg"]),
        ("4285fab0", ["shop/images/4285fab0.jpg"]),
        ("u\u0308NDER.jpg", ["shop/images/Ünder.JPG"]),
        ("/home/her/shop/images/front/2.jpg", ["shop/images/front/2.jpg"]),
        ("C:/shop/images/back/2.jpg", ["shop/images/back/2.jpg"]),
        ("front/2.jpg", ["shop/images/front/2.jpg"]),
        ("2.jpg", ["shop/images/front/2.jpg", "shop/images/back/2.jpg"]),
    ],
)
def test_a_reference_finds_its_photo(index: PhotoIndex, reference: str, expected: list[str]) -> None:
    assert sorted(index.matches(reference, folder="shop")) == sorted(expected)


@pytest.mark.parametrize(
    "reference", ["", ".", "..", "side/2.jpg", "1.png", "11.jpg", "images", "images/", "x" * 5_000, "a\0b"]
)
def test_another_photo_is_worse_than_none(index: PhotoIndex, reference: str) -> None:
    assert list(index.matches(reference, folder="shop")) == []


def test_an_absolute_path_outside_the_folder_is_the_users_own_file(tmp_path: Path) -> None:
    write_folder(tmp_path, {"elsewhere/9.jpg": PHOTO, "shop/products.csv": ""})
    index = PhotoIndex(FolderFiles(tmp_path / "shop", Findings()))
    path = str(tmp_path / "elsewhere" / "9.jpg")

    assert index.matches(path, folder="") == (path,)
    assert index.photo(path).read() == PHOTO
    assert index.photo(index.matches("../elsewhere/9.jpg", folder="")[0]).read() == PHOTO


def test_a_photo_that_bears_the_id_is_found_beside_the_table_first(index: PhotoIndex) -> None:
    assert index.of_product("1", folder="shop") == ["shop/images/1.jpg"]
    assert index.of_product("1", folder="") == ["shop/copies/1.jpg"]
    assert index.of_product("2", folder="shop") == ["shop/images/back/2.jpg"]
    assert list(index.of_product("images/1", folder="shop")) == []
    assert list(index.of_product("", folder="shop")) == []


def test_ids_that_differ_in_case_are_different_products(tmp_path: Path) -> None:
    index = PhotoIndex(FolderFiles(write_folder(tmp_path, {"ab.jpg": PHOTO}), Findings()))

    assert index.of_product("ab", folder="") == ["ab.jpg"]
    assert list(index.of_product("AB", folder="")) == []


MakeSource = Callable[[Contents], Path]


def test_a_product_is_called_by_the_path_of_its_photo(make_source: MakeSource) -> None:
    reading = read(make_source({"a.jpg": PHOTO, "women/red dress.PNG": PHOTO, "women/v2.1.webp": PHOTO}))

    assert reading.photos == {
        "a": ["a.jpg"],
        "women/red dress": ["women/red dress.PNG"],
        "women/v2.1": ["women/v2.1.webp"],
    }
    assert reading.counts == {}


def test_an_empty_photo_is_left_to_the_decoder(make_source: MakeSource) -> None:
    with open_source(make_source({"a.jpg": b""})) as source:
        assert next(iter(source)).photos[0].read() == b""


def test_hidden_files_and_clutter_are_passed_over(make_source: MakeSource) -> None:
    clutter = [".a.jpg", ".cache/a.jpg", "__MACOSX/._a.jpg", "x/Thumbs.db", "notes.md", "film.mp4"]

    assert read(make_source({"a.jpg": PHOTO, **dict.fromkeys(clutter, PHOTO)})).ids == ["a"]


def test_photos_that_differ_only_by_suffix_are_both_kept_and_counted(make_source: MakeSource) -> None:
    reading = read(make_source({"a.jpg": PHOTO, "a.jpg.png": PHOTO, "a.png": PHOTO, "b.jpg": PHOTO}))

    assert sorted(reading.ids) == ["a.jpg", "a.jpg.png", "a.png", "b"]
    assert reading.counts == {"photos that differ only by suffix": 2}


def test_the_number_of_photos_is_known_before_reading(make_source: MakeSource) -> None:
    with open_source(make_source({"a.jpg": PHOTO, "b/c.jpg": PHOTO})) as source:
        assert source.product_count == 2


_part = st.text(alphabet="ab.", min_size=1, max_size=4).map(lambda text: f"x{text}")


_names = st.builds(
    lambda folders, stem, suffix: "/".join([*(f"{folder}_" for folder in folders), f"{stem}{suffix}"]),
    st.lists(_part, max_size=2),
    _part,
    st.sampled_from([".jpg", ".png", ".JPG", ".jpg.png"]),
)


@settings(max_examples=20, deadline=None)
@given(names=st.sets(_names, min_size=1, max_size=8))
def test_every_photo_is_a_product_of_its_own_in_a_folder_as_in_a_zip(names: set[str]) -> None:
    contents = {name: name for name in names}
    with TemporaryDirectory() as temporary:
        for path in (
            write_folder(Path(temporary, "shop"), contents),
            write_zip(Path(temporary, "shop.zip"), contents),
        ):
            with open_source(path) as source:
                products = list(source)
                assert {product.photos[0].read().decode() for product in products} == names
                assert len({product.product.id for product in products}) == len(names)
