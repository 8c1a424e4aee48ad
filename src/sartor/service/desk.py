"""Where requests wait for the engine: a few threads, a bounded queue, and an answer at once when it is full."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from sartor.service.problems import Overloaded, TookTooLong

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Desk:
    """Runs blocking calls beside the event loop.

    Calls that are given up on, because they took too long, still count until they are done: what is counted is
    work, not who waits for it.
    """

    def __init__(self, *, workers: int, waiting: int, timeout_s: float) -> None:
        """At most ``workers`` calls run at once, and ``waiting`` more wait."""
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sartor-serve")
        self._room = workers + waiting
        self._timeout_s = timeout_s
        self.busy = 0

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call in a thread and wait for it.

        Raises:
            Overloaded: There is no room.
            TookTooLong: It is not done in time.
        """
        if self.busy >= self._room:
            raise Overloaded
        self.busy += 1
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        future = loop.run_in_executor(self._pool, lambda: context.run(call))
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._timeout_s)
        except TimeoutError as error:
            raise TookTooLong(self._timeout_s) from error

    def close(self) -> None:
        """Wait until all that runs or waits is done."""
        self._pool.shutdown()

    def _done(self, future: asyncio.Future[T]) -> None:
        self.busy -= 1
        if not future.cancelled():
            future.exception()  # seen, even where nobody waits for it any more
