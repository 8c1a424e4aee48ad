"""What every route works with, and how it gets it."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Request, params

from sartor.service.problems import Overloaded, Starting, TookTooLong
from sartor.service.security import ApiKeyAuth, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from sartor.config import ServiceSettings
    from sartor.service.metrics import Metrics
    from sartor.service.uploads import Uploads
    from sartor.shop import Shop


T = TypeVar("T")


class BoundedExecutor:
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


@dataclass(slots=True, kw_only=True)
class Context:
    """The parts of one service.

    Attributes:
        shop: The workspace.
        settings: How the service answers.
        desk: Runs what blocks.
        gate: Checks API keys.
        metrics: Counts.
        uploads: Photos that shoppers uploaded, for a while.
        ready: Whether the model and the index are loaded.
    """

    shop: Shop
    settings: ServiceSettings
    desk: BoundedExecutor
    gate: ApiKeyAuth
    metrics: Metrics
    uploads: Uploads
    ready: bool = False


def context_of(request: Request) -> Context:
    """The context of the app that a request came to."""
    context = request.app.state.context
    assert isinstance(context, Context)  # noqa: S101 - the app puts it there
    return context


def needs(scope: Scope, *, personal: bool = False) -> params.Depends:
    """A dependency that lets only requests with a key for a scope through.

    Args:
        scope: What the key has to be good for.
        personal: Whether the route is about a person: it needs a key then, also where reading needs none.
    """

    async def check(request: Request) -> None:
        context = context_of(request)
        if not context.ready and scope is not Scope.ADMIN:
            raise Starting
        context.gate.require(scope, request.headers, personal=personal)

    return params.Depends(check)


Engine = Annotated[Context, Depends(context_of)]
