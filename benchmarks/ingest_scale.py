"""``sartor index`` on catalogs that grow: time, peak memory, and what a second run costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.own_process import run_python
from benchmarks.report import Figure, Report, Target
from benchmarks.workspaces import add_mobilenet_v2

_PEAK_GB = 1.5
_WHOLE_SMALL_SET = 37_344
_SECOND_RUN_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRun:
    """One run of ``sartor index`` in a process of its own.

    Attributes:
        photos: Photos that it saw.
        embedded: Photos that went through the network.
        seconds: Wall time of the command, from start to exit.
        rate: Photos per second as the command reports them, without its start and exit.
        peak_gb: Most memory that it held at once, pages of mapped files included, in 10^9 bytes.
    """

    photos: int
    embedded: int
    seconds: float
    rate: float
    peak_gb: float


def ingest_scale(
    *,
    data: Data = SHARED_DATA,
    sizes: Annotated[list[int] | None, typer.Option("--size", min=1, help="Photos; repeatable.")] = None,
    source: Annotated[str, typer.Option(help="Which archive of the data.")] = PHOTOS_SMALL,
) -> Report:
    """Index catalogs of growing size with MobileNetV2, each twice in a new workspace."""
    archive, network = data_file(data, source), data_file(data, MOBILENET_V2_FILE)
    sizes = sorted(sizes or [2000, 10_697, _WHOLE_SMALL_SET])
    figures: dict[str, Figure] = {}
    ratios: dict[str, float] = {}
    targets: list[Target] = []
    peaks_gb: list[float] = []
    for size in sizes:
        first, second = _twice(archive, network, size)
        peaks_gb.append(first.peak_gb)
        name = f"{first.photos:,} photos"
        figures |= {
            f"{name}: time": Figure.of([first.seconds], "s"),
            f"{name}: rate": Figure.of([first.rate], "photos/s"),
            f"{name}: peak memory": Figure.of([first.peak_gb], "GB"),
            f"{name}, second run: time": Figure.of([second.seconds], "s"),
            f"{name}, second run: peak memory": Figure.of([second.peak_gb], "GB"),
        }
        ratios[f"{name}: time of the second run / first"] = second.seconds / first.seconds
        targets += _targets(name, first, second)
    if len(sizes) > 1:
        ratios[f"peak memory of {sizes[-1]:,} / {sizes[0]:,} photos"] = peaks_gb[-1] / peaks_gb[0]
        growth_mb = (peaks_gb[-1] - peaks_gb[0]) * 1000 / (sizes[-1] - sizes[0]) * 1000
        figures["growth of peak memory"] = Figure.of([growth_mb], "MB per 1,000 photos")
    return Report(
        name="ingest_scale",
        options={"source": source, "sizes": sizes},
        warm_up="none: each run is a whole command, with start, loading of the network and exit",
        figures=figures,
        ratios=ratios,
        targets=targets,
        notes=("Time is compared only with the second run; the peer of the first is in tutorial_pipeline.",),
    )


def _targets(name: str, first: IndexRun, second: IndexRun) -> list[Target]:
    targets = [
        Target(what=f"{name}: peak memory in GB", value=max(first.peak_gb, second.peak_gb), at_most=_PEAK_GB),
        Target(what=f"{name}, second run: photos embedded", value=second.embedded, at_most=0),
    ]
    if first.photos == _WHOLE_SMALL_SET:
        targets.append(Target(what=f"{name}, second run: seconds", value=second.seconds, at_most=_SECOND_RUN_S))
    return targets


def _twice(archive: Path, network: Path, size: int) -> tuple[IndexRun, IndexRun]:
    with TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        add_mobilenet_v2(home, network)
        return _index(archive, home, size), _index(archive, home, size)


def _index(archive: Path, home: Path, size: int) -> IndexRun:
    options = ("--limit", str(size), "--home", str(home), "--json")
    run = run_python("-m", "sartor", "index", str(archive), *options)
    return IndexRun(
        photos=run.told["photos"],
        embedded=run.told["embedded"],
        seconds=run.seconds,
        rate=run.told["photos_per_second"],
        peak_gb=run.peak_gb,
    )
