"""How long ``sartor --help`` and ``import sartor`` take, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.report import Figure, Report, Target

_HELP_S = 0.3
_WARM_UPS = 2


def startup(*, runs: Annotated[int, typer.Option(min=1, help="How often each is run.")] = 10) -> Report:
    """Wall time of sartor --help and of import sartor, as a ratio to a bare Python."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import sartor": [sys.executable, "-c", "import sartor"],
        "sartor --help": [str(Path(sys.executable).with_name("sartor")), "--help"],
    }
    rounds = [{name: _seconds(command) for name, command in commands.items()} for _ in range(_WARM_UPS + runs)]
    figures = {name: Figure.of([times[name] for times in rounds[_WARM_UPS:]], "s") for name in commands}
    bare, imported, helped = figures.values()
    return Report(
        name="startup",
        options={"runs": runs},
        warm_up=f"each command ran {_WARM_UPS} times before; then they took turns",
        figures=figures,
        ratios={
            "import sartor / python -c pass": imported.median / bare.median,
            "sartor --help / python -c pass": helped.median / bare.median,
        },
        targets=(Target(what="seconds of sartor --help", value=helped.median, at_most=_HELP_S),),
    )


def _seconds(command: list[str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started_s
