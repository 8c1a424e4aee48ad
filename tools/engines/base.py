"""What the servers of the tests have in common: where they listen, where they are kept, and how they fail."""

from __future__ import annotations

import os
import socket
from pathlib import Path

HOST = "127.0.0.1"
CACHE_VARIABLE = "SARTOR_ENGINES"


class EngineFailed(Exception):
    """A server did not start."""


def cached(name: str) -> Path:
    """Where a server is kept that was built or put together here: it takes minutes.

    That is in the directory that ``SARTOR_ENGINES`` names, by default in the user's cache. Root's is one that
    others may read, since OpenSearch does not run as root.
    """
    by_default = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
    return Path(os.environ.get(CACHE_VARIABLE) or by_default / "sartor" / "engines").absolute() / name


def check_port(port: int) -> None:
    """Check that nobody listens there: SecantusDB would start all the same and share its clients.

    Raises:
        EngineFailed: Somebody does.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after a kill, old connections linger
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise EngineFailed(f"port {port} is taken; choose another with --port") from error


def free_port() -> int:
    """A port where nobody listens now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
