from __future__ import annotations

import asyncio
import threading

import pytest

from sartor.service.context import BoundedExecutor
from sartor.service.problems import Overloaded, TookTooLong


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


def test_an_error_of_a_call_reaches_who_asked() -> None:
    async def run() -> None:
        executor = BoundedExecutor(concurrency=1, waiting=0, timeout_s=5)
        with pytest.raises(ZeroDivisionError):
            await executor.run(lambda: 1 / 0)
        executor.close()

    asyncio.run(run())
