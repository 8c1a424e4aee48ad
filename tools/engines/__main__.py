"""Starts a server and keeps it until Ctrl-C: ``python -m tools.engines mongodb --port 27017 --directory data``.

``opensearch`` instead of ``mongodb`` starts a node of OpenSearch, which is put together at the first time. ``s3``
starts a server with a bucket ``photos``, and prints its key.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path

from tools.engines.base import EngineFailed
from tools.engines.mongodb import MongoServer
from tools.engines.opensearch import OpenSearchNode
from tools.engines.s3 import ACCESS_KEY, SECRET_KEY, S3Server


def main() -> int:
    """Run the server that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.engines", description="Run a server for the tests.")
    parser.add_argument("engine", choices=["mongodb", "opensearch", "s3"])
    parser.add_argument("--port", type=int, help="where it listens; a free port without it")
    parser.add_argument("--directory", type=Path, required=True, help="its files; made if it is missing")
    arguments = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        with server_of(arguments.engine, arguments.directory, arguments.port) as server:
            print(f"{server.address} answers; end it with Ctrl-C", flush=True)  # noqa: T201
            if isinstance(server, S3Server):
                print(f"AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET_KEY}", flush=True)  # noqa: T201
            with contextlib.suppress(KeyboardInterrupt):
                stopped.wait()
    except EngineFailed as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def server_of(engine: str, directory: Path, port: int | None) -> MongoServer | OpenSearchNode | S3Server:
    """The server of an engine, which is not started yet."""
    if engine == "s3":
        return S3Server(directory, port=port, buckets=("photos",))
    if engine == "opensearch":
        return OpenSearchNode(directory, port=port)
    return MongoServer(directory, port=port)


if __name__ == "__main__":
    raise SystemExit(main())
