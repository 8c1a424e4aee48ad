"""What every request passes before a route sees it: size, time, rate; and the headers of every answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import math
import secrets
import time
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders

from sartor.service.problems import NoKey, TooLarge, TooManyRequests, TooSlow, WrongScope, answer, problem_of
from sartor.store.base import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Send
    from starlette.types import Scope as ASGIScope

    from sartor.config import ServiceSettings
    from sartor.service.problems import Problem
    from sartor.store.base import CatalogStore


_PREFIX = "sartor_"
_RANDOM_BYTES = 32
_REMEMBERED_S = 5.0  # what other processes do to the keys is seen after so long


class Scope(IntEnum):
    """What a key is good for; a higher one includes those below."""

    READ = 1
    WRITE = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> Scope:
        """The scope of a name, in lower case."""
        return cls[name.upper()]

    @property
    def word(self) -> str:
        """Its name in lower case."""
        return self.name.lower()


def create_key(store: CatalogStore, *, name: str, scope: Scope, now_s: float | None = None) -> str:
    """Make a key and return it; it is shown this once, and kept only as a digest."""
    key = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    created_s = time.time() if now_s is None else now_s
    made = ApiKey(id=secrets.token_hex(4), name=name, scope=scope.word, created_s=created_s)
    store.add_key(made, digest_of(key))
    return key


def digest_of(key: str) -> bytes:
    """SHA-256 of a key; its 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


class ApiKeyAuth:
    """Lets a request through that has a key for what it asks.

    Without any key in the workspace everything is open: such a service listens on this machine only.
    """

    def __init__(
        self, store: CatalogStore, *, read_needs_key: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._read_needs_key, self._clock = store, read_needs_key, clock
        self._known: tuple[tuple[bytes, ApiKey], ...] = ()
        self._read_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether there is no key at all."""
        return not self._keys()

    def require(self, scope: Scope, headers: Mapping[str, str], *, personal: bool = False) -> None:
        """Refuse a request that has no key for a scope.

        Args:
            scope: What it asks for.
            headers: Of the request.
            personal: Whether it is about a person, which is never read without a key where there are any.

        Raises:
            NoKey: It has none, or one that is not known.
            WrongScope: Its key is good for less.
        """
        keys = self._keys()
        is_public = scope is Scope.READ and not self._read_needs_key and not personal
        if not keys or is_public:
            return
        if _key_in(headers) is None:
            raise NoKey(scope=scope.word, reason="this needs an API key")
        found = self._find(headers)
        if found is None:
            raise NoKey(scope=scope.word, reason="this API key is not known")
        if Scope.named(found.scope) < scope:
            raise WrongScope(scope=scope.word, has=found.scope)

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        """Id of the key that a request has; None where it has none that is known."""
        found = self._find(headers)
        return None if found is None else found.id

    def _find(self, headers: Mapping[str, str]) -> ApiKey | None:
        given = _key_in(headers)
        if given is None:
            return None
        digest, found = digest_of(given), None
        for known, key in self._keys():  # all of them, so that the time tells nothing
            if hmac.compare_digest(known, digest):
                found = key
        return found

    def _keys(self) -> tuple[tuple[bytes, ApiKey], ...]:
        now = self._clock()
        if now - self._read_at > _REMEMBERED_S:
            self._known, self._read_at = self._store.keys_with_digests(), now
        return self._known


def _key_in(headers: Mapping[str, str]) -> str | None:
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key") or None


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


class RequestLimits:
    """ASGI middleware that bounds what a request may cost, and adds security headers to what goes out."""

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings, gate: ApiKeyAuth) -> None:
        self._app, self._settings, self._gate = app, settings, gate
        self._limit = parse(f"{settings.rate_per_minute}/minute") if settings.rate_per_minute else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
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

    def _refusal(self, scope: ASGIScope) -> Problem | None:
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
