"""The connection to OpenSearch: its address, deadlines, a circuit breaker, and errors in one line.

Every call has a deadline, so that no request waits for an engine that is away. After a failure, calls fail at once
until a probe is answered. Every error of the client becomes one of Sartor's and never shows the password.
"""

from __future__ import annotations

import logging
import re
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import urllib3
from opensearchpy import OpenSearch as Client
from opensearchpy import Urllib3HttpConnection
from opensearchpy.exceptions import (
    AuthenticationException,
    AuthorizationException,
    ConflictError,
    ConnectionError,  # noqa: A004 - the client's own
    NotFoundError,
    OpenSearchException,
    RequestError,
    SSLError,
    TransportError,
)

from sartor.errors import IndexAway, IndexUnusable, SartorError, redacted
from sartor.index.opensearch.address import parsed
from sartor.limits import SERVER_CALL_S, SERVER_CONNECT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_MIN_VERSION = (2, 17)
_CONNECTIONS = 32  # kept open to each host
_MAX_ATTEMPTS = 3  # of a call, each at another host
_PAUSE_S = 1.0  # before an engine that did not answer is asked again
_REVIVE_S = 5.0  # before a host that did not answer is asked again while others do
_BUSY = frozenset({429, 502, 503, 504})
_EXPECTED: Mapping[int, type[TransportError]] = {404: NotFoundError, 409: ConflictError}
_OF_TLS = re.compile(r"RemoteDisconnected|BadStatusLine|[Cc]onnection reset|closed connection|\\x15\\x03")
_NOT_TLS = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER|record layer|HTTP_REQUEST|UNEXPECTED_EOF|PACKET_LENGTH")


class OpenSearch:
    """An OpenSearch cluster. Threads may share it; nothing is asked before the first call.

    Args:
        address: As ``sartor.index.opensearch.address`` reads it.
        call_s: Seconds that a call has, attempts at other hosts included.
        pause_s: Seconds for which calls fail at once after one got no answer.
        clock: Seconds, from any beginning.

    Attributes:
        shown: The address without its password and options.
        options: What it says of the indexes.

    Raises:
        BadAddress: It is no such address.

    Example:
        >>> OpenSearch("opensearch://ann:secret@search.example/shop?shards=4").options.shards
        4
    """

    def __init__(
        self,
        address: str,
        *,
        call_s: float = SERVER_CALL_S,
        pause_s: float = _PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shown = redacted(address)
        parts = parsed(address)
        self.options = parts.options
        self._tls, self._login = parts.tls, parts.login
        self._breaker = _Breaker(self.shown, pause_s=pause_s, clock=clock)
        self._verified, self._verifying = False, Lock()
        attempts = min(len(parts.hosts), _MAX_ATTEMPTS)
        self._client = Client(
            hosts=[{"host": host, "port": port} for host, port in parts.hosts],
            connection_class=_Connection,
            http_auth=parts.login,
            use_ssl=parts.tls is not None,
            ssl_context=parts.tls,
            timeout=urllib3.Timeout(connect=min(SERVER_CONNECT_S, call_s), total=call_s / attempts),
            max_retries=max(1, attempts - 1),  # a connection that was kept open may be closed by now
            retry_on_timeout=attempts > 1,
            retry_on_status=(),
            dead_timeout=_REVIVE_S,
            timeout_cutoff=1,
            pool_maxsize=_CONNECTIONS,
        )

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | str | None = None,
        *,
        params: Mapping[str, str | int] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Send a request and return its answer.

        Args:
            method: Of HTTP.
            path: From ``/`` on.
            body: An object, or lines of JSON.
            params: Of the URL.
            timeout_s: Seconds that one host has; by default, a part of those that the call has.

        Raises:
            IndexAway: No host answers in time, or the engine is overloaded.
            IndexUnusable: It answers with an error that trying again does not help against.
            NotFoundError: There is no such index or document; the caller knows what that means.
            ConflictError: It is there already, or in a newer version; the caller knows what that means.
        """
        is_probe = self._breaker.enter()
        try:
            if is_probe:
                self._request("GET", "/", timeout_s=SERVER_CONNECT_S)
            self._verify()
            answer = self._request(method, path, body, params=params, timeout_s=timeout_s)
        except (NotFoundError, ConflictError):
            self._breaker.close()
            raise
        except OpenSearchException as error:
            if isinstance(error, RequestError) and error.error == "resource_already_exists_exception":
                self._breaker.close()
                raise ConflictError(409, error.error, error.info) from error
            understood = self._understood(error)
            if isinstance(error, ConnectionError):
                self._breaker.open(_sentence(error))
            else:
                self._breaker.close()
            raise understood from error
        except BaseException:
            self._breaker.leave(is_probe=is_probe)
            raise
        self._breaker.close()
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def unusable(self, *, reason: str) -> IndexUnusable:
        """The error for something that this engine cannot be used for."""
        return IndexUnusable(self.shown, reason=reason)

    def away(self, *, reason: str) -> IndexAway:
        """The error for an engine that does not do now what it should."""
        return IndexAway(self.shown, reason=reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OpenSearch({self.shown!r})"

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | str | None = None,
        *,
        params: Mapping[str, str | int] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        answer = self._client.transport.perform_request(
            method, path, params=dict(params or {}), body=body, timeout=timeout_s, ignore=tuple(_EXPECTED)
        )  # the client would log as a warning what is not ignored
        if isinstance(answer, dict) and "error" in answer and (expected := _EXPECTED.get(answer.get("status", 0))):
            raise expected(answer["status"], reason_of(answer["error"]), answer)
        return answer

    def _verify(self) -> None:
        """Check once that this is an OpenSearch that has what an index needs."""
        if self._verified:
            return
        with self._verifying:
            if self._verified:
                return
            try:
                version = self._request("GET", "/", timeout_s=SERVER_CONNECT_S)["version"]
                distribution, number = version.get("distribution", "Elasticsearch"), version["number"]
            except (TypeError, KeyError, AttributeError, NotFoundError) as error:
                raise self.unusable(reason="no OpenSearch answers there; check SARTOR_INDEX") from error
            if distribution != "opensearch":
                raise self.unusable(reason=f"it is {distribution} {number}, not OpenSearch; check SARTOR_INDEX")
            if _numbers(number) < _MIN_VERSION:
                raise self.unusable(
                    reason=f"it is OpenSearch {number}, whose vector fields have no space_type and whose searches "
                    f"have no method_parameters; use {'.'.join(map(str, _MIN_VERSION))} or newer"
                )
            self._require_knn()
            self._verified = True

    def _require_knn(self) -> None:
        try:
            self._request("GET", "/_plugins/_knn/stats/circuit_breaker_triggered", timeout_s=SERVER_CONNECT_S)
        except AuthorizationException:
            return  # the user may not see it, and will be told when an index is made
        except TransportError as error:
            if isinstance(error, ConnectionError) or error.status_code in _BUSY:
                raise
            raise self.unusable(reason="it has no k-NN plugin; install opensearch-knn on every node") from error

    def _understood(self, error: OpenSearchException) -> SartorError:
        """The client's error in Sartor's words."""
        reason = _sentence(error)
        if isinstance(error, SSLError) or (isinstance(error, ConnectionError) and "SSLError" in str(error)):
            return self._of_tls(reason)
        if isinstance(error, ConnectionError):
            if self._tls is None and not self._verified and _OF_TLS.search(str(error)):
                reason += "; where the server asks for TLS, the address needs tls=true"
            return self.away(reason=reason)
        if isinstance(error, TransportError) and error.status_code in _BUSY:
            return self.away(reason=reason)
        if not isinstance(error, TransportError):
            reason = f"no OpenSearch answers there ({reason}); check SARTOR_INDEX"
        elif isinstance(error, AuthenticationException):
            known = "it knows no such user and password" if self._login else "it asks for a user and a password"
            reason = f"{known}; check SARTOR_INDEX"
        elif isinstance(error, AuthorizationException) and "block" not in reason:
            reason = (
                f"the user may not do this ({reason}); let it read, write and manage the indexes "
                f"{self.options.prefix}-* and monitor the cluster"
            )
        return self.unusable(reason=reason)

    def _of_tls(self, sentence: str) -> SartorError:
        if _NOT_TLS.search(sentence):
            return self.unusable(reason="it does not speak TLS; leave out tls=true in SARTOR_INDEX")
        return self.unusable(
            reason=f"its certificate is not trusted ({sentence}); name its CA by ca=FILE in SARTOR_INDEX"
        )


class _Connection(Urllib3HttpConnection):
    """A connection to one host that does not log each request, and a failed one with its traceback."""

    def log_request_success(self, *_: object, **__: object) -> None:
        """Nothing: there is one for each search."""

    def log_request_fail(self, *_: object, **__: object) -> None:
        """Nothing: the breaker logs when the engine goes away and comes back."""


class _Breaker:
    """Lets calls fail at once while an engine is away, but for one call at a time that probes it."""

    def __init__(self, shown: str, *, pause_s: float, clock: Callable[[], float]) -> None:
        self._shown, self._pause_s, self._clock = shown, pause_s, clock
        self._reason, self._until_s, self._is_probing = "", 0.0, False
        self._has_answered = False  # until then, the error that is raised says it
        self._lock = Lock()

    def enter(self) -> bool:
        """Whether the call has to probe first.

        Raises:
            IndexAway: The engine was away a moment ago.
        """
        with self._lock:
            if not self._reason:
                return False
            if self._is_probing or self._clock() < self._until_s:
                raise IndexAway(self._shown, reason=self._reason)
            self._is_probing = True
            return True

    def open(self, reason: str) -> None:
        """Let calls fail from now on."""
        with self._lock:
            if not self._reason and self._has_answered:
                logger.warning("index away: index=%s reason=%s", self._shown, reason)
            self._reason, self._until_s, self._is_probing = reason, self._clock() + self._pause_s, False

    def close(self) -> None:
        """Let calls through: the engine answered."""
        if not self._reason and self._has_answered:
            return
        with self._lock:
            if self._reason and self._has_answered:
                logger.warning("index back: index=%s", self._shown)
            self._reason, self._is_probing, self._has_answered = "", False, True

    def leave(self, *, is_probe: bool) -> None:
        """The call ended in an error of its own; another one may probe."""
        if is_probe:
            with self._lock:
                self._is_probing = False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _sentence(error: OpenSearchException) -> str:
    """What the client says, in one line without the state of its connections."""
    text = str(error)
    if isinstance(error, ConnectionError):
        text = str(error.error)
        if match := re.search(r"certificate verify failed: ([^(]+)", text) or re.search(r"\[SSL: (\w+)\]", text):
            text = match[1].strip()
        elif "timed out" in text or "Timeout" in text:
            text = "no answer in time"
        else:
            text = re.sub(r"^.*?: (?=[A-Z]\w+ )|<[^>]*>|HTTPS?Connection\([^)]*\): ", "", text)
    elif isinstance(error, TransportError) and isinstance(error.info, dict):
        text = reason_of(error.info.get("error")) or str(error.error)
    return " ".join(text.split()).rstrip(".")[:300] or type(error).__name__


def reason_of(error: object) -> str:
    """The innermost reason of an error as OpenSearch sends it."""
    if not isinstance(error, dict):
        return str(error or "")
    causes = [error, *(error.get("root_cause") or []), error.get("caused_by") or {}]
    reasons = [str(cause["reason"]) for cause in causes if isinstance(cause, dict) and cause.get("reason")]
    return reasons[-1] if reasons else str(error.get("type") or "")
