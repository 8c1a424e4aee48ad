from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import open_source
from tests.catalog.samples import PHOTO, Contents, read, write_folder, write_zip

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
