"""Photos as their source has them: bytes, files, and, if enabled, URLs of public addresses.

A URL from outside can aim the server at its own network (server-side request forgery). So the name is looked up
once, every address of the answer must be allowed, the connection goes to one of the checked addresses, and no
redirect is followed. Proxy settings of the environment are not used.

Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import quote, urlsplit

from sartor.errors import PhotoRejected, PhotoUnavailable
from sartor.limits import FETCH_TIMEOUT_S, MAX_FETCHED_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

    from sartor.types import SourcePhoto

Address: TypeAlias = IPv4Address | IPv6Address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

_CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}
USER_AGENT = "Sartor (fetches the photos of a product catalog)"
_HEADERS = {"User-Agent": USER_AGENT, "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
_UNQUOTED = "/%:@!$&'()*+,;=-._~?"  # RFC 3986; a space or an accent in a path is percent-encoded
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_REDIRECTS = range(300, 400)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # answers that may be others a little later
_MEGABYTE = 1_000_000
_MAX_HEADER_CHARS = 1_000  # of an ETag or a date


def is_public(address: Address) -> bool:
    """Whether an address belongs to a single machine on the public internet.

    Not public are loopback, private, link-local and shared (100.64/10) addresses, multicast and 0.0.0.0. An
    IPv6 address that carries an IPv4 address (mapped, 6to4, NAT64) is judged by what it carries; the local
    networks that ``ipaddress`` calls global, such as fec0::/10, lie outside of 2000::/3.

    Source: IANA's registries of special-purpose addresses, as ``ipaddress`` has them; RFC 4291, 6052, 3056.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    return address in _GLOBAL_UNICAST and address.is_global


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPolicy:
    """Whether photos may be fetched by URL, from which addresses, and their limits."""

    enabled: bool = False
    max_bytes: int = MAX_FETCHED_BYTES
    timeout_s: float = FETCH_TIMEOUT_S  # from looking up the name to the last byte
    is_allowed: Callable[[Address], bool] = is_public


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which version of a photo a server gave, in its own words; empty where it said nothing.

    Attributes:
        etag: Its ``ETag``.
        last_modified: Its ``Last-Modified``.
    """

    etag: str = ""
    last_modified: str = ""

    def conditions(self) -> dict[str, str]:
        """The headers that ask for another version only; of both, a server heeds the ETag (RFC 9110, 13.2.2)."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered.

    Attributes:
        data: The bytes; None if they are still those of the version that is known.
        version: The version of the bytes.
    """

    data: bytes | None = field(repr=False)
    version: Version


def fetch_photo(url: str, *, policy: UrlPolicy) -> bytes:
    """The bytes behind a URL; ``decode`` checks whether they are a photo.

    Raises:
        PhotoRejected: URLs are off, or this one is not allowed, does not answer, or its answer is too large or
        late.
    """
    return fetch_changed(url, policy=policy).data or b""  # without a version, nothing is unchanged


def fetch_changed(url: str, *, policy: UrlPolicy, known: Version | None = None) -> Answer:
    """The bytes behind a URL unless they are those of a version that is known.

    Raises:
        PhotoUnavailable: It cannot be had now; trying again a little later may help.
        PhotoRejected: URLs are off, or this one is not allowed or not there, or its answer is too large.
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
            return _get(target, sock, policy.max_bytes, deadline, known or Version())
    except TimeoutError as error:
        raise PhotoUnavailable(url, reason=f"took longer than {policy.timeout_s:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise PhotoRejected(url, reason=f"has no certificate to trust ({error.verify_message})") from error
    except OSError as error:
        raise PhotoUnavailable(url, reason=f"cannot be reached ({error.strerror or error})") from error
    except http.client.HTTPException as error:
        raise PhotoUnavailable(url, reason="was not answered in proper HTTP") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The parts of a URL for a request."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


class _Deadline:
    """The end of the time for all operations; a socket's timeout limits only one."""

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds that are left; raises TimeoutError after the end."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class _ReadInTime(io.RawIOBase):
    """The stream that ``http.client`` reads an answer from; a slow drip of bytes cannot outlast the deadline."""

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
    """All addresses of the host; looked up in a thread, because the system's resolver has no timeout."""
    answers: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(ip_address(entry[4][0]) for entry in entries)))
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
    """A connection to the first address that accepts; they share the time that is left."""
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
    """The connection, under TLS for https, with the certificate checked against the host."""
    if target.scheme != "https":
        return sock
    sock.settimeout(deadline.left_s())
    return _tls().wrap_socket(sock, server_hostname=target.host)


@cache
def _tls() -> ssl.SSLContext:
    """Created once: reading the system's certificates takes longer than many photos."""
    return ssl.create_default_context()


def _get(target: _Target, sock: socket.socket, max_bytes: int, deadline: _Deadline, known: Version) -> Answer:
    connection = _CONNECTIONS[target.scheme](target.host, target.port)
    connection.sock = sock
    sock.settimeout(deadline.left_s())
    connection.request("GET", target.path, headers=_HEADERS | known.conditions())
    with http.client.HTTPResponse(cast("socket.socket", _ReadInTime(sock, deadline))) as response:
        response.begin()
        if response.status == HTTPStatus.NOT_MODIFIED and known != Version():
            return Answer(data=None, version=known)
        if response.status in _REDIRECTS:
            raise PhotoRejected(target.url, reason=f"redirects ({response.status}), which is not followed")
        if response.status != HTTPStatus.OK:
            reason = f"was answered with {response.status} {response.reason}"
            if response.status in _PASSING:
                wait_s = _wait_s(response.getheader("Retry-After", ""))
                raise PhotoUnavailable(target.url, reason=reason, retry_after_s=wait_s)
            raise PhotoRejected(target.url, reason=reason)
        if response.length is not None and response.length > max_bytes:
            raise PhotoRejected(target.url, reason=_too_large(max_bytes))
        content = response.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise PhotoRejected(target.url, reason=_too_large(max_bytes))
        if response.length:
            raise PhotoUnavailable(target.url, reason="was cut off on its way")
        version = Version(
            etag=_header(response.getheader("ETag")), last_modified=_header(response.getheader("Last-Modified"))
        )
        return Answer(data=content, version=version)


def _header(value: str | None) -> str:
    """A header that can be sent back; one that is very long or has odd letters is taken as missing."""
    if value is None or len(value) > _MAX_HEADER_CHARS or not (value.isascii() and value.isprintable()):
        return ""
    return value


def _wait_s(retry_after: str) -> float | None:
    """Seconds that a ``Retry-After`` asks for, given as seconds or as a date (RFC 9110, 10.2.3)."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - time.time())


def _too_large(max_bytes: int) -> str:
    return f"has more than {max_bytes / _MEGABYTE:g} MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPhoto:
    """A photo's bytes, unchanged, with their SHA-256; none where a server said that they are those of before."""

    name: str
    sha256: str
    data: bytes = field(repr=False)


def read_photo(photo: SourcePhoto, *, urls: UrlPolicy) -> EncodedPhoto:
    """Read a photo's bytes from its source, or from the URL that is its name.

    Raises:
        PhotoRejected: It cannot be read.
    """
    if photo.fetched is not None:
        sha256, data = photo.fetched()
        return EncodedPhoto(name=photo.name, sha256=sha256, data=data)
    data = fetch_photo(photo.name, policy=urls) if is_url(photo.name) else photo.read()
    return _encoded(photo.name, data)


def encoded_photo(photo: str | Path | bytes, *, urls: UrlPolicy) -> EncodedPhoto:
    """A photo from a path, bytes or a URL.

    Raises:
        PhotoRejected: It cannot be read.
    """
    if isinstance(photo, bytes):
        return _encoded("the photo", photo)
    if is_url(str(photo)):
        return _encoded(str(photo), fetch_photo(str(photo), policy=urls))
    try:
        return _encoded(str(photo), Path(photo).read_bytes())
    except OSError as error:
        raise PhotoRejected(str(photo), reason=error.strerror or "it cannot be read") from error


def is_url(name: str) -> bool:
    """Whether a photo's name is the URL that it is fetched by."""
    return name.startswith(("http://", "https://"))


def _encoded(name: str, data: bytes) -> EncodedPhoto:
    return EncodedPhoto(name=name, sha256=hashlib.sha256(data).hexdigest(), data=data)
