"""Real servers for the tests that carry the marker ``engines``.

``SARTOR_TEST_MONGODB=mongodb://host/`` takes a server that runs already instead of starting SecantusDB. Each test
has a database of its own there, which is dropped after it. ``SARTOR_TEST_OPENSEARCH=opensearch://host`` does the
same for OpenSearch, where each test has indexes of its own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest

MONGODB_VARIABLE = "SARTOR_TEST_MONGODB"
OPENSEARCH_VARIABLE = "SARTOR_TEST_OPENSEARCH"


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server; its database, if it names one, is only where the user is known."""
    if address := os.environ.get(MONGODB_VARIABLE):
        yield address
        return
    mongodb = pytest.importorskip(
        "tools.engines.mongodb", reason="pymongo is not installed; run: make test-engines"
    )
    if not mongodb.is_installed():
        pytest.skip("SecantusDB is not installed; run: make test-engines")
    with mongodb.MongoServer(tmp_path_factory.mktemp("mongodb")) as server:
        yield server.address


@pytest.fixture
def mongodb_address(mongodb_server: str) -> Iterator[str]:
    """Address of a new database, which is dropped after the test."""
    from pymongo import MongoClient

    name = f"sartor_test_{secrets.token_hex(6)}"
    address = with_database(mongodb_server, name)
    yield address
    if MONGODB_VARIABLE in os.environ:  # what the session started ends with it
        with MongoClient(address) as client:
            client.drop_database(name)


@pytest.fixture(scope="session")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a cluster."""
    pytest.importorskip("opensearchpy", reason="opensearch-py is not installed; run: make test-engines")
    if address := os.environ.get(OPENSEARCH_VARIABLE):
        yield address
        return
    opensearch = pytest.importorskip("tools.engines.opensearch")
    if reason := opensearch.missing():
        pytest.skip(f"OpenSearch cannot be started: {reason}")
    with opensearch.OpenSearchNode(tmp_path_factory.mktemp("opensearch")) as node:
        yield node.address


@pytest.fixture
def opensearch_address(opensearch_server: str) -> Iterator[str]:
    """Address with a prefix of its own, whose indexes are deleted after the test."""
    from sartor.index.opensearch.connection import OpenSearch

    prefix = f"test{secrets.token_hex(6)}"
    address = with_prefix(opensearch_server, prefix)
    yield address
    with closing(OpenSearch(address)) as server:
        for name in server.call("GET", f"/{prefix}-*/_alias"):
            server.call("DELETE", f"/{name}")


def with_prefix(server: str, prefix: str) -> str:
    """The address of indexes of a cluster, with one shard and no copy as one node can hold them."""
    address, _, options = server.partition("?")
    return f"{address.rstrip('/')}/{prefix}?{'&'.join(filter(None, [options, 'replicas=0']))}"


def with_database(server: str, name: str) -> str:
    """The address of a database of a server; a user is still looked up where the server's address says."""
    parts = urlsplit(server)
    options = [parts.query] if parts.query else []
    if parts.username is not None and "authsource=" not in parts.query.lower():
        options.append(urlencode({"authSource": parts.path.strip("/") or "admin"}))
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", "&".join(options), ""))
