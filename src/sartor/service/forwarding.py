"""What a request was before proxies passed it on: its client, and the address that the client asked for.

Only proxies that the settings trust are believed. ``X-Forwarded-For`` goes before ``Forwarded`` (RFC 7239), which
most proxies pass on as a client sent it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers

from sartor.config import networks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sartor.config import ServiceSettings

_Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

UNIX_PEER = "unix"  # a client that comes through a Unix socket, which only this machine can open
_MAX_HOPS = 32
_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"\s]+)\s*(;|,|$)')
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What one proxy says of the request that it got; empty where it says nothing."""

    client: str = ""
    scheme: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as the client sent it.

    Attributes:
        client: Its address; that of the peer where no trusted proxy names another.
        proxies: The trusted proxies between, the nearest first.
        scheme: ``http`` or ``https``; empty if no proxy says so.
        host: Host and port; likewise.
        prefix: Path that a proxy has taken off, such as ``/shop``; likewise.
    """

    client: str
    proxies: tuple[str, ...] = ()
    scheme: str = ""
    host: str = ""
    prefix: str = ""


class TrustedProxies:
    """The proxies whose headers are believed.

    Args:
        texts: Addresses, networks, and the words that ``config.networks_of`` knows.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._networks = networks_of(texts)
        self._trusts_unix = UNIX_PEER in texts

    def trusts(self, peer: str) -> bool:
        """Whether a peer is one of them."""
        if peer == UNIX_PEER:
            return self._trusts_unix
        address = _address(peer)
        return address is not None and any(address in network for network in self._networks)

    def asked(self, peer: str, headers: Headers) -> Asked:
        """The request that a peer passed on. A peer that is not trusted is the client, whatever it says.

        From the nearest proxy outwards, each trusted one names who asked it; the first that is not trusted is the
        client.
        """
        if not self.trusts(peer):
            return Asked(client=peer)
        hops = _forwarded_for(headers) or _forwarded(headers)
        client, proxies, index = peer, [], len(hops)
        for index in range(len(hops) - 1, -1, -1):
            address = _address(hops[index].client)
            if address is None:
                break
            proxies.append(client)
            client = str(address)
            if not self.trusts(client):
                break
        told = hops[index:] if hops else [Hop()]
        asked = Asked(
            client=client,
            proxies=tuple(proxies) or (peer,),
            scheme=next((hop.scheme for hop in told if hop.scheme), ""),
            host=next((hop.host for hop in told if hop.host), ""),
            prefix=_prefix(headers),
        )
        return replace(asked, proxies=()) if asked == Asked(client=peer, proxies=(peer,)) else asked


def _forwarded_for(headers: Headers) -> list[Hop]:
    """The hops in ``X-Forwarded-For``, ``-Proto`` and ``-Host``, the nearest last; empty without any of them.

    A proxy adds to each of them, or replaces it. Lists of one length belong together; of another, the nearest
    proxy's value counts.
    """
    clients, schemes, hosts = (_listed(headers, f"x-forwarded-{name}") for name in ("for", "proto", "host"))
    if not (clients or schemes or hosts):
        return []
    clients = clients or [""]

    def beside(values: list[str]) -> list[str]:
        return values if len(values) == len(clients) else (values[-1:] or [""]) * len(clients)

    return [
        Hop(client=client, scheme=_scheme(scheme), host=_host(host))
        for client, scheme, host in zip(clients, beside(schemes), beside(hosts), strict=True)
    ]


def _forwarded(headers: Headers) -> list[Hop]:
    """The hops in ``Forwarded``, the nearest last; none if it cannot be read as RFC 7239 has it."""
    text = ",".join(headers.getlist("forwarded"))
    hops, pairs, start = [], dict[str, str](), 0
    while start < len(text):
        match = _PAIR.match(text, start)
        if match is None:
            return []
        name, value, end = match.groups()
        pairs[name.lower()] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        start = match.end()
        if end != ";":
            hops.append(
                Hop(
                    client=pairs.get("for", ""),
                    scheme=_scheme(pairs.get("proto", "")),
                    host=_host(pairs.get("host", "")),
                )
            )
            pairs = {}
    return hops[-_MAX_HOPS:]


def _listed(headers: Headers, name: str) -> list[str]:
    text = ",".join(headers.getlist(name))
    return [part.strip() for part in text.split(",")][-_MAX_HOPS:] if text.strip() else []


def _scheme(text: str) -> str:
    return text.lower() if text.lower() in {"http", "https"} else ""


def _host(text: str) -> str:
    return text if _HOST.fullmatch(text) else ""


def _prefix(headers: Headers) -> str:
    """The prefix that the nearest proxy has taken off; empty if it is no plain path, such as ``//elsewhere``."""
    text = (_listed(headers, "x-forwarded-prefix") or [""])[-1].rstrip("/")
    return text if _PREFIX.fullmatch(text) and not set(text.split("/")) & {".", ".."} else ""


def _address(text: str) -> _Address | None:
    """An address, with or without a port; one of IPv4 that is written as IPv6 is that of IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


class ForwardedRequests:
    """ASGI middleware, outermost: gives the app each request as its client sent it.

    The app then sees the client's address, scheme and host, and its own prefix as ``root_path``. The proxies are
    in ``scope["state"]["proxies"]``.
    """

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings) -> None:
        self._app, self._proxies = app, TrustedProxies(settings.trusted_proxies)
        self._base = urlsplit(settings.base_url or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as it was asked."""
        if scope["type"] == "http":
            self._restore(scope)
        await self._app(scope, receive, send)

    def _restore(self, scope: Scope) -> None:
        peer, port = scope.get("client") or (UNIX_PEER, 0)
        asked = self._proxies.asked(peer or UNIX_PEER, Headers(scope=scope))
        scope["client"] = (asked.client, port if not asked.proxies else 0)
        scope["state"] = {**scope.get("state", {}), "proxies": asked.proxies}
        if self._base.netloc:
            asked = replace(
                asked, scheme=self._base.scheme, host=self._base.netloc, prefix=self._base.path.rstrip("/")
            )
        if asked.scheme:
            scope["scheme"] = asked.scheme
        if asked.host:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", asked.host.encode()), *others]
        if asked.prefix:
            self._mount(scope, asked.prefix)

    def _mount(self, scope: Scope, prefix: str) -> None:
        """Put the prefix before the path, unless the proxy has left it there."""
        scope["root_path"] = prefix
        if self._base.netloc and scope["path"].startswith(f"{prefix}/"):
            return
        if self._base.netloc and scope["path"] == prefix:
            scope["path"] = f"{prefix}/"
            return
        scope["path"] = prefix + scope["path"]
        if "raw_path" in scope:
            scope["raw_path"] = quote(prefix).encode() + (scope["raw_path"] or b"")


class HeadRequests:
    """ASGI middleware that answers HEAD as GET without the body, wherever GET is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as GET if it is HEAD."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["is_head"] = True

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)


def path_of(scope: Mapping[str, Any]) -> str:
    """The path of a request below the service's prefix, as routes write it."""
    path, prefix = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path


def is_head(scope: Mapping[str, Any]) -> bool:
    """Whether a client asked for headers alone; nobody looks at anything then."""
    return bool(scope.get("state", {}).get("is_head"))


def client_of(scope: Mapping[str, Any]) -> str:
    """The client that requests are counted of. All IPv6 addresses of a /64 network, a household's, are one."""
    host = (scope.get("client") or ("unknown", 0))[0]
    address = _address(str(host))
    if address is None:
        return str(host)
    if address.version == 6:  # noqa: PLR2004 - IPv6
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
