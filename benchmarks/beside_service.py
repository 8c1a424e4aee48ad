"""Commands on a workspace that a service has open: how long they take alone, and beside one under load."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

import sartor
from benchmarks.data import PHOTOS_224, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.encoder_quality import read
from benchmarks.report import Figure, Report, Target
from benchmarks.service_load import by_id_of, run, serving

_CLIENTS = 8
_QUEUE_S = 2.0  # before the first command


def beside_service(
    *,
    data: Data = SHARED_DATA,
    limit: Annotated[int, typer.Option(min=100, help="Products of the catalog.")] = 10_000,
    runs: Annotated[int, typer.Option(min=1, help="How often each command is run.")] = 3,
) -> Report:
    """The commands of one workspace alone and beside `sartor serve` that 8 clients ask without a pause."""
    with TemporaryDirectory() as temporary:
        directory, source = Path(temporary), data_file(data, PHOTOS_SMALL)
        home = directory / "home"
        with sartor.open(home) as shop:
            shop.index(source, limit=limit)
            products = shop.product_ids()
        photo = directory / "photo.jpg"
        photo.write_bytes(read(data_file(data, PHOTOS_224)).data[0])
        events = directory / "events.jsonl"
        _sartor(home, "events", "simulate", "--out", str(events), "--people", "100")
        commands = {
            "info": ("info",),
            "similar": ("similar", str(photo)),
            "index of 100 products, nothing new": ("index", str(source), "--limit", "100"),
            "check": ("check",),
            "events import, nothing new": ("events", "import", str(events)),
        }
        _sartor(home, *commands["events import, nothing new"])
        alone = {name: [_sartor(home, *command) for _ in range(runs)] for name, command in commands.items()}
        with serving(home) as address:
            stop = threading.Event()
            asked: list[int] = []
            loading = threading.Thread(target=lambda: _load(address, products, stop, asked))
            loading.start()
            time.sleep(_QUEUE_S)
            beside = {name: [_sartor(home, *command) for _ in range(runs)] for name, command in commands.items()}
            stop.set()
            loading.join()
    return Report(
        name="beside_service",
        options={"products": len(products), "clients": _CLIENTS, "runs": runs},
        warm_up="each command once on its own",
        figures={f"{name}, alone": Figure.of(seconds, "s") for name, seconds in alone.items()}
        | {f"{name}, beside the service": Figure.of(seconds, "s") for name, seconds in beside.items()},
        ratios={
            f"{name}, beside / alone": Figure.of(beside[name], "s").median / Figure.of(alone[name], "s").median
            for name in commands
        },
        targets=[Target(what="requests that failed meanwhile", value=asked[0], at_most=0)],
        notes=(f"The service answered {asked[1]} requests meanwhile.",),
    )


def _load(address: str, products: list[str], stop: threading.Event, asked: list[int]) -> None:
    failed = answered = 0
    while not stop.is_set():
        tally = run(address, by_id_of(products[::37]), clients=_CLIENTS, seconds=1.0)
        answered += len(tally.seconds)
        failed += sum(count for status, count in tally.statuses.items() if status not in {200, 503})
    asked += [failed, answered]


def _sartor(home: Path, *arguments: str) -> float:
    """Seconds that a command took."""
    command, environment = [sys.executable, "-m", "sartor", *arguments], os.environ | {"SARTOR_HOME": str(home)}
    started_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started_s
