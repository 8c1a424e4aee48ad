from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Sartor


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
    for thumbnail in (home / "media").rglob("*.png"):
        thumbnail.unlink()

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
