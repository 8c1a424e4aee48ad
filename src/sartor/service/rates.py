"""Counts of requests that several processes of one host share, for limits on the rate."""

from __future__ import annotations

import hashlib
import mmap
import struct
import time
from typing import TYPE_CHECKING

from limits.strategies import SlidingWindowCounterRateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ROW = struct.Struct("<QIII")  # digest of the key, number of the window, count in it, count in the one before
_ROWS = 1 << 15
_PROBES = 8  # rows that a key may be in; the one that is unused for longest is given to a new key


class SharedRateLimiter(SlidingWindowCounterRateLimiter):
    """The sliding window of ``limits`` over the requests of all processes that use the same file."""

    def __init__(self, file: Path) -> None:
        # Not super().__init__: limits 5.8 asks there for a whole Storage; a sliding window uses two methods of it.
        self.storage = SharedCounts(file)  # type: ignore[assignment]


class SharedCounts:
    """What a sliding window counts, as a table in a file that all processes map into memory.

    There is no lock, so that no process ever waits for another one: when two count a request of one client in the
    same microseconds, one of both may not count. With more clients than rows, 32,768, some begin anew too early.

    Args:
        file: The table; it is made if it is missing.
        clock: Seconds since 1970.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        with file.open("a+b") as opened:
            if opened.tell() < _ROWS * _ROW.size:
                opened.truncate(_ROWS * _ROW.size)
            self._table = mmap.mmap(opened.fileno(), _ROWS * _ROW.size)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request unless that makes more than ``limit``; returns whether it was counted."""
        now_s = self._clock()
        digest, window = _digest(key), int(now_s // expiry)
        offset, current, previous = self._find(digest, window)
        if int(previous * _left_share(now_s, expiry) + current) + amount > limit:
            return False
        _ROW.pack_into(self._table, offset, digest, window, current + amount, previous)
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Count of the previous window and seconds until it no longer counts, then the same of the current one."""
        now_s = self._clock()
        _, current, previous = self._find(_digest(key), int(now_s // expiry))
        left_s = _left_share(now_s, expiry) * expiry
        return previous, left_s if previous else 0.0, current, left_s + expiry

    def _find(self, digest: int, window: int) -> tuple[int, int, int]:
        """Where the row of a key is or will be, and its counts in a window and in the one before."""
        oldest, oldest_window = 0, 1 << 32
        for probe in range(_PROBES):
            offset = (digest + probe) % _ROWS * _ROW.size
            known, counted_in, current, previous = _ROW.unpack_from(self._table, offset)
            if known == digest:
                age = window - counted_in
                return offset, current if age == 0 else 0, (previous, current)[age] if age in {0, 1} else 0
            if counted_in < oldest_window:
                oldest, oldest_window = offset, counted_in
        return oldest, 0, 0


def _digest(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little") or 1


def _left_share(now_s: float, expiry: int) -> float:
    """Share of the current window that is left: the previous one still counts by as much."""
    return 1 - now_s / expiry % 1
