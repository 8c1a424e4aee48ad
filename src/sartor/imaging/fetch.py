"""Photos by URL: off unless enabled, and then only from public addresses, once, within limits.

A URL that comes from outside can aim the server at its own network (server-side request forgery). So the name
is looked up once, every address of the answer has to be allowed, the connection goes to one of the very
addresses that were checked, and no redirect is followed. Proxy settings of the environment are not used.

Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

from sartor.errors import PhotoRejected
from sartor.imaging.addresses import Address, is_public

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

_CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}
_HEADERS = {"User-Agent": "sartor", "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
_UNQUOTED = "/%:@!$&'()*+,;=-._~?"  # RFC 3986; a space or an accent in a path is percent-encoded
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_REDIRECTS = range(300, 400)
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPolicy:
    """Whether photos may be fetched by URL, and what one may cost.

    Attributes:
        enabled: Off unless a person turned it on.
        max_bytes: Size of the photo's file.
        timeout_s: For everything together, from looking up the name to the last byte.
        is_allowed: Which addresses may be connected to.
    """

    enabled: bool = False
    max_bytes: int = 20 * _MEGABYTE
    timeout_s: float = 10.0
    is_allowed: Callable[[Address], bool] = is_public


def fetch_photo(url: str, *, policy: UrlPolicy) -> bytes:
    """The bytes behind a URL; whether they are a photo is for ``decode`` to say.

    Raises:
        PhotoRejected: URLs are off, or this one is not allowed, does not answer, or answers too much or too late.
    """
    if not policy.enabled:
        raise PhotoRejected(url, reason="is a URL, and none is fetched unless that is allowed (--allow-urls)")
    deadline = _Deadline(policy.timeout_s)
    try:
        target = _parse(url)
        addresses = _look_up(target, deadline)
        for address in addresses:
            if not policy.is_allowed(address):
                raise PhotoRejected(url, reason=f"leads to {address}, which is not a public address")
        with _connect(target, addresses, deadline) as plain, _secure(target, plain, deadline) as sock:
            return _get(target, sock, policy.max_bytes, deadline)
    except TimeoutError as error:
        raise PhotoRejected(url, reason=f"took longer than {policy.timeout_s:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise PhotoRejected(url, reason=f"has no certificate to trust ({error.verify_message})") from error
    except OSError as error:
        raise PhotoRejected(url, reason=f"cannot be reached ({error.strerror or error})") from error
    except http.client.HTTPException as error:
        raise PhotoRejected(url, reason="was not answered in proper HTTP") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The parts of a URL that a request is made of."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


class _Deadline:
    """The moment by which everything has to be done; sockets alone only limit one operation."""

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds that are left; raises TimeoutError when none are."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class _ReadInTime(io.RawIOBase):
    """What ``http.client`` reads an answer from, so that a slow drip of bytes cannot outlast the deadline."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._sock.settimeout(self._deadline.left_s())
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)


def _parse(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise PhotoRejected(url, reason="is not a valid URL that begins with http:// or https://") from error
    if not _HOST.fullmatch(host):
        raise PhotoRejected(url, reason="names no valid host")
    if "@" in parts.netloc:
        raise PhotoRejected(url, reason="has a user name in it, which is not sent")
    path = quote(parts.path or "/", safe=_UNQUOTED)
    if parts.query:
        path += "?" + quote(parts.query, safe=_UNQUOTED)
    return _Target(url=url, scheme=parts.scheme, host=host, port=port, path=path)


def _look_up(target: _Target, deadline: _Deadline) -> list[Address]:
    """All addresses of the host; asked in a thread, because the system's resolver knows no deadline."""
    answers: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(ip_address(entry[4][0]) for entry in found)))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left_s())
    except queue.Empty as error:
        raise TimeoutError from error
    if isinstance(answer, OSError):
        raise answer
    return answer


def _connect(target: _Target, addresses: list[Address], deadline: _Deadline) -> socket.socket:
    """A connection to the first address that takes one; they share the time that is left."""
    failure = OSError("its host has no address")
    for position, address in enumerate(addresses):
        sock = socket.socket(socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6)
        try:
            sock.settimeout(deadline.left_s() / (len(addresses) - position))
            sock.connect((str(address), target.port))
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _secure(target: _Target, sock: socket.socket, deadline: _Deadline) -> socket.socket:
    """The same connection under TLS where the URL says https, with the certificate checked against the host."""
    if target.scheme != "https":
        return sock
    sock.settimeout(deadline.left_s())
    return _tls().wrap_socket(sock, server_hostname=target.host)


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than many a photo."""
    return ssl.create_default_context()


def _get(target: _Target, sock: socket.socket, max_bytes: int, deadline: _Deadline) -> bytes:
    connection = _CONNECTIONS[target.scheme](target.host, target.port)
    connection.sock = sock
    sock.settimeout(deadline.left_s())
    connection.request("GET", target.path, headers=_HEADERS)
    with http.client.HTTPResponse(cast("socket.socket", _ReadInTime(sock, deadline))) as response:
        response.begin()
        if response.status in _REDIRECTS:
            raise PhotoRejected(target.url, reason=f"redirects ({response.status}), which is not followed")
        if response.status != HTTPStatus.OK:
            raise PhotoRejected(target.url, reason=f"was answered with {response.status} {response.reason}")
        if response.length is not None and response.length > max_bytes:
            raise PhotoRejected(target.url, reason=_too_large(max_bytes))
        content = response.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise PhotoRejected(target.url, reason=_too_large(max_bytes))
        if response.length:
            raise PhotoRejected(target.url, reason="was cut off on its way")
        return content


def _too_large(max_bytes: int) -> str:
    return f"has more than {max_bytes / _MEGABYTE:g} MB"
