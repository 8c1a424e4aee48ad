"""What every request passes before a route sees it: size, time, rate; and the headers of every answer."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from typing import TYPE_CHECKING, Any

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders

from sartor.service.problems import TooLarge, TooManyRequests, TooSlow, answer, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sartor.config import ServiceSettings
    from sartor.service.keys import Gate
    from sartor.service.problems import Problem

_UNLIMITED = ("/static/", "/v1/photos/", "/health/", "/sartor-similar.js")
_PERSONAL = ("/v1/users/", "/v1/visitors/")  # answers about people, problems too, are kept nowhere on their way
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Content-Security-Policy": _PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guards:
    """ASGI middleware that bounds what a request may cost, and adds security headers to what goes out."""

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings, gate: Gate) -> None:
        self._app, self._settings, self._gate = app, settings, gate
        self._limit = parse(f"{settings.rate_per_minute}/minute") if settings.rate_per_minute else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(_PERSONAL):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await answer(refusal)(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _BoundedBody(receive, self._settings), send_with_headers)
        except Exception as error:  # what no route's own handler has answered
            if started:
                raise
            await answer(problem_of(error))(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._settings.max_request_bytes:
            return TooLarge(limit_bytes=self._settings.max_request_bytes)
        if self._limit is None or scope["path"].startswith(_UNLIMITED):
            return None
        who = self._gate.key_of(headers) or client_of(scope)  # a made-up key is as good as none
        if self._limiter.hit(self._limit, who):
            return None
        left_s = self._limiter.get_window_stats(self._limit, who).reset_time - time.time()
        return TooManyRequests(limit=str(self._limit), retry_s=max(1, math.ceil(left_s)))


class _BoundedBody:
    """``receive`` that lets only so many bytes through, in only so much time."""

    def __init__(self, receive: Receive, settings: ServiceSettings) -> None:
        self._receive, self._settings = receive, settings
        self._bytes, self._done = 0, False
        self._deadline = time.monotonic() + settings.receive_timeout_s

    async def __call__(self) -> Message:
        if self._done:  # the body is whole: what comes now is the client that leaves, whenever that is
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._deadline - time.monotonic()))
        except TimeoutError as error:
            raise TooSlow(self._settings.receive_timeout_s) from error
        self._bytes += len(message.get("body", b""))
        self._done = not message.get("more_body", False)
        if self._bytes > self._settings.max_request_bytes:
            raise TooLarge(limit_bytes=self._settings.max_request_bytes)
        return message


def client_of(scope: Mapping[str, Any]) -> str:
    """The address of who asks; an IPv6 one by its network of 64 bits, which is what one household has."""
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if address.version == 6:  # noqa: PLR2004 - IPv6
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
