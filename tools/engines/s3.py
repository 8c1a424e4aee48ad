"""versitygw, which speaks S3's protocol over a directory, as a process.

It stands in for Amazon S3 in the tests. It is built once, by Go, from the module proxy that the environment names,
into the directory of ``base.cached``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Self

import boto3
from filelock import FileLock

from tools.engines.base import HOST, EngineFailed, ServerProcess, accepts, cached, check_port, free_port

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

ACCESS_KEY, SECRET_KEY = "sartor-tests", "a-secret-of-the-tests"

_VERSION = "1.8.0"
_MODULE = f"github.com/versity/versitygw/cmd/versitygw@v{_VERSION}"
_BUILD_S, _START_S = 900.0, 30.0


def is_available() -> bool:
    """Whether versitygw is built, or Go is there to build it."""
    return _program().is_file() or shutil.which("go") is not None


def build() -> Path:
    """The program, which is built first if it is missing: two to five minutes.

    Raises:
        EngineFailed: Go is missing, or cannot build it.
    """
    program = _program()
    if program.is_file():
        return program
    go = shutil.which("go")
    if go is None:
        raise EngineFailed(f"versitygw {_VERSION} is built by Go, which is not installed")
    program.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(program.with_suffix(".lock")):  # of several test processes, one builds
        if not program.is_file():
            _build(go, program)
    return program


def _build(go: str, program: Path) -> None:
    part = program.with_suffix(".part")
    try:
        done = subprocess.run(  # noqa: S603
            [go, "install", _MODULE],
            env=os.environ | {"GOBIN": str(part), "CGO_ENABLED": "0"},
            cwd=program.parent,
            capture_output=True,
            text=True,
            timeout=_BUILD_S,
            check=False,
        )
        if done.returncode:
            raise EngineFailed(f"versitygw cannot be built:\n{done.stderr[-2_000:]}")
        (part / program.name).replace(program)  # whole at once
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _program() -> Path:
    return cached(f"versitygw-{_VERSION}") / "versitygw"


class S3Server:
    """A server on a directory, which keeps its data from one start to the next.

    Args:
        directory: Its files and its log; made if it is missing.
        port: Where it listens; by default, a free port that stays the same over restarts.
        options: More options of ``versitygw``, such as ``--cert`` and ``--key``.
        buckets: Names of buckets that it has from the beginning.

    Attributes:
        endpoint: Its address, such as ``http://127.0.0.1:9000``.

    Example:
        >>> with S3Server(tmp_path / "s3", buckets=("photos",)) as server:
        ...     server.endpoint[:17]
        'http://127.0.0.1:'
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        options: tuple[str, ...] = (),
        buckets: tuple[str, ...] = (),
    ) -> None:
        self._directory, self._options, self._buckets = directory, options, buckets
        self._port = free_port() if port is None else port
        self.endpoint = f"{'https' if '--cert' in options else 'http'}://{HOST}:{self._port}"
        self._process = ServerProcess("versitygw", directory / "server.log")

    @property
    def address(self) -> str:
        """Address of the first bucket, as Sartor takes it."""
        return f"s3://{self._buckets[0]}?endpoint={self.endpoint}"

    @property
    def process_id(self) -> int:
        """Id of its process.

        Raises:
            EngineFailed: It does not run.
        """
        return self._process.id

    def add_user(self, access_key: str, secret_key: str) -> None:
        """Make a user who may do nothing until a policy of a bucket says so."""
        login = ("--access", ACCESS_KEY, "--secret", SECRET_KEY, "--endpoint-url", self.endpoint)
        user = ("--access", access_key, "--secret", secret_key, "--role", "user")
        subprocess.run(  # noqa: S603
            [str(build()), "admin", *login, "create-user", *user],
            check=True,
            capture_output=True,
            timeout=_START_S,
        )

    def start(self) -> None:
        """Start the server and wait until it listens.

        Raises:
            EngineFailed: It cannot be built, its port is taken, it ended, or it does not answer.
        """
        program = build()
        check_port(self._port)
        for folder in ("data", "users"):
            (self._directory / folder).mkdir(parents=True, exist_ok=True)
        where = (
            "--port",
            f"{HOST}:{self._port}",
            "--iam-dir",
            str(self._directory / "users"),
            "--quiet",
            "--keep-alive",
        )
        self._process.launch(
            [str(program), *where, *self._options, "posix", str(self._directory / "data")],
            environment={"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY},
        )
        self._process.wait(lambda: accepts(self._port), seconds=_START_S)
        try:
            self._make_buckets()
        except BaseException:
            self.kill()
            raise

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

    def _make_buckets(self) -> None:
        # Through the protocol: a directory alone has no owner, and versitygw then fails for other users.
        ca = self._options[self._options.index("--cert") + 1] if "--cert" in self._options else None
        client = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1").client(
            "s3", endpoint_url=self.endpoint, verify=ca
        )
        there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        for bucket in sorted(set(self._buckets) - there):
            client.create_bucket(Bucket=bucket)
        client.close()
