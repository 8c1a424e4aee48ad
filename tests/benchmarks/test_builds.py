from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from benchmarks.builds import Build, Clock, Command, respelled

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock", now_s=1_767_268_800)


def test_processes_go_by_a_clock_that_only_the_questions_move(clock: Clock) -> None:
    def now_s() -> str:
        command = [sys.executable, "-c", "import time; print(time.time())"]
        environment = clock.environment(CHECKOUT)
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    assert now_s() == "1767268800.0"
    clock.move(90)
    assert now_s() == "1767268890.0"


def test_settings_of_the_caller_do_not_reach_a_build(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARTOR_MODEL", "another")
    assert "SARTOR_MODEL" not in clock.environment(CHECKOUT)


def test_a_folder_that_is_no_checkout_is_refused(clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="the build before is to be .* but imports"):
        Build("before", tmp_path / "empty", tmp_path / "before", clock)


def test_a_command_that_fails_is_answered_with_its_exit_code_and_what_it_said(
    clock: Clock, tmp_path: Path
) -> None:
    build = Build("after", CHECKOUT, tmp_path / "after", clock)
    answer = build.run(Command(kind="CLI problems", arguments=("similar", "--product", "1", "--json")))
    assert '"exit code": 1' in answer.facts
    assert "sartor index" in answer.wording
    assert str(tmp_path) not in answer.wording


def test_words_of_a_command_are_spelled_as_a_build_does() -> None:
    spelled = {("evaluate", "--events"): ("replay",), ("--k",): ("-k",)}
    assert respelled(("evaluate", "--events", "a.jsonl", "--json"), spelled) == ("replay", "a.jsonl", "--json")
    assert respelled(("evaluate", "a.zip", "--k", "5"), spelled) == ("evaluate", "a.zip", "-k", "5")
