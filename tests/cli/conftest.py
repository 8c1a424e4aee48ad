"""The command line, run in this process as its entry point runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sartor.cli import main
from tests.fakes import BLUE, GREEN, RED, folder_of


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Sartor = Callable[..., Outcome]


@pytest.fixture
def sartor(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sartor:
    """Runs a command on the workspace ``home``."""
    monkeypatch.setenv("SARTOR_HOME", str(home))

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sartor", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code or 0
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def write_photos(directory: Path) -> Path:
    """Photos of four colors."""
    return folder_of(directory, {"red": RED, "green": GREEN, "blue": BLUE, "pink": (255, 120, 120)})


def write_table(photos: Path) -> Path:
    """The same photos with attributes."""
    lines = [
        "id,image,title,color,price",
        "a,red.png,Red shirt,Red,15.00 USD",
        "b,green.png,Green shirt,Green,25.00 USD",
    ]
    lines += ["c,blue.png,Blue shirt,Blue,35.00 USD", "d,pink.png,Pink shirt,Red,45.00 USD"]
    file = photos / "products.csv"
    file.write_text("\n".join(lines))
    return file


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def table(photos: Path) -> Path:
    return write_table(photos)
