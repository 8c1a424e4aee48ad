from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sartor import open as open_shop
from tests.cli.conftest import Sartor
from tests.fakes import add
from tests.networks import color_network
from tests.thumbnails import lose_thumbnails, thumbnails


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


def test_options_of_a_command_may_come_before_it(
    sartor: Sartor, table: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sartor("index", table)
    monkeypatch.delenv("SARTOR_HOME")
    monkeypatch.chdir(tmp_path)
    assert sartor("--home", home, "info", "--json").json()["counts"]["products"] == 4
    assert sartor(f"--home={home}", "--json", "info").json()["counts"]["products"] == 4
    assert sartor("-v", "--home", home, "check").code == 0
    assert "color" in sartor("--home", home, "models", "list").out
    assert sartor("--home", tmp_path / "none", "info", "--home", home, "--json").json()["counts"]["products"] == 4
    assert not (tmp_path / "none").exists()


def test_an_option_before_a_command_that_does_not_have_it_is_named(sartor: Sartor) -> None:
    assert "--nonsense" in sartor("--nonsense", "info").err
    assert "--csv" in sartor("--csv", "x", "info").err
    assert sartor("--home").code == 2
    assert "Usage" in sartor("--help").out
    assert "Usage" in sartor("--home", "x", "info", "--help").out


def test_an_empty_workspace_can_be_asked(sartor: Sartor) -> None:
    assert sartor("info", "--json").json()["counts"]["products"] == 0
    assert sartor("check").code == 0


def test_check_finds_what_is_missing_and_repairs_the_index(sartor: Sartor, table: Path, home: Path) -> None:
    sartor("index", table)
    assert sartor("check", "--json").json() == {"ok": True, "problems": []}
    shutil.rmtree(home / "index")
    assert sartor("check", "--repair").code == 0
    assert sartor("check", "--json").json()["ok"]
    lose_thumbnails(home)
    outcome = sartor("check", "--json")
    assert outcome.code == 1
    (problem,) = outcome.json()["problems"]
    assert (problem["what"], problem["count"]) == ("photos without a thumbnail", 4)
    assert "index their source again" in sartor("check").out


def test_a_backup_can_be_used_in_place_of_a_workspace_that_is_open(
    sartor: Sartor, table: Path, home: Path, tmp_path: Path
) -> None:
    sartor("index", table)
    with open_shop(home):
        outcome = sartor("backup", tmp_path / "backup")
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip().endswith(f"--home {tmp_path / 'backup'} uses it")
    assert sartor("info", "--home", tmp_path / "backup", "--json").json()["counts"]["products"] == 4
    again = sartor("backup", tmp_path / "backup")
    assert again.code == 1
    assert again.err.endswith(f"is not backed up: {tmp_path / 'backup'} is there already; name a new directory\n")
    assert sartor("backup", tmp_path / "another", "--json").json()["files"] == 4
    assert thumbnails(tmp_path / "another") == thumbnails(home)
    assert len(thumbnails(home)) == 4


def test_commands_work_beside_a_process_that_has_the_workspace_open(
    sartor: Sartor, table: Path, home: Path
) -> None:
    sartor("index", table)
    with open_shop(home) as shop:
        first = shop.catalog.product_ids()[0]
        before = [hit.product_id for hit in shop.similar(product=first, k=3)]
        for command in (["info"], ["check"], ["similar", "--product", first], ["index", str(table)]):
            outcome = sartor(*command)
            assert outcome.code == 0, outcome.err
        assert [hit.product_id for hit in shop.similar(product=first, k=3)] == before
        assert not shop.check()


def test_a_home_that_is_a_file_is_one_clear_line(sartor: Sartor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    outcome = sartor("info", "--home", tmp_path / "file")
    assert outcome.code == 1
    assert "cannot be used as a workspace" in outcome.err


@pytest.fixture
def indexed(sartor: Sartor, table: Path) -> Sartor:
    """Four products, and one more with the red one's photo and no color."""
    with table.open("a") as file:
        file.write("\ne,red.png,Another red shirt,,15.00 USD")
    assert sartor("index", table).code == 0
    return sartor


def test_health_is_told_only_when_asked_for(indexed: Sartor) -> None:
    assert set(indexed("check", "--json").json()) == {"ok", "problems"}
    assert "Health" not in indexed("check").out


def test_machines_get_every_finding(indexed: Sartor) -> None:
    outcome = indexed("check", "--health", "--json")

    assert outcome.code == 0
    told = outcome.json()
    assert told["ok"]
    assert (told["health"]["products"], told["health"]["photos"], told["health"]["model"]) == (5, 4, "color")
    findings = {finding["name"]: finding for finding in told["health"]["findings"]}
    assert set(findings["hubs"]) == {"name", "what", "count", "of", "examples", "meaning"}
    assert findings["products_without_photo"]["count"] == 0
    assert findings["small_photos"]["count"] == 4
    assert findings["shared_photo"]["examples"] == ["a (Red shirt) and e"]
    assert findings["missing_attribute"]["what"] == "products without color"


def test_people_get_a_table_and_what_follows_from_what_was_found(indexed: Sartor) -> None:
    outcome = indexed("check", "--health")

    assert outcome.code == 0
    assert "store, index and media agree" in outcome.out
    for part in ("Health of 5 products, by color", "products without color", "20.0%", "e (Another red shirt)"):
        assert part in " ".join(outcome.out.split())
    assert "- products without color: A filter by color" in outcome.out
    assert "- products without a photo" not in outcome.out


def test_health_fails_no_check_but_what_does_not_agree_does(indexed: Sartor, home: Path) -> None:
    lose_thumbnails(home)

    outcome = indexed("check", "--health", "--json")

    assert outcome.code == 1
    assert not outcome.json()["ok"]
    assert outcome.json()["health"]["products"] == 5


def test_an_empty_workspace_is_well(sartor: Sartor) -> None:
    outcome = sartor("check", "--health", "--json")

    assert outcome.code == 0
    assert {finding["count"] for finding in outcome.json()["health"]["findings"]} == {0}


def test_a_report_is_written_and_asks_for_health_by_itself(indexed: Sartor, tmp_path: Path) -> None:
    outcome = indexed("check", "--report", tmp_path / "health.html")

    assert outcome.code == 0
    assert "report written to" in outcome.err
    assert "products without color" in (tmp_path / "health.html").read_text()


def test_a_report_of_another_kind_is_refused_before_anything_is_done(indexed: Sartor, tmp_path: Path) -> None:
    outcome = indexed("check", "--report", tmp_path / "health.pdf")

    assert outcome.code == 2
    assert "a report is an .html file, not health.pdf" in " ".join(outcome.err.replace("│", " ").split())


def test_a_catalog_of_another_model_is_one_clear_line(indexed: Sartor, color_file: Path) -> None:
    added = indexed("models", "add", color_file, "--id", "other", "--scaling", "raw", "--output", "embedding")
    assert added.code == 0

    outcome = indexed("check", "--health", "--model", "other")

    assert outcome.code == 1
    assert "this catalog holds color embeddings" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_repair_tells_what_it_mended(indexed: Sartor, home: Path) -> None:
    stray = home / "media" / "ff" / f"{'f' * 64}.png"
    stray.parent.mkdir(parents=True)  # a workspace of before had its thumbnails in that folder
    stray.write_bytes(b"no photo")
    os.utime(stray, (1, 1))
    assert "thumbnails of no photo" in indexed("check").out
    repaired = indexed("check", "--repair")
    assert repaired.code == 0
    assert "mended: 1 thumbnails of no photo, such as ffff" in repaired.out
    again = indexed("check", "--repair", "--json").json()
    assert (again["mended"], again["problems"]) == ([], [])


def test_the_settings_of_a_workspace_are_in_its_backup_and_named_by_a_copy(
    indexed: Sartor, home: Path, tmp_path: Path
) -> None:
    (home / "sartor.toml").write_text("threads = 1\n")
    assert indexed("backup", tmp_path / "backup").code == 0
    assert (tmp_path / "backup" / "sartor.toml").read_text() == "threads = 1\n"
    copied = indexed("copy", home, tmp_path / "copy")
    assert copied.code == 0
    assert copied.err == f"not in the copy: the settings, in {home / 'sartor.toml'}\n"


def test_a_copy_over_another_model_of_the_same_id_is_refused(indexed: Sartor, home: Path, tmp_path: Path) -> None:
    add(tmp_path / "target", color_network(tmp_path / "other.onnx", layout="NCHW"), "color")
    refused = indexed("copy", home, tmp_path / "target")
    assert refused.code == 1
    assert "it has another model 'color'; name an empty workspace" in refused.err


def test_info_says_where_settings_come_from(indexed: Sartor, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "sartor.toml").write_text('model = "zzz"\nthreads = 1\n')
    monkeypatch.setenv("SARTOR_MODEL", "color")
    monkeypatch.setenv("SARTOR_SHRINK_SHAR", "0.5")
    told = indexed("info", "--json")
    assert told.err == (
        "sartor: SARTOR_SHRINK_SHAR is no setting and has no effect; did you mean SARTOR_SHRINK_SHARE?\n"
    )
    settings = {
        each["name"]: (each["value"], each["origin"], each["instead_of"]) for each in told.json()["settings"]
    }
    assert settings["model"] == ("color", "SARTOR_MODEL", "zzz")
    assert settings["threads"] == ("1", "sartor.toml", "")
    assert settings["home"][1] == "SARTOR_HOME"
    assert indexed("info", "--model", "color", "--json").json()["settings"][1]["origin"] == "--model"


def test_a_backup_neither_lands_in_its_workspace_nor_replaces_what_is_no_backup(
    indexed: Sartor, home: Path, tmp_path: Path
) -> None:
    for inside in (home / "backup", home / "media" / "backup"):
        refused = indexed("backup", inside)
        assert refused.code == 1
        assert "is inside of it; name a directory elsewhere" in refused.err
        assert not inside.exists()
    own = tmp_path / "copy.part" / "own.txt"
    own.parent.mkdir()
    own.write_text("mine")
    refused = indexed("backup", tmp_path / "copy")
    assert refused.code == 1
    assert "holds own.txt, which no backup wrote" in refused.err
    own.rename(own.with_name("catalog.sqlite3"))  # as a backup that was killed leaves it
    assert indexed("backup", tmp_path / "copy").code == 0
