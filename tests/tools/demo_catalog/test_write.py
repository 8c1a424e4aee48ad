"""A drawn catalog as a folder and as an archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from sartor.catalog import open_source
from tools.demo_catalog import DemoProduct, plan, write_archive, write_folder

COUNT = 2


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def planned(count: int, seed: int = 0) -> tuple[DemoProduct, ...]:
    return plan(count=count, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("drawn")
    write_folder(directory, planned(COUNT))
    return directory


def test_the_projects_own_reader_takes_the_folder(directory: Path) -> None:
    with open_source(directory / "catalog") as source:
        read = list(source)
        assert [each.product.id for each in read] == [product.id for product in planned(COUNT)]
        assert [each.product.title for each in read] == [product.title for product in planned(COUNT)]
        for each, product in zip(read, planned(COUNT), strict=True):
            assert [photo.name for photo in each.photos] == [product.image]
            content = each.photos[0].read()
            assert (content[:4], content[8:12]) == (b"RIFF", b"WEBP")
            assert each.product.attributes["articleType"] == product.article_type
            assert each.product.attributes["color"] == product.color
            assert each.product.attributes["item_group_id"] == product.item_group_id


def test_street_photos_lie_beside_the_folder_and_bear_the_products_id(directory: Path) -> None:
    named = {path.name.split("-")[0] for path in (directory / "queries").iterdir()}
    assert named == {product.id for product in planned(COUNT)}


def test_the_same_seed_writes_the_same_bytes(directory: Path, tmp_path: Path) -> None:
    write_folder(tmp_path, planned(COUNT))
    assert contents(tmp_path) == contents(directory)


def test_the_archive_has_the_files_of_the_folder_and_is_the_same_again(directory: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "one.zip", planned(COUNT))
    write_archive(tmp_path / "again.zip", planned(COUNT))
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents(directory)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.zip", "one.zip"]


def test_the_progress_counts_photos_and_street_photos(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_folder(tmp_path, planned(1, seed=2), seed=2, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert len(list((tmp_path / "catalog" / "images").iterdir())) == 1


def test_a_killed_run_leaves_no_table(tmp_path: Path) -> None:
    def kill(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path, planned(COUNT), on_progress=kill)
    assert not (tmp_path / "catalog" / "products.csv").exists()


def test_a_directory_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        write_folder(tmp_path, planned(1))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="exists already"):
        write_folder(tmp_path / "file", planned(1))
