from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sartor.service.executor import BoundedExecutor
from sartor.service.problems import Overloaded, TookTooLong

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_a_full_queue_refuses_at_once_and_takes_calls_again_when_work_is_done() -> None:
    async def run() -> None:
        executor, go = BoundedExecutor(concurrency=1, waiting=1, timeout_s=5), threading.Event()
        first, second = (asyncio.ensure_future(executor.run(go.wait)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await executor.run(go.wait)
        go.set()
        assert await first
        assert await second
        assert await executor.run(lambda: 7) == 7
        assert executor.in_flight == 0
        executor.close()

    asyncio.run(run())


def test_what_takes_too_long_is_given_up_and_still_counts_until_it_is_done() -> None:
    async def run() -> None:
        executor, go = BoundedExecutor(concurrency=1, waiting=0, timeout_s=0.05), threading.Event()
        with pytest.raises(TookTooLong):
            await executor.run(go.wait)
        assert executor.in_flight == 1
        go.set()
        while executor.in_flight:
            await asyncio.sleep(0.01)
        executor.close()

    asyncio.run(run())


def test_a_request_is_refused_when_the_calls_before_it_take_too_long() -> None:
    async def run() -> None:
        executor, go = BoundedExecutor(concurrency=1, waiting=64, timeout_s=5), threading.Event()
        for _ in range(20):
            await executor.run(lambda: time.sleep(0.06))  # so a fourth call waits for longer than 0.1 s
        calls = [asyncio.ensure_future(executor.run(go.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not executor.is_crowded
        with executor.enter():
            assert executor.is_crowded
        assert not executor.is_crowded
        go.set()
        await asyncio.gather(*calls)
        executor.close()

    asyncio.run(run())


def test_calls_that_are_quick_may_wait_as_many_as_there_is_room_for() -> None:
    async def run() -> None:
        executor, go = BoundedExecutor(concurrency=1, waiting=9, timeout_s=5), threading.Event()
        calls = [asyncio.ensure_future(executor.run(go.wait)) for _ in range(9)]
        await asyncio.sleep(0)
        assert not executor.is_crowded
        calls.append(asyncio.ensure_future(executor.run(go.wait)))
        await asyncio.sleep(0)
        assert executor.is_crowded
        go.set()
        await asyncio.gather(*calls)
        executor.close()

    asyncio.run(run())


def test_an_error_of_a_call_reaches_who_asked() -> None:
    async def run() -> None:
        executor = BoundedExecutor(concurrency=1, waiting=0, timeout_s=5)
        with pytest.raises(ZeroDivisionError):
            await executor.run(lambda: 1 / 0)
        executor.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "/v1/products?wher=color=Red",
            "no parameter 'wher' here; there are: after, facets, limit, q, sort, where",
        ),
        ("/v1/products/red/similar?filter=x", "no parameter 'filter' here"),
        ("/v1/products/red?k=3", "there are: none"),
        ("/v1/products?limit=1&limit=2", "'limit' comes more than once"),
    ],
)
def test_a_parameter_that_would_be_ignored_is_refused(client: TestClient, path: str, told: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_lists_may_repeat_and_caches_may_be_passed_by(client: TestClient) -> None:
    assert client.get("/v1/products?where=color=Red&where=gender=Men&_=17").status_code == 200
    assert client.get("/?utm_source=mail", headers={"Accept": "text/html"}).status_code == 200
