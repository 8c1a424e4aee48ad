"""SecantusDB, which speaks MongoDB's protocol, as a process.

It stands in for MongoDB in the tests, because no package registry has a real one. It is a beta under the GPL:
nothing of the product imports it or comes with it, and the tests talk to it over a socket alone.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from tools.engines.base import HOST, ServerProcess, check_port, free_port

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from tools.engines.network import Host

_COMMAND = "from secantus.cli import main; raise SystemExit(main())"
_START_S = 60.0


def is_installed() -> bool:
    """Whether SecantusDB is installed: ``uv pip install --group engines``."""
    return find_spec("secantus") is not None


class MongoServer:
    """A server on a directory, which keeps its data from one start to the next.

    Args:
        directory: Its files and its log; made if it is missing.
        port: Where it listens; by default, a free port that stays the same over restarts.
        options: More options of ``secantusd-py``, such as ``--auth`` or ``--standalone``.
        on: A host of its own instead of this one's loopback.

    Example:
        >>> with MongoServer(tmp_path / "mongodb") as server:
        ...     server.address[:20]
        'mongodb://127.0.0.1:'
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        options: tuple[str, ...] = (),
        on: Host | None = None,
    ) -> None:
        self._directory, self._options = directory, options
        self._within, self._host = ((), HOST) if on is None else (on.within, on.address)
        self._port = free_port() if port is None else port
        self._process = ServerProcess("SecantusDB", directory / "server.log")

    @property
    def address(self) -> str:
        """Address without a database."""
        return f"mongodb://{self._host}:{self._port}"

    @property
    def process_id(self) -> int:
        """Id of its process.

        Raises:
            EngineFailed: It does not run.
        """
        return self._process.id

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            EngineFailed: Its port is taken, it ended, or it does not answer.
        """
        if self._host == HOST:
            check_port(self._port)
        self._directory.mkdir(parents=True, exist_ok=True)
        where = ("--host", self._host, "--port", str(self._port), "--storage-path", str(self._directory / "data"))
        command = [*self._within, sys.executable, "-c", _COMMAND]
        self._process.launch([*command, *where, "--sync-on-commit", *self._options])
        with MongoClient[dict[str, object]](
            self.address, serverSelectionTimeoutMS=500, directConnection=True
        ) as client:
            self._process.wait(lambda: _answers(client), seconds=_START_S)

    def stop(self) -> None:
        """End it in order, with SIGTERM."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self._process.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _answers(client: MongoClient[dict[str, object]]) -> bool:
    try:
        client.admin.command("ping")
    except ConnectionFailure:
        return False
    return True
