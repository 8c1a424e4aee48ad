"""A demo catalog on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sartor.catalog import open_source
from sartor.demo import DemoCatalog, write_demo_catalog

COUNT = 2


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "shop"


@pytest.fixture(scope="module")
def written(directory: Path) -> DemoCatalog:
    return write_demo_catalog(directory, count=COUNT)


def test_the_projects_own_reader_takes_the_folder(written: DemoCatalog) -> None:
    with open_source(written.directory) as source:
        read = list(source)
        assert [each.product.id for each in read] == [product.id for product in written.products]
        assert [each.product.title for each in read] == [product.title for product in written.products]
        for each, product in zip(read, written.products, strict=True):
            assert [photo.name for photo in each.photos] == [f"images/{product.photo}"]
            assert each.photos[0].read().startswith(b"\xff\xd8\xff")
            assert each.product.attributes["articleType"] == product.article_type
            assert each.product.attributes["color"] == product.color
            assert each.product.attributes["item_group_id"] == product.item_group_id


def test_street_photos_lie_beside_the_folder_and_bear_the_products_id(written: DemoCatalog) -> None:
    assert written.directory not in written.queries.parents
    named = {path.name.split("-")[0] for path in written.queries.iterdir()}
    assert named == {product.id for product in written.products}


def test_the_same_seed_writes_the_same_bytes(written: DemoCatalog, directory: Path, tmp_path: Path) -> None:
    write_demo_catalog(tmp_path, count=COUNT)
    assert contents(tmp_path) == contents(directory)


def test_a_complete_catalog_is_not_drawn_again(written: DemoCatalog, directory: Path) -> None:
    told: list[int] = []
    again = write_demo_catalog(directory, count=COUNT, on_progress=lambda done, total: told.append(done))
    assert again == written
    assert told == []


def test_another_seed_replaces_an_older_catalog_and_tells_its_progress(tmp_path: Path) -> None:
    write_demo_catalog(tmp_path, count=1, seed=1)
    told: list[tuple[int, int]] = []
    write_demo_catalog(tmp_path, count=1, seed=2, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert json.loads((tmp_path / "demo.json").read_text())["seed"] == 2
    assert len(list((tmp_path / "catalog" / "images").iterdir())) == 1


def test_a_killed_run_is_done_again(tmp_path: Path, written: DemoCatalog, directory: Path) -> None:
    def kill(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo_catalog(tmp_path, count=COUNT, on_progress=kill)
    assert not (tmp_path / "catalog" / "products.csv").exists()
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
