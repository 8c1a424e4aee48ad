"""What a product and a query cost in each engine: bytes, processor time of both sides, and time."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from urllib.request import Request, urlopen

import numpy as np
import typer

from benchmarks.growth import EVERY, FEW, embeddings, query_vectors
from benchmarks.memory import size_mb
from benchmarks.own_process import OwnProcess
from benchmarks.report import Figure, Report
from benchmarks.workspaces import TENTH, composer, fill_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sartor.index.base import VectorIndex
    from sartor.types import Vector

_SIZES = (10_000, 100_000)
_WARM_UP, _K = 20, 10
_DOCUMENTS = 1000
_TICKS = os.sysconf("SC_CLK_TCK")


def scale(
    *,
    sizes: Annotated[list[int] | None, typer.Option(min=1000, help="Products; repeatable.")] = None,
    queries: Annotated[int, typer.Option(min=1, help="Vectors to ask about.")] = 200,
    heap_mb: Annotated[int, typer.Option(min=256, help="Memory of the Java heap.")] = 2048,
) -> Report:
    """Write and ask catalogs of growing size, each new, on the embedded engines, MongoDB's and OpenSearch."""
    sizes = sorted(sizes or _SIZES)
    figures = {label: figure for size in sizes for label, figure in _measured(size, queries, heap_mb)}
    return Report(
        name="scale",
        options={"sizes": sizes, "queries": queries, "heap_mb": heap_mb},
        warm_up=f"{_WARM_UP} queries of each kind; none for writing",
        figures=figures,
        notes=(
            "sartor-v1 with made embeddings, colors at random: no photo is decoded or embedded.",
            "OpenSearch: engine lucene, one node, one shard, no replica, on the machine of the client.",
            "Disk of OpenSearch: what the index has once its segments are merged into one.",
            "MongoDB: bytes of the documents as BSON, of 1,000 products, before the server compresses them.",
            "A query is a weighted vector, as a photo's is by default, to the 10 nearest products with vectors.",
        ),
    )


def _measured(size: int, queries: int, heap_mb: int) -> Iterator[tuple[str, Figure]]:
    from tools.engines.opensearch import OpenSearchNode

    start = f"{size:,} products"
    with TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        home.mkdir()
        with OwnProcess() as process:
            for label, figure in process.call(_embedded, home, size, queries):
                yield f"{start}: {label}", figure
        with OwnProcess() as process, OpenSearchNode(Path(directory) / "node", heap_mb=heap_mb) as node:
            for label, figure in process.call(_in_opensearch, node.host, node.process_id, home, size, queries):
                yield f"{start}: OpenSearch, {label}", figure
        yield f"{start}: MongoDB, documents", Figure.of([_bson_bytes(home, Path(directory))], "bytes a product")


def _embedded(home: Path, size: int, queries: int) -> list[tuple[str, Figure]]:
    from sartor.config import Settings
    from sartor.ingest.writer import bring_up_to_date
    from sartor.shop.library import choose_model, open_models
    from sartor.wiring import open_index, open_truth

    settings, figures = Settings(home=home), []
    card, compose = choose_model(settings, open_models(settings)), composer(home)
    with _Cost() as cost:
        fill_store(home, size, embeddings)
    figures.append(("SQLite, writing, processor", Figure.of([1000 * cost.own_s / size], "ms a product")))
    store_bytes = 1e6 * sum(size_mb(each) if each.is_dir() else _file_mb(each) for each in home.iterdir())
    figures.append(("SQLite, disk", Figure.of([store_bytes / size], "bytes a product")))
    asked = query_vectors(home, card.dimension, _WARM_UP + queries)
    with closing(open_truth(settings)) as truth, open_index(settings, truth, card, compose) as index:
        with _Cost() as cost:
            bring_up_to_date(truth.store, index, compose)
        figures.append(("Edge, writing, processor", Figure.of([1000 * cost.own_s / size], "ms a product")))
        figures.append(("Edge, disk", Figure.of([1e6 * size_mb(home / "index") / size], "bytes a product")))
        figures += [(f"Edge, {label}", figure) for label, figure in _asked(index, asked, _Cost)]
        figures.append(("Edge, memory of the process", Figure.of([_resident_mb("self")], "MB")))
    return figures


def _in_opensearch(host: str, server: int, home: Path, size: int, queries: int) -> list[tuple[str, Figure]]:
    from sartor.config import Settings
    from sartor.index.opensearch.connection import OpenSearch
    from sartor.ingest.writer import write_changes
    from sartor.shop.library import choose_model, open_models
    from sartor.wiring import index_writer, open_index, open_truth, workspace_id

    settings, figures = Settings(home=home), []
    card, compose = choose_model(settings, open_models(settings)), composer(home)
    asked = query_vectors(home, card.dimension, _WARM_UP + queries)
    with (
        closing(open_truth(settings)) as truth,
        closing(OpenSearch(f"opensearch://{host}?replicas=0")) as cluster,
    ):
        writer = index_writer(cluster, workspace_id(truth.store), card, compose, term=1)
        with _Cost(server) as cost:
            write_changes(truth.store, writer, compose)
            writer.mark(truth.store.revision)
        figures.append(("writing", Figure.of([1000 * cost.seconds / size], "ms a product")))
        figures.append(("writing, processor of Sartor", Figure.of([1000 * cost.own_s / size], "ms a product")))
        figures.append(("writing, processor of it", Figure.of([1000 * cost.server_s / size], "ms a product")))
        _ask(host, "/_all/_forcemerge?max_num_segments=1&flush=true", method="POST")
        held = _ask(host, "/_stats/store")["_all"]["total"]["store"]["size_in_bytes"]
        figures.append(("disk", Figure.of([held / size], "bytes a product")))
        index = open_index(settings, truth, card, compose, cluster=cluster)
        figures += _asked(index, asked, lambda: _Cost(server))
    figures.append(("memory of it", Figure.of([_resident_mb(server)], "MB")))
    return figures


def _asked(
    index: VectorIndex, asked: Sequence[Vector], cost_of: Callable[[], _Cost]
) -> Iterator[tuple[str, Figure]]:
    """Times and processor times of queries, without a filter and with one that a tenth passes."""
    from sartor.types import EVERYTHING, AnyOf, Where

    tenth = Where((AnyOf(attribute=TENTH, values=("0",)),))
    queries = asked[_WARM_UP:]
    for kind, where in {EVERY: EVERYTHING, FEW: tenth}.items():
        for vector in asked[:_WARM_UP]:
            index.search(vector, k=_K, where=where)
        took = []
        with cost_of() as cost:
            for vector in queries:
                began_s = time.perf_counter()
                index.search(vector, k=_K, where=where)
                took.append(1000 * (time.perf_counter() - began_s))
        yield kind, Figure.of(took, "ms")
        yield f"{kind}, processor", Figure.of([1000 * (cost.own_s + cost.server_s) / len(queries)], "ms")


def _bson_bytes(home: Path, directory: Path) -> float:
    """Bytes of a product's documents, the photo's with its embedding among them."""
    from bson.raw_bson import RawBSONDocument
    from pymongo import MongoClient

    from sartor.config import Settings
    from sartor.store.base import Write
    from sartor.types import ListingQuery
    from sartor.wiring import open_truth
    from tools.engines.mongodb import MongoServer

    with MongoServer(directory / "mongodb") as server:
        address = f"{server.address}/scale"
        with (
            closing(open_truth(Settings(home=home))) as source,
            closing(open_truth(Settings(home=directory / "other", store=address))) as target,
        ):
            products = source.store.listing(ListingQuery(limit=_DOCUMENTS)).products
            photos = [photo.sha256 for stored in products for photo in stored.photos]
            (model,) = source.store.counts().embeddings
            target.store.write(
                Write(
                    products=products,
                    model=model,
                    embeddings=source.store.embeddings(model, photos),
                    palettes=source.store.palettes(photos),
                )
            )
        with MongoClient[RawBSONDocument](
            address, document_class=RawBSONDocument, directConnection=True
        ) as client:
            held = sum(
                len(document.raw) for name in ("products", "photos") for document in client["scale"][name].find()
            )
    return held / len(products)


class _Cost:
    """Time, and processor time of this process and of a server's, inside a ``with``."""

    def __init__(self, server: int | None = None) -> None:
        self._server = server

    def __enter__(self) -> _Cost:
        self._before = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.own_s, self.server_s = np.subtract(self._now(), self._before).tolist()

    def _now(self) -> tuple[float, float, float]:
        server_s = 0.0
        if self._server is not None:
            fields = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
            server_s = (int(fields[11]) + int(fields[12])) / _TICKS
        return time.perf_counter(), time.process_time(), server_s


def _file_mb(file: Path) -> float:
    return file.stat().st_blocks * 512 / 1e6


def _resident_mb(process_id: int | str) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))


def _ask(host: str, path: str, *, method: str = "GET") -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    with urlopen(Request(f"http://{host}{path}", method=method), timeout=3600) as answer:
        found: dict[str, dict[str, dict[str, dict[str, int]]]] = json.load(answer)
    return found
