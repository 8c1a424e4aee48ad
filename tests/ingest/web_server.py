"""A server of photos on this host: with ETags or dates, failures in any order, and a memory of what was asked."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from sartor.imaging import UrlPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = UrlPolicy(enabled=True, timeout_s=5, is_allowed=lambda address: address.is_loopback)
CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its path, its headers, when it came and what it was answered."""

    path: str
    headers: dict[str, str]
    at_s: float
    status: int


@dataclass(slots=True)
class Shelf:
    """What the server has, and what it does first.

    Attributes:
        photos: Bytes by path.
        failures: Answers by path before the photo is given: a status, one with ``Retry-After``, or ``CUT_OFF``.
        says: Which version it tells: ``etag``, ``date`` or ``nothing``.
        takes_s: Seconds that an answer takes.
    """

    photos: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, list[int | tuple[int, str] | str]] = field(default_factory=dict)
    says: str = "etag"
    takes_s: float = 0.0


class PhotoServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.shelf = Shelf()
        self.asked: list[Asked] = []
        self.active = self.most_active = 0
        self.lock = threading.Lock()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def statuses(self, path: str | None = None) -> list[int]:
        return [asked.status for asked in self.asked if path in {None, asked.path}]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    server: PhotoServer

    def do_GET(self) -> None:
        server = self.server
        with server.lock:
            server.active += 1
            server.most_active = max(server.most_active, server.active)
        try:
            time.sleep(server.shelf.takes_s)
            self._answer(server.shelf)
        finally:
            with server.lock:
                server.active -= 1

    def _answer(self, shelf: Shelf) -> None:
        data = shelf.photos.get(self.path)
        failures = shelf.failures.get(self.path, [])
        failure = failures.pop(0) if failures else None
        if failure == CUT_OFF:
            assert data is not None
            self._send(200, data[: len(data) // 2], length=len(data))
        elif failure is not None:
            status, wait = failure if isinstance(failure, tuple) else (failure, "")
            self._send(int(status), b"", {"Retry-After": wait} if wait else {})
        elif data is None:
            self._send(404, b"")
        else:
            etag = '"' + hashlib.sha256(data).hexdigest()[:8] + '"'
            date = f"Tue, 01 Dec 2026 02:00:{sum(data) % 60:02} GMT"
            told = {"etag": {"ETag": etag}, "date": {"Last-Modified": date}, "nothing": {}}[shelf.says]
            is_known = (shelf.says == "etag" and self.headers["If-None-Match"] == etag) or (
                shelf.says == "date" and self.headers["If-Modified-Since"] == date
            )
            self._send(304 if is_known else 200, b"" if is_known else data, told)

    def _send(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, length: int | None = None
    ) -> None:
        asked = Asked(self.path, dict(self.headers), time.monotonic(), status)
        with self.server.lock:
            self.server.asked.append(asked)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def photo_server() -> Iterator[PhotoServer]:
    with PhotoServer() as running:
        thread = threading.Thread(target=partial(running.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
