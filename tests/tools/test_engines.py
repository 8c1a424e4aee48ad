"""Servers for the tests: they start, keep their data, and say why they did not start."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engines import with_database

pytestmark = pytest.mark.engines


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("mongodb://127.0.0.1:1", "mongodb://127.0.0.1:1/t"),
        ("mongodb://a,b/?replicaSet=r", "mongodb://a,b/t?replicaSet=r"),
        ("mongodb://u:p@a", "mongodb://u:p@a/t?authSource=admin"),
        ("mongodb://u:p@a/people?tls=true", "mongodb://u:p@a/t?tls=true&authSource=people"),
        ("mongodb://u:p@a/x?authSource=y", "mongodb://u:p@a/t?authSource=y"),
    ],
)
def test_a_test_has_a_database_of_its_own_on_any_server(server: str, expected: str) -> None:
    assert with_database(server, "t") == expected


def test_what_a_server_acknowledged_is_there_after_a_kill(tmp_path: Path, mongodb_server: str) -> None:
    from pymongo import MongoClient

    from tools.engines.mongodb import MongoServer

    with MongoServer(tmp_path) as server:
        with MongoClient(server.address) as client:
            client.shop.products.insert_one({"_id": "a"})
        server.kill()
        server.start()
        with MongoClient(server.address) as client:
            assert client.shop.products.find_one() == {"_id": "a"}


def test_a_server_that_does_not_start_says_why(tmp_path: Path, mongodb_server: str) -> None:
    from tools.engines.base import EngineFailed
    from tools.engines.mongodb import MongoServer

    with pytest.raises(EngineFailed, match="unrecognized arguments: --no-such-option"):
        MongoServer(tmp_path / "one", options=("--no-such-option",)).start()
    with MongoServer(tmp_path / "two") as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(EngineFailed, match=f"port {port} is taken"):
            MongoServer(tmp_path / "three", port=port).start()


def test_the_command_runs_a_server_until_it_is_ended(tmp_path: Path, mongodb_server: str) -> None:
    command = [sys.executable, "-m", "tools.engines", "mongodb", "--directory", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("mongodb://127.0.0.1:")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_cluster_of_opensearch_outlives_a_node_that_is_killed(tmp_path: Path, opensearch_server: str) -> None:
    from sartor.index.opensearch.connection import OpenSearch
    from tools.engines.base import EngineFailed
    from tools.engines.opensearch import OpenSearchCluster

    with OpenSearchCluster(tmp_path, nodes=2, heap_mb=384) as cluster, OpenSearch(cluster.address) as server:
        server.call("PUT", "/shop", {"settings": {"number_of_shards": 2, "number_of_replicas": 1}})
        for _ in range(200):  # until the second node has its copy
            if server.call("GET", "/_cluster/health")["status"] == "green":
                break
            time.sleep(0.1)
        server.call("PUT", "/shop/_doc/a", {"title": "shirt"}, params={"wait_for_active_shards": "2"})
        cluster.nodes[1].kill()
        with pytest.raises(EngineFailed, match="no OpenSearch runs"):
            _ = cluster.nodes[1].process_id
        assert server.call("GET", "/shop/_doc/a", params={"preference": "_local"})["found"]


def test_a_node_of_opensearch_that_does_not_start_says_why(tmp_path: Path, opensearch_server: str) -> None:
    from tools.engines.base import EngineFailed
    from tools.engines.opensearch import OpenSearchNode

    with pytest.raises(EngineFailed, match="unknown setting .no.such.setting"):
        OpenSearchNode(tmp_path / "one", settings=("discovery.type: single-node", "no.such.setting: 1")).start()
