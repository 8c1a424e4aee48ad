"""Redis as a process, for the tests of what several hosts count together."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

from tools.engines.base import HOST, EngineFailed, free_port

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = "redis-server"
_START_S, _STOP_S, _ASK_S = 30.0, 10.0, 0.02


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
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Address of its first database; it stays the same over restarts."""
        return f"redis://{HOST}:{self._port}/0"

    def start(self) -> None:
        """Start the server and wait until it accepts connections.

        Raises:
            EngineFailed: It does not.
        """
        self._process = subprocess.Popen(  # noqa: S603
            [_PROGRAM, "--bind", HOST, "--port", str(self._port), "--save", "", "--dir", str(self._directory)],
            stdout=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + _START_S
        while True:
            try:
                socket.create_connection((HOST, self._port), 1.0).close()
            except OSError as error:
                if time.monotonic() > deadline_s:
                    raise EngineFailed(f"{_PROGRAM} does not answer") from error
                time.sleep(_ASK_S)
            else:
                return

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
