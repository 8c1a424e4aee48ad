"""Starts a server and keeps it until Ctrl-C: ``python -m tools.engines mongodb --port 27017 --directory data``.

``opensearch`` instead of ``mongodb`` starts a node of OpenSearch, which is put together at the first time.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path

from tools.engines.mongodb import EngineFailed, MongoServer
from tools.engines.opensearch import OpenSearchNode


def main() -> int:
    """Run the server that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.engines", description="Run a server for the tests.")
    parser.add_argument("engine", choices=["mongodb", "opensearch"])
    parser.add_argument("--port", type=int, help="where it listens; a free port without it")
    parser.add_argument("--directory", type=Path, required=True, help="its files; made if it is missing")
    arguments = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    engine = MongoServer if arguments.engine == "mongodb" else OpenSearchNode
    try:
        with (
            engine(arguments.directory, port=arguments.port) as server,
            contextlib.suppress(KeyboardInterrupt),
        ):
            print(f"{server.address} answers; end it with Ctrl-C", flush=True)  # noqa: T201
            stopped.wait()
    except EngineFailed as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
