"""The address of an OpenSearch cluster, and what it says of the indexes.

``opensearch://[user:password@]host[:port][,host:port…][/prefix][?option=value&…]``. A password is written as in
any URL, with ``%40`` for ``@``.

==================  ================================================================================
option              meaning
==================  ================================================================================
``tls=true``        Speak TLS and check the certificate.
``ca=FILE``         The CA that the certificate is checked against instead of the system's.
``engine=faiss``    What builds the graph: ``lucene``, or ``faiss``.
``shards=N``        Parts that an index is split into: 1. It holds for indexes that are made from now on.
``replicas=N``      Copies of each part beside the first: 1. The same.
==================  ================================================================================
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from sartor.errors import BadAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEME, _PORT, _PREFIX = "opensearch", 9200, "sartor"
_ENGINES = ("lucene", "faiss")
_OPTIONS = ("tls", "ca", "engine", "shards", "replicas")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_MAX_SHARDS, _MAX_REPLICAS = 1024, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What the address says of the indexes.

    Attributes:
        prefix: What their names begin with.
        engine: What builds the graph: ``lucene`` or ``faiss``.
        shards: Parts that an index is split into.
        replicas: Copies of each part beside the first.
    """

    prefix: str = _PREFIX
    engine: str = _ENGINES[0]
    shards: int = 1
    replicas: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of an address.

    Attributes:
        hosts: Name and port of each.
        login: User and password.
        tls: How certificates are checked; None without TLS.
        options: What it says of the indexes.
    """

    hosts: tuple[tuple[str, int], ...]
    login: tuple[str, str] | None
    tls: ssl.SSLContext | None
    options: IndexOptions


class _Refused(Exception):
    """The reason for which an address cannot be used."""


def parsed(address: str) -> Address:
    """Read an address.

    Raises:
        BadAddress: It is none, or has an option that does not exist.
    """
    try:
        return _parts(address)
    except _Refused as refused:
        raise BadAddress(address, setting="index", reason=str(refused)) from refused


def _parts(address: str) -> Address:
    scheme, _, rest = address.partition("://")
    if scheme != _SCHEME or not rest:
        raise _Refused(f"an address begins with {_SCHEME}://")
    login, has_login, rest = rest.rpartition("@")
    user, _, password = login.partition(":")
    location, _, query = rest.partition("?")
    hosts, _, path = location.partition("/")
    options = _options(query)
    return Address(
        hosts=tuple(_host(host) for host in hosts.split(",")),
        login=(unquote(user), unquote(password)) if has_login else None,
        tls=_tls(options),
        options=IndexOptions(
            prefix=_prefix(path.strip("/") or _PREFIX),
            engine=_engine(options.get("engine", _ENGINES[0])),
            shards=_number(options, "shards", minimum=1, maximum=_MAX_SHARDS),
            replicas=_number(options, "replicas", minimum=0, maximum=_MAX_REPLICAS),
        ),
    )


def _options(query: str) -> Mapping[str, str]:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError as error:
        raise _Refused(f"{query!r} is no option; they are written name=value, with & between them") from error
    for name in options:
        if name not in _OPTIONS:
            raise _Refused(f"there is no option {name!r}; there are: {', '.join(_OPTIONS)}")
    return options


def _host(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _Refused(f"{text!r} is no host; write host:port, with commas between several") from error
    if not host:
        raise _Refused(f"{text!r} names no host; write host:port, with commas between several")
    return host, port or _PORT


def _prefix(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise _Refused(f"{text!r} cannot begin the name of an index; write lower-case letters, digits, underscore")
    return text


def _engine(text: str) -> str:
    if text not in _ENGINES:
        raise _Refused(f"there is no engine {text!r}; there are: {', '.join(_ENGINES)}")
    return text


def _tls(options: Mapping[str, str]) -> ssl.SSLContext | None:
    ca = options.get("ca")
    tls = options.get("tls", "false" if ca is None else "true")
    if tls not in {"true", "false"}:
        raise _Refused(f"tls is true or false, not {tls!r}")
    if tls == "false":
        if ca is not None:
            raise _Refused(f"ca={ca} is for TLS; leave out tls=false")
        return None
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # an SSLError is one too
        raise _Refused(f"{ca} is no file with the certificate of a CA") from error


def _number(options: Mapping[str, str], name: str, *, minimum: int, maximum: int) -> int:
    text = options.get(name, "1")
    if re.fullmatch(r"[0-9]{1,5}", text) is None or not minimum <= int(text) <= maximum:
        raise _Refused(f"{name} is a number from {minimum} to {maximum}, not {text!r}")
    return int(text)
