"""The workers of a cluster: started, counted, given work, and replaced when they are lost."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Any

from sartor.errors import ClusterAway, ClusterBusy, ClusterDiffers, ClusterFailed, SartorError
from sartor.ingest.ray.connection import first_line, package
from sartor.limits import CLUSTER_CONNECT_S, CLUSTER_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sartor.ingest.ray.worker import Hello

logger = logging.getLogger(__name__)

_TICK_S = 0.2
_LOOK_S = 5.0  # between two looks at whether hosts came or went
_NO_MODULE = "No module named"
_FAILED_STARTS = 4  # of workers in a row, after which no more are started


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A worker that is ready.

    Attributes:
        handle: The actor.
        host: Where it runs.
        pid: Its process.
        steps: How many steps it has.
    """

    handle: Any
    host: str
    pid: int
    steps: int = 0


class Fleet:
    """The workers: as many as the cluster has processors. A lost one is replaced, a new host gets its own."""

    def __init__(self, start: Callable[[], Any], *, address: str) -> None:
        """``start`` starts a worker and returns its handle at once."""
        self._start, self._address = start, address
        self._changed = Condition()
        self._ready: list[Member] = []
        self._starting: dict[Any, Any] = {}  # handles by the reference of their first answer; the watcher's alone
        self._failed_starts = 0
        self._has_had_one = False
        self._failure: Exception | None = None
        self._closing, self._wake = False, Event()
        self._watcher = Thread(target=self._watch, name="sartor-ray", daemon=True)
        self._watcher.start()

    @property
    def size(self) -> int:
        """How many workers are ready, at least 1."""
        return max(1, len(self._ready))

    @property
    def members(self) -> Sequence[Member]:
        """The workers that are ready."""
        return tuple(self._ready)

    def take(self) -> Member:
        """The worker with the fewest steps, which gets one more; waits for one if there is none.

        Raises:
            ClusterError: There is none for a while.
        """
        deadline_s = time.monotonic() + CLUSTER_WAIT_S
        with self._changed:
            while not self._ready:
                if self._failure is not None:
                    raise self._failure
                if self._closing or not self._changed.wait(deadline_s - time.monotonic()):
                    raise self._nobody()
            member = min(self._ready, key=lambda each: each.steps)
            member.steps += 1
            return member

    def lose(self, member: Member) -> None:
        """Forget a worker that does not answer, and start another one."""
        with self._changed:
            if member not in self._ready:
                return
            self._ready.remove(member)
        if not self._closing:
            logger.warning("a worker of the cluster is lost: host=%s pid=%d", member.host, member.pid)
        with suppress(Exception):  # it is gone already, and so may be the cluster
            package().kill(member.handle)
        self._wake.set()

    def close(self) -> None:
        """End all workers."""
        ray = package()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._wake.set()
        self._watcher.join(CLUSTER_CONNECT_S)
        with suppress(Exception):  # what is left of them ends with the connection
            ray.wait([m.handle.leave.remote() for m in self._ready], num_returns=len(self._ready), timeout=2)
        for handle in (*(member.handle for member in self._ready), *self._starting.values()):
            with suppress(Exception):
                ray.kill(handle)

    def _nobody(self) -> SartorError:
        ray = package()
        try:
            processors = int(ray.cluster_resources().get("CPU", 0))
            free = int(ray.available_resources().get("CPU", 0))
        except Exception as error:  # noqa: BLE001 - a client's many kinds of errors
            return ClusterAway(self._address, reason=first_line(error))
        if not free and not self._closing and not self._has_had_one:  # else its own new workers hold them
            return ClusterBusy(self._address, processors=processors)
        return ClusterFailed(self._address, reason=f"no worker answered within {CLUSTER_WAIT_S:.0f} s")

    def _watch(self) -> None:
        ray = package()
        looked_s = 0.0
        try:
            while not self._closing:
                if self._wake.is_set() or time.monotonic() > looked_s + _LOOK_S:
                    self._wake.clear()
                    looked_s = time.monotonic()
                    self._grow()
                if not self._starting:
                    self._wake.wait(_LOOK_S)
                    continue
                for reference in ray.wait(list(self._starting), timeout=_TICK_S)[0]:
                    self._arrived(reference)
        except Exception as error:  # noqa: BLE001 - a client's many kinds of errors; nobody would see it here
            self._fail(ClusterAway(self._address, reason=first_line(error)))

    def _grow(self) -> None:
        processors = int(package().cluster_resources().get("CPU", 0))
        for _ in range(processors - len(self._ready) - len(self._starting)):
            handle = self._start()
            self._starting[handle.hello.remote()] = handle

    def _arrived(self, reference: Any) -> None:
        ray = package()
        handle = self._starting.pop(reference)
        try:
            hello: Hello = ray.get(reference)
        except ray.exceptions.RayError as error:
            self._failed_starts += 1
            text = str(error)
            if _NO_MODULE in text:
                self._fail(ClusterDiffers(self._address, reason=_line_with(text, _NO_MODULE)))
            elif self._failed_starts >= _FAILED_STARTS:
                self._fail(ClusterFailed(self._address, reason=first_line(error)))
            else:
                self._wake.set()
            return
        if hello.version != version("sartor"):
            reason = f"{hello.host} has Sartor {hello.version}, this host {version('sartor')}"
            self._fail(ClusterDiffers(self._address, reason=reason))
            return
        self._failed_starts = 0
        with self._changed:
            self._has_had_one = True
            self._ready.append(Member(handle=handle, host=hello.host, pid=hello.pid))
            self._changed.notify_all()

    def _fail(self, failure: SartorError) -> None:
        with self._changed:
            self._failure = failure
            self._closing = True
            self._changed.notify_all()


def _line_with(text: str, part: str) -> str:
    return next(line.strip() for line in text.splitlines() if part in line)
