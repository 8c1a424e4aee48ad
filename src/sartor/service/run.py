"""Running the service: the address it may listen on, and the server under it."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from sartor.errors import AddressTaken, NeedsKey
from sartor.service.app import create_app
from sartor.service.security import ApiKeyAuth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sartor.config import ServiceSettings
    from sartor.shop import Shop
    from sartor.store.base import CatalogStore

_DRAIN_S = 20
_BACKLOG = 512
# Each row that SQLite hands out and each call into NumPy or the network lets go of the interpreter, and waits so
# long for a busy thread to give it back; Python's own choice is 5 ms.
_SWITCH_S = 0.0005


def serve(
    shop: Shop,
    store: CatalogStore,
    settings: ServiceSettings,
    *,
    on_address: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a workspace until SIGTERM or Ctrl-C; what is being answered then is answered.

    Args:
        shop: The workspace.
        store: Its store.
        settings: How the service answers.
        on_address: Told where it listens, before the first request.

    Raises:
        NeedsKey: The address is not of this machine alone, and there is no API key.
        AddressTaken: Another program listens there, or the address is not of this machine.
    """
    if not is_loopback(settings.host) and ApiKeyAuth(store, read_needs_key=False).is_open:
        raise NeedsKey(settings.host)
    sys.setswitchinterval(_SWITCH_S)
    with _listening(settings) as listener:
        host, port = listener.getsockname()[:2]
        on_address(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        config = uvicorn.Config(
            create_app(shop, store, settings),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=_DRAIN_S,
            backlog=_BACKLOG,
        )
        with _ending_well():
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _ending_well() -> Iterator[None]:
    """Uvicorn raises the signal that ended it once more when it is done; here it ends nothing else."""
    former = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(settings: ServiceSettings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        # asyncio turns Nagle's algorithm off only where it reads that this is TCP; with it, answers wait 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((settings.host, settings.port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise AddressTaken(settings.host, settings.port, reason=reason) from error
    return listener
