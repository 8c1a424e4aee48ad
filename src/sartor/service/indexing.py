"""The process of a service that has the vector index when its workers share one, and answers them for it."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from typing import TYPE_CHECKING

from sartor.config import memory_bytes
from sartor.errors import SartorError
from sartor.index.shared import IndexServer
from sartor.limits import MAX_COPIES_SHARE
from sartor.replicas import largest_bytes
from sartor.service.monitoring import configure_logging
from sartor.shop import Shop
from sartor.wiring import INDEX, SHARED_INDEX, open_workspace

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from sartor.config import Settings

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_READY_S = 600.0  # as long as a worker has to get ready in
_STOP_S = 30.0


def should_share(home: Path, *, workers: int) -> bool:
    """Whether replicas of the largest index of a workspace, one for each worker, would take too much memory.

    What a search reads of a replica is held in memory, so it is compared with what the machine has.
    """
    return largest_bytes(home / INDEX) * workers > memory_bytes() * MAX_COPIES_SHARE


class IndexProcess:
    """A process with the index of a workspace, which ``settings`` of the others point to.

    Args:
        workspace: The workspace.
        directory: Where its socket is; only this user may enter it.
    """

    def __init__(self, workspace: Settings, directory: Path) -> None:
        self._workspace, self._socket = workspace, directory / "index.sock"
        self._process = self._started()

    @property
    def settings(self) -> Settings:
        """The workspace as a process opens it that shares the index."""
        return self._workspace.model_copy(update={"index": f"{SHARED_INDEX}{self._socket}"})

    def keep_alive(self) -> None:
        """Start it again if it has died. Meanwhile searches wait a moment, and then answer 503."""
        if not self._process.is_alive():
            logger.warning("index process died: pid=%s exit=%s", self._process.pid, self._process.exitcode)
            self._process = self._started()

    def renew(self) -> None:
        """Start another one, which builds the graph over what came lately, and then end this one.

        Who asks the former one notices nothing: its connection breaks, and it asks the new one again.
        """
        former, self._process = self._process, self._started()
        _end(former)

    def stop(self) -> None:
        """End it."""
        _end(self._process)

    def _started(self) -> multiprocessing.process.BaseProcess:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve,
            args=(self._workspace, self._socket, theirs, logging.getLogger().getEffectiveLevel()),
            name="sartor-index",
            daemon=True,
        )
        process.start()
        theirs.close()
        deadline_s = time.monotonic() + _READY_S
        with ours:
            while process.is_alive() and time.monotonic() < deadline_s:
                if ours.poll(_POLL_S):
                    return process
        logger.error("index process is not ready: pid=%s exit=%s", process.pid, process.exitcode)
        return process


def _end(process: multiprocessing.process.BaseProcess) -> None:
    process.terminate()
    process.join(_STOP_S)
    if process.is_alive():
        process.kill()
        process.join()


def _serve(workspace: Settings, socket: Path, ready: Connection, log_level: int) -> None:
    """What the process does."""
    configure_logging(log_level)
    is_told_to_stop = False

    def stop(*_: object) -> None:
        nonlocal is_told_to_stop
        is_told_to_stop = True

    signal.signal(signal.SIGTERM, stop)
    supervisor = multiprocessing.parent_process()
    try:
        opened = open_workspace(workspace)
        with Shop(opened) as shop:
            shop.optimize()
            server = IndexServer(socket, lambda model: opened.models.in_use(model).index)
            ready.send("ready")
            ready.close()
            while not is_told_to_stop and (supervisor is None or supervisor.is_alive()):
                time.sleep(_POLL_S)
            server.close()
    except SartorError as error:
        logger.error("no index: home=%s reason=%s", workspace.home, error)  # noqa: TRY400 - one line says it
        raise SystemExit(1) from error
