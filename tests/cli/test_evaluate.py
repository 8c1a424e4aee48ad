from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Sartor
from tests.fakes import folder_of


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    reds = {f"r{number}": (255 - 10 * number, 10, 10) for number in range(4)}
    blues = {f"b{number}": (10, 10, 255 - 10 * number) for number in range(4)}
    folder = folder_of(tmp_path / "catalog", reds | blues)
    lines = ["id,image,title,kind", *(f"{name},{name}.png,A {name},{name[0]}" for name in reds | blues)]
    (folder / "products.csv").write_text("\n".join(lines))
    return folder


def test_models_stand_side_by_side_with_intervals(
    sartor: Sartor, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    outcome = sartor("evaluate", catalog, "--relevance", "kind", "--model", "color", "--model", "random", "-k", 3)
    assert outcome.code == 0, outcome.err
    assert "leave one out: 8 queries, 8 products" in outcome.out
    assert "1.000 (1.000 to 1.000)" in outcome.out
    assert "precision@3 compared with color" in outcome.out
    assert "mean of all 2" in outcome.out


def test_json_and_csv_have_every_figure(sartor: Sartor, catalog: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    told = sartor("evaluate", catalog, "--relevance", "kind", "--csv", file, "--json").json()
    (model,) = told["models"]
    assert model["criteria"][0]["metrics"]["precision@1"]["mean"] == 1.0
    assert told["setup"]["command"].startswith("sartor evaluate")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    (precision,) = (
        row for row in rows if (row["metric"], row["criterion"], row["category"]) == ("precision@1", "kind", "")
    )
    assert float(precision["mean"]) == 1.0
    assert int(precision["count"]) == 8


def test_a_report_is_one_file_that_needs_no_other(sartor: Sartor, catalog: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    outcome = sartor("evaluate", catalog, "--relevance", "kind", "--report", report)
    assert outcome.code == 0, outcome.err
    assert f"written to {report}" in outcome.err
    page = report.read_text()
    assert "A r0" in page
    assert 'src="http' not in page
    assert "<svg" in page


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--relevance", "knid"], "did you mean 'kind'?"),
        (["--model", "resnet51"], "resnet51"),
        (["--queries", "nowhere.zip"], "nowhere.zip"),
        (["--map", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    sartor: Sartor, catalog: Path, arguments: list[str], line: str
) -> None:
    outcome = sartor("evaluate", catalog, *arguments)
    assert outcome.code == 1
    assert line in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_a_report_without_its_packages_names_the_extra(
    sartor: Sartor, catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sartor.errors.find_spec", lambda name: None if name == "matplotlib" else object())
    outcome = sartor("evaluate", catalog, "--report", tmp_path / "r.html")
    assert outcome.code == 1
    assert outcome.err.endswith("install it with: pip install '.[report]'\n")


def test_few_queries_and_those_without_a_label_are_told(sartor: Sartor, table: Path) -> None:
    table.write_text("id,image,color\na,red.png,Red\nb,green.png,\nc,blue.png,Red\nd,pink.png,\n")
    sartor("index", table)
    told = sartor("evaluate", table, "--relevance", "color").out
    assert "4 queries tell little" in told
    assert "2 of 4 queries have no color: nothing is relevant to them by it" in " ".join(told.split())
