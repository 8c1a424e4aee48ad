"""``sartor index`` of this checkout beside another one, in turns, and whether both store the same.

Others may use the processors meanwhile. So the builds take turns, and the time on a processor counts beside the
time on the clock. What is stored is compared by the bytes of each photo's vectors, colors, fingerprint and
thumbnail.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_224, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN_CHECKOUT = Path(__file__).resolve().parents[1]
_WITH_MOBILENET, _WITH_OWN = 2.5, 1.6  # times as many photos a second as before
_MOBILENET = "mobilenet_v2"
_STORED = (
    "SELECT sha256, model, vector FROM embeddings ORDER BY 1, 2",
    "SELECT sha256, colors FROM palettes ORDER BY 1",
    "SELECT sha256, width_px, height_px, thumbnail, fingerprint FROM photos ORDER BY 1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One ``sartor index`` into a new workspace."""

    rate: float  # photos a second, as the command tells
    cpu_ms: float  # on a processor, for each photo
    peak_mb: float
    stored: tuple[str, ...]  # a digest of each part


def build_ingest(
    *,
    before: Annotated[
        Path, typer.Option("--before", metavar="DIR", exists=True, file_okay=False, help="The other checkout.")
    ],
    data: Data = SHARED_DATA,
    limit: Annotated[int, typer.Option(min=1, help="Photos of each catalog.")] = 4000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each build indexes each catalog.")] = 3,
) -> Report:
    """Index two catalogs with this build and with another one, in turns."""
    network = data_file(data, MOBILENET_V2_FILE)
    cases = {
        "MobileNetV2, 224 px": (data_file(data, PHOTOS_224), network, _WITH_MOBILENET),
        "sartor-v1, small photos": (data_file(data, PHOTOS_SMALL), None, _WITH_OWN),
    }
    builds = {"before": before.resolve(), "this build": _OWN_CHECKOUT}
    figures: dict[str, Figure] = {}
    ratios: dict[str, float] = {}
    targets: list[Target] = []
    for case, (archive, own_network, at_least) in cases.items():
        runs: dict[str, list[_Run]] = {build: [] for build in builds}
        for number in range(rounds):
            for build in sorted(builds, reverse=bool(number % 2)):
                runs[build].append(_run(builds[build], archive, own_network, limit))
        for build, done in runs.items():
            figures |= {
                f"{case}, {build}": Figure.of([run.rate for run in done], "photos/s"),
                f"{case}, {build}: processor": Figure.of([run.cpu_ms for run in done], "ms/photo"),
                f"{case}, {build}: peak memory": Figure.of([run.peak_mb for run in done], "MB"),
            }
        gained = _median(runs["this build"], "rate") / _median(runs["before"], "rate")
        peak = _median(runs["this build"], "peak_mb") / _median(runs["before"], "peak_mb")
        ratios[f"{case}: photos a second / before"] = gained
        ratios[f"{case}: processor time / before"] = _median(runs["this build"], "cpu_ms") / _median(
            runs["before"], "cpu_ms"
        )
        ratios[f"{case}: peak memory / before"] = peak
        differing = len({run.stored for done in runs.values() for run in done}) - 1
        targets += [
            Target(what=f"{case}: photos a second / before", value=gained, at_least=at_least),
            Target(what=f"{case}: peak memory / before", value=peak, at_most=1.0),
            Target(what=f"{case}: workspaces that store something else", value=differing, at_most=0),
        ]
    return Report(
        name="build_ingest",
        options={"limit": limit, "rounds": rounds},
        warm_up="none: each run is a whole command in a new workspace",
        figures=figures,
        ratios=ratios,
        targets=targets,
        notes=("The builds take turns, and which one begins changes with each round.",),
    )


def _median(runs: Sequence[_Run], name: str) -> float:
    return Figure.of([getattr(run, name) for run in runs], "").median


def _run(checkout: Path, archive: Path, network: Path | None, limit: int) -> _Run:
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    sartor = [sys.executable, "-m", "sartor"]
    with TemporaryDirectory() as directory, TemporaryFile() as output:
        home = Path(directory) / "home"
        chosen: list[str] = []
        if network is not None:
            add = [*sartor, "models", "add", str(network), "--id", _MOBILENET, "--scaling", "tf"]
            subprocess.run(
                [*add, "--home", str(home)], check=True, stdout=subprocess.DEVNULL, env=environment, cwd=directory
            )
            chosen = ["--model", _MOBILENET]
        command = [*sartor, "index", str(archive), "--limit", str(limit), *chosen, "--home", str(home), "--json"]
        process = subprocess.Popen(command, stdout=output, env=environment, cwd=directory)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # Popen has not seen its end
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        told = json.load(output)
        return _Run(
            rate=told["photos_per_second"],
            cpu_ms=(usage.ru_utime + usage.ru_stime) / told["photos"] * 1000,
            peak_mb=usage.ru_maxrss / 1024,
            stored=_stored(home),
        )


def _stored(home: Path) -> tuple[str, ...]:
    """Digests of the vectors, the colors, the photos and their thumbnails."""
    digests = []
    with closing(sqlite3.connect(home / "catalog.sqlite3")) as connection:
        for sql in _STORED:
            digest = hashlib.sha256()
            for row in connection.execute(sql):
                digest.update(repr(row).encode())
            digests.append(digest.hexdigest())
    return (*digests, _thumbnails(home))


def _thumbnails(home: Path) -> str:
    contents = {file.name: file.read_bytes() for file in (home / "media").rglob("*") if file.is_file()}
    if (home / "media.sqlite3").exists():
        with closing(sqlite3.connect(home / "media.sqlite3")) as connection:
            rows = connection.execute("SELECT sha256, suffix, data FROM files JOIN contents ON id = content")
            contents |= {f"{sha256.hex()}.{suffix}": data for sha256, suffix, data in rows}
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(name.encode() + contents[name])
    return digest.hexdigest()
