"""The connection to a cluster; the one module that imports Ray."""

from __future__ import annotations

import logging
import os
import socket
from concurrent.futures import Future
from functools import cache
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sartor.errors import BadAddress, ClusterAway, ClusterDiffers
from sartor.limits import CLUSTER_CONNECT_S, CLUSTER_START_S

if TYPE_CHECKING:
    from collections.abc import Callable

AUTO, LOCAL, SCHEME = "auto", "local", "ray://"
_FORMS = f"give {AUTO} (the cluster of this host, else one is started), {LOCAL} or {SCHEME}HOST:PORT"
_CLIENT_PORT = 10001
# What Ray says in its errors, which are of no class of their own.
_SLOW = (  # it waits 30 s for its own processes, too little on a machine that is busy
    "timed out during startup",
    "Initialization failure from server",  # the client server's own: the same on the head's side
)
_DIFFERS = "ersion mismatch"


class RayCluster:
    """A connection to a cluster, for all that this process embeds on it.

    Args:
        address: ``auto`` for the cluster of ``RAY_ADDRESS`` or of this host, else one that is started; ``local``
            for one that is started; ``ray://HOST:PORT`` for the client server of another one.

    Raises:
        BadAddress: It is none of these.
        ClusterAway: Nobody answers there, or the cluster refuses this process.
        ClusterDiffers: It has another Ray or another Python.
    """

    def __init__(self, address: str) -> None:
        self.address = _checked(address)
        # A program may be connected already, also by the source before.
        self._starter = None if package().is_initialized() else _connect(self.address)

    def close(self) -> None:
        """End the connection, and the cluster if it was started for it."""
        if self._starter is not None:
            package().shutdown()
            self._starter.end()


@cache
def package() -> Any:
    """Ray, which is imported at the first call."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before Ray is imported: it would report to its makers
    import ray

    return ray


def _checked(address: str) -> str:
    if address in {AUTO, LOCAL}:
        return address
    try:
        parts = urlsplit(address)
        if address.startswith(SCHEME) and parts.hostname and parts.port is not None:
            return address
    except ValueError:
        pass
    raise BadAddress(address, setting="ray", reason=_FORMS)


def _connect(address: str) -> _Starter:
    ray = package()
    given, shown = (None, os.environ.get("RAY_ADDRESS") or AUTO) if address == AUTO else (address, address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if shown not in {AUTO, LOCAL}:
        _require_answer(shown)
    if not shown.startswith(SCHEME):
        options["include_dashboard"] = False
    for is_last in (False, True):
        starter = _Starter(lambda: ray.init(given, **options))
        try:
            starter.wait(CLUSTER_START_S)
        except TimeoutError as error:
            raise ClusterAway(shown, reason=f"it took longer than {CLUSTER_START_S:.0f} s") from error
        except ray.exceptions.AuthenticationError as error:
            raise ClusterAway(
                shown, reason="it refuses the token; see RAY_AUTH_MODE and RAY_AUTH_TOKEN"
            ) from error
        except Exception as error:
            if not is_last and any(words in str(error) for words in _SLOW):
                ray.shutdown()
                continue
            if _DIFFERS in str(error):
                raise ClusterDiffers(shown, reason=" ".join(str(error).split())) from error
            raise ClusterAway(shown, reason=first_line(error)) from error
        else:
            break
    return starter


def _require_answer(address: str) -> None:
    """Check that somebody listens at an address: Ray itself tries for minutes.

    Raises:
        ClusterAway: Nobody does.
    """
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        socket.create_connection((parts.hostname, parts.port or _CLIENT_PORT), timeout=CLUSTER_CONNECT_S).close()
    except (OSError, ValueError) as error:
        raise ClusterAway(address, reason=getattr(error, "strerror", None) or str(error)) from error


class _Starter:
    """A thread that connects, so that its caller need not wait for ever. It goes on until the connection ends.

    The system ends the processes of a cluster with the thread that started them, as Ray asks it to.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        self._call, self._answer, self._done = call, Future[object](), Event()
        Thread(target=self._run, name="sartor-ray-connect", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until it is connected.

        Raises:
            TimeoutError: It took longer.
        """
        self._answer.result(seconds)

    def end(self) -> None:
        """End the thread."""
        self._done.set()

    def _run(self) -> None:
        try:
            self._call()
        except SystemExit as error:  # Ray's way to end a program that it finds no sense in
            self._answer.set_exception(RuntimeError(f"Ray gave up: {error}"))
        except BaseException as error:  # noqa: BLE001 - who waits handles it
            self._answer.set_exception(error)
        else:
            self._answer.set_result(None)
            self._done.wait()


def first_line(error: BaseException) -> str:
    """The first line of an error's text, since Ray writes pages; and the last one where that is a heading."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]
