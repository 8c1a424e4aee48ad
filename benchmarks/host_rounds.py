"""Three hosts against one database and a three-node OpenSearch, and what they lose when parts of it fail.

The hosts are network namespaces of this machine. Each has a Sartor service and a node of OpenSearch; the database
has a host of its own. Clients put and delete products on any of the hosts and note what was acknowledged, another
one asks for similar products as a proxy would, and each round something fails: a service or a node is killed, a
host or the database is cut off, the process that writes the index is paused. When all is well again, each
acknowledged write has to be seen on every host, and no deleted product may be shown to a reader that sends the
revision of its deletion.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

import sartor
from benchmarks.data import PHOTOS_SMALL, SHARED_DATA, Data, data_file
from benchmarks.kill_rounds import CALL_S, Client, read_json, write_product
from benchmarks.report import Figure, Report, Target
from benchmarks.service_load import Tally, by_id_of, run, serving
from tools.engines.network import skewed_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.engines.mongodb import MongoServer
    from tools.engines.network import Host
    from tools.engines.opensearch import OpenSearchCluster

HOSTS = 3
_PORT = 8000
_CLIENTS, _SEED_PRODUCTS = 3, 20
_LOAD_S = (0.2, 1.2)
_LOAD_CLIENTS, _WARM_UP_S = (1, 8), 2.0
_UP_S = 180.0
_PATIENCE_S, _AWAKE_S = 2.0, 1.0
_DEADLINE_S = 15.0  # in which it has to say something, a connection and a call of the store one after the other
_STORE_AWAY_S, _PAUSED_S = 30.0, 60.0  # now and then; else a few seconds
_SKEW_S = 120  # that the clock of the last host is ahead
_FAULTS = {
    "service killed": 8,
    "node killed": 5,
    "host cut off": 4,
    "store cut off": 2,
    "indexer paused": 2,
    "index cut off": 1,
}


@dataclass(slots=True)
class _Reader:
    """Asks one host after the other, and the next one where one does not answer in time, as a proxy does.

    Attributes:
        patience_s: Seconds that a host has to answer.
        answered: Number of answers.
        failed: How often another host was asked instead.
        longest_gap_s: Longest time without an answer of any host.
        longest_s: Longest answer, if it is one.
        overdue: Answers over the deadline of the service.
    """

    patience_s: float
    answered: int = 0
    failed: int = 0
    longest_gap_s: float = 0.0
    longest_s: float = 0.0
    overdue: list[str] = field(default_factory=list)

    def read(self, shops: ThreeHosts, stop: Event, during: str) -> None:
        """Ask until it is told to stop."""
        turn, last_s = 0, time.perf_counter()
        while not stop.is_set():
            address, turn = shops.addresses[turn % HOSTS], turn + 1
            connection = http.client.HTTPConnection(address, timeout=self.patience_s)
            is_stopped, started_s = shops.is_stopped(address), time.perf_counter()
            try:
                status, _ = read_json(connection, f"/v1/products/seed-{turn % _SEED_PRODUCTS}/similar", {})
            except (OSError, http.client.HTTPException):
                status = 0
            finally:
                connection.close()
            now_s = time.perf_counter()
            if status == HTTPStatus.OK:
                self.answered += 1
                self.longest_gap_s = max(self.longest_gap_s, now_s - last_s)
                last_s = now_s
            else:
                self.failed += 1
            if status and not is_stopped and not shops.is_stopped(address):
                self.longest_s = max(self.longest_s, now_s - started_s)
                if now_s - started_s > _DEADLINE_S:
                    self.overdue.append(f"{during}: {address} took {now_s - started_s:.1f} s to answer {status}")
            stop.wait(0.02)


def host_rounds(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often something fails.")] = 40,
    seed: Annotated[int, typer.Option(help="Of what is written, and of what fails when.")] = 0,
    long_every: Annotated[
        int, typer.Option(min=1, help="Each so many rounds the store is away for 30 s, or the indexer for 60.")
    ] = 20,
) -> Report:
    """Three hosts whose services, nodes, links and clocks fail under load, and what was lost."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    writers = [Client(number, random.Random(f"{seed}-{number}")) for number in range(_CLIENTS)]  # noqa: S311
    reader, patient = _Reader(_PATIENCE_S), _Reader(CALL_S)
    wrongs: list[str] = []
    faults: Counter[str] = Counter()
    back_s: list[float] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        shops = stack.enter_context(ThreeHosts(directory))
        for number in range(rounds):
            fault, seconds = _fault(rng, number, long_every)
            stop = Event()
            with ThreadPoolExecutor(_CLIENTS + 2) as pool:
                running = [pool.submit(writer.write, shops.addresses, stop) for writer in writers]
                during = f"round {number}, {fault}"
                running += [pool.submit(each.read, shops, stop, during) for each in (reader, patient)]
                try:
                    time.sleep(rng.uniform(*_LOAD_S))
                    shops.fail(fault, rng, seconds)
                    started_s = time.perf_counter()
                    shops.wait()
                    back_s.append(time.perf_counter() - started_s)
                    time.sleep(rng.uniform(*_LOAD_S))
                finally:
                    stop.set()
                for each in running:
                    each.result()
            for writer in writers:
                writer.settle()
            found = shops.wrongs(writers)
            faults[f"{fault} for {seconds:g} s" if seconds in {_STORE_AWAY_S, _PAUSED_S} else fault] += 1
            for wrong in found:
                wrongs.append(f"seed {seed}, round {number}, {fault}: {wrong}")
                typer.echo(wrongs[-1], err=True)
        problems = shops.check()
    return Report(
        name="host_rounds",
        options={"rounds": rounds, "seed": seed, "long_every": long_every},
        warm_up="none",
        figures={
            "acknowledged writes": Figure.of([float(sum(each.acknowledged for each in writers))], "writes"),
            "refused writes": Figure.of([float(sum(each.refused for each in writers))], "writes"),
            "answers to the reader": Figure.of([float(reader.answered)], "answers"),
            "asked another host instead": Figure.of([float(reader.failed)], "times"),
            "longest time without an answer from any host": Figure.of([reader.longest_gap_s], "s"),
            "longest answer of a host that runs": Figure.of([patient.longest_s], "s"),
            "longest write": Figure.of([max(each.longest_s for each in writers)], "s"),
            "all hosts are ready again": Figure.of(back_s, "s"),
        },
        targets=[
            Target(what="acknowledged writes lost, or deleted products shown", value=len(wrongs), at_most=0),
            Target(what="answers over their deadline", value=len(patient.overdue), at_most=0),
            Target(what="what is wrong in the end", value=len(problems), at_most=0),
        ],
        notes=(
            ", ".join(f"{count} x {fault}" for fault, count in sorted(faults.items())),
            f"The clock of the last host is {_SKEW_S} s ahead."
            if shops.is_skewed
            else "No clock is skewed: there is no C compiler.",
            *wrongs[:20],
            *patient.overdue[:20],
            *problems,
        ),
    )


def host_load(
    *,
    data: Data = SHARED_DATA,
    limit: Annotated[int, typer.Option(min=100, help="Products.")] = 10_000,
    seconds: Annotated[float, typer.Option(help="Of each run.")] = 10.0,
) -> Report:
    """Products asked by id of 1, 2 and 3 hosts with one database and a three-node OpenSearch, beside embedded."""
    archive = data_file(data, PHOTOS_SMALL)
    tallies: dict[str, Tally] = {}
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        with sartor.open(directory / "embedded") as shop:
            shop.index(archive, limit=limit)
            ask = by_id_of(shop.product_ids()[::37])
        with serving(directory / "embedded", "--workers", "1", "--no-storefront") as address:
            for clients in _LOAD_CLIENTS:
                run(address, ask, clients=2, seconds=_WARM_UP_S)
                tallies[f"embedded, 1 process, {clients} clients"] = run(
                    address, ask, clients=clients, seconds=seconds
                )
        with ThreeHosts(directory) as shops:
            shops.sartor("index", str(archive), "--limit", str(limit))
            shops.wait()
            for count in range(1, HOSTS + 1):
                addresses = shops.addresses[:count]
                for clients in _LOAD_CLIENTS:
                    each = [addresses[number % count] for number in range(clients)]
                    with ThreadPoolExecutor(clients) as pool:
                        for duration in (_WARM_UP_S, seconds):
                            asked = [
                                pool.submit(run, address, ask, clients=1, seconds=duration) for address in each
                            ]
                            parts = [part.result() for part in asked]
                    total = Tally(elapsed_s=max(part.elapsed_s for part in parts))
                    for part in parts:
                        total.add(part)
                    tallies[f"{count} hosts, {clients} clients"] = total
    rates = {name: len(tally.seconds) / tally.elapsed_s for name, tally in tallies.items()}
    return Report(
        name="host_load",
        options={"products": limit, "seconds": round(seconds)},
        warm_up=f"{_WARM_UP_S:g} s of each",
        figures={name: Figure.of([1000 * each for each in tally.seconds], "ms") for name, tally in tallies.items()}
        | {f"answers a second, {name}": Figure.of([rate], "1/s") for name, rate in rates.items()},
        notes=(
            "All hosts, the nodes of OpenSearch and the clients share the cores of this machine.",
            *(
                f"{name}: " + ", ".join(f"{count} x {status}" for status, count in sorted(tally.statuses.items()))
                for name, tally in tallies.items()
            ),
        ),
    )


def _fault(rng: random.Random, number: int, long_every: int) -> tuple[str, float]:
    """What fails in a round, and for how long."""
    if number % long_every == long_every - 1:
        is_store = number // long_every % 2 == 0
        return ("store cut off", _STORE_AWAY_S) if is_store else ("indexer paused", _PAUSED_S)
    (fault,) = rng.choices(list(_FAULTS), weights=list(_FAULTS.values()))
    return fault, rng.uniform(16.0, 20.0) if fault == "indexer paused" else rng.uniform(0.5, 5.0)


class ThreeHosts:
    """Hosts with a service each, a cluster over them, and a database beside them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._clock = skewed_clock(directory, seconds=_SKEW_S)
        self._stack, self._stopped = ExitStack(), ""
        self._hosts: list[Host] = []
        self._services: dict[str, subprocess.Popen[bytes]] = {}
        self._cluster: OpenSearchCluster
        self._server: MongoServer
        self._store_host: Host

    @property
    def is_skewed(self) -> bool:
        """Whether the clock of the last host is wrong."""
        return self._clock is not None

    @property
    def addresses(self) -> list[str]:
        """Where the services are."""
        return [f"{host.address}:{_PORT}" for host in self._hosts]

    @property
    def environment(self) -> dict[str, str]:
        """The settings that all hosts have."""
        address = f"{self._cluster.address}/shop?replicas={HOSTS - 1}"
        return {"SARTOR_STORE": f"{self._server.address}/shop", "SARTOR_INDEX": address}

    def __enter__(self) -> ThreeHosts:
        from tools.engines.mongodb import MongoServer
        from tools.engines.network import Network
        from tools.engines.opensearch import OpenSearchCluster

        with ExitStack() as stack:
            network = stack.enter_context(Network())
            self._hosts = [network.add(f"shop-{number}") for number in range(1, HOSTS + 1)]
            self._store_host = network.add("store")
            self._server = stack.enter_context(MongoServer(self._directory / "store", on=self._store_host))
            self._cluster = OpenSearchCluster(self._directory / "cluster", on=self._hosts)
            stack.enter_context(self._cluster)
            stack.callback(self._end)
            for host in self._hosts:
                self.start(host)
            self.wait()
            rng = random.Random(1)  # noqa: S311
            connection = http.client.HTTPConnection(self.addresses[0], timeout=CALL_S)
            for number in range(_SEED_PRODUCTS):
                write_product(connection, f"seed-{number}", f"seed {number}", rng)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, host: Host) -> None:
        """Start the service of a host."""
        command = [*host.within, sys.executable, "-m", "sartor", "serve", "--host", host.address]
        options = ["--port", str(_PORT), "--rate-limit", "0", "--no-storefront", "--workers", "1"]
        clock = self._clock if host == self._hosts[-1] else None
        own = {"SARTOR_HOME": str(self._directory / host.name)} | (clock or {})
        with (self._directory / f"{host.name}.log").open("ab") as log:
            self._services[host.name] = subprocess.Popen(
                [*command, *options], env=os.environ | self.environment | own, stdout=log, stderr=log
            )

    def stop(self, host: Host) -> None:
        """End the service of a host."""
        service = self._services.pop(host.name)
        service.terminate()
        with suppress(subprocess.TimeoutExpired):
            service.wait(30)
        service.kill()
        service.wait()

    def hosts(self) -> list[Host]:
        """The hosts with a service."""
        return self._hosts

    def fail(self, fault: str, rng: random.Random, seconds: float) -> None:
        """Let something fail for so long."""
        host = rng.choice(self._hosts)
        if fault == "service killed":
            self._kill(host)
            self.start(host)
        elif fault == "node killed":
            node = rng.choice(self._cluster.nodes)
            node.kill()
            time.sleep(seconds)
            node.launch()
        elif fault == "indexer paused":
            host = self._indexer() or host
            processes = self._processes(host)
            self._stopped = f"{host.address}:{_PORT}"
            _signal(processes, signal.SIGSTOP)
            time.sleep(seconds)
            _signal(processes, signal.SIGCONT)
            time.sleep(_AWAKE_S)
            self._stopped = ""
        else:
            hosts = {"host cut off": [host], "store cut off": [self._store_host], "index cut off": self._hosts[:2]}
            for each in hosts[fault]:
                each.cut()
            time.sleep(seconds)
            for each in hosts[fault]:
                each.join()

    def is_stopped(self, address: str) -> bool:
        """Whether the processes of a host are paused, or were a moment ago."""
        return address == self._stopped

    def wait(self) -> None:
        """Wait until every host is ready, knows of all that was written, and its node is back."""
        deadline_s = time.monotonic() + _UP_S
        waiting = list(self.addresses)
        while waiting:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(waiting[0], timeout=CALL_S)
                status, found = read_json(connection, "/health/ready", {})
                if status == HTTPStatus.OK and "stale_s" not in found and self._searches(waiting[0]):
                    waiting.pop(0)
                    continue
            if time.monotonic() > deadline_s:
                message = f"{waiting[0]} does not come back"
                raise TimeoutError(message)
            time.sleep(0.1)
        for node in self._cluster.nodes:
            node.wait(nodes=HOSTS)

    def wrongs(self, writers: Sequence[Client]) -> list[str]:
        """What one of the hosts has otherwise than it was acknowledged, or in the index of two indexers."""
        found = [wrong for each in writers for address in self.addresses for wrong in each.wrongs(address)]
        return found + self._split_brain()

    def check(self) -> list[str]:
        """What is wrong in the end: whether the hosts answer alike, and what ``sartor check`` finds."""
        answers = []
        for address in self.addresses:
            connection = http.client.HTTPConnection(address, timeout=CALL_S)
            answers.append(
                [
                    [(hit["product_id"], round(hit["score"], 5)) for hit in found.get("hits", [])]
                    for number in range(_SEED_PRODUCTS)
                    for found in [read_json(connection, f"/v1/products/seed-{number}/similar?k=50", {})[1]]
                ]
            )
        unlike = [] if answers.count(answers[0]) == HOSTS and answers[0][0] else ["the hosts do not answer alike"]
        done = self.sartor("check", "--json")
        if not done.stdout:
            return [*unlike, done.stderr]
        problems = json.loads(done.stdout)["problems"]
        return unlike + [f"check: {each['count']} {each['what']}" for each in problems if not each["harmless"]]

    def sartor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command beside the hosts, on the same store and index."""
        command = [sys.executable, "-m", "sartor", *arguments]
        own = {"SARTOR_HOME": str(self._directory / "commands")}
        return subprocess.run(
            command, env=os.environ | self.environment | own, capture_output=True, text=True, check=False
        )

    def _searches(self, address: str) -> bool:
        connection = http.client.HTTPConnection(address, timeout=CALL_S)
        status, _ = read_json(connection, "/v1/products/seed-0/similar", {})
        return status in {HTTPStatus.OK, HTTPStatus.CONFLICT}  # which is what an empty catalog answers

    def _split_brain(self) -> list[str]:
        """What two indexers would leave: an alias of two indexes, or documents of a later term than the state."""
        found = []
        aliases = self._ask("/_alias/shop-*")
        for alias in {alias for each in aliases.values() for alias in each["aliases"]}:
            indexes = [name for name, each in aliases.items() if alias in each["aliases"]]
            if len(indexes) > 1:
                found.append(f"{alias} is of {indexes}")
        for name in aliases:
            state = self._ask(f"/{name}/_doc/state").get("_source", {}).get("state", {})
            later = {"query": {"range": {"term": {"gt": state.get("term", 0)}}}}
            count = self._ask(f"/{name}/_count", later).get("count", 0)
            if count:
                found.append(f"{name}: {count} documents of a later term than {state.get('term')}")
        return found

    def _ask(self, path: str, body: object = None) -> dict[str, Any]:
        host, _, port = self._cluster.nodes[0].host.partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=CALL_S)
        connection.request("GET", path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def _indexer(self) -> Host | None:
        """The host of the process that holds the lease."""
        from pymongo import MongoClient

        with MongoClient[dict[str, Any]](self._server.address, directConnection=True) as client:
            held = client["shop"]["leases"].find_one({"_id": "indexer"}) or {}
        named = [host for host in self._hosts if held.get("holder", "").startswith(f"{host.name}-")]
        return named[0] if named else None

    def _processes(self, host: Host) -> list[int]:
        """The service of a host, and all that it started."""
        found, asked = [], [self._services[host.name].pid]
        while asked:
            process_id = asked.pop()
            found.append(process_id)
            with suppress(OSError):
                children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
                asked += [int(child) for child in children]
        return found

    def _kill(self, host: Host) -> None:
        processes = self._processes(host)
        _signal(processes, signal.SIGKILL)
        self._services[host.name].wait()

    def _end(self) -> None:
        for host in self._hosts:
            if host.name in self._services:
                self._kill(host)


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process_id in processes:
        with suppress(ProcessLookupError):
            os.kill(process_id, number)
