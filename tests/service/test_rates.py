from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from sartor.errors import BadAddress
from sartor.service.rates import RequestRates, SharedCounts, SharedRateLimiter, check_rate_store


class Clock:
    """A clock that a test sets."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def test_two_processes_with_one_file_count_together(tmp_path: Path) -> None:
    one, other = (SharedRateLimiter(tmp_path / "counts") for _ in range(2))
    limit = parse("10/hour")
    counted = [limiter.hit(limit, "somebody") for limiter in 10 * (one, other)]
    assert counted == [True] * 10 + [False] * 10
    assert other.get_window_stats(limit, "somebody").remaining == 0
    assert one.hit(limit, "somebody else")


def test_it_counts_as_the_storage_in_memory_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1_000_000.0)
    monkeypatch.setattr("time.time", clock)  # the storage in memory takes no clock
    shared, memory = SharedCounts(tmp_path / "counts", clock=clock), MemoryStorage()
    reference, limit = SlidingWindowCounterRateLimiter(memory), parse("7/minute")
    for step in range(400):
        clock.now_s += (step % 13) * 1.7
        key = limit.key_for("somebody")
        assert shared.acquire_sliding_window_entry(key, 7, 60) == reference.hit(limit, "somebody"), step
        assert shared.get_sliding_window(key, 60) == pytest.approx(memory.get_sliding_window(key, 60))


def test_a_table_that_is_full_forgets_who_was_quiet_for_longest(tmp_path: Path) -> None:
    clock = Clock(60.0)
    counts = SharedCounts(tmp_path / "counts", clock=clock)
    for client in range(100_000):
        clock.now_s += 0.01
        assert counts.acquire_sliding_window_entry(str(client), 2, 60)
    assert counts.acquire_sliding_window_entry(str(client), 2, 60)
    assert not counts.acquire_sliding_window_entry(str(client), 2, 60)


def asked(rates: RequestRates, times: int, client: str = "somebody") -> list[bool]:
    """Whether each of some requests passed."""

    async def ask() -> list[bool]:
        return [await rates.wait_s(client) is None for _ in range(times)]

    return asyncio.run(ask())


def test_a_process_alone_counts_and_tells_how_long_to_wait() -> None:
    rates = RequestRates(3)
    assert asked(rates, 5) == [True] * 3 + [False] * 2
    assert 0 < (asyncio.run(rates.wait_s("somebody")) or 0) <= 120
    assert asked(rates, 1, "somebody else") == [True]


@pytest.mark.engines
def test_two_hosts_count_together_on_a_server(redis_server: str) -> None:
    async def hosts() -> list[bool]:
        one, other = (RequestRates(10, server=redis_server) for _ in range(2))
        passed = [await rates.wait_s("of two hosts") is None for rates in 10 * (one, other)]
        assert 0 < (await other.wait_s("of two hosts") or 0) <= 120
        assert await one.wait_s("another one") is None
        for rates in (one, other):
            await rates.close()
        return passed

    assert asyncio.run(hosts()) == [True] * 10 + [False] * 10


@pytest.mark.engines
def test_while_the_server_is_away_each_host_counts_its_own(
    redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from tools.engines.redis import RedisServer

    monkeypatch.setattr("sartor.service.rates.RATES_AWAY_S", 0.1)

    async def go() -> None:
        with RedisServer(tmp_path) as server:
            rates = RequestRates(5, server=server.address)
            assert await rates.wait_s("a") is None
            server.kill()
            started_s = time.monotonic()
            passed = [await rates.wait_s("a") is None for _ in range(7)]
            assert passed == [True] * 5 + [False] * 2
            assert time.monotonic() - started_s < 3
            assert caplog.text.count("counts alone") == 1
            server.start()
            await asyncio.sleep(0.2)
            assert await rates.wait_s("a") is None
            assert caplog.text.count("on the server again") == 1
            await rates.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    "address", ["mongodb://localhost/x", "localhost:6379", "http://:secret@localhost", "ann:secret@localhost"]
)
def test_only_redis_can_count_for_several_hosts(address: str) -> None:
    shown = address.replace(":secret@", ":***@")
    with pytest.raises(BadAddress, match=re.escape(f"rate_store='{shown}' cannot")) as caught:
        check_rate_store(address)
    assert "redis://HOST:PORT" in str(caught.value)
    assert "secret" not in str(caught.value)
