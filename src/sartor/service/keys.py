"""API keys: made once, stored only as digests, compared in constant time, each for a scope."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from enum import IntEnum
from typing import TYPE_CHECKING

from sartor.service.problems import NoKey, WrongScope
from sartor.store.records import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sartor.store.sqlite import SqliteStore

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


def create_key(store: SqliteStore, *, name: str, scope: Scope, now_s: float | None = None) -> str:
    """Make a key and return it; it is shown this once, and kept only as a digest."""
    key = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    created_s = time.time() if now_s is None else now_s
    made = ApiKey(id=secrets.token_hex(4), name=name, scope=scope.word, created_s=created_s)
    store.add_key(made, digest_of(key))
    return key


def digest_of(key: str) -> bytes:
    """SHA-256 of a key; its 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


class Gate:
    """Lets a request through that has a key for what it asks.

    Without any key in the workspace everything is open: such a service listens on this machine only.
    """

    def __init__(
        self, store: SqliteStore, *, read_needs_key: bool, clock: Callable[[], float] = time.monotonic
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
