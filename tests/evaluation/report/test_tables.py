from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from sartor.evaluation.report.tables import COLUMNS, as_csv, as_json
from tests.evaluation import samples


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture
def full() -> list[dict[str, str]]:
    return rows(as_csv(samples.full(samples.HOSTILE)))


def test_json_holds_all_but_pictures_and_points() -> None:
    found = json.loads(json.dumps(as_json(samples.full()), allow_nan=False))
    assert found["setup"]["criteria"] == ["articleType", "text + gender"]
    assert found["comparisons"][0]["test"]["difference"] == pytest.approx(0.05)
    assert found["health"]["findings"][0]["count"] == 40
    [first, _] = found["models"]
    assert first["criteria"][0]["metrics"]["precision@10"] == {
        "mean": 0.8,
        "low": pytest.approx(0.79),
        "high": pytest.approx(0.81),
        "count": 1200,
    }
    assert first["confusion"]["shares"] == [[0.7, 0.25, 0.05], [0.1, 0.9, 0.0]]
    assert first["map"] == {"attribute": "articleType", "method": "t-SNE", "points": 61}
    assert first["macro"]["mAP@R"] is None
    assert first["categories"][3]["metrics"]["precision@10"] is None
    assert not {"best", "median", "worst"} & set(first)


def test_json_of_the_least_has_null_for_what_is_absent() -> None:
    found = json.loads(json.dumps(as_json(samples.minimal()), allow_nan=False))
    assert found["health"] is None
    assert found["models"][0]["map"] is None
    assert found["models"][0]["calibration"] == []


def test_a_line_has_a_figure_with_its_interval(full: list[dict[str, str]]) -> None:
    assert tuple(full[0]) == COLUMNS
    assert full[0] | {"model": ""} == {
        "model": "",
        "criterion": "articleType",
        "category": "",
        "metric": "precision@10",
        "mean": "0.8",
        "low": "0.79",
        "high": "0.81",
        "count": "1200",
    }
    assert full[0]["model"] == f"{samples.HOSTILE} one"


def test_categories_macro_means_and_robustness_have_their_lines(full: list[dict[str, str]]) -> None:
    mine = [each for each in full if each["model"].endswith(" one")]
    fourth = next(each for each in mine if each["category"].endswith(" 3") and each["metric"] == "precision@10")
    assert (fourth["criterion"], fourth["mean"], fourth["count"]) == ("articleType", "", "97")
    macro = next(each for each in mine if each["metric"] == "macro precision@10")
    assert (macro["mean"], macro["count"]) == ("0.75", "25")
    damaged = [each for each in mine if each["criterion"] == "the same product"]
    assert [each["category"] for each in damaged[::2]] == [f"{samples.HOSTILE} 15°", f"{samples.HOSTILE} 30°"]
    assert [each["metric"] for each in damaged[:2]] == ["hit rate@1", "hit rate@5"]


def test_what_concerns_all_lists_has_no_criterion(full: list[dict[str, str]]) -> None:
    found = {each["metric"]: each["mean"] for each in full if not each["criterion"]}
    assert found == {
        "coverage": "0.875",
        "never shown": "500",
        "hubness": "2.25",
        "in most lists": "0.0625",
        "copies": "0.01",
        "calibration error of match": "0.05",
        "accuracy of match": "0.76",
        "ann recall@10": "0.995",
    }


def test_the_least_has_only_lines_of_what_was_measured() -> None:
    found = rows(as_csv(samples.minimal(models=2)))
    assert {each["category"] for each in found} == {""}
    assert len(found) == 2 * (3 + 5)
