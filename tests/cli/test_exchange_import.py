from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Sartor

KEYS = ["source", "model", "dimension", "vectors", "products", "added", "updated", "unchanged", "images"]
KEYS += ["described", "scaled", "agreement", "table", "rejected", "findings", "seconds", "by_photo", "is_default"]


@pytest.fixture
def files(tmp_path: Path, photos: Path) -> tuple[Path, Path]:
    names = sorted(f"images\\{photo.name}" for photo in photos.iterdir())
    vectors = [*np.random.default_rng(0).normal(size=(len(names), 8))]
    for name, value in (("embeddings.pkl", vectors), ("filenames.pkl", names)):
        (tmp_path / name).write_bytes(pickle.dumps(value))
    return tmp_path / "embeddings.pkl", tmp_path / "filenames.pkl"


def test_the_json_report_has_what_others_rely_on(sartor: Sartor, photos: Path, files: tuple[Path, Path]) -> None:
    report = sartor("import", *files, "--images", photos, "--json").json()
    assert list(report) == KEYS
    assert (report["model"], report["products"], report["images"]) == ("imported-8", 4, 4)
    assert (report["by_photo"], report["is_default"], report["agreement"]) == (False, True, None)


def test_people_are_told_what_came_and_what_to_do_next(sartor: Sartor, files: tuple[Path, Path]) -> None:
    outcome = sartor("import", *files)
    assert outcome.code == 0
    assert "4 vectors of 8 numbers as imported-8, 4 products (4 added" in outcome.out
    assert "did not have norm 1" in outcome.out
    assert "it answers by product, not by photo" in outcome.out
    assert "sartor similar --product ID" in outcome.out


def test_all_commands_go_on_with_imported_vectors_that_have_no_pictures(
    sartor: Sartor, photos: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    sartor("import", *files)
    hits = sartor("similar", "--product", "red", "--json").json()["hits"]
    assert len(hits) == 3
    assert {hit["photo"] for hit in hits} == {None}
    assert sartor("similar", "--product", "red", "--sheet", tmp_path / "sheet.html").code == 0
    assert sartor("check").code == 0
    assert sartor("info").code == 0
    (listed,) = (line for line in sartor("models", "list").out.splitlines() if "imported-8" in line)
    assert "vectors only" in listed
    refused = sartor("similar", photos / "red.png")
    assert refused.code == 1
    assert refused.err.startswith("sartor: imported-8 has only imported vectors and cannot embed a photo")


def test_a_hostile_pickle_is_one_line_and_exit_code_1(sartor: Sartor, tmp_path: Path) -> None:
    (tmp_path / "e.pkl").write_bytes(b"\x80\x04cos\nsystem\nX\x02\x00\x00\x00id\x85R.")
    outcome = sartor("import", tmp_path / "e.pkl")
    assert outcome.code == 1
    assert "it asks for os.system" in outcome.err
    assert outcome.err.count("\n") == 1


def test_model_and_id_together_are_wrong_usage(sartor: Sartor, files: tuple[Path, Path]) -> None:
    assert sartor("import", *files, "--model", "color", "--id", "mine").code == 2


def test_vectors_of_another_model_are_refused(sartor: Sartor, photos: Path, tmp_path: Path) -> None:
    names = sorted(photo.name for photo in photos.iterdir())
    np.savez(tmp_path / "e.npz", photos=names, ids=names, embeddings=np.ones((4, 3)) * [1, -1, 1])
    outcome = sartor("import", tmp_path / "e.npz", "--images", photos, "--model", "color")
    assert outcome.code == 1
    assert "another preprocessing, pooling or weights" in outcome.err
    assert sartor("import", tmp_path / "e.npz", "--images", photos, "--model", "color", "--force").code == 0


def test_a_table_beside_that_takes_attributes_away_is_stopped(sartor: Sartor, table: Path, tmp_path: Path) -> None:
    photos = table.parent
    sartor("index", table)
    before = sartor("export", tmp_path / "before.csv", "--format", "csv").code, sartor("info", "--json").json()
    table.write_text("id,image,title\na,red.png,Red\nb,green.png,Green\nc,blue.png,Blue\nd,pink.png,Pink\n")
    names = ["red.png", "green.png", "blue.png", "pink.png"]
    np.savez(tmp_path / "e.npz", photos=names, ids=["a", "b", "c", "d"], embeddings=np.eye(4, 8))
    refused = sartor("import", tmp_path / "e.npz", "--images", photos)
    assert refused.code == 1
    assert "4 of 4 products would lose their color" in refused.err
    assert sartor("info", "--json").json() == before[1]
    taken = sartor("import", tmp_path / "e.npz", "--images", photos, "--allow-shrink")
    assert taken.code == 0
    assert f"4 with attributes from {photos}" in taken.out


def test_what_an_import_leaves_out_is_noticed(sartor: Sartor, photos: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", photos=["red.png", "gone.png"], labels=["x", "y"], embeddings=np.eye(2, 8))
    outcome = sartor("import", tmp_path / "e.npz", "--images", photos)
    assert outcome.code == 0
    assert "arrays or columns of the file, not read" in outcome.out
    assert "labels" in outcome.out
    assert "names that no photo has" in outcome.out
    assert "gone.png" in outcome.out
