"""Several worker processes behind one address, as a client and an operator see them."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sartor
from tests.copies import copied
from tests.fakes import photo
from tests.service.test_durability import form

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which worker has a connection")

_START_S = 60


class Running:
    """A service of several workers."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address, timeout=30)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = self.connection()
        try:
            return ask(connection, method, path, body, **headers)
        finally:
            connection.close()

    @property
    def figures(self) -> str:
        return self.ask("GET", "/metrics")[2].decode()

    def pids(self) -> set[int]:
        return {int(pid) for pid in re.findall(r'sartor_worker_resident_bytes{pid="(\d+)"} [1-9]', self.figures)}

    @contextmanager
    def connections(self, count: int) -> Iterator[list[http.client.HTTPConnection]]:
        """So many connections, all at once."""
        with ExitStack() as stack:
            connections = [stack.enter_context(closing(self.connection())) for _ in range(count)]
            for connection in connections:
                connection.connect()
            for connection in connections:
                ask(connection, "GET", "/health/live")
            yield connections

    @contextmanager
    def connection_to_each(self) -> Iterator[list[http.client.HTTPConnection]]:
        """A connection to each worker."""
        with self.connections(8) as connections:
            pids = self.pids()
            by_pid = {holder(connection, pids): connection for connection in connections}
            assert len(by_pid) == len(pids) == 2
            yield list(by_pid.values())


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def holder(connection: http.client.HTTPConnection, pids: set[int]) -> int:
    """The process that has the other end of a connection."""
    (_, ours), (_, theirs) = connection.sock.getsockname(), connection.sock.getpeername()
    pair = f"0100007F:{theirs:04X} 0100007F:{ours:04X}"
    pair += " 01 "  # established; a former connection of the same ports may be listed, too
    (inode,) = [line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines() if pair in line]
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(file) == f"socket:[{inode}]":  # noqa: PTH115 - no path
                    return pid
            except FileNotFoundError:
                continue
    raise AssertionError(pids)


@contextmanager
def workers(home: Path, *options: str, count: int = 2) -> Iterator[Running]:
    """A service with several workers that is ready."""
    command = [sys.executable, "-m", "sartor", "serve", "--port", "0", "--workers", str(count)]
    with subprocess.Popen(
        [*command, *(options or ("--rate-limit", "0"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"SARTOR_HOME": str(home), "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        try:
            running = Running(process, process.stdout.readline().split("http://")[1].split(" ")[0])
            wait_until(lambda: running.ask("GET", "/health/ready")[0] == 200)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()


def wait_until(true: object, seconds: float = _START_S) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def running(full_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with workers(copied(full_home, tmp_path_factory.mktemp("workers") / "home")) as service:
        yield service


@pytest.fixture(scope="module")
def sharing(full_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Workers that ask one process for the index."""
    home = copied(full_home, tmp_path_factory.mktemp("sharing") / "home")
    with workers(home, "--share-index", "--rate-limit", "0") as service:
        yield service


@pytest.fixture(params=["running", "sharing"])
def either(request: pytest.FixtureRequest) -> Running:
    service: Running = request.getfixturevalue(request.param)
    return service


def test_workers_answer_alike(either: Running) -> None:
    running, answers = either, []
    with running.connection_to_each() as connections:
        for connection in connections:
            status, _, body = ask(connection, "GET", "/v1/products/red/similar")
            assert status == 200
            answers.append({**json.loads(body), "recommendation_id": "", "took_ms": 0})
    assert answers[0] == answers[1]


def test_eight_clients_are_four_for_each_worker_however_they_come(running: Running) -> None:
    with running.connections(8) as connections:
        pids = running.pids()
        held = Counter(holder(connection, pids) for connection in connections)
    assert sorted(held.values()) in ([3, 5], [4, 4])  # one may come while the last one of before is being closed
    with ExitStack() as stack:
        held = Counter()
        for _ in range(8):
            connection = stack.enter_context(closing(running.connection()))
            ask(connection, "GET", "/health/live")
            held[holder(connection, pids)] += 1
    assert sorted(held.values()) in ([3, 5], [4, 4])


def test_figures_add_up_over_workers(running: Running) -> None:
    def count() -> float:
        counted = re.findall(
            r'sartor_requests_total{method="GET",route="/v1/trending",status="200"} (\S+)', running.figures
        )
        return float(counted[0]) if counted else 0.0

    before = count()
    with running.connection_to_each() as connections:
        for connection in 3 * connections:
            assert ask(connection, "GET", "/v1/trending")[0] == 200

    assert count() == before + 6
    assert len(running.pids()) == 2
    assert running.figures.count("sartor_products 5.0") == 1


def test_what_one_worker_writes_the_other_knows_with_its_revision(either: Running) -> None:
    with either.connection_to_each() as connections:
        writer, reader = connections
        for number in range(20):
            body, kind = form(f"Title {number}", photo((250 - number, 9 * number, 128)))
            status, headers, written = ask(writer, "PUT", "/v1/products/mine", body, Content_Type=kind)
            assert status in {200, 201}
            revision = headers["sartor-revision"]
            assert int(revision) == json.loads(written)["revision"]
            status, headers, _ = ask(reader, "GET", "/v1/products/mine/similar?k=1", Sartor_Revision=revision)
            assert status == 200
            assert int(headers["sartor-revision"]) >= int(revision)
            body, kind = form("", photo((250 - number, 9 * number, 128), side_px=20))
            body = body.replace(b'name="product"', b'name="query"').replace(b'"title": ""', b'"k": 1')
            status, _, found = ask(
                reader, "POST", "/v1/similar", body, Content_Type=kind, Sartor_Revision=revision
            )
            assert status == 200
            assert json.loads(found)["hits"][0]["title"] == f"Title {number}"
            writer, reader = reader, writer
        status, headers, _ = ask(writer, "DELETE", "/v1/products/mine")
        assert status == 204
        gone = ask(reader, "GET", "/v1/products/mine/similar", Sartor_Revision=headers["sartor-revision"])
        assert gone[0] == 404


def test_a_photo_uploaded_to_one_worker_is_shown_by_the_other(running: Running) -> None:
    with running.connection_to_each() as (one, other):
        body, kind = form("", photo((1, 2, 3)))
        body = body.split(b"\r\n--x\r\n", 1)[1].join([b"--x\r\n", b""])
        status, headers, _ = ask(one, "POST", "/search", body, Content_Type=kind)
        assert status == 303
        (name,) = re.findall(r"[0-9a-f]{64}", headers["location"])
        assert [ask(each, "GET", f"/uploads/{name}")[0] for each in (one, other)] == [200, 200]
        assert ask(other, "GET", headers["location"], Accept="text/html")[0] == 200


def test_the_limit_on_the_rate_counts_over_workers(catalog: Path) -> None:
    with workers(catalog, "--rate-limit", "60") as running, running.connection_to_each() as connections:
        statuses = [ask(connection, "GET", "/v1/products/red")[0] for connection in 50 * connections]
    answered = statuses.count(200)
    assert 30 < answered <= 62  # some were spent before, and a new minute may begin
    assert statuses.count(429) == 100 - answered


def test_a_worker_that_is_killed_under_load_loses_nothing_and_is_replaced(running: Running) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()

    def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            product_id, number = f"w{writer}-{number}", number + 1
            try:
                status, *_ = running.ask(
                    "PUT",
                    f"/v1/products/{product_id}",
                    b'{"title": "T"}',
                    Content_Type="application/json",
                )
            except (OSError, http.client.HTTPException):
                continue  # its worker was killed: it may or may not have been written
            assert status in {201, 200}
            acknowledged.append(product_id)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    before = running.pids()
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(running.pids() - {killed}) == 2)
    count = len(acknowledged)
    wait_until(lambda: len(acknowledged) > count + 5)
    stop.set()
    for thread in threads:
        thread.join()

    with running.connection_to_each() as connections:
        for product_id in acknowledged:
            assert [ask(each, "GET", f"/v1/products/{product_id}")[0] for each in connections] == [200, 200]
        for product_id in acknowledged:
            ask(connections[0], "DELETE", f"/v1/products/{product_id}")


def test_a_worker_that_was_paused_knows_at_once_what_it_missed(either: Running) -> None:
    with either.connection_to_each() as (one, other):
        paused = holder(other, either.pids())
        os.kill(paused, signal.SIGSTOP)
        try:
            for number in range(10):
                status, headers, _ = ask(
                    one,
                    "PUT",
                    "/v1/products/missed",
                    json.dumps({"title": f"T{number}"}).encode(),
                    Content_Type="application/json",
                )
                assert status in {200, 201}
            ask(one, "PUT", "/v1/products/gone", b'{"title": "T"}', Content_Type="application/json")
            headers = ask(one, "DELETE", "/v1/products/gone")[1]
        finally:
            os.kill(paused, signal.SIGCONT)
        revision = headers["sartor-revision"]
        status, _, body = ask(other, "GET", "/v1/products/missed", Sartor_Revision=revision)
        assert (status, json.loads(body)["title"]) == (200, "T9")
        assert ask(other, "GET", "/v1/products/gone", Sartor_Revision=revision)[0] == 404
        ask(one, "DELETE", "/v1/products/missed")


def index_process(service: Running) -> int:
    """The child of the supervisor that has the index: the one without a part of the socket's answers."""
    pid = service.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    others = {int(child) for child in children} - service.pids()
    (found,) = [child for child in others if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return found


def test_the_process_with_the_index_is_replaced_when_it_dies_and_on_sighup(sharing: Running) -> None:
    def asks() -> int:
        return sharing.ask("GET", "/v1/products/red/similar")[0]

    assert asks() == 200
    killed = index_process(sharing)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: asks() == 200)
    second = index_process(sharing)
    assert second != killed
    statuses: list[int] = []
    stop = threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            with suppress(http.client.RemoteDisconnected, ConnectionResetError):  # its worker was replaced
                statuses.append(asks())

    thread = threading.Thread(target=ask_on)
    thread.start()
    sharing.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not Path(f"/proc/{second}").exists())
    stop.set()
    thread.join()
    assert set(statuses) == {200}
    assert asks() == 200


def test_sigterm_finishes_what_is_under_way_and_exits_well(home: Path) -> None:
    with workers(home) as running:
        done: list[int] = []
        body, kind = form("A", photo((9, 99, 199)))
        asked = threading.Thread(
            target=lambda: done.append(running.ask("PUT", "/v1/products/a", body, Content_Type=kind)[0])
        )
        asked.start()
        time.sleep(0.05)
        running.process.send_signal(signal.SIGTERM)
        asked.join(20)
        assert running.process.wait(20) == 0
        assert running.process.stderr is not None
        said = running.process.stderr.read()
    assert done == [201]
    assert said.count("is ready on") == 1
    assert "Traceback" not in said
    with sartor.open(home) as shop:
        assert shop.product_ids() == ["a"]


def test_workers_end_when_their_supervisor_is_killed_and_free_the_address(home: Path) -> None:
    with workers(home, "--share-index") as running:
        pids = running.pids() | {index_process(running)}
        running.process.kill()
        running.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), 20)


def test_a_workspace_that_cannot_be_opened_is_told_in_one_line(home: Path) -> None:
    (home / "catalog.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    told = []
    for count in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "sartor", "serve", "--port", "0", "--workers", count, "--home", str(home)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        told.append((done.returncode, done.stdout, done.stderr))
    assert told[0] == told[1]
    assert told[1][0] == 1
    assert told[1][2].count("\n") == 1


def test_a_worker_that_cannot_start_again_ends_the_service_with_one_line(home: Path) -> None:
    with workers(home, "--share-index") as running:
        pids = running.pids()
        index = index_process(running)
        for file in home.glob("catalog.sqlite3*"):
            file.unlink()
        (home / "catalog.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 100)
        os.kill(min(pids), signal.SIGKILL)
        assert running.process.wait(30) == 1
        assert running.process.stderr is not None
        last = running.process.stderr.read().splitlines()[-1]
    assert last.startswith("sartor: ")
    assert "catalog.sqlite3" in last
    wait_until(lambda: not Path(f"/proc/{index}/exe").exists())


def test_an_index_that_is_in_a_cluster_is_not_shared_once_more(home: Path) -> None:
    settings = {"SARTOR_HOME": str(home), "SARTOR_INDEX": "opensearch://127.0.0.1:1"}
    command = [sys.executable, "-m", "sartor", "serve", "--port", "0", "--workers", "2", "--share-index"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | settings, check=False)
    assert done.returncode == 1
    assert "--share-index" in done.stderr
    assert "SARTOR_INDEX" in done.stderr
    assert done.stderr.count("\n") == 1
