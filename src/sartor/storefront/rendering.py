"""Renders pages: templates, static files, and problems shown as pages where a browser asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse

from sartor.service.forwarding import path_of
from sartor.service.problems import MEDIA_TYPE, answer, problem_of
from sartor.storefront.personal import STRANGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
_DIGEST_CHARS = 16
_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
_FOR_PROGRAMS = ("/v1/", "/health/", "/metrics", "/openapi.json", "/static/", "/sartor-similar.js")
_DETAILS = {  # of problems whose own detail names a command
    "product-not-found": "this product is not in the catalog, or no longer",
    "empty-catalog": "the catalog is still empty; come back in a while",
    "not-found": "there is nothing under this address",
}
_HEADINGS = {
    403: "Not from here",
    404: "We looked everywhere",
    409: "Not just yet",
    410: "This photo has left the fitting room",
    413: "That is a lot to carry",
    422: "That did not fit",
    429: "One moment, please",
    500: "A stitch came loose",
    503: "One moment, please",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The static files of the package.

    Attributes:
        by_name: The files.
        digest: Of all files together, and part of their addresses, so that modules import each other relatively.
    """

    by_name: Mapping[str, StaticFile]
    digest: str

    @classmethod
    def read(cls) -> StaticFiles:
        """Read the files."""
        by_name, digest = {}, hashlib.sha256()
        for path in sorted(files(__package__).joinpath("static").iterdir(), key=lambda path: path.name):
            suffix = path.name.rpartition(".")[2]
            if suffix in _MEDIA_TYPES:
                data = path.read_bytes()
                digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
                by_name[path.name] = StaticFile(data, _MEDIA_TYPES[suffix])
        return cls(by_name, digest.hexdigest()[:_DIGEST_CHARS])

    def address(self, name: str) -> str:
        """The address of a file.

        Raises:
            KeyError: There is no such file.
        """
        self.by_name[name]
        return f"/static/{self.digest}/{name}"


class Pages:
    """Renders the templates of the package; every value in them is escaped."""

    def __init__(self, static: StaticFiles) -> None:
        self._environment = Environment(
            loader=PackageLoader("sartor.storefront"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["static"] = static.address

    def html(self, template: str, **values: Any) -> str:
        """Render a template."""
        return self._environment.get_template(template).render(values)

    def response(self, text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """A page as a response; by default only the browser itself may cache it."""
        return HTMLResponse(text, status, headers={**_HEADERS, **(headers or {})})


class ProblemPages:
    """ASGI middleware that shows problems as pages. It is outermost, so that it sees those of other middleware."""

    def __init__(self, app: ASGIApp, *, pages: Pages) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and replace its answer if that is a problem."""
        if scope["type"] != "http" or not wants_page(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def send_page(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    page = problem_page(self._pages, json.loads(bytes(body)), root=scope.get("root_path", ""))
                    headers = MutableHeaders(raw=list(start["headers"]))
                    del headers["content-length"]
                    headers["content-type"] = "text/html; charset=utf-8"
                    headers["content-length"] = str(len(page))
                    headers["cache-control"] = "no-store"
                    await send({**start, "headers": headers.raw})
                    await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, send_page)


def problem_page(pages: Pages, problem: dict[str, Any], *, root: str = "") -> bytes:
    """The page of a problem."""
    status, kind = int(problem["status"]), str(problem["type"]).rpartition(":")[2]
    text = pages.html(
        "problem.html",
        status=status,
        heading=_HEADINGS.get(status, problem["title"]),
        detail=_DETAILS.get(kind, problem["detail"]),
        starting=kind == "starting",
        shopper=replace(STRANGER, root=root),
    )
    return text.encode()


def wants_page(scope: Scope) -> bool:
    """Whether a browser asked for a page, rather than a program for data."""
    accepted = Headers(scope=scope).get("accept", "")
    return "text/html" in accepted and not path_of(scope).startswith(_FOR_PROGRAMS)


def unexpected(pages: Pages) -> Any:
    """A handler for unexpected errors, which are answered outside of all middleware."""

    async def handle(request: Request, error: Exception) -> Response:
        response = answer(problem_of(error))
        if not wants_page(request.scope):
            return response
        page = problem_page(pages, json.loads(bytes(response.body)), root=request.scope.get("root_path", ""))
        return pages.response(page.decode(), status=response.status_code)

    return handle


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE)
