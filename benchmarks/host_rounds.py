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
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.kill_rounds import read_json, write_product
from benchmarks.report import Figure, Report, Target
from tools.engines.network import skewed_clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.engines.mongodb import MongoServer
    from tools.engines.network import Host
    from tools.engines.opensearch import OpenSearchCluster, OpenSearchNode

HOSTS = 3
_PORT = 8000
_CLIENTS, _PRODUCTS_EACH, _SEED_PRODUCTS = 3, 12, 20
_LOAD_S = (0.2, 1.2)
_UP_S = 180.0
_DELETED = 0.3  # of the writes
_CALL_S = 20.0  # that a client waits; the service has 10 for its calls
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
class _Writer:
    """Writes products of its own on any host, and knows what has to be there.

    Attributes:
        titles: Acknowledged title by product; None for a deleted one. One whose last write is unknown is missing.
        revision: Of its last acknowledged write.
        acknowledged: Number of its acknowledged writes.
        refused: Number of those that were answered with 503.
        longest_s: Longest time until an answer.
    """

    number: int
    rng: random.Random
    titles: dict[str, str | None] = field(default_factory=dict)
    revision: int = 0
    acknowledged: int = 0
    refused: int = 0
    longest_s: float = 0.0

    def write(self, addresses: Sequence[str], stop: Event) -> None:
        """Put and delete products one after the other; of a call that is not answered, nothing is known."""
        while not stop.is_set():
            product_id = f"c{self.number}-{self.rng.randrange(_PRODUCTS_EACH)}"
            title = None if self.rng.random() < _DELETED else f"{product_id} {self.rng.random()}"
            self.titles.pop(product_id, None)
            started_s = time.perf_counter()
            connection = http.client.HTTPConnection(self.rng.choice(addresses), timeout=_CALL_S)
            try:
                status, headers, content = write_product(connection, product_id, title, self.rng)
            except ConnectionRefusedError:
                stop.wait(0.05)
                continue
            except (OSError, http.client.HTTPException):
                continue
            finally:
                connection.close()
            self.longest_s = max(self.longest_s, time.perf_counter() - started_s)
            if status == HTTPStatus.NOT_FOUND and title is None:
                self.titles[product_id] = None
            elif status in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
                self.titles[product_id] = title
                self.revision = int(headers["sartor-revision"])
                self.acknowledged += 1
            elif status == HTTPStatus.SERVICE_UNAVAILABLE:
                self.refused += 1
            else:
                message = f"{product_id}: answer {status}: {content[:500]!r}"
                raise AssertionError(message)

    def wrongs(self, address: str) -> Iterator[str]:
        """What is not as it was acknowledged, on one host."""
        connection = http.client.HTTPConnection(address, timeout=_CALL_S)
        sent = {"Sartor-Revision": str(self.revision)}
        for product_id, title in sorted(self.titles.items()):
            status, found = read_json(connection, f"/v1/products/{product_id}", sent)
            there = found.get("title") if status == HTTPStatus.OK else None
            if there != title:
                yield f"{address}: {product_id}: acknowledged {title!r}, found {there!r} (status {status})"
        _, found = read_json(connection, "/v1/products/seed-0/similar?k=100", sent)
        shown = {hit["product_id"] for hit in found.get("hits", [])}
        for product_id, title in self.titles.items():
            if title is None and product_id in shown:
                yield f"{address}: {product_id}: deleted, and shown after revision {self.revision}"
            if title is not None and product_id not in shown:
                yield f"{address}: {product_id}: acknowledged, and not found after revision {self.revision}"


@dataclass(slots=True)
class _Reader:
    """Asks one host after the other, and the next one where one does not answer, as a proxy does."""

    answered: int = 0
    failed: int = 0
    longest_gap_s: float = 0.0
    longest_s: float = 0.0
    overdue: list[str] = field(default_factory=list)

    def read(self, addresses: Sequence[str], stop: Event, during: str) -> None:
        """Ask until it is told to stop."""
        turn, last_s = 0, time.perf_counter()
        while not stop.is_set():
            address, turn = addresses[turn % len(addresses)], turn + 1
            started_s = time.perf_counter()
            connection = http.client.HTTPConnection(address, timeout=_CALL_S)
            try:
                connection.connect()  # a host that is cut off is the network's matter, not the service's
                started_s = time.perf_counter()
                status, _ = read_json(connection, f"/v1/products/seed-{turn % _SEED_PRODUCTS}/similar", {})
            except (OSError, http.client.HTTPException):
                status = 0
            finally:
                connection.close()
            now_s = time.perf_counter()
            self.longest_s = max(self.longest_s, now_s - started_s)
            if status == HTTPStatus.OK:
                self.answered += 1
                self.longest_gap_s = max(self.longest_gap_s, now_s - last_s)
                last_s = now_s
            else:
                self.failed += 1
            if status and now_s - started_s > _DEADLINE_S:
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
    writers = [_Writer(number, random.Random(f"{seed}-{number}")) for number in range(_CLIENTS)]  # noqa: S311
    reader = _Reader()
    wrongs: list[str] = []
    faults: Counter[str] = Counter()
    back_s: list[float] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shops = stack.enter_context(ThreeHosts(directory))
        for number in range(rounds):
            fault, seconds = _fault(rng, number, long_every)
            stop = Event()
            with ThreadPoolExecutor(_CLIENTS + 1) as pool:
                running = [pool.submit(writer.write, shops.addresses, stop) for writer in writers]
                running.append(pool.submit(reader.read, shops.addresses, stop, f"round {number}, {fault}"))
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
            "longest answer": Figure.of([reader.longest_s], "s"),
            "longest write": Figure.of([max(each.longest_s for each in writers)], "s"),
            "all hosts are ready again": Figure.of(back_s, "s"),
        },
        targets=[
            Target(what="acknowledged writes lost, or deleted products shown", value=len(wrongs), at_most=0),
            Target(what="answers over their deadline", value=len(reader.overdue), at_most=0),
            Target(what="what is wrong in the end", value=len(problems), at_most=0),
        ],
        notes=(
            ", ".join(f"{count} x {fault}" for fault, count in sorted(faults.items())),
            f"The clock of the last host is {_SKEW_S} s ahead."
            if shops.is_skewed
            else "No clock is skewed: there is no C compiler.",
            *wrongs[:20],
            *reader.overdue[:20],
            *problems,
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
        self._stack = ExitStack()
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
            connection = http.client.HTTPConnection(self.addresses[0], timeout=_CALL_S)
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
            _start(node)
        elif fault == "indexer paused":
            processes = self._processes(self._indexer() or host)
            _signal(processes, signal.SIGSTOP)
            time.sleep(seconds)
            _signal(processes, signal.SIGCONT)
        else:
            hosts = {"host cut off": [host], "store cut off": [self._store_host], "index cut off": self._hosts[:2]}
            for each in hosts[fault]:
                each.cut()
            time.sleep(seconds)
            for each in hosts[fault]:
                each.join()

    def wait(self) -> None:
        """Wait until every host is ready, knows of all that was written, and its node is back."""
        deadline_s = time.monotonic() + _UP_S
        waiting = list(self.addresses)
        while waiting:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(waiting[0], timeout=_CALL_S)
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

    def wrongs(self, writers: Sequence[_Writer]) -> list[str]:
        """What one of the hosts has otherwise than it was acknowledged, or in the index of two indexers."""
        found = [wrong for each in writers for address in self.addresses for wrong in each.wrongs(address)]
        return found + self._split_brain()

    def check(self) -> list[str]:
        """What is wrong in the end: whether the hosts answer alike, and what ``sartor check`` finds."""
        answers = []
        for address in self.addresses:
            connection = http.client.HTTPConnection(address, timeout=_CALL_S)
            answers.append(
                [
                    [(hit["product_id"], round(hit["score"], 5)) for hit in found.get("hits", [])]
                    for number in range(_SEED_PRODUCTS)
                    for found in [read_json(connection, f"/v1/products/seed-{number}/similar?k=50", {})[1]]
                ]
            )
        unlike = [] if answers.count(answers[0]) == HOSTS and answers[0][0] else ["the hosts do not answer alike"]
        command = [sys.executable, "-m", "sartor", "check", "--json"]
        own = {"SARTOR_HOME": str(self._directory / "check")}
        done = subprocess.run(
            command, env=os.environ | self.environment | own, capture_output=True, text=True, check=False
        )
        if not done.stdout:
            return [*unlike, done.stderr]
        problems = json.loads(done.stdout)["problems"]
        return unlike + [f"check: {each['count']} {each['what']}" for each in problems if not each["harmless"]]

    def _searches(self, address: str) -> bool:
        connection = http.client.HTTPConnection(address, timeout=_CALL_S)
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
        connection = http.client.HTTPConnection(host, int(port), timeout=_CALL_S)
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


def _start(node: OpenSearchNode) -> None:
    node.launch()


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process_id in processes:
        with suppress(ProcessLookupError):
            os.kill(process_id, number)
