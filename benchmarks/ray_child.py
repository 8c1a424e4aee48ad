"""Run by ``ray_ingest`` in a network namespace: ``python -m benchmarks.ray_child local|ray HOME FOLDER``."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sartor

if TYPE_CHECKING:
    from collections.abc import Iterator

_NODES = 2


@contextmanager
def two_nodes() -> Iterator[None]:
    """A cluster of two nodes that share the processors of this machine; this process is connected to it."""
    from sartor.ingest.ray.connection import package

    ray = package()
    from ray.cluster_utils import Cluster

    processors = max(1, (os.cpu_count() or 1) // _NODES)
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": processors, "include_dashboard": False})
    nodes.add_node(num_cpus=processors)
    nodes.wait_for_nodes()
    ray.init(nodes.address, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()
        nodes.shutdown()


def main() -> None:
    """Index a folder, and print how long it took."""
    mode, home, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    started_s = time.perf_counter()
    if mode == "local":
        told = _index(home, folder, None, started_s)
    else:
        with two_nodes():
            told = _index(home, folder, "local", started_s)
    print(json.dumps(told))


def _index(home: Path, folder: Path, ray: str | None, started_s: float) -> dict[str, float]:
    start_s = time.perf_counter() - started_s
    with sartor.open(home) as shop:
        report = shop.index(folder, ray=ray)
    return {
        "start_s": start_s,
        "seconds": report.seconds,
        "products": report.products,
        "embedded": report.embedded,
    }


if __name__ == "__main__":
    main()
