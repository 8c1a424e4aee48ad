"""What a product and a query cost in OpenSearch: bytes, processor time of both sides, and time."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from urllib.request import urlopen

import numpy as np
import typer

from benchmarks.growth import EVERY, FEW, embeddings, query_vectors
from benchmarks.report import Figure, Report
from benchmarks.workspaces import TENTH, composer, fill_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.engines.opensearch import OpenSearchNode

_SIZES = (10_000, 100_000)
_WARM_UP, _K = 20, 10
_TICKS = os.sysconf("SC_CLK_TCK")


def opensearch_growth(
    *,
    sizes: Annotated[list[int] | None, typer.Option(min=1000, help="Products; repeatable.")] = None,
    queries: Annotated[int, typer.Option(min=1, help="Vectors to ask about.")] = 200,
    heap_mb: Annotated[int, typer.Option(min=256, help="Memory of the Java heap.")] = 2048,
) -> Report:
    """Write and ask catalogs of growing size in a new node of OpenSearch each; one shard, no replica."""
    sizes = sorted(sizes or _SIZES)
    figures = {label: figure for size in sizes for label, figure in _measured(size, queries, heap_mb)}
    return Report(
        name="opensearch_growth",
        options={"sizes": sizes, "queries": queries, "heap_mb": heap_mb},
        warm_up=f"{_WARM_UP} queries of each kind; none for writing",
        figures=figures,
        notes=(
            "sartor-v1 with made embeddings, colors at random: no photo is decoded or embedded.",
            "Engine lucene, one node, one shard, no replica, on the machine of the client.",
            "Disk is what the index has once its segments are merged into one.",
            "A query is a weighted vector, as a photo's is by default, to the 10 nearest products with vectors.",
        ),
    )


def _measured(size: int, queries: int, heap_mb: int) -> Iterator[tuple[str, Figure]]:
    from tools.engines.opensearch import OpenSearchNode

    with TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        home.mkdir()
        fill_store(home, size, embeddings)
        with OpenSearchNode(Path(directory) / "node", heap_mb=heap_mb) as node:
            start = f"{size:,} products"
            for label, figure in _in(node, home, size, queries):
                yield f"{start}: {label}", figure


def _in(node: OpenSearchNode, home: Path, size: int, queries: int) -> Iterator[tuple[str, Figure]]:
    from sartor.config import Settings
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.ingest.writer import write_changes
    from sartor.shop.library import choose_model, open_models
    from sartor.types import EVERYTHING, AnyOf, Where
    from sartor.wiring import index_writer, open_index, open_truth, workspace_id

    settings = Settings(home=home)
    card, compose = choose_model(settings, open_models(settings)), composer(home)
    asked = query_vectors(home, card.dimension, _WARM_UP + queries)
    with (
        closing(open_truth(settings)) as truth,
        closing(OpenSearch(f"{node.address}?replicas=0")) as cluster,
    ):
        writer = index_writer(cluster, workspace_id(truth.store), card, compose, term=1)
        with _Cost(node) as cost:
            write_changes(truth.store, writer, compose)
            writer.mark(truth.store.revision)
        yield "writing", Figure.of([1000 * cost.seconds / size], "ms a product")
        yield "writing, processor of Sartor", Figure.of([1000 * cost.own_s / size], "ms a product")
        yield "writing, processor of OpenSearch", Figure.of([1000 * cost.server_s / size], "ms a product")
        _ask(node, "/_all/_forcemerge?max_num_segments=1&flush=true", method="POST")
        held = _ask(node, "/_stats/store")["_all"]["total"]["store"]["size_in_bytes"]
        yield "disk", Figure.of([held / size], "bytes a product")
        index = open_index(settings, truth, card, compose, cluster=cluster)
        tenth = Where((AnyOf(attribute=TENTH, values=("0",)),))
        for kind, where in {EVERY: EVERYTHING, FEW: tenth}.items():
            for vector in asked[:_WARM_UP]:
                index.search(vector, k=_K, where=where)
            took = []
            with _Cost(node) as cost:
                for vector in asked[_WARM_UP:]:
                    began_s = time.perf_counter()
                    index.search(vector, k=_K, where=where)
                    took.append(1000 * (time.perf_counter() - began_s))
            yield kind, Figure.of(took, "ms")
            yield f"{kind}, processor of Sartor", Figure.of([1000 * cost.own_s / queries], "ms")
            yield f"{kind}, processor of OpenSearch", Figure.of([1000 * cost.server_s / queries], "ms")
    yield "memory of OpenSearch", Figure.of([_resident_mb(node.process_id)], "MB")


class _Cost:
    """Time, and processor time of this process and of a node, inside a ``with``."""

    def __init__(self, node: OpenSearchNode) -> None:
        self._process_id = node.process_id

    def __enter__(self) -> _Cost:
        self._before = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.own_s, self.server_s = np.subtract(self._now(), self._before).tolist()

    def _now(self) -> tuple[float, float, float]:
        fields = Path(f"/proc/{self._process_id}/stat").read_text().rpartition(")")[2].split()
        return time.perf_counter(), time.process_time(), (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mb(process_id: int) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))


def _ask(
    node: OpenSearchNode, path: str, *, method: str = "GET"
) -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    from urllib.request import Request

    with urlopen(Request(f"http://{node.host}{path}", method=method), timeout=3600) as answer:
        found: dict[str, dict[str, dict[str, dict[str, int]]]] = json.load(answer)
    return found
