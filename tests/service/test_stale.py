"""A service whose database server goes away answers from what it has, says so, and refuses to write."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sartor
from tests.fakes import BLUE, RED, photo
from tests.service.test_durability import Running, form, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.engines.mongodb import MongoServer

pytestmark = pytest.mark.engines


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    from tools.engines import mongodb

    if not mongodb.is_installed():
        pytest.skip("SecantusDB is not installed; run: make test-engines")
    with mongodb.MongoServer(tmp_path / "server") as running:
        yield running


def put(running: Running, product_id: str, color: tuple[int, int, int]) -> int:
    body, kind = form(product_id, photo(color))
    return running.ask("PUT", f"/v1/products/{product_id}", body, kind)[0]


def test_reads_go_on_while_the_server_is_away_and_writes_when_it_is_back(
    home: Path, server: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARTOR_STORE", f"{server.address}/shop")
    with sartor.open(home, store=f"{server.address}/shop") as shop:
        shop.put(sartor.ProductInput(product=sartor.Product(id="red", title="Red"), photos=[photo(RED)]))
    with ExitStack() as stack:
        running = stack.enter_context(service(home))
        assert put(running, "blue", BLUE) == 201
        server.kill()
        started_s = time.monotonic()
        assert put(running, "late", BLUE) == 503
        assert time.monotonic() - started_s < 15
        status, found = running.ask("GET", "/v1/products/red/similar")
        assert (status, b'"blue"' in found) == (200, True)
        assert running.headers("/v1/products/red/similar")["sartor-stale"].isdigit()
        assert b"stale_s" in running.ask("GET", "/health/ready")[1]
        assert running.ask("GET", "/v1/products?q=red")[0] == 200
        server.start()
        deadline_s = time.monotonic() + 30
        while put(running, "late", BLUE) != 201:
            assert time.monotonic() < deadline_s
        assert running.ask("GET", "/v1/products/late/similar")[0] == 200
        assert "sartor-stale" not in running.headers("/v1/products/red/similar")
