"""Limits on request rates, counted by one process, by the workers of a host, or on a server for many hosts."""

from __future__ import annotations

import hashlib
import logging
import mmap
import struct
import time
from typing import TYPE_CHECKING

from limits import parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter as AsyncRateLimiter
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from sartor.errors import BadAddress, redacted, require_extra
from sartor.limits import RATES_AWAY_S, RATES_CALL_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redis.asyncio import ConnectionPool

logger = logging.getLogger(__name__)

_ROW = struct.Struct("<QIII")  # digest of the key, number of the window, count in it, count in the one before
_ROWS = 1 << 15
_PROBES = 8  # rows that a key may be in; the one that is unused for longest is given to a new key


class RequestRates:
    """How many requests a minute each client may make.

    Args:
        per_minute: Requests of one client, in a sliding window.
        counts: File with the counts of all workers of this host; None counts the requests of this process.
        server: Address of a Redis server that counts for all hosts. While it does not answer, this host counts.

    Raises:
        BadAddress: The address is not that of a Redis server.
        MissingExtra: The driver is not installed.
    """

    def __init__(self, per_minute: int, *, counts: Path | None = None, server: str | None = None) -> None:
        self.limit = parse(f"{per_minute}/minute")
        self._here = (
            SlidingWindowCounterRateLimiter(MemoryStorage()) if counts is None else SharedRateLimiter(counts)
        )
        self._pool = None if server is None else _pool(server)
        self._server = None if server is None or self._pool is None else _limiter(server, self._pool)
        self._name, self._away_until_s, self._is_away = redacted(server or ""), 0.0, False

    async def wait_s(self, client: str) -> float | None:
        """Count a request; returns None if it may pass, else the seconds until the client's window ends."""
        if self._server is not None and time.monotonic() >= self._away_until_s:
            try:
                wait_s = await self._ask(self._server, client)
            except StorageError as error:
                if not self._is_away:
                    logger.warning("rates: this host counts alone: server=%s reason=%s", self._name, error)
                self._is_away, self._away_until_s = True, time.monotonic() + RATES_AWAY_S
            else:
                if self._is_away:
                    logger.warning("rates: counted on the server again: server=%s", self._name)
                self._is_away = False
                return wait_s
        if self._here.hit(self.limit, client):
            return None
        return self._here.get_window_stats(self.limit, client).reset_time - time.time()

    async def close(self) -> None:
        """Close the connections to the server."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _ask(self, server: AsyncRateLimiter, client: str) -> float | None:
        if await server.hit(self.limit, client):
            return None
        return (await server.get_window_stats(self.limit, client)).reset_time - time.time()


def check_rate_store(address: str | None) -> None:
    """Check that an address is one of a server that can count requests; nobody is asked yet.

    Raises:
        BadAddress: It is not that of a Redis server.
        MissingExtra: The driver is not installed.
    """
    if address is not None:
        _pool(address)


def _pool(address: str) -> ConnectionPool:
    """Connections to a Redis server, none of them open yet."""
    if not address.startswith(("redis://", "rediss://")):
        reason = "give redis://HOST:PORT/NUMBER, or rediss:// for TLS"
        raise BadAddress(address, setting="rate_store", reason=reason)
    require_extra("redis", "redis")
    from redis.asyncio import ConnectionPool

    try:
        return ConnectionPool.from_url(address, socket_timeout=RATES_CALL_S, socket_connect_timeout=RATES_CALL_S)
    except ValueError as error:
        raise BadAddress(address, setting="rate_store", reason=str(error)) from error


def _limiter(address: str, pool: ConnectionPool) -> AsyncRateLimiter:
    storage = RedisStorage(
        f"async+{address}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="sartor-rates",
        connection_pool=pool,  # type: ignore[arg-type]
    )
    return AsyncRateLimiter(storage)


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
