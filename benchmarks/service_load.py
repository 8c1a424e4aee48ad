"""The service under load: photos and products asked by several clients at once, and by far too many."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

import sartor
from benchmarks.data import PHOTOS_224, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.encoder_quality import read
from benchmarks.report import Figure, Report, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_WORKERS = (1, 2)
_BEFORE = "the build before"
_CLIENTS = (1, 8, 32)
_OVERLOAD = 80
_READY_S = 300
_WARM_UP_S = 3.0
TURNS = 7919  # that the clients are apart


@dataclass(slots=True)
class Tally:
    """What came of requests: seconds of those that were answered with 200, and how many by status."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    elapsed_s: float = 0.0

    def add(self, other: Tally) -> None:
        """Take in what another client counted."""
        self.seconds += other.seconds
        self.statuses += other.statuses


def service_load(  # noqa: PLR0913 - each is an option
    *,
    data: Data = SHARED_DATA,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    seconds: Annotated[float, typer.Option(help="Of each run.")] = 15.0,
    limit: Annotated[int | None, typer.Option(help="Take only the first so many products.")] = None,
    workers: Annotated[
        list[int] | None, typer.Option(help="Processes of the service; repeatable (1 and 2).")
    ] = None,
    before: Annotated[
        Path | None, typer.Option(metavar="CHECKOUT", help="Also this build, with a workspace of its own.")
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Also the most workers with one index for all of them.")
    ] = False,
) -> Report:
    """`sartor serve` with 37,344 products by one process and by several, asked from the same machine over HTTP."""
    photos = read(data_file(data, PHOTOS_224)).data[::20]
    counts = tuple(workers or _WORKERS)
    services: dict[str, tuple[str, ...]] = {} if before is None else {_BEFORE: ()}
    services |= {_workers(count): ("--workers", str(count), "--copy-index") for count in counts}
    if shared:
        services[f"{_workers(counts[-1])} with one index"] = ("--workers", str(counts[-1]), "--share-index")
    runs: dict[str, Tally] = {}
    memory: dict[str, Figure] = {}
    with TemporaryDirectory() as temporary:
        workspace, of_before = home or Path(temporary), Path(temporary, "before")
        with sartor.open(workspace) as shop:
            shop.index(data_file(data, PHOTOS_SMALL), limit=limit)
            products = shop.product_ids()
        if before is not None:
            _index(before, of_before, data_file(data, PHOTOS_SMALL), len(products))
        by_photo, by_id = by_photo_of(photos), by_id_of(products[::37])
        for service, options in services.items():
            served, checkout = (of_before, before) if service == _BEFORE else (workspace, None)
            with serving(served, *options, checkout=checkout) as address:
                run(address, by_photo, clients=4, seconds=_WARM_UP_S)
                for name, ask, clients in (
                    *(("by photo", by_photo, clients) for clients in _CLIENTS),
                    *(("by id", by_id, clients) for clients in (1, 8)),
                    ("overload", by_photo, _OVERLOAD),
                ):
                    runs[_name(name, clients, service)] = run(address, ask, clients=clients, seconds=seconds)
                if resident := _resident_mb(address):  # a build of before may not tell
                    memory[f"memory of a worker, {service}"] = Figure.of(resident, "MB")
    figures = {name: Figure.of([1000 * each for each in tally.seconds], "ms") for name, tally in runs.items()}
    rates = {name: len(tally.seconds) / tally.elapsed_s for name, tally in runs.items()}
    p95 = figures[_name("by photo", 8, _workers(counts[-1]))].p95 or 0
    return Report(
        name="service_load",
        options={"products": len(products), "seconds": round(seconds)},
        warm_up=f"{_WARM_UP_S:g} s with 4 clients",
        figures=figures
        | {f"answers a second, {name}": Figure.of([rate], "1/s") for name, rate in rates.items()}
        | memory,
        targets=[
            Target(what=f"p95 by photo, 8 clients, {_workers(counts[-1])}, ms", value=p95, at_most=40),
            Target(what="answers other than 200, 429 and 503", value=_unexpected(runs.values()), at_most=0),
            *(_more_workers(rates, over=_workers(1)) if set(_WORKERS) <= set(counts) else ()),
            *(_more_workers(rates, over=_BEFORE) if before is not None else ()),
        ],
        notes=tuple(
            f"{name}: " + ", ".join(f"{count} x {status}" for status, count in sorted(tally.statuses.items()))
            for name, tally in runs.items()
        ),
    )


def _workers(count: int) -> str:
    return f"{count} workers"


def _name(what: str, clients: int, service: str) -> str:
    return f"{what}, {clients} clients, {service}"


def _more_workers(rates: dict[str, float], *, over: str) -> Iterator[Target]:
    """What two workers have to bring."""
    for what, clients, minimum in (
        ("by id", 8, 1.8),
        ("by photo", 8, 1.5),
        ("by id", 1, 1.0),
        ("by photo", 1, 1.0),
    ):
        one, two = (rates[_name(what, clients, service)] for service in (over, _workers(2)))
        yield Target(
            what=f"answers a second, {what}, {clients} clients, 2 workers over {over}",
            value=two / one,
            at_least=minimum,
        )


def _resident_mb(address: str) -> list[float]:
    """Resident memory of each worker."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return [float(each) / 1e6 for each in re.findall(r"sartor_worker_resident_bytes\{.*\} (\S+)", text)]


def _index(checkout: Path, home: Path, source: Path, limit: int) -> None:
    """Index with another build: its workspace may differ."""
    command = [sys.executable, "-m", "sartor", "index", str(source), "--limit", str(limit), "--home", str(home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_environment(checkout))


def _environment(checkout: Path | None) -> dict[str, str]:
    return {**os.environ} if checkout is None else os.environ | {"PYTHONPATH": str(checkout.resolve() / "src")}


@contextmanager
def serving(home: Path, *options: str, checkout: Path | None = None) -> Iterator[str]:
    """A service of a workspace, as its own process, ready to answer; its address."""
    command = [sys.executable, "-m", "sartor", "serve", "--port", "0", "--rate-limit", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=_environment(checkout) | {"SARTOR_HOME": str(home)}
    ) as process:
        try:
            address = urlsplit(_first_line(process).split(" on ")[1].split(" ")[0]).netloc
            deadline = time.monotonic() + _READY_S
            while _get(address, "/health/ready") != HTTPStatus.OK:
                if time.monotonic() > deadline:
                    message = "the service does not become ready"
                    raise TimeoutError(message)
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()


def _first_line(process: subprocess.Popen[str]) -> str:
    return "" if process.stdout is None else process.stdout.readline()


def _get(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", path)
    return connection.getresponse().status


def by_photo_of(photos: Sequence[bytes]) -> Callable[[http.client.HTTPConnection, int], None]:
    """Asks for the products most similar to a photo, each turn with the next one."""
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    forms = [head + photo + b"\r\n--x--\r\n" for photo in photos]
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    return lambda connection, turn: connection.request("POST", "/v1/similar", forms[turn % len(forms)], kind)


def by_id_of(product_ids: Sequence[str]) -> Callable[[http.client.HTTPConnection, int], None]:
    """Asks for the products most similar to one, each turn for the next."""
    return lambda connection, turn: connection.request(
        "GET", f"/v1/products/{product_ids[turn % len(product_ids)]}/similar"
    )


def run(
    address: str, ask: Callable[[http.client.HTTPConnection, int], None], *, clients: int, seconds: float
) -> Tally:
    """Ask from several threads, each as soon as it is answered, and put together what they counted."""
    tallies = [Tally() for _ in range(clients)]
    start = time.perf_counter()
    threads = [
        threading.Thread(target=_client, args=(address, ask, tally, start + seconds, TURNS * place))
        for place, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = Tally(elapsed_s=time.perf_counter() - start)
    for tally in tallies:
        total.add(tally)
    return total


def _client(
    address: str,
    ask: Callable[[http.client.HTTPConnection, int], None],
    tally: Tally,
    until_s: float,
    turn: int,
) -> None:
    connection = http.client.HTTPConnection(address, timeout=60)
    while time.perf_counter() < until_s:
        start = time.perf_counter()
        ask(connection, turn)
        answer = connection.getresponse()
        answer.read()
        tally.statuses[answer.status] += 1
        if answer.status == HTTPStatus.OK:
            tally.seconds.append(time.perf_counter() - start)
        turn += 1


def _unexpected(tallies: Iterable[Tally]) -> float:
    statuses = sum((tally.statuses for tally in tallies), Counter())
    return float(sum(count for status, count in statuses.items() if status not in {200, 429, 503}))
