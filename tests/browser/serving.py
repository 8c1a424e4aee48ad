"""A service over a small drawn catalog, in a thread of the test, and a page of another origin beside it."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

import sartor
from sartor.config import ServiceSettings, Settings
from sartor.service.app import create_app
from sartor.storefront import add_storefront
from sartor.wiring import open_shop, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLED = Path(sartor.__file__).parent / "bundled"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the service is, where a page of another origin is, and photos to search with."""

    address: str
    elsewhere: str
    photos: tuple[Path, ...]


@contextmanager
def served(home: Path, *, elsewhere: str) -> Iterator[str]:
    """The address of a service over a workspace, which pages from elsewhere may ask."""
    workspace = Settings(home=home)
    options = ServiceSettings(rate_per_minute=0, cors_origins=(elsewhere,))
    listener = socket.create_server(("127.0.0.1", 0))
    with open_shop(workspace, many_callers=True) as shop, closing(open_store(workspace)) as store:
        app = create_app(shop, store, options, pages=add_storefront)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not app.state.context.ready:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Elsewhere:
    """A shop's own page on another port; what it shows is set by the test."""

    def __init__(self) -> None:
        self.page = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = outer.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
