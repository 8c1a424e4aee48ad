"""What the servers of the tests have in common: where they listen, where they are kept, and how they fail."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HOST = "127.0.0.1"
CACHE_VARIABLE = "SARTOR_ENGINES"
_ASK_S = 0.05


class EngineFailed(Exception):
    """A server did not start."""


def cached(name: str) -> Path:
    """Where a server is kept that was built or put together here: it takes minutes.

    That is in the directory that ``SARTOR_ENGINES`` names, by default in the user's cache. Root's is one that
    others may read, since OpenSearch does not run as root.
    """
    by_default = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
    return Path(os.environ.get(CACHE_VARIABLE) or by_default / "sartor" / "engines").absolute() / name


def accepts(port: int) -> bool:
    """Whether somebody accepts connections at a port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


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


class ServerProcess:
    """The process of a server: started, waited for, and ended.

    Args:
        name: What messages call it.
        log: File that its output is appended to.
    """

    def __init__(self, name: str, log: Path) -> None:
        self._name, self._log = name, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def id(self) -> int:
        """Id of the process.

        Raises:
            EngineFailed: It does not run.
        """
        if self._process is None:
            raise EngineFailed(f"no {self._name} runs on {self._log.parent}")
        return self._process.pid

    def launch(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with these variables beside those of this process."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                env={**os.environ, **(environment or {})},
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self, answers: Callable[[], bool], *, seconds: float) -> None:
        """Wait until the server answers; it is killed if it does not.

        Raises:
            EngineFailed: It ended, or it does not answer in so many seconds.
        """
        deadline_s = time.monotonic() + seconds
        try:
            while not answers():
                self._require_life(deadline_s)
                time.sleep(_ASK_S)
        except BaseException:
            self.kill()
            raise

    def stop(self, *, seconds: float = 30.0) -> None:
        """End it in order, with SIGTERM; it is killed if that takes longer."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _require_life(self, deadline_s: float) -> None:
        last_words = self._log.read_text(errors="replace")[-2_000:]
        if self._process is None or self._process.poll() is not None:
            raise EngineFailed(f"{self._name} ended at its start:\n{last_words}")
        if time.monotonic() > deadline_s:
            raise EngineFailed(f"{self._name} does not answer:\n{last_words}")
