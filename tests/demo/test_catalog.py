"""The demo catalog that comes with Sartor, on disk."""

from __future__ import annotations

import csv
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.catalog import open_source
from sartor.demo import DemoCatalog, write_demo_catalog, written_count
from sartor.demo.catalog import ARCHIVE, PRODUCTS

COUNT = 2
MAX_ARCHIVE_BYTES = 4_000_000


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def rows(catalog: DemoCatalog) -> list[dict[str, str]]:
    with (catalog.directory / "products.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_mark(directory: Path, **changes: object) -> None:
    mark = {"kind": "sartor demo catalog", "drawing": 1, "count": COUNT, "seed": 0, "complete": True}
    (directory / "demo.json").write_text(json.dumps(mark | changes))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "shop"


@pytest.fixture(scope="module")
def written(directory: Path) -> DemoCatalog:
    return write_demo_catalog(directory, count=COUNT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> DemoCatalog:
    return write_demo_catalog(tmp_path_factory.mktemp("whole"))


def test_the_projects_own_reader_takes_the_folder(written: DemoCatalog) -> None:
    with open_source(written.directory) as source:
        read = list(source)
        assert len(read) == COUNT
        for each, row in zip(read, rows(written), strict=True):
            assert (each.product.id, each.product.title) == (row["id"], row["title"])
            assert [photo.name for photo in each.photos] == [f"images/{row['id']}.webp"]
            content = each.photos[0].read()
            assert (content[:4], content[8:12]) == (b"RIFF", b"WEBP")
            assert each.product.attributes["articleType"] == row["articleType"]
            assert each.product.attributes["color"] == row["color"]
            assert each.product.attributes["item_group_id"] == row["item_group_id"]


def test_street_photos_lie_beside_the_folder_and_bear_the_products_id(written: DemoCatalog) -> None:
    assert written.directory not in written.queries.parents
    named = {path.name.split("-")[0] for path in written.queries.iterdir()}
    assert named == {row["id"] for row in rows(written)}


def test_the_whole_catalog_has_every_file_of_the_archive(whole: DemoCatalog) -> None:
    with zipfile.ZipFile(ARCHIVE) as archive:
        shipped = {name: archive.read(name) for name in archive.namelist()}
    assert contents(whole.directory.parent).keys() - {"demo.json"} == shipped.keys()
    assert contents(whole.directory.parent).items() >= shipped.items()
    assert len(rows(whole)) == len(list((whole.directory / "images").iterdir())) == PRODUCTS == 600
    assert len(list(whole.queries.iterdir())) == 24


def test_the_archive_is_small_enough_to_ship() -> None:
    assert ARCHIVE.stat().st_size < MAX_ARCHIVE_BYTES


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, PRODUCTS))
def test_a_smaller_catalog_has_the_types_in_the_shares_of_the_whole(
    whole: DemoCatalog, tmp_path_factory: pytest.TempPathFactory, count: int
) -> None:
    all_rows = rows(whole)
    selected = rows(write_demo_catalog(tmp_path_factory.mktemp("smaller"), count=count))
    ids = {row["id"] for row in selected}
    assert selected == [row for row in all_rows if row["id"] in ids]
    assert len(selected) == count
    whole_counts = Counter(row["articleType"] for row in all_rows)
    counts = Counter(row["articleType"] for row in selected)
    assert len(counts) == min(count, len(whole_counts))
    assert all(abs(counts[kind] - count * n / PRODUCTS) <= 1.5 for kind, n in whole_counts.items())


def test_a_smaller_catalog_has_designs_in_several_colors(tmp_path: Path) -> None:
    groups = Counter(row["item_group_id"] for row in rows(write_demo_catalog(tmp_path, count=60)))
    assert sum(size > 1 for size in groups.values()) >= 10


def test_the_same_count_writes_the_same_bytes(written: DemoCatalog, directory: Path, tmp_path: Path) -> None:
    write_demo_catalog(tmp_path, count=COUNT)
    assert contents(tmp_path) == contents(directory)


def test_a_complete_catalog_is_not_written_again(written: DemoCatalog, directory: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in directory.rglob("*")}
    assert write_demo_catalog(directory, count=COUNT) == written
    assert {path: path.stat().st_mtime_ns for path in directory.rglob("*")} == before


def test_another_count_replaces_an_older_catalog(tmp_path: Path) -> None:
    write_demo_catalog(tmp_path, count=3)
    write_demo_catalog(tmp_path, count=1)
    assert json.loads((tmp_path / "demo.json").read_text())["count"] == written_count(tmp_path) == 1
    assert len(list((tmp_path / "catalog" / "images").iterdir())) == 1


def test_a_killed_run_is_done_again(
    tmp_path: Path, written: DemoCatalog, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes = Path.write_bytes

    def kill(path: Path, content: bytes) -> None:
        write_bytes(path, content[:100])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", kill)
        with pytest.raises(KeyboardInterrupt):
            write_demo_catalog(tmp_path, count=COUNT)
    assert not (tmp_path / "catalog" / "products.csv").exists()
    assert written_count(tmp_path) == COUNT
    write_demo_catalog(tmp_path, count=COUNT)
    assert contents(tmp_path) == contents(directory)


def test_a_catalog_that_an_older_version_drew_is_left_as_it_is(tmp_path: Path) -> None:
    write_mark(tmp_path, count=1000)
    (tmp_path / "catalog" / "images").mkdir(parents=True)
    (tmp_path / "catalog" / "images" / "10001.jpg").write_bytes(b"drawn")
    before = contents(tmp_path)
    assert written_count(tmp_path) == 1000
    assert write_demo_catalog(tmp_path, count=1000).directory == tmp_path / "catalog"
    assert contents(tmp_path) == before


def test_what_an_older_version_left_unfinished_is_written_as_far_as_products_are_shipped(tmp_path: Path) -> None:
    write_mark(tmp_path, count=1000, complete=False)
    assert written_count(tmp_path) == PRODUCTS


def test_photos_of_a_later_version_replace_older_ones(
    tmp_path: Path, written: DemoCatalog, directory: Path
) -> None:
    write_mark(tmp_path, drawing=0)
    write_demo_catalog(tmp_path, count=COUNT)
    assert contents(tmp_path) == contents(directory)


def test_a_directory_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds no demo catalog"):
        write_demo_catalog(tmp_path, count=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_mark_of_another_program_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"kind": "other"}')
    with pytest.raises(FileExistsError):
        write_demo_catalog(tmp_path, count=1)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="is a file"):
        write_demo_catalog(tmp_path / "file", count=1)


@pytest.mark.parametrize("count", [0, 601])
def test_a_count_that_is_not_shipped_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(ValueError, match="has 1 to 600 products"):
        write_demo_catalog(tmp_path / "shop", count=count)
    assert not (tmp_path / "shop").exists()
