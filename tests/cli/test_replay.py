from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sartor
from tests.fakes import folder_of, various_colors

METHODS = ["for-you", "popularity", "item-to-item", "visual", "random"]


@pytest.fixture
def catalog(tmp_path: Path, sartor: Sartor) -> Path:
    """A workspace of 80 products in many colors, of few kinds and brands."""
    colors = various_colors(80)
    folder = folder_of(tmp_path / "catalog", colors)
    lines = ["id,image,title,articleType,gender,usage,season"]
    for number, name in enumerate(colors):
        kind, gender = ("Shirts", "Jeans", "Hats")[number % 3], ("Men", "Women")[number % 2]
        lines.append(f"{name},{name}.png,Brand{number % 7} {gender} {kind},{kind},{gender},Casual,Summer")
    (folder / "products.csv").write_text("\n".join(lines))
    assert sartor("index", folder).code == 0
    return folder


@pytest.fixture
def log(sartor: Sartor, catalog: Path, tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    outcome = sartor("events", "simulate", "--out", file, "--people", 60, "--until", "2026-01-01", "--seed", 2)
    assert outcome.code == 0, outcome.err
    assert "simulated shoppers (60) with 80 products" in outcome.err
    return file


def test_a_simulated_log_can_be_imported(sartor: Sartor, log: Path) -> None:
    told = sartor("events", "import", log, "--json").json()
    assert (told["rejected"], told["unknown_products"], told["duplicates"]) == (0, 0, 0)
    assert told["added"] == len(log.read_text().splitlines())


def test_a_source_can_be_simulated_over_without_a_workspace(sartor: Sartor, catalog: Path, log: Path) -> None:
    file = log.with_name("again.jsonl")
    arguments = ("--out", file, "--people", 5, "--until", "2026-01-01")
    assert sartor("events", "simulate", catalog, *arguments).code == 0
    first = file.read_text()
    assert sartor("events", "simulate", catalog, *arguments).code == 0
    assert file.read_text() == first
    assert {json.loads(line)["product_id"] for line in first.splitlines()} <= set(various_colors(80))


def test_each_way_stands_beside_for_you_with_intervals(
    sartor: Sartor, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    outcome = sartor("replay", log, "--people", 4, "--history", 1, "--history", 5)
    assert outcome.code == 0, outcome.err
    assert "60 simulated shoppers: a simulation, not a shop" in outcome.out
    assert "1 event known of each of 4 (simulated)" in outcome.out
    assert "5 events known of each of 4 (simulated)" in outcome.out
    for method in METHODS:
        assert method in outcome.out
    assert "nDCG@10" in outcome.out
    assert "recorded answers (simulated)" in outcome.out
    assert "as logged" in outcome.out


def test_json_and_csv_have_every_figure(sartor: Sartor, log: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    told = sartor("replay", log, "--people", 8, "--csv", file, "-k", 5, "--json").json()
    assert told["setup"]["command"].startswith("sartor replay")
    assert told["setup"]["logs"][0]["simulated"] is True
    assert [each["history"] for each in told["experiments"]] == [1, 5, 20]
    for experiment in told["experiments"]:
        assert [each["method"] for each in experiment["methods"]] == METHODS
        for each in experiment["methods"]:
            assert 0 <= each["metrics"]["nDCG@5"]["mean"] <= 1
            assert 0 <= each["coverage"] <= 1
    logged = told["off_policy"][0]
    assert (logged["method"], logged["estimate"]["support"]) == ("as logged", 1.0)
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert {row["method"] for row in rows} == {*METHODS, "as logged"}
    (ndcg,) = (row for row in rows if (row["known"], row["method"], row["metric"]) == ("1", "visual", "nDCG@5"))
    (visual,) = (each for each in told["experiments"][0]["methods"] if each["method"] == "visual")
    assert float(ndcg["mean"]) == visual["metrics"]["nDCG@5"]["mean"]


def test_the_same_seed_finds_the_same(sartor: Sartor, log: Path) -> None:
    once, again = (sartor("replay", log, "--people", 5, "--history", 5, "--json").json() for _ in range(2))
    assert once["experiments"] == again["experiments"]
    assert once["off_policy"] == again["off_policy"]


def test_evaluate_with_events_is_the_same_command(sartor: Sartor, log: Path) -> None:
    asked = ("--people", 5, "--history", 5, "--json")
    new, former = sartor("replay", log, *asked).json(), sartor("evaluate", "--events", log, *asked).json()
    assert former["experiments"] == new["experiments"]
    assert former["setup"]["command"].startswith("sartor evaluate --events")


def test_people_of_several_logs_are_judged_together(
    sartor: Sartor, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = log.with_name("other.jsonl")
    made = sartor("events", "simulate", "--out", other, "--people", 40, "--until", "2026-01-01", "--seed", 3)
    assert made.code == 0, made.err
    asked = ("--people", 6, "--history", 1)
    alone = [sartor("replay", file, *asked, "--json").json() for file in (log, other)]
    both = sartor("replay", log, other, *asked, "--json").json()
    assert [each["name"] for each in both["setup"]["logs"]] == ["events.jsonl", "other.jsonl"]
    assert [each["people"] for each in both["setup"]["logs"]] == [60, 40]
    (experiment,) = both["experiments"]
    assert (experiment["people"], experiment["logs"]) == (12, 2)
    for place, method in enumerate(experiment["methods"]):
        means = [each["experiments"][0]["methods"][place]["metrics"]["nDCG@10"]["mean"] for each in alone]
        assert method["metrics"]["nDCG@10"]["mean"] == pytest.approx(sum(means) / 2)
    answers = [each["off_policy"][0]["estimate"]["answers"] for each in (*alone, both)]
    assert answers[2] == answers[0] + answers[1]
    monkeypatch.setenv("COLUMNS", "200")
    printed = sartor("replay", log, other, *asked).out
    assert "other.jsonl: " in printed
    assert " of 2 " in printed


def test_nothing_is_written_to_the_workspace(sartor: Sartor, log: Path, home: Path) -> None:
    before = sorted(file.name for file in home.iterdir())
    assert sartor("replay", log, "--people", 2, "--history", 1).code == 0
    assert sorted(file.name for file in home.iterdir()) == before


def written(file: Path, *events: dict[str, object]) -> Path:
    file.write_text("\n".join(map(json.dumps, events)))
    return file


def test_a_log_without_answers_says_so_and_looks_stand_for_wants(
    sartor: Sartor, catalog: Path, tmp_path: Path
) -> None:
    views = [
        {"type": "view", "user_id": f"u{number % 4}", "product_id": f"p{number:03}", "timestamp": 1.6e9 + number}
        for number in range(40)
    ]
    outcome = sartor("replay", written(tmp_path / "views.jsonl", *views), "--history", 3)
    assert outcome.code == 0, outcome.err
    assert "foreseen: view, click" in outcome.out
    assert "nothing is estimated off-policy" in outcome.out
    assert "simulat" not in outcome.out


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([{"type": "view", "user_id": "u", "product_id": "p001", "timestamp": 1.6e9}], "no events before a time"),
        (
            [
                {"type": "like", "user_id": f"u{number}", "product_id": "p001", "timestamp": 1.6e9 + number}
                for number in range(10)
            ],
            "nobody did something before",
        ),
    ],
)
def test_what_cannot_be_replayed_is_said_in_one_line(
    sartor: Sartor, catalog: Path, tmp_path: Path, events: list[dict[str, object]], line: str
) -> None:
    outcome = sartor("replay", written(tmp_path / "log.jsonl", *events))
    assert outcome.code == 1
    assert line in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["evaluate"], 2, "give a SOURCE, or --text"),
        (["replay"], 2, "give the logs to replay"),
        (["evaluate", "catalog", "--events", "log.jsonl"], 2, "give the logs to replay"),
        (["evaluate", "--events", "log.jsonl", "--ann"], 2, "No such option: --ann"),
        (["replay", "nowhere.jsonl"], 1, "nowhere.jsonl"),
        (["evaluate", "--events", "nowhere.jsonl"], 1, "nowhere.jsonl"),
        (["replay", __file__, "nowhere.csv"], 1, "test_replay.py"),
        (["evaluate", "--events", __file__, "--events", "nowhere.csv"], 1, "test_replay.py"),
        (["events", "simulate", "--out", "x.jsonl"], 2, "no product"),
    ],
)
def test_wrong_usage_is_told(sartor: Sartor, arguments: list[str], code: int, line: str) -> None:
    outcome = sartor(*arguments)
    assert outcome.code == code
    assert line in outcome.err


def test_lines_and_types_that_are_left_out_are_counted_by_name(sartor: Sartor, log: Path) -> None:
    with log.open("a") as file:
        for day in (1, 2):
            file.write(json.dumps({"type": "login", "user_id": "ann", "timestamp": f"2025-12-0{day}"}) + "\n")
        file.write("no event\n")
    outcome = sartor("replay", log, "--people", 2, "--history", 1)
    assert outcome.code == 0, outcome.err
    assert f"- left out of {log.name}, as these types have no meaning here: login 2" in outcome.out
    assert f"- 1 lines of {log.name} had no event" in outcome.out
