"""Kills processes of a loaded shop, round after round, and looks whether it kept what it had acknowledged.

Each round a few clients put and delete products over HTTP by themselves, and note what was acknowledged. Then one
process is killed with SIGKILL: a worker of the service, its supervisor, an ``index`` command beside it, or the
database server. When the service answers again, every acknowledged write has to be there, and no deleted product
may be shown to a reader that sends the revision of its deletion.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from PIL import Image

from benchmarks.report import Figure, Report, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLIENTS, _PRODUCTS_EACH = 3, 12
_LOAD_S = (0.2, 1.2)
_UP_S = 120.0
_TRIES = 50
CALL_S = 20.0  # that a client waits; the service has 10 for a call of the store
_DELETED = 0.3  # of the writes


@dataclass(slots=True)
class Client:
    """Writes products of its own, and knows what has to be there.

    Attributes:
        titles: Acknowledged title by product; None for a deleted one. One whose last write is unknown is missing.
        pending: Products of calls that were not answered. They may be carried out later, by a process that was
            paused, and so are not written again before ``settle``.
        revision: Of its last acknowledged write.
        acknowledged: Number of its acknowledged writes.
        refused: Number of those that were answered with 503.
        longest_s: Longest time until an answer.
    """

    number: int
    rng: random.Random
    titles: dict[str, str | None] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    revision: int = 0
    acknowledged: int = 0
    refused: int = 0
    longest_s: float = 0.0

    def write(self, addresses: Sequence[str], stop: Event) -> None:
        """Put and delete products at any of the addresses; of a call that is not answered, nothing is known."""
        while not stop.is_set():
            product_id = f"c{self.number}-{self.rng.randrange(_PRODUCTS_EACH)}"
            title = None if self.rng.random() < _DELETED else f"{product_id} {self.rng.random()}"
            if product_id in self.pending:
                stop.wait(0.05)
                continue
            self.titles.pop(product_id, None)
            started_s = time.perf_counter()
            connection = http.client.HTTPConnection(self.rng.choice(addresses), timeout=CALL_S)
            try:
                status, headers, content = write_product(connection, product_id, title, self.rng)
            except ConnectionRefusedError:
                stop.wait(0.05)
                continue
            except (OSError, http.client.HTTPException):
                self.pending.add(product_id)
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

    def settle(self) -> None:
        """Write again what was not answered: every process has carried out what it was sent."""
        self.pending.clear()

    def wrongs(self, address: str) -> Iterator[str]:
        """What is not as it was acknowledged."""
        connection = http.client.HTTPConnection(address, timeout=CALL_S)
        sent = {"Sartor-Revision": str(self.revision)}
        for product_id, title in sorted(self.titles.items()):
            status, found = read_json(connection, f"/v1/products/{product_id}", sent)
            there = found.get("title") if status == HTTPStatus.OK else None
            if there != title:
                yield f"{address}: {product_id}: acknowledged {title!r}, found {there!r} (status {status})"
        alive = [product_id for product_id, title in self.titles.items() if title is not None]
        if not alive:
            return
        _, found = read_json(connection, f"/v1/products/{alive[0]}/similar?k=200", sent)
        shown = {alive[0]} | {hit["product_id"] for hit in found.get("hits", [])}
        shown |= {each for hit in found.get("hits", []) for each in hit.get("variants", [])}
        for product_id, title in self.titles.items():
            if title is None and product_id in shown:
                yield f"{address}: {product_id}: deleted, and shown after revision {self.revision}"
            if title is not None and product_id not in shown:
                yield f"{address}: {product_id}: acknowledged, and not found after revision {self.revision}"


def kill_rounds(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often something is killed.")] = 40,
    seed: Annotated[int, typer.Option(help="Of what is written, and of what is killed when.")] = 0,
    store: Annotated[
        Literal["sqlite", "mongodb"], typer.Option(help="What holds the truth; mongodb starts its stand-in.")
    ] = "sqlite",
    workers: Annotated[int, typer.Option(min=1, help="Processes of the service.")] = 2,
) -> Report:
    """Kill -9 of workers, supervisor, writers and the database server under load, and what was lost."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    clients = [Client(number, random.Random(f"{seed}-{number}")) for number in range(_CLIENTS)]  # noqa: S311
    wrongs: list[str] = []
    killed: Counter[str] = Counter()
    back_s: list[float] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shop = stack.enter_context(_Shop(directory, store=store, workers=workers))
        for number in range(rounds):
            what = rng.choice(["worker", "worker", "supervisor", "writer", *(["database"] if shop.server else [])])
            with ThreadPoolExecutor(_CLIENTS) as pool:
                stop = Event()
                writing = [pool.submit(client.write, [shop.address], stop) for client in clients]
                time.sleep(rng.uniform(*_LOAD_S))
                shop.kill(what, rng)
                started_s = time.perf_counter()
                shop.wait()
                back_s.append(time.perf_counter() - started_s)
                time.sleep(rng.uniform(*_LOAD_S))
                stop.set()
                for each in writing:
                    each.result()
            shop.wait()
            for client in clients:
                client.settle()
            found = [wrong for client in clients for wrong in client.wrongs(shop.address)]
            wrongs += [f"seed {seed}, round {number}, {what} killed: {wrong}" for wrong in found]
            killed[what] += 1
            for line in wrongs[len(wrongs) - len(found) :]:
                typer.echo(line, err=True)
        problems = shop.check()
    acknowledged = sum(client.acknowledged for client in clients)
    return Report(
        name=f"kill_rounds_{store}",
        options={"rounds": rounds, "seed": seed, "workers": workers},
        warm_up="none",
        figures={
            "acknowledged writes": Figure.of([float(acknowledged)], "writes"),
            "refused writes": Figure.of([float(sum(client.refused for client in clients))], "writes"),
            "service answers again": Figure.of(back_s, "s"),
        },
        targets=[
            Target(what="acknowledged writes lost, or deleted products shown", value=len(wrongs), at_most=0),
            Target(what="what `sartor check` finds at the end", value=len(problems), at_most=0),
        ],
        notes=(
            "Killed: " + ", ".join(f"{count} x {what}" for what, count in sorted(killed.items())),
            *wrongs[:20],
            *problems,
        ),
    )


class _Shop:
    """A served workspace on one of the stores, and what can be killed of it."""

    def __init__(self, directory: Path, *, store: str, workers: int) -> None:
        self._directory, self._workers = directory, workers
        self._store = store
        self.server: Any = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.address = f"127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None
        self._photos = directory / "photos"

    def __enter__(self) -> _Shop:
        self._photos.mkdir()
        rng = random.Random(1)  # noqa: S311
        for number in range(40):
            (self._photos / f"photo-{number}.png").write_bytes(_photo(rng))
        if self._store == "mongodb":
            from tools.engines.mongodb import MongoServer

            self.server = MongoServer(self._directory / "server")
            self.server.start()
        self._start()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill_group()
        if self.server is not None:
            self.server.kill()

    def kill(self, what: str, rng: random.Random) -> None:
        """Kill a process; the supervisor and the database are started again."""
        assert self._process is not None  # noqa: S101 - it was started
        if what == "worker":
            workers = _children(self._process.pid)
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(workers), signal.SIGKILL)
        elif what == "supervisor":
            self._process.kill()
            self._process.wait()
            self._start()
        elif what == "writer":
            command = [sys.executable, "-m", "sartor", "index", str(self._photos)]
            with subprocess.Popen(
                command, env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as writer:
                time.sleep(rng.uniform(1.0, 4.0))
                writer.kill()
        else:
            self.server.kill()
            time.sleep(rng.uniform(0, 1))
            self.server.start()

    def wait(self) -> None:
        """Wait until the service is ready."""
        deadline = time.monotonic() + _UP_S
        while True:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(self.address, timeout=10)
                if read_json(connection, "/health/ready", {})[0] == HTTPStatus.OK:
                    return
            if time.monotonic() > deadline:
                message = "the service does not come back"
                raise TimeoutError(message)
            time.sleep(0.05)

    def check(self) -> list[str]:
        """What is wrong with the workspace in the end."""
        self._kill_group()
        command = [sys.executable, "-m", "sartor", "check", "--json"]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        if not done.stdout:
            return [done.stderr]
        problems = json.loads(done.stdout)["problems"]
        return [f"check: {problem['count']} {problem['what']}" for problem in problems if not problem["harmless"]]

    def _start(self) -> None:
        command = [sys.executable, "-m", "sartor", "serve", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [*command, "--rate-limit", "0", "--no-storefront", "--workers", str(self._workers)],
            stdout=subprocess.PIPE,
            stderr=(self._directory / "service.log").open("a"),
            text=True,
            env=self._environment(),
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        line = self._process.stdout.readline()
        if " on " not in line:
            message = f"the service does not start: {line}"
            raise RuntimeError(message)

    def _kill_group(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
            self._process.kill()
            self._process.wait()

    def _environment(self) -> dict[str, str]:
        address = {} if self.server is None else {"SARTOR_STORE": f"{self.server.address}/shop"}
        return os.environ | {"SARTOR_HOME": str(self._directory / "home"), "PYTHONUNBUFFERED": "1"} | address


def _children(process_id: int) -> Sequence[int]:
    """The workers of a supervisor; its resource tracker is none of them."""
    found = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _photo(rng: random.Random) -> bytes:
    stream = BytesIO()
    color = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    Image.new("RGB", (64, 64), color).save(stream, "PNG")
    return stream.getvalue()


def write_product(
    connection: http.client.HTTPConnection, product_id: str, title: str | None, rng: random.Random
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Put a product with a photo, or delete it if it has no title; returns status, headers and body."""
    if title is None:
        connection.request("DELETE", f"/v1/products/{product_id}")
    else:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="product"\r\n\r\n'
            + json.dumps({"title": title}).encode()
            + b'\r\n--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
            + _photo(rng)
            + b"\r\n--x--\r\n"
        )
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        connection.request("PUT", f"/v1/products/{product_id}", body, kind)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def read_json(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Ask, again where the process has not followed yet."""
    for _ in range(_TRIES):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE or not headers:
            break
        time.sleep(0.1)
    found = json.loads(content) if content[:1] == b"{" else {}
    return answer.status, found
