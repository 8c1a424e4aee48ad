from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from sartor.config import ServiceSettings, Settings
from sartor.errors import AddressTaken, NeedsKey
from sartor.service.run import is_loopback, serve
from sartor.wiring import open_shop, open_store


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("192.168.1.5", False)],  # noqa: S104
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_another_address_needs_a_key_first_and_a_taken_one_is_named(catalog: Path) -> None:
    workspace = Settings(home=catalog)
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        open_shop(workspace) as shop,
        closing(open_store(workspace)) as store,
    ):
        with pytest.raises(NeedsKey, match="sartor keys create"):
            serve(shop, store, ServiceSettings(host="0.0.0.0", port=0))  # noqa: S104
        with pytest.raises(AddressTaken, match="choose another"):
            serve(shop, store, ServiceSettings(port=taken.getsockname()[1]))
