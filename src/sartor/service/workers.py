"""Several worker processes behind one address: a supervisor starts them, restarts them and stops them together.

The supervisor opens the socket, and each worker accepts from it. A worker has the workspace open by itself: its
store connection, its replica of the index, its network. What all have to see is in the store, or in the directory
of their ``WorkerGroup``.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess, Process

from sartor.config import cores
from sartor.errors import SartorError, UnusableSetting, WorkerFailed
from sartor.limits import DRAIN_S
from sartor.service.app import create_app
from sartor.service.group import WorkerGroup
from sartor.service.indexing import IndexProcess, should_share
from sartor.service.monitoring import configure_logging
from sartor.service.rates import check_rate_store
from sartor.service.run import SWITCH_S, address_of, bound, listen, require_key, server_options
from sartor.wiring import open_beside, open_shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from fastapi import FastAPI

    from sartor.config import ServiceSettings, Settings
    from sartor.service.listener import Listener

logger = logging.getLogger(__name__)

_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # Prometheus' client reads it when it is imported
_POLL_S = 0.1
_JOIN_S = DRAIN_S + 10  # a worker that does not end by then is killed
_RESTART_S = 600  # seconds that a new worker has to get ready in when all are replaced, one after the other
_MIN_CONCURRENCY, _MIN_WAITING = 2, 8  # of each worker


def serve_by_workers(
    workspace: Settings,
    settings: ServiceSettings,
    *,
    pages: Callable[[FastAPI], None] | None = None,
    on_address: Callable[[str], None] = lambda _: None,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a workspace by ``settings.workers`` processes until SIGTERM or Ctrl-C.

    A worker that dies is replaced. SIGHUP replaces all, one after the other. At the end, requests that are being
    answered are finished.

    Args:
        workspace: The workspace.
        settings: How the service answers.
        pages: Adds pages for people, as for ``create_app``; a function of a module, since workers import it.
        on_address: Called with the address once the service listens.
        on_ready: Called with the address once all workers are ready.

    Raises:
        WorkspaceError: The workspace cannot be used.
        NeedsKey: The address can be reached from other machines, and there is no API key.
        BadAddress: The rate store is no server that can count requests.
        UnusableSetting: The index is to be shared, and is in a cluster already.
        AddressTaken: Another program listens there, or the address does not belong to this machine.
        WorkerFailed: A worker cannot start.
    """
    require_key(workspace, settings)
    check_rate_store(settings.rate_store)
    if settings.share_index and workspace.index is not None:
        reason = "SARTOR_INDEX names an index that all processes share already; leave one of them out"
        raise UnusableSetting(setting="share_index", value=True, option="--share-index", reason=reason)
    with (
        bound(settings) as listener,
        TemporaryDirectory(prefix="sartor-serve-", ignore_cleanup_errors=True) as directory,
        ExitStack() as processes,
    ):
        with open_shop(workspace) as shop:  # so that the graph is built once; the first worker takes this replica
            shop.optimize()
        shared = (
            settings.share_index
            if settings.share_index is not None
            else should_share(shop.derived, workers=settings.workers)
        )
        index = IndexProcess(workspace, Path(directory)) if shared else None
        if index is not None:
            processes.callback(index.stop)  # after the workers, which ask it
        listen(listener, settings)
        group = WorkerGroup(Path(directory))
        group.prepare()
        on_address(address_of(listener))
        config = uvicorn.Config(
            Worker(
                workspace=_share_of_cores(workspace if index is None else index.settings, settings.workers),
                settings=_share_of_requests(settings),
                pages=pages,
                listener=listener,
                group=group,
                log_level=logging.getLogger().getEffectiveLevel(),
            ),
            factory=True,
            workers=settings.workers,
            backlog=1,  # connections that asyncio accepts at once, see `Listener`
            timeout_worker_healthcheck=_RESTART_S,
            **server_options(),
        )
        with _handlers_restored(), _environment(_METRICS_VARIABLE, str(group.metrics)):
            _Supervisor(config, listener, group, index).run(on_ready=lambda: on_ready(address_of(listener)))


class _Supervisor:
    """Keeps the workers running, by uvicorn's processes and signals.

    Its own loop asks only whether a worker is alive. uvicorn's would also kill one that does not answer for some
    seconds, which a worker does not while it builds a graph.
    """

    def __init__(
        self, config: uvicorn.Config, listener: Listener, group: WorkerGroup, index: IndexProcess | None
    ) -> None:
        self._listener, self._group, self._index = listener, group, index
        self._uvicorn = Multiprocess(config, [listener])
        self._pids: set[int | None] = set()

    def run(self, *, on_ready: Callable[[], None]) -> None:
        """Run until a signal says stop, or until a worker cannot start."""
        workers = self._uvicorn
        with _interrupts_held():
            workers.init_processes()
        while not workers.should_exit.wait(_POLL_S):
            with _interrupts_held():
                if self._index is not None:
                    self._index.keep_alive()
                    if signal.SIGHUP in workers.signal_queue:
                        self._index.renew()
                workers.handle_signals()
                self._replace_dead()
            former, self._pids = self._pids, {process.pid for process in workers.processes}
            for pid in former - self._pids:
                self._group.leave(pid)
            if not self._group.is_ready and self._pids <= self._group.members:
                self._group.mark_ready()
                on_ready()
        self._stop()
        if (reason := self._group.failure) is not None:
            raise WorkerFailed(reason)

    def _replace_dead(self) -> None:
        workers = self._uvicorn
        for number, process in enumerate(workers.processes):
            if self._group.failure is not None:
                workers.should_exit.set()
                return
            if process.process.is_alive():
                continue
            pid, code = int(process.pid or 0), int(process.exitcode or 0)
            if code > 0 and pid not in self._group.members:  # it would fail again and again
                self._group.fail(
                    f"a worker of the service cannot start (exit code {code}); see its messages above"
                )
                workers.should_exit.set()
                return
            logger.warning("worker died: pid=%d exit=%d", pid, code)
            process.kill()  # closes the pipes
            process.join()
            workers.processes[number] = Process(workers.config, [self._listener])
            workers.processes[number].start()

    def _stop(self) -> None:
        """Let the workers finish what they answer, and wait for them."""
        self._listener.close()
        self._uvicorn.terminate_all()
        deadline_s = time.monotonic() + _JOIN_S
        for process in self._uvicorn.processes:
            process.process.join(max(0.0, deadline_s - time.monotonic()))
            if process.process.is_alive():
                logger.error("worker killed: pid=%d reason=it did not end in %d s", process.pid, _JOIN_S)
                process.kill()
                process.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Makes the app of a worker process, in that process: it is pickled and sent there."""

    workspace: Settings
    settings: ServiceSettings
    pages: Callable[[FastAPI], None] | None
    listener: Listener  # pickled together with uvicorn's, so that in the worker it is the same object
    group: WorkerGroup
    log_level: int

    def __call__(self) -> FastAPI:
        """Open the workspace; if that fails, the process ends, and the group knows why."""
        configure_logging(self.log_level)
        sys.setswitchinterval(SWITCH_S)
        try:
            opened = ExitStack()
            shop = opened.enter_context(open_shop(self.workspace, many_callers=True))
            store = opened.enter_context(open_beside(self.workspace, shop))
        except SartorError as error:
            self.group.fail(str(error))
            sys.exit(STARTUP_FAILURE)
        connections = self.listener.open_connections = self.group.connections()
        app = create_app(
            shop,
            store,
            self.settings,
            pages=self.pages,
            group=self.group,
            on_ready=connections.publish,
            on_failure=self._give_up,
        )
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            with self._ends_with_supervisor():
                async with inner(app):
                    yield
                opened.close()

        app.router.lifespan_context = lifespan
        return app

    def _give_up(self, error: Exception) -> None:
        if not isinstance(error, SartorError):
            logger.error("not ready: home=%s", self.workspace.home, exc_info=error)
        self.group.fail(str(error) or type(error).__name__)
        signal.raise_signal(signal.SIGTERM)

    @contextmanager
    def _ends_with_supervisor(self) -> Iterator[None]:
        """Stop as on SIGTERM when the supervisor is gone: nobody else would end this process."""
        supervisor = multiprocessing.parent_process()
        if supervisor is None or sys.platform == "win32":
            yield
            return
        loop, is_orphan = asyncio.get_running_loop(), False

        def stop() -> None:
            nonlocal is_orphan
            is_orphan = True
            loop.remove_reader(supervisor.sentinel)
            logger.error("the supervisor is gone: pid=%d", supervisor.pid)
            signal.raise_signal(signal.SIGTERM)

        loop.add_reader(supervisor.sentinel, stop)
        try:
            yield
        finally:
            loop.remove_reader(supervisor.sentinel)
            if is_orphan:
                shutil.rmtree(self.group.directory, ignore_errors=True)


def _share_of_cores(workspace: Settings, workers: int) -> Settings:
    """The workspace as one of several workers opens it: its network uses its share of the cores."""
    return workspace.model_copy(update={"threads": workspace.threads or max(1, cores() // workers)})


def _share_of_requests(settings: ServiceSettings) -> ServiceSettings:
    """The settings of one of several workers, which together work on as many requests as one process would."""
    return settings.model_copy(
        update={
            "concurrency": max(_MIN_CONCURRENCY, -(-settings.concurrency // settings.workers)),
            "waiting": settings.waiting and max(_MIN_WAITING, -(-settings.waiting // settings.workers)),
        }
    )


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Give a variable to the processes that are started meanwhile."""
    former = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if former is not None:
            os.environ[name] = former


@contextmanager
def _handlers_restored() -> Iterator[None]:
    """Handle signals afterwards as before; uvicorn leaves its own handlers."""
    former = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes meanwhile that Ctrl-C in their terminal does not reach; the supervisor stops them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
