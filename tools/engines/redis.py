"""Redis as a process, for the tests of what several hosts count together."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Self

from tools.engines.base import HOST, ServerProcess, accepts, free_port

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = "redis-server"
_START_S = 30.0


def is_installed() -> bool:
    """Whether there is a Redis server on this machine."""
    return shutil.which(_PROGRAM) is not None


class RedisServer:
    """A server that keeps nothing on disk.

    Args:
        directory: Where it runs.
    """

    def __init__(self, directory: Path) -> None:
        self._directory, self._port = directory, free_port()
        self._process = ServerProcess("redis-server", directory / "server.log")

    @property
    def address(self) -> str:
        """Address of its first database; it stays the same over restarts."""
        return f"redis://{HOST}:{self._port}/0"

    def start(self) -> None:
        """Start the server and wait until it accepts connections.

        Raises:
            EngineFailed: It does not.
        """
        where = ("--bind", HOST, "--port", str(self._port), "--dir", str(self._directory))
        self._process.launch([_PROGRAM, *where, "--save", ""])
        self._process.wait(lambda: accepts(self._port), seconds=_START_S)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
