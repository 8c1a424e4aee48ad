"""Real servers for the tests that carry the marker ``engines``.

``SARTOR_TEST_MONGODB=mongodb://host/`` takes a server that runs already instead of starting SecantusDB. Each test
has a database of its own there, which is dropped after it. ``SARTOR_TEST_REDIS=redis://host/0`` does so for Redis,
and ``SARTOR_TEST_OPENSEARCH=opensearch://host`` for OpenSearch, where each test has indexes of its own.
``SARTOR_TEST_S3=s3://bucket/prefix?endpoint=…`` takes a bucket that is there already, with the key of the
environment, instead of starting versitygw. Each test has a prefix of its own in it, whose objects are deleted
after it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest

MONGODB_VARIABLE, REDIS_VARIABLE = "SARTOR_TEST_MONGODB", "SARTOR_TEST_REDIS"
S3_VARIABLE = "SARTOR_TEST_S3"
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


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Redis server, whose first database is the tests'."""
    if address := os.environ.get(REDIS_VARIABLE):
        yield address
        return
    pytest.importorskip("redis", reason="redis is not installed; run: make test-engines")
    from tools.engines.redis import RedisServer, is_installed

    if not is_installed():
        pytest.skip("there is no redis-server; install it, with apt or another way")
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
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
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a bucket."""
    if address := os.environ.get(S3_VARIABLE):
        yield address
        return
    pytest.importorskip("boto3", reason="boto3 is not installed; run: make test-engines")
    from tools.engines import s3

    if not s3.is_available():
        pytest.skip("versitygw is not built, and Go is not installed to build it")
    with s3.S3Server(tmp_path_factory.mktemp("s3"), buckets=("photos",)) as server:
        yield f"s3://photos?endpoint={server.endpoint}"


@pytest.fixture
def s3_address(request: pytest.FixtureRequest, s3_server: str) -> Iterator[str]:
    """Address of a new prefix, whose objects are deleted after the test."""
    if S3_VARIABLE not in os.environ:
        request.getfixturevalue("s3_key")
    parts = urlsplit(s3_server)
    prefix = f"{parts.path.strip('/')}/sartor_test_{secrets.token_hex(6)}".strip("/")
    address = urlunsplit(parts._replace(path=f"/{prefix}"))
    yield address
    if S3_VARIABLE in os.environ:
        from sartor.media.s3 import S3Bucket

        bucket = S3Bucket(address)
        for key in bucket._page(""):
            bucket._client.delete_object(Bucket=parts.netloc, Key=key)


@pytest.fixture
def s3_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the servers that are started here, in the environment."""
    from tools.engines.s3 import ACCESS_KEY, SECRET_KEY

    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


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
