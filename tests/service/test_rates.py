from __future__ import annotations

from pathlib import Path

import pytest
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from sartor.service.rates import SharedCounts, SharedRateLimiter


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
