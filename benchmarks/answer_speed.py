"""Answers of one process over HTTP, of this build and of the build before it, in turns."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import threading
import time
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from zipfile import ZipFile

import typer

import sartor
from benchmarks.data import PEOPLES_PHOTOS, PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.report import Figure, Report, Target
from benchmarks.service_load import TURNS, Tally, by_id_of, by_photo_of, run, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[[http.client.HTTPConnection, int], None]

_SIDES = ("before", "after")
_RUNS = (("by id", 1), ("by id", 8), ("by photo", 1), ("by photo", 8))
_TICKS = os.sysconf("SC_CLK_TCK")
_OVER = 10  # times the capacity
_CONNECTIONS = 96


def answer_speed(  # noqa: PLR0913 - each is an option
    *,
    before: Annotated[Path, typer.Option(metavar="CHECKOUT", help="The build before.")],
    data: Data = SHARED_DATA,
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps the catalog for next time.")] = None,
    limit: Annotated[int, typer.Option(help="Take only the first so many products.")] = 3000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each side has its turn.")] = 5,
    seconds: Annotated[float, typer.Option(help="Of each turn.")] = 4.0,
    photos: Annotated[int, typer.Option(min=1, help="People's photos to ask with.")] = 60,
) -> Report:
    """Time and processor time of answers by id and by photo, and what is answered at ten times the capacity."""
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        workspace = home or Path(temporary, "home")
        with sartor.open(workspace) as shop:
            if not shop.counts().products:
                shop.index(data_file(data, PHOTOS_SMALL), limit=limit)
            products = shop.product_ids()
        folders = {side: Path(temporary, side) for side in _SIDES}
        for folder in folders.values():
            shutil.copytree(workspace, folder)
        checkouts = {"before": before, "after": None}
        addresses = {
            side: stack.enter_context(serving(folders[side], "--workers", "1", checkout=checkouts[side]))
            for side in _SIDES
        }
        asks = {"by id": by_id_of(products[::7]), "by photo": _by_photo(_photos(data, photos))}
        for side in _SIDES:
            for ask in asks.values():
                run(addresses[side], ask, clients=4, seconds=seconds)
        taken = _in_turns(addresses, asks, rounds=rounds, seconds=seconds)
        over = {
            side: _overloaded(
                addresses[side],
                asks["by photo"],
                rate=_OVER * _median_rate(taken[side, "by photo", 8]),
                seconds=2 * seconds,
            )
            for side in _SIDES
        }
    figures: dict[str, Figure] = {}
    for (side, what, clients), turns in taken.items():
        name = f"{what}, {clients} clients, {side}"
        figures[name] = Figure.of([1000 * each for tally, _ in turns for each in tally.seconds], "ms")
        figures[f"answers a second, {name}"] = Figure.of([_rate(tally) for tally, _ in turns], "1/s")
        figures[f"processor time of an answer, {name}"] = Figure.of([1000 * cpu for _, cpu in turns], "ms")
    for side, tally in over.items():
        figures[f"accepted at {_OVER} times the capacity, {side}"] = Figure.of(
            [1000 * each for each in tally.seconds] or [0.0], "ms"
        )
    ratios = dict(_ratios(figures))
    kept = {side: _rate(tally) / _median_rate(taken[side, "by photo", 8]) for side, tally in over.items()}
    slower = {
        side: (figures[f"accepted at {_OVER} times the capacity, {side}"].p95 or 0)
        / (figures[f"by photo, 8 clients, {side}"].p95 or 1)
        for side in _SIDES
    }
    ratios |= {f"kept at {_OVER} times the capacity, {side}": share for side, share in kept.items()}
    ratios |= {
        f"p95 at {_OVER} times the capacity over 8 clients, {side}": share for side, share in slower.items()
    }
    return Report(
        name="answer_speed",
        options={"products": len(products), "rounds": rounds, "seconds": round(seconds), "photos": photos},
        warm_up=f"{seconds:g} s of each question with 4 clients; then the sides took turns",
        figures=figures,
        ratios=ratios,
        targets=(
            Target(what="answers a second by photo, 8 clients", value=ratios[_name("by photo", 8)], at_least=2),
            Target(what="p95 by photo, 8 clients", value=ratios[f"p95, {_name('by photo', 8)}"], at_most=0.5),
            Target(what="answers a second by id, 8 clients", value=ratios[_name("by id", 8)], at_least=2.5),
            Target(what="answers a second by photo, 1 client", value=ratios[_name("by photo", 1)], at_least=1),
            Target(what="answers a second by id, 1 client", value=ratios[_name("by id", 1)], at_least=1),
            Target(what=f"share kept at {_OVER} times the capacity", value=kept["after"], at_least=0.85),
            Target(what="p95 of the accepted over 8 clients", value=slower["after"], at_most=3),
        ),
        notes=tuple(
            f"{side} at {_OVER} times the capacity: "
            + ", ".join(f"{count} x {status}" for status, count in sorted(tally.statuses.items()))
            for side, tally in over.items()
        ),
    )


def _in_turns(
    addresses: dict[str, str], asks: dict[str, Ask], *, rounds: int, seconds: float
) -> dict[tuple[str, str, int], list[tuple[Tally, float]]]:
    """What each side answered in each turn, with the processor time of its process for an answer in seconds."""
    pids = {side: _pid(address) for side, address in addresses.items()}
    taken: dict[tuple[str, str, int], list[tuple[Tally, float]]] = {}
    for number in range(rounds):
        for what, clients in _RUNS:
            for side in _SIDES if number % 2 == 0 else _SIDES[::-1]:
                start_s = _processor_s(pids[side])
                tally = run(addresses[side], asks[what], clients=clients, seconds=seconds)
                cpu = (_processor_s(pids[side]) - start_s) / max(1, len(tally.seconds))
                taken.setdefault((side, what, clients), []).append((tally, cpu))
    return taken


def _ratios(figures: dict[str, Figure]) -> Sequence[tuple[str, float]]:
    found = []
    for what, clients in _RUNS:
        name = f"{what}, {clients} clients"
        before, after = (figures[f"answers a second, {name}, {side}"] for side in _SIDES)
        found.append((_name(what, clients), after.median / before.median))
        before, after = (figures[f"{name}, {side}"] for side in _SIDES)
        found += [(f"p50, {_name(what, clients)}", after.median / before.median)]
        found += [(f"p95, {_name(what, clients)}", after.p95 / before.p95)]
        before, after = (figures[f"processor time of an answer, {name}, {side}"] for side in _SIDES)
        found.append((f"processor time, {_name(what, clients)}", after.median / before.median))
    return found


def _name(what: str, clients: int) -> str:
    return f"{what}, {clients} clients, after / before"


def _rate(tally: Tally) -> float:
    return len(tally.seconds) / tally.elapsed_s


def _median_rate(turns: Sequence[tuple[Tally, float]]) -> float:
    return Figure.of([_rate(tally) for tally, _ in turns], "1/s").median


def _overloaded(address: str, ask: Ask, *, rate: float, seconds: float) -> Tally:
    """Ask ``rate`` times a second, however long answers take, as shoppers do who do not know of each other."""
    tallies = [Tally() for _ in range(_CONNECTIONS)]
    start = time.perf_counter()
    turns, lock = iter(range(int(rate * seconds))), threading.Lock()

    def client(tally: Tally) -> None:
        connection = http.client.HTTPConnection(address, timeout=60)
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None:
                return
            time.sleep(max(0.0, start + turn / rate - time.perf_counter()))
            asked_s = time.perf_counter()
            ask(connection, TURNS * turn)
            answer = connection.getresponse()
            answer.read()
            tally.statuses[answer.status] += 1
            if answer.status == HTTPStatus.OK:
                tally.seconds.append(time.perf_counter() - asked_s)

    threads = [threading.Thread(target=client, args=(tally,)) for tally in tallies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = Tally(elapsed_s=time.perf_counter() - start)
    for tally in tallies:
        total.add(tally)
    return total


def _by_photo(photos: Sequence[bytes]) -> Ask:
    """Asks with a photo, each time with other bytes behind its end: no photo is one that was asked with before."""
    lock, numbers = threading.Lock(), iter(range(1 << 40))

    def ask(connection: http.client.HTTPConnection, turn: int) -> None:
        with lock:
            number = next(numbers)
        by_photo_of([photos[turn % len(photos)] + number.to_bytes(8, "big")])(connection, 0)

    return ask


def _photos(data: Path, count: int) -> list[bytes]:
    with ZipFile(data_file(data, PEOPLES_PHOTOS)) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        return [archive.read(name) for name in names[:: max(1, len(names) // count)][:count]]


def _pid(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    (pid,) = re.findall(r'sartor_worker_resident_bytes\{pid="(\d+)"\}', text)
    return int(pid)


def _processor_s(pid: int) -> float:
    """User and system time that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
