"""What protects the service: API keys, limits on size, time and rate of requests, and headers for browsers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import secrets
import time
from contextlib import nullcontext
from enum import IntEnum
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from sartor.limits import IMPORT_RECEIVE_S, KEYS_CACHED_S, MAX_IMPORT_BYTES
from sartor.service.forwarding import client_of, path_of
from sartor.service.problems import (
    NoKey,
    Overloaded,
    TooLarge,
    TooManyRequests,
    TooSlow,
    WrongScope,
    answer,
    problem_of,
)
from sartor.store.base import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Send
    from starlette.types import Scope as ASGIScope

    from sartor.config import ServiceSettings
    from sartor.service.executor import BoundedExecutor
    from sartor.service.problems import Problem
    from sartor.service.rates import RequestRates
    from sartor.store.base import CatalogStore


_KEY_PREFIX = "sartor_"
_KEY_BYTES = 32
_UNLIMITED = ("/static/", "/v1/photos/", "/health/", "/sartor-similar.js")
_API = "/v1/"
_IMPORT = "/v1/products/import"  # whose body is a whole catalog
_PERSONAL = ("/v1/users/", "/v1/visitors/")  # no cache may keep answers about people, nor problems
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


class Scope(IntEnum):
    """What a key allows; a higher scope includes the lower ones."""

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
    """Make a key and return it. Only its digest is stored, so it cannot be shown again."""
    key = _KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    created_s = time.time() if now_s is None else now_s
    entry = ApiKey(id=secrets.token_hex(4), name=name, scope=scope.word, created_s=created_s)
    store.add_key(entry, digest_of(key))
    return key


def digest_of(key: str) -> bytes:
    """SHA-256 of a key; its 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


class ApiKeyAuth:
    """Checks that a request has an API key for what it asks.

    A workspace without any key is open: its service may listen on this machine only.
    """

    def __init__(
        self, store: CatalogStore, *, read_needs_key: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._read_needs_key, self._clock = store, read_needs_key, clock
        self._keys: tuple[tuple[bytes, ApiKey], ...] = ()
        self._read_at_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether there is no key at all."""
        return not self._all_keys()

    def require(
        self, scope: Scope, headers: Mapping[str, str], *, personal: bool = False, is_page: bool = False
    ) -> None:
        """Refuse a request without a key for a scope, and one with an unknown key.

        Args:
            scope: Scope that the key needs.
            headers: Headers of the request.
            personal: Whether the request is about a person: then reading needs a key, too.
            is_page: Whether the request is for a page, whose header may be for a proxy before the service.

        Raises:
            NoKey: The request has no key, or an unknown one.
            WrongScope: The key's scope is too low.
        """
        is_public = scope is Scope.READ and not self._read_needs_key and not personal
        if self.is_open or (is_public and (is_page or _key_in(headers) is None)):
            return
        if _key_in(headers) is None:
            raise NoKey(scope=scope.word, reason="this needs an API key")
        key = self._find(headers)
        if key is None:
            raise NoKey(scope=scope.word, reason="this API key is not known")
        if Scope.named(key.scope) < scope:
            raise WrongScope(scope=scope.word, has=key.scope)

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        """Id of the key that a request has; None without a known one."""
        key = self._find(headers)
        return None if key is None else key.id

    def _find(self, headers: Mapping[str, str]) -> ApiKey | None:
        text = _key_in(headers)
        if text is None:
            return None
        digest, match = digest_of(text), None
        for known, key in self._all_keys():  # always all of them, so that the time reveals nothing
            if hmac.compare_digest(known, digest):
                match = key
        return match

    def _all_keys(self) -> tuple[tuple[bytes, ApiKey], ...]:
        now_s = self._clock()
        if now_s - self._read_at_s > KEYS_CACHED_S:
            self._keys, self._read_at_s = self._store.keys_with_digests(), now_s
        return self._keys


def _key_in(headers: Mapping[str, str]) -> str | None:
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key") or None


class RequestLimits:
    """ASGI middleware that limits size, time, rate and queue of requests, and adds security headers to answers.

    What is refused is refused before its body is read. Pages and photos have no part in the queue of the API.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServiceSettings,
        auth: ApiKeyAuth,
        rates: RequestRates | None,
        executor: BoundedExecutor,
    ) -> None:
        """``rates`` counts the requests of each client; None lets all pass."""
        self._app, self._settings, self._auth, self._rates = app, settings, auth, rates
        self._executor = executor

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
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
                if path.startswith(_PERSONAL):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        path = path_of(scope)
        waits = path.startswith(_API) and not path.startswith(_UNLIMITED)
        refusal = Overloaded() if waits and self._executor.is_crowded else await self._refusal(scope, path)
        if refusal is not None:
            await answer(refusal)(scope, receive, send_with_headers)
            return
        try:
            with self._executor.enter() if waits else nullcontext():
                body = _BoundedBody(receive, limit_bytes=self._limit_bytes(path), timeout_s=self._timeout_s(path))
                await self._app(scope, body, send_with_headers)
        except Exception as error:  # one that no exception handler of a route has answered
            if started:
                raise
            await answer(problem_of(error))(scope, receive, send_with_headers)

    def _limit_bytes(self, path: str) -> int:
        return MAX_IMPORT_BYTES if path == _IMPORT else self._settings.max_request_bytes

    def _timeout_s(self, path: str) -> float:
        return IMPORT_RECEIVE_S if path == _IMPORT else self._settings.receive_timeout_s

    async def _refusal(self, scope: ASGIScope, path: str) -> Problem | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        limit_bytes = self._limit_bytes(path)
        if length.isascii() and length.isdigit() and int(length) > limit_bytes:
            return TooLarge(limit_bytes=limit_bytes)
        if self._rates is None or path.startswith(_UNLIMITED):
            return None
        client = self._auth.key_of(headers) or client_of(scope)  # an invented key counts as none
        wait_s = await self._rates.wait_s(client)
        if wait_s is None:
            return None
        return TooManyRequests(limit=str(self._rates.limit), retry_s=max(1, math.ceil(wait_s)))


class _BoundedBody:
    """An ASGI ``receive`` that limits the size of a body and the time until all of it is there."""

    def __init__(self, receive: Receive, *, limit_bytes: int, timeout_s: float) -> None:
        self._receive, self._limit_bytes, self._timeout_s = receive, limit_bytes, timeout_s
        self._bytes, self._complete = 0, False
        self._deadline_s = time.monotonic() + timeout_s

    async def __call__(self) -> Message:
        if self._complete:  # what comes now is that the client leaves, which may take any time
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._deadline_s - time.monotonic()))
        except TimeoutError as error:
            raise TooSlow(self._timeout_s) from error
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._bytes > self._limit_bytes:
            raise TooLarge(limit_bytes=self._limit_bytes)
        return message
