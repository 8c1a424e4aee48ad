"""Runs the service in one process: checks its address, listens there, and serves until it is told to stop."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from sartor.errors import AddressTaken, NeedsKey
from sartor.limits import BACKLOG, DRAIN_S
from sartor.service.app import create_app
from sartor.service.listener import Listener
from sartor.service.rates import check_rate_store
from sartor.service.security import ApiKeyAuth
from sartor.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from sartor.config import ServiceSettings, Settings
    from sartor.shop import Shop
    from sartor.store.base import CatalogStore

# Each row from SQLite and each call into NumPy or the network releases the interpreter, and then waits up to this
# time until a busy thread gives it back; Python's default is 5 ms.
SWITCH_S = 0.0005


def serve(
    shop: Shop,
    store: CatalogStore,
    settings: ServiceSettings,
    *,
    pages: Callable[[FastAPI], None] | None = None,
    on_address: Callable[[str], None] = lambda _: None,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a workspace until SIGTERM or Ctrl-C. Requests that are being answered then are finished.

    Args:
        shop: The workspace.
        store: Its store.
        settings: How the service answers.
        pages: Adds pages for people, as for ``create_app``.
        on_address: Called with the address once the service listens, before the first request.
        on_ready: Called with the address once the model and the index are loaded and every route answers.

    Raises:
        NeedsKey: The address can be reached from other machines, and there is no API key.
        BadAddress: The rate store is no server that can count requests.
        AddressTaken: Another program listens there, or the address does not belong to this machine.
    """
    _require_key(store, settings)
    check_rate_store(settings.rate_store)
    sys.setswitchinterval(SWITCH_S)
    with bound(settings) as listener:
        listen(listener, settings)
        address = address_of(listener)
        on_address(address)
        app = create_app(shop, store, settings, pages=pages, on_ready=lambda: on_ready(address))
        config = uvicorn.Config(app, backlog=BACKLOG, **server_options())
        with _signals_absorbed():
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _signals_absorbed() -> Iterator[None]:
    """Ignore the signal that uvicorn raises again after it has stopped, so that it ends nothing else."""
    former = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_key(workspace: Settings, settings: ServiceSettings) -> None:
    """Check that an address is not open to other machines.

    Raises:
        NeedsKey: Others can reach it, and the workspace has no API key.
    """
    with closing(open_store(workspace)) as store:
        _require_key(store, settings)


def _require_key(store: CatalogStore, settings: ServiceSettings) -> None:
    if not is_loopback(settings.host) and ApiKeyAuth(store, read_needs_key=False).is_open:
        raise NeedsKey(settings.host)


def bound(settings: ServiceSettings) -> Listener:
    """A socket that has the address of the service; nobody can connect before ``listen``.

    Raises:
        AddressTaken: Another program has it, or it does not belong to this machine.
    """
    with _address_checked(settings):
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        # asyncio turns Nagle's algorithm off only if the socket says that it is TCP; with it, answers wait 40 ms.
        listener = Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((settings.host, settings.port))
        except OSError:
            listener.close()
            raise
        return listener


def listen(listener: Listener, settings: ServiceSettings) -> None:
    """Let clients connect.

    Raises:
        AddressTaken: Another program was faster.
    """
    with _address_checked(settings):
        listener.listen()


def address_of(listener: socket.socket) -> str:
    """The URL of the service on a socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def server_options() -> dict[str, Any]:
    """Options of uvicorn that one process and many have in common."""
    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,  # `ForwardedRequests` reads them
        "timeout_keep_alive": 10,
        "timeout_graceful_shutdown": DRAIN_S,
    }


@contextmanager
def _address_checked(settings: ServiceSettings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise AddressTaken(settings.host, settings.port, reason=reason) from error
