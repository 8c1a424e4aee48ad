"""The service as one process of its own: killed at any moment, it keeps what it acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import sartor
from tests.fakes import photo

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S = 60


class Running:
    """A service that listens."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = urlsplit(address).netloc

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def headers(self, path: str) -> dict[str, str]:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request("GET", path)
            return {name.lower(): value for name, value in connection.getresponse().getheaders()}
        finally:
            connection.close()


@contextmanager
def service(home: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "sartor", "serve", "--port", "0", "--rate-limit", "0", "--workers", "1"]
    # ONNX Runtime starts faster, and this is started often.
    environment = os.environ | {"SARTOR_HOME": str(home), "SARTOR_RUNTIME": "onnxruntime", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            running = Running(process, process.stdout.readline().split(" on ")[1].split(" ")[0])
            deadline = time.monotonic() + START_S
            while running.ask("GET", "/health/ready")[0] != 200:
                assert time.monotonic() < deadline, "the service does not become ready"
                time.sleep(0.05)
            yield running
        finally:
            process.kill()


def form(title: str, data: bytes) -> tuple[bytes, str]:
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="product"\r\n\r\n'
        + json.dumps({"title": title}).encode()
        + b'\r\n--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
        + data
        + b"\r\n--x--\r\n"
    )
    return parts, "multipart/form-data; boundary=x"


def write_until_it_dies(running: Running, expected: dict[str, str | None], rng: random.Random) -> None:
    """Put and delete products; ``expected`` notes what was acknowledged, and nothing about what was under way."""
    while True:
        product_id = f"p{rng.randrange(40)}"
        title = None if rng.random() < 0.25 else f"{product_id} {rng.random()}"
        before = expected.pop(product_id, None)
        try:
            if title is None:
                status, _ = running.ask("DELETE", f"/v1/products/{product_id}")
                assert status in {204, 404}
            else:
                shade = (rng.randrange(20, 255), rng.randrange(20, 255), rng.randrange(20, 255))
                status, _ = running.ask("PUT", f"/v1/products/{product_id}", *form(title, photo(shade)))
                assert status in {200, 201}
        except (OSError, http.client.HTTPException):
            del before  # it may or may not have been done
            return
        expected[product_id] = title


def test_what_was_acknowledged_is_there_after_a_kill(home: Path) -> None:
    rng, expected = random.Random(5), {}  # noqa: S311 - no secret
    acknowledged = 0
    for round_ in range(3):
        with service(home) as running:
            for product_id, title in expected.items():
                status, body = running.ask("GET", f"/v1/products/{product_id}")
                assert status == (404 if title is None else 200)
                assert title is None or json.loads(body)["title"] == title
            killer = threading.Timer(0.8 + 0.3 * round_, running.process.send_signal, [signal.SIGKILL])
            killer.start()
            write_until_it_dies(running, expected, rng)
            killer.join()
        acknowledged += len(expected)
    assert acknowledged > 10
    with sartor.open(home) as shop:
        there = {product_id: shop.product(product_id).product.title for product_id in shop.product_ids()}
        assert {key: there.get(key) for key in expected} == expected
        shop.warm_up()
        assert not [problem for problem in shop.check() if not problem.harmless]


def send_until_it_dies(running: Running, sender: int, acknowledged: list[dict[str, object]]) -> int:
    """Send batches of events, some of them once more; note what was acknowledged, and how often it was new."""
    accepted, last = 0, []
    while True:
        number = len(acknowledged) // 20 % 1000
        batch = [
            {
                "event_id": f"{sender}-{len(acknowledged)}-{index}",
                "type": ("view", "like", "purchase")[index % 3],
                "user_id": f"u{sender}",
                "product_id": f"p{index % 7}",
                "timestamp": f"2026-03-04T05:06:07.{number:03}{index:03}+00:00",
            }
            for index in range(20)
        ]
        try:
            status, body = running.ask("POST", "/v1/events", json.dumps({"events": [*batch, *last[:5]]}).encode())
        except (OSError, http.client.HTTPException):
            return accepted
        assert status == 200, body
        accepted += json.loads(body)["accepted"]
        acknowledged += batch
        last = batch


def test_every_acknowledged_event_is_there_once_after_a_kill(home: Path) -> None:
    acknowledged: list[list[dict[str, object]]] = [[], [], []]
    for round_ in range(3):
        before = [len(each) for each in acknowledged]
        with service(home) as running, ThreadPoolExecutor(len(acknowledged)) as pool:
            sent = [
                pool.submit(send_until_it_dies, running, sender, each) for sender, each in enumerate(acknowledged)
            ]
            time.sleep(0.7 + 0.3 * round_)
            running.process.send_signal(signal.SIGKILL)
            for sender, each in enumerate(sent):
                accepted = each.result()
                new = len(acknowledged[sender]) - before[sender]
                # What was under way when the last process died may be there, and is sent again to the next.
                assert accepted in {new, new - 20 * (round_ > 0)}
        assert all(len(each) > count for each, count in zip(acknowledged, before, strict=True))
    with service(home) as running:
        for sender, expected in enumerate(acknowledged):
            events = json.loads(running.ask("GET", f"/v1/users/u{sender}")[1])["events"]
            assert len({event["event_id"] for event in events}) == len(events)
            there = {event["event_id"]: event for event in events}
            for event in expected:
                kept = there[event["event_id"]]
                assert {name: kept[name] for name in event} == event
            assert len(events) <= len(expected) + 20  # and what was under way when the last one died


def test_sigterm_answers_what_is_under_way_and_ends_well(home: Path) -> None:
    with service(home) as running:
        done: list[int] = []
        asked = threading.Thread(
            target=lambda: done.append(running.ask("PUT", "/v1/products/a", *form("A", photo((9, 99, 199))))[0])
        )
        asked.start()
        time.sleep(0.05)
        running.process.send_signal(signal.SIGTERM)
        asked.join(20)
        assert running.process.wait(20) == 0
    assert done == [201]
    with sartor.open(home) as shop:
        assert shop.product_ids() == ["a"]


def test_other_commands_work_beside_a_service(home: Path) -> None:
    with service(home):
        command = [sys.executable, "-m", "sartor"]
        done = subprocess.run(
            [*command, "info"],
            env=os.environ | {"SARTOR_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        made = subprocess.run(
            [*command, "keys", "create", "--scope", "write"],
            env=os.environ | {"SARTOR_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert made.stdout.startswith("sartor_")
