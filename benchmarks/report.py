"""The one format of a result: what was measured, on what, beside which peer, and whether a target is reached."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import RestrictedUnpickler, this_machine, versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_WIDTH = 115
_FOLDERS = ("--data", "--home", "--work", "--judge", "--save", "--sheet")
_WHOLE_FROM = 100  # numbers from here on are printed without decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured of one thing.

    Attributes:
        median: Median of the samples; the value itself where there is one.
        p95: What 95 of 100 samples keep to: the 95th percentile, for a rate (``…/s``) the 5th.
        n: Number of samples.
        unit: Their unit.
    """

    median: float
    p95: float
    n: int
    unit: str

    @classmethod
    def of(cls, samples: Sequence[float], unit: str) -> Figure:
        """The figure of one or more samples."""
        slow_end = 0.05 if unit.endswith("/s") else 0.95
        return cls(
            median=float(np.median(samples)),
            p95=float(np.quantile(samples, slow_end)),
            n=len(samples),
            unit=unit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure or ratio has to reach: ``at_least`` a number, or ``at_most`` one."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether it is within its bounds."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def bound(self) -> str:
        """The bounds in words."""
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{word} {number:g}" for word, number in bounds if number is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A benchmark's result.

    Attributes:
        name: The benchmark.
        options: What it was run with.
        warm_up: What was done before anything counted.
        figures: What was measured, by name.
        ratios: One figure over another of the same run, by name.
        targets: What has to be reached.
        notes: What a reader has to know to read the numbers right.
    """

    name: str
    options: Mapping[str, str | int | Sequence[int] | None]
    warm_up: str
    figures: Mapping[str, Figure]
    ratios: Mapping[str, float] = field(default_factory=dict)
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()


def publish(report: Report, directory: Path) -> None:
    """Save a report as ``NAME.json`` in a directory, and print it."""
    machine = this_machine()
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_json(report, machine), indent=2, ensure_ascii=False)
    (directory / f"{report.name}.json").write_text(text + "\n", encoding="utf-8")
    _print(report, machine)


def as_json(report: Report, machine: RestrictedUnpickler) -> dict[str, object]:
    """A report with its circumstances, of what JSON can hold."""
    return {
        "name": report.name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "benchmarks", *_without_folders(sys.argv[1:])]),
        "options": dict(report.options),
        "machine": asdict(machine),
        "versions": versions(),
        "warm_up": report.warm_up,
        "figures": {name: asdict(figure) for name, figure in report.figures.items()},
        "ratios": dict(report.ratios),
        "targets": [asdict(target) | {"reached": target.reached} for target in report.targets],
        "notes": list(report.notes),
    }


def _without_folders(arguments: Sequence[str]) -> list[str]:
    """Arguments without those that only say where something lies on one machine."""
    kept, skip = [], False
    for argument in arguments:
        name, _, value = argument.partition("=")
        if not skip and name not in _FOLDERS:
            kept.append(argument)
        skip = not skip and name in _FOLDERS and not value
    return kept


def _print(report: Report, machine: RestrictedUnpickler) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    arithmetic = {True: "bf16", False: "no bf16", None: "bf16 unknown"}[machine.computes_bf16]
    console.print(f"\n[bold]{report.name}[/bold] on {machine.cpu}, {machine.cores} cores, {arithmetic}")
    figures = (
        (name, _number(it.median), _number(it.p95) if it.n > 1 else "", str(it.n), it.unit)
        for name, it in report.figures.items()
    )
    _print_table(console, ("figure", "median", "p95", "n", "unit"), figures)
    _print_table(console, ("ratio", "value"), ((name, _number(value)) for name, value in report.ratios.items()))
    targets = (
        (target.what, target.bound, _number(target.value), "reached" if target.reached else "MISSED")
        for target in report.targets
    )
    _print_table(console, ("target", "bound", "value", ""), targets)
    for note in (f"Warm-up: {report.warm_up}.", *report.notes):
        console.print(f"- {note}", markup=False)


def _print_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table()
    for column in columns:
        table.add_column(column, justify="right" if column in {"median", "p95", "n", "value"} else "left")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(table)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.3g}"
