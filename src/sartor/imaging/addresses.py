"""Which internet addresses a server may be sent to by a URL that came from outside.

Kept apart from fetching because this is the whole of the rule, and the part to read twice.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address is that of a single machine on the public internet.

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
