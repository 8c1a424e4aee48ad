"""Runs what blocks in threads, as much of it as a process can do, and tells when one would wait for too long."""

from __future__ import annotations

import asyncio
import contextvars
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sartor.limits import QUEUE_S
from sartor.service.problems import Overloaded, TookTooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_ENTER_S = 0.25  # in which a request that was let in has to be read; a slower one keeps nobody else out
_ALWAYS_WAITING = 3  # calls for each thread
_NEWEST = 0.1  # share that the last call has in the mean time of calls
_LONGEST_S = 1.0  # that counts of a call; one import is no reason to refuse a hundred queries

_entering: contextvars.ContextVar[_Entering | None] = contextvars.ContextVar("entering", default=None)


class BoundedExecutor:
    """Runs blocking calls in a thread pool with a bounded queue; raises ``Overloaded`` when the queue is full.

    A call that took too long is given up on, but counts until it is done: what is bounded is the work, not the
    number of clients that wait for it.

    Attributes:
        in_flight: Calls that run or wait.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        waiting: int,
        timeout_s: float,
        on_change: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Let ``concurrency`` calls run at once and ``waiting`` more wait; ``on_change`` gets ``in_flight``."""
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="sartor-serve")
        self._concurrency, self._capacity = concurrency, concurrency + waiting
        self._timeout_s = timeout_s
        self._on_change = on_change
        self._call_s = 0.0  # mean time that a call runs
        self.entering = 0
        self.in_flight = 0

    @property
    def is_crowded(self) -> bool:
        """Whether a request that comes now would find no room, or would have to wait for longer than ``QUEUE_S``.

        Three calls for each thread may wait, however long calls take.
        """
        ahead = self.in_flight + self.entering
        waits_s = (ahead - self._concurrency + 1) * self._call_s / self._concurrency
        is_long = ahead >= (1 + _ALWAYS_WAITING) * self._concurrency and waits_s > QUEUE_S
        return is_long or self.in_flight >= self._capacity

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Count a request that was let in, until it runs its call: others must not get its room meanwhile."""
        entering = _Entering(self)
        timer = asyncio.get_running_loop().call_later(_ENTER_S, entering.end)
        before = _entering.set(entering)
        try:
            yield
        finally:
            _entering.reset(before)
            timer.cancel()
            entering.end()

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call in a thread and wait for it.

        Raises:
            Overloaded: The queue is full.
            TookTooLong: The call is not done in time.
        """
        if (entering := _entering.get()) is not None:
            entering.end()
        if self.in_flight >= self._capacity:
            raise Overloaded
        self._count(1)
        context = contextvars.copy_context()

        def timed() -> T:
            start_s = time.perf_counter()
            try:
                return context.run(call)
            finally:
                took_s = min(time.perf_counter() - start_s, _LONGEST_S)
                self._call_s += _NEWEST * (took_s - self._call_s)  # a lost update of another thread does no harm

        future = asyncio.get_running_loop().run_in_executor(self._pool, timed)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._timeout_s)
        except TimeoutError as error:
            raise TookTooLong(self._timeout_s) from error

    def close(self) -> None:
        """Wait until all calls are done."""
        self._pool.shutdown()

    def _count(self, change: int) -> None:
        self.in_flight += change
        self._on_change(self.in_flight)

    def _done(self, future: asyncio.Future[T]) -> None:
        self._count(-1)
        if not future.cancelled():
            future.exception()  # retrieved, even if nobody waits for it any more


class _Entering:
    """A request that was let in and does not run yet."""

    def __init__(self, executor: BoundedExecutor) -> None:
        self._executor: BoundedExecutor | None = executor
        executor.entering += 1

    def end(self) -> None:
        """Count it no longer."""
        if self._executor is not None:
            self._executor.entering -= 1
            self._executor = None
