"""A process for one side of a comparison, so that neither side's libraries and threads change the other's."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # getrusage(2) counts in KiB on Linux
# Linux counts what a process holds as the peak of a child that it starts. That of the benchmarks holds all their
# libraries, so a small one starts the command.
_LAUNCHER = """
import json, os, subprocess, sys, tempfile, time
with tempfile.TemporaryFile() as output:
    started_s = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=output)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(1)
    output.seek(0)
    told = json.load(output)
print(json.dumps([told, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """One command in a process of its own.

    Attributes:
        told: The JSON that it printed.
        seconds: Wall time, from start to exit.
        cpu_s: Processor time of all its threads.
        peak_gb: Most memory that it held at once, pages of mapped files included, in 10^9 bytes.
    """

    told: dict[str, Any]
    seconds: float
    cpu_s: float
    peak_gb: float


def run_python(*arguments: str) -> CommandRun:
    """Run Python with these arguments, and measure it.

    Raises:
        CalledProcessError: It failed.
    """
    launcher = [sys.executable, "-S", "-c", _LAUNCHER, sys.executable, *arguments]
    done = subprocess.run(launcher, check=True, stdout=subprocess.PIPE)
    told, seconds, cpu_s, peak = json.loads(done.stdout)
    return CommandRun(told=told, seconds=seconds, cpu_s=cpu_s, peak_gb=peak * _RSS_UNIT_BYTES / 1e9)


class OwnProcess:
    """Calls functions of a module in one other process, which keeps what they remember between calls."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function there and wait for what it returns."""
        return self._pool.submit(function, *args, **kwargs).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
