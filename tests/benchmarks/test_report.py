from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.machine import RestrictedUnpickler
from benchmarks.report import Figure, Report, Target, as_json, publish

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = RestrictedUnpickler(cpu="a cpu", cores=2, memory_gb=8.0, computes_bf16=False, system="Linux", load=0.5)


def report() -> Report:
    return Report(
        name="sample",
        options={"runs": 3},
        warm_up="one run",
        figures={"ours": Figure.of([1.0, 2.0, 3.0], "s"), "theirs": Figure.of([20.0], "s")},
        ratios={"ours / theirs": 0.1},
        targets=[Target(what="ours / theirs", value=0.1, at_most=0.05)],
        notes=["a note"],
    )


def test_a_figure_has_median_p95_and_number_of_its_samples() -> None:
    figure = Figure.of(list(range(101)), "ms")
    assert (figure.median, figure.p95, figure.n, figure.unit) == (50, 95, 101, "ms")


def test_the_p95_of_a_rate_is_its_slow_end() -> None:
    assert Figure.of(list(range(101)), "photos/s").p95 == 5


def test_a_single_sample_is_median_and_p95() -> None:
    assert Figure.of([7.0], "s") == Figure(median=7.0, p95=7.0, n=1, unit="s")


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        (Target(what="times", value=20, at_least=20), True),
        (Target(what="times", value=19.9, at_least=20), False),
        (Target(what="share", value=0.1, at_most=0.1), True),
        (Target(what="share", value=0.11, at_most=0.1), False),
    ],
)
def test_a_target_is_reached_at_its_bound_and_missed_past_it(target: Target, *, reached: bool) -> None:
    assert target.reached is reached


def test_a_report_says_on_what_and_how_it_was_measured() -> None:
    told = as_json(report(), MACHINE)
    assert told["machine"] == {
        "cpu": "a cpu",
        "cores": 2,
        "memory_gb": 8.0,
        "computes_bf16": False,
        "system": "Linux",
        "load": 0.5,
    }
    assert told["versions"].keys() >= {"python", "sartor", "numpy"}
    assert told["command"].startswith("python -m benchmarks")
    assert told["options"] == {"runs": 3}
    assert told["warm_up"] == "one run"


def test_a_saved_report_holds_every_figure_ratio_and_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.report.this_machine", lambda: MACHINE)
    publish(report(), tmp_path / "results")
    saved = json.loads((tmp_path / "results" / "sample.json").read_text(encoding="utf-8"))
    assert saved["figures"]["ours"] == {"median": 2.0, "p95": pytest.approx(2.9), "n": 3, "unit": "s"}
    assert saved["ratios"] == {"ours / theirs": 0.1}
    (target,) = saved["targets"]
    assert (target["at_most"], target["reached"]) == (0.05, False)
    assert "MISSED" in capsys.readouterr().out


def test_where_something_lies_on_this_machine_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["bench", "growth", "--home", "/somewhere/x", "--sizes", "10", "--work=/else", "--data", "/d"]
    monkeypatch.setattr("sys.argv", given)
    assert as_json(report(), MACHINE)["command"] == "python -m benchmarks growth --sizes 10"
