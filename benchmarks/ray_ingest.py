"""``sartor index --ray`` on a cluster of two nodes on this machine, beside the pool of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from benchmarks.data import MOBILENET_V2_FILE, PHOTOS_SMALL, SHARED_DATA, Data, data_file, unpack
from benchmarks.report import Figure, Report, Target
from benchmarks.workspaces import add_mobilenet_v2
from tools.engines.namespaces import loopback_only

_AT_MOST = 1.15


def ray_ingest(
    *,
    data: Data = SHARED_DATA,
    photos: Annotated[int, typer.Option(min=1, help="How many.")] = 2000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is run.")] = 1,
    source: Annotated[str, typer.Option(help="Which archive of the data.")] = PHOTOS_SMALL,
) -> Report:
    """Index photos with MobileNetV2, with the pool of one process and with Ray, in turns."""
    archive, network = data_file(data, source), data_file(data, MOBILENET_V2_FILE)
    if not loopback_only():
        message = "a network namespace is not permitted here, and Ray would leave the loopback"
        raise typer.BadParameter(message)
    seen: dict[str, list[dict[str, Any]]] = {"one process": [], "Ray": []}
    with TemporaryDirectory() as directory:
        folder = Path(directory) / "photos"
        unpack(archive, folder, start=0, count=photos)
        for number in range(rounds):
            for name, mode in (("one process", "local"), ("Ray", "ray")):
                home = Path(directory) / f"{mode}-{number}"
                add_mobilenet_v2(home, network)
                seen[name].append(_run(mode, home, folder))
    seconds = {name: [run["seconds"] for run in runs] for name, runs in seen.items()}
    mean_s = {name: sum(each) / rounds for name, each in seconds.items()}
    ratio = mean_s["Ray"] / mean_s["one process"]
    overhead_ms = 1000 * (mean_s["Ray"] - mean_s["one process"]) / photos
    name = f"{photos:,} photos"
    return Report(
        name="ray_ingest",
        options={"source": source, "photos": photos, "rounds": rounds},
        warm_up="none: each run is a process of its own, which loads the network; a cluster is up before",
        figures={
            **{f"{name}, {how}: time": Figure.of(each, "s") for how, each in seconds.items()},
            **{
                f"{name}, {how}: rate": Figure.of([photos / taken for taken in each], "photos/s")
                for how, each in seconds.items()
            },
            "overhead of Ray": Figure.of([overhead_ms], "ms per photo"),
            "start of the cluster": Figure.of([run["start_s"] for run in seen["Ray"]], "s"),
        },
        ratios={"time with Ray / in one process": ratio},
        targets=[
            Target(what="time with Ray / in one process", value=ratio, at_most=_AT_MOST),
            Target(what="products with Ray - in one process", value=_difference(seen), at_least=0, at_most=0),
        ],
        notes=(
            "Both nodes share this machine's processors: the ratio is what Ray costs, not what more hosts gain.",
            "The time with Ray has the start of the workers in it, not that of the cluster, which is told apart.",
        ),
    )


def _difference(seen: dict[str, list[dict[str, Any]]]) -> int:
    return int(seen["Ray"][0]["products"]) - int(seen["one process"][0]["products"])


def _run(mode: str, home: Path, folder: Path) -> dict[str, Any]:
    command = [*loopback_only(), sys.executable, "-m", "benchmarks.ray_child", mode, str(home), str(folder)]
    environment = os.environ | {"HOME": str(home), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t" * 32}
    environment.pop("RAY_ADDRESS", None)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else Ray's processes compile all that they import each time
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True).stdout
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    return told
