from __future__ import annotations

from ipaddress import ip_address

import pytest

from sartor.imaging import is_public


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "1.1.1.1",
        "2606:4700:4700::1111",
        "::ffff:93.184.215.14",  # mapped
        "64:ff9b::93.184.215.14",  # NAT64
        "2002:5db8:d70e::1",  # 6to4
    ],
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",  # shared by carriers
        "127.0.0.1",
        "169.254.169.254",  # where clouds hand out credentials
        "172.16.0.1",
        "192.0.2.1",  # documentation
        "192.168.1.1",
        "198.18.0.1",  # benchmarks
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",  # long deprecated form
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1
        "2002:a9fe:a9fe::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",  # site-local
        "ff02::1",
    ],
)
def test_any_other_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
