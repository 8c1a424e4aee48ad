from __future__ import annotations

import os
import shutil
from pathlib import Path

from sartor.store.sqlite.database import WorkspaceLock
from tests.cli.conftest import Sartor


def test_info_tells_what_a_workspace_holds(sartor: Sartor, table: Path) -> None:
    sartor("index", table)
    told = sartor("info", "--json").json()
    assert told["default_model"] == "color"
    assert told["counts"] == {
        "products": 4,
        "photos": 4,
        "embeddings": {"color": 4},
        "sources": {str(table.resolve()): 4},
    }
    assert told["attributes"] == ["color", "price"]
    assert "4 products, 4 photos" in sartor("info").out


def test_an_empty_workspace_can_be_asked(sartor: Sartor) -> None:
    assert sartor("info", "--json").json()["counts"]["products"] == 0
    assert sartor("check").code == 0


def test_check_finds_what_is_missing_and_repairs_the_index(sartor: Sartor, table: Path, home: Path) -> None:
    sartor("index", table)
    assert sartor("check", "--json").json() == {"ok": True, "problems": []}
    shutil.rmtree(home / "index")
    assert sartor("check", "--repair").code == 0
    assert sartor("check", "--json").json()["ok"]
    for thumbnail in (home / "media").rglob("*.png"):
        thumbnail.unlink()
    outcome = sartor("check", "--json")
    assert outcome.code == 1
    (problem,) = outcome.json()["problems"]
    assert (problem["what"], problem["count"]) == ("photos without a thumbnail", 4)
    assert "index their source again" in sartor("check").out


def test_a_backup_can_be_used_in_place_of_a_workspace_that_is_held(
    sartor: Sartor, table: Path, home: Path, tmp_path: Path
) -> None:
    sartor("index", table)
    with WorkspaceLock(home):
        outcome = sartor("backup", tmp_path / "backup")
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip().endswith(f"--home {tmp_path / 'backup'} uses it")
    assert sartor("info", "--home", tmp_path / "backup", "--json").json()["counts"]["products"] == 4
    again = sartor("backup", tmp_path / "backup")
    assert again.code == 1
    assert again.err.endswith(f"is not backed up: {tmp_path / 'backup'} is there already; name a new directory\n")
    assert sartor("backup", tmp_path / "another", "--json").json()["files"] > 4


def test_a_workspace_that_is_held_is_one_clear_line(sartor: Sartor, home: Path) -> None:
    with WorkspaceLock(home):
        outcome = sartor("info")
    assert outcome.code == 1
    assert f"process {os.getpid()}" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_home_that_is_a_file_is_one_clear_line(sartor: Sartor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    outcome = sartor("info", "--home", tmp_path / "file")
    assert outcome.code == 1
    assert "cannot be used as a workspace" in outcome.err
