"""Builds of Sartor, each a checkout with a workspace of its own, asked by its commands and over HTTP.

Nothing of the package is imported here, so a build whose modules have other names is asked in the same way.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np
import typer

from benchmarks.build_answers import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WORKSPACE = "workspace"  # in the folder of a build, where its commands run

_COMMAND_S, _READY_S, _ANSWER_S = 900, 300, 60
_CLOCK = "BUILD_CLOCK"
# Python imports a module of this name first. What is recommended depends on the time to the second.
_CLOCK_MODULE = f'''\
import os
import time

_file = os.environ["{_CLOCK}"]
time.time = lambda: os.stat(_file).st_mtime
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A question to the command line.

    Attributes:
        kind: Kind of the question.
        arguments: Of ``sartor``; ``--home`` is added.
        reads: A file that it writes, which is part of the answer.
    """

    kind: str
    arguments: tuple[str, ...]
    reads: str | None = None

    def __str__(self) -> str:
        return " ".join(("sartor", *self.arguments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question to the service.

    Attributes:
        kind: Kind of the question.
        path: With its query; ``{next}`` stands for the cursor of the page before.
        method: Of HTTP.
        headers: Further ones; ``{read}`` and ``{write}`` stand for API keys, ``{address}`` for the service's.
        body: Sent as JSON, or as it is where it is bytes; None sends none.
        form: Fields of a form, beside the photos; None sends no form where there is no photo either.
        photos: Sent as files of the form.
    """

    kind: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    form: Mapping[str, str] | None = None
    photos: Sequence[bytes] = ()

    def __str__(self) -> str:
        said = f"{self.method} {self.path}"
        if self.body is not None and not isinstance(self.body, bytes):
            said += f" {json.dumps(self.body, ensure_ascii=False)}"
        if self.form:
            said += f" {json.dumps(dict(self.form), ensure_ascii=False)}"
        return f"{said} with {len(self.photos)} photos" if self.photos else said


class Clock:
    """The time of all builds: when one file was last changed. It stands still unless it is moved."""

    def __init__(self, folder: Path, *, now_s: int) -> None:
        folder.mkdir()
        self.folder, self._file, self._now_s = folder, folder / "now", now_s
        (folder / "sitecustomize.py").write_text(_CLOCK_MODULE, encoding="utf-8")
        self._file.touch()
        self.move(0)

    def move(self, seconds: int) -> None:
        """Let some seconds pass."""
        self._now_s += seconds
        os.utime(self._file, (self._now_s, self._now_s))

    def environment(self, checkout: Path) -> dict[str, str]:
        """The environment of a process that runs a checkout by this clock."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SARTOR_")}
        paths = os.pathsep.join((str(self.folder), str(checkout / "src")))
        # Where a message lists a set, its order is that of the hashes.
        return kept | {"PYTHONPATH": paths, "PYTHONHASHSEED": "0", _CLOCK: str(self._file), "COLUMNS": "200"}


class Build:
    """A checkout with a workspace.

    Args:
        name: ``before`` or ``after``.
        checkout: Root of the checkout.
        folder: Where its workspace and the files of its commands are; it is made.
        clock: The time that it goes by.
        spelled: How this build spells words of commands, by how the questions do.

    Raises:
        typer.BadParameter: There is no Sartor in the checkout, or another one is imported in its place.
    """

    def __init__(
        self,
        name: str,
        checkout: Path,
        folder: Path,
        clock: Clock,
        *,
        spelled: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.folder = name, folder
        self._spelled = {tuple(old.split()): tuple(new.split()) for old, new in (spelled or {}).items()}
        self._environment = clock.environment(checkout)
        self._client: httpx2.Client | None = None
        self._names = {str(folder): "<folder>", str(checkout): "<checkout>"}
        self._keys: dict[str, str] = {}
        self._next = ""
        folder.mkdir()
        self._require_own_package(checkout)

    def run(self, command: Command) -> Answer:
        """Run a command, and read what it printed and wrote."""
        done = self._run(*respelled(command.arguments, self._spelled), "--home", WORKSPACE)
        said = {"exit code": done.returncode, "printed": _json_or_text(done.stdout)}
        if done.returncode:
            said["detail"] = done.stderr  # of a command that is done, it is progress
        if command.reads is not None:
            said["written"] = _written(self.folder / command.reads)
        return Answer.of(said, names=self._names)

    def create_keys(self, *scopes: str) -> None:
        """Make an API key for each of some scopes, which ``Request.headers`` may have from now on."""
        for scope in scopes:
            done = self._run("keys", "create", "--scope", scope, "--json", "--home", WORKSPACE)
            self._keys[f"{{{scope}}}"] = json.loads(done.stdout)["key"]

    @contextmanager
    def serving(self, *options: str) -> Iterator[None]:
        """Serve the workspace until the context ends; commands have to wait meanwhile.

        Raises:
            RuntimeError: The service ends before it is ready, or takes too long.
        """
        port = _free_port()
        address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "sartor", "serve", "--port", str(port), "--rate-limit", "0", *options]
        with (
            (self.folder / "serve.log").open("wb") as log,
            subprocess.Popen(
                [*command, "--home", WORKSPACE],
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            ) as process,
            httpx2.Client(base_url=address, timeout=_ANSWER_S, trust_env=False) as client,
        ):
            try:
                _wait_until_ready(process, client, self.name, Path(log.name))
                self._client = client
                yield
            finally:
                self._client = None
                process.terminate()

    def ask(self, request: Request) -> Answer:
        """Send a request to the service, and read the answer.

        Raises:
            RuntimeError: The service does not run.
        """
        if self._client is None:
            message = f"the service of the build {self.name} does not run"
            raise RuntimeError(message)
        response = self._client.request(
            request.method,
            request.path.replace("{next}", self._next),
            headers={"Accept": "application/json"} | self._filled(request.headers),
            **_content(request),
        )
        self._client.cookies.clear()  # whose request it is stands in the question
        content = _content_of(response)
        if isinstance(content, dict):
            self._next = content.get("next") or ""
        said = {"status": response.status_code, "headers": dict(response.headers), "content": content}
        return Answer.of(said, names=self._names | {self._address: "<address>"})

    @property
    def _address(self) -> str:
        return str(self._client.base_url).rstrip("/") if self._client else ""

    def _filled(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers with what stands for the API keys and the address of this build."""
        known = self._keys | {"{address}": self._address}
        return {
            name: reduce(lambda text, each: text.replace(each, known[each]), known, value)
            for name, value in headers.items()
        }

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sartor", *arguments],
            check=False,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
        )

    def _require_own_package(self, checkout: Path) -> None:
        script = "import sartor, time; print(sartor.__file__, time.time())"
        done = subprocess.run(
            [sys.executable, "-c", script],
            check=False,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        if not done.stdout.startswith(str(checkout / "src")):
            found = done.stdout or done.stderr
            message = f"the build {self.name} is to be {checkout}, but imports: {found.strip()[-200:]}"
            raise typer.BadParameter(message)


def respelled(arguments: tuple[str, ...], spelled: Mapping[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
    """Arguments with some words in a row replaced by others, the first time that they occur."""
    for old, new in spelled.items():
        starts = (at for at in range(len(arguments)) if arguments[at : at + len(old)] == old)
        if (start := next(starts, None)) is not None:
            arguments = (*arguments[:start], *new, *arguments[start + len(old) :])
    return arguments


def _content(request: Request) -> dict[str, Any]:
    if request.photos or request.form is not None:
        files = [("photo", (f"{number}.jpg", photo, "image/jpeg")) for number, photo in enumerate(request.photos)]
        return {"data": dict(request.form or {}), "files": files or None}
    if isinstance(request.body, bytes):
        return {"content": request.body}
    return {} if request.body is None else {"json": request.body}


def _content_of(response: httpx2.Response) -> Any:
    kind = response.headers.get("content-type", "")
    if not response.content:
        return None
    if "json" in kind:
        return response.json()
    if kind.startswith("text/"):
        return response.text
    return _digest(response.content)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _written(file: Path) -> Any:
    """Text as it is; of arrays their shapes and digests, since an archive also has dates."""
    if not file.exists():
        return None
    if file.suffix != ".npz":
        return file.read_text(encoding="utf-8")
    with np.load(file) as arrays:
        return {
            name: [str(array.dtype), list(array.shape), _digest(array.tobytes())] for name, array in arrays.items()
        }


def _digest(content: bytes) -> str:
    return f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _wait_until_ready(process: subprocess.Popen[bytes], client: httpx2.Client, name: str, log: Path) -> None:
    deadline_s = time.monotonic() + _READY_S
    while not _is_ready(client):
        if process.poll() is not None or time.monotonic() > deadline_s:
            message = f"the service of the build {name} does not become ready: {log.read_text()[-2000:]}"
            raise RuntimeError(message)
        time.sleep(0.2)


def _is_ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/health/ready").is_success
    except httpx2.TransportError:
        return False
