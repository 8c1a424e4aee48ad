"""How time, memory and disk grow with the number of products, with made embeddings in place of photos."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from benchmarks.memory import PeakGrowth, size_mb
from benchmarks.own_process import OwnProcess
from benchmarks.report import Figure, Report
from benchmarks.vectors import CatalogVectors
from benchmarks.workspaces import TENTH, Filled, composer, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.types import Matrix, Vector

_SIZES = (1000, 4000, 16_000, 64_000)
_WARM_UP = 20
_K = 10
_STEP = 512
EVERY, FEW = "query", "query, a tenth passes"
_PER_PRODUCT = ("store", "index", "graph")
_OTHER_PRODUCTS = 1_000_000  # a piece that no catalog here gets to


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grown:
    """What a catalog of one size took.

    Attributes:
        filled: Times of the fill.
        fill_mb: Growth of the memory while it was filled.
        query_mb: The same while it was asked.
        disk_mb: Size of the workspace.
        each_ms: Times of queries, by kind.
    """

    filled: Filled
    fill_mb: float
    query_mb: float
    disk_mb: float
    each_ms: dict[str, list[float]]


def growth(
    *,
    sizes: Annotated[list[int] | None, typer.Option(min=1000, help="Products; repeatable.")] = None,
    queries: Annotated[int, typer.Option(min=1, help="Vectors to ask about.")] = 200,
) -> Report:
    """Write, index and ask catalogs of growing size, each new and in processes of its own."""
    sizes = sorted(sizes or _SIZES)
    grown = {size: _grow(size, queries) for size in sizes}
    figures = {label: figure for size, each in grown.items() for label, figure in _figures(size, each)}
    return Report(
        name="growth",
        options={"sizes": sizes, "queries": queries},
        warm_up=f"{_WARM_UP} queries of each kind; none for writing",
        figures=figures,
        ratios=dict(_slopes(sizes, figures)),
        notes=(
            "sartor-v1 with made embeddings, colors at random: no photo is decoded or embedded.",
            "Times of store, index and graph are those of one product.",
            "A query is a weighted vector, as a photo's is by default, to the 10 nearest products with vectors.",
            "Memory is growth of what is resident, pages of mapped files included, which the system takes back.",
        ),
    )


def _grow(size: int, queries: int) -> _Grown:
    with TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        home.mkdir()
        with OwnProcess() as process:
            filled, fill_mb = process.call(_fill, home, size)
        with OwnProcess() as process:
            each_ms, query_mb = process.call(_ask, home, queries)
        return _Grown(filled=filled, fill_mb=fill_mb, query_mb=query_mb, disk_mb=size_mb(home), each_ms=each_ms)


def _fill(home: Path, products: int) -> tuple[Filled, float]:
    from sartor.index import edge  # noqa: F401 - loaded before memory counts

    with PeakGrowth() as memory:
        filled = fill(home, products, embeddings)
    return filled, memory.mb


def embeddings(count: int, dimension: int, first: int = 0) -> Iterator[tuple[int, Matrix]]:
    """Made embeddings of products, in pieces: where a piece starts, and its rows."""
    start = 0
    for piece in CatalogVectors(dimension=dimension).pieces(count, first=first):
        for rows in np.split(piece.vectors, range(_STEP, len(piece.vectors), _STEP)):
            yield start, rows
            start += len(rows)


def _ask(home: Path, queries: int) -> tuple[dict[str, list[float]], float]:
    from sartor.config import Settings
    from sartor.index import edge  # noqa: F401 - loaded before memory counts
    from sartor.shop.library import choose_model, open_models
    from sartor.types import EVERYTHING, AnyOf, Where
    from sartor.wiring import open_index, open_truth

    settings = Settings(home=home)
    card = choose_model(settings, open_models(settings))
    asked = query_vectors(home, card.dimension, _WARM_UP + queries)
    kinds = {EVERY: EVERYTHING, FEW: Where((AnyOf(attribute=TENTH, values=("0",)),))}
    each_ms: dict[str, list[float]] = {}
    with (
        PeakGrowth() as memory,
        closing(open_truth(settings)) as truth,
        open_index(settings, truth, card, composer(home)) as index,
    ):
        for kind, where in kinds.items():
            took = []
            for vector in asked:
                started_s = time.perf_counter()
                index.search(vector, k=_K, where=where)
                took.append(1000 * (time.perf_counter() - started_s))
            each_ms[kind] = took[_WARM_UP:]
    return each_ms, memory.mb


def query_vectors(home: Path, dimension: int, count: int) -> Sequence[Vector]:
    """What a photo is searched by, for embeddings that the catalog does not have."""
    from sartor.recommend.weights import DEFAULT_FEATURE_WEIGHTS

    compose = composer(home)
    pieces = (rows for _, rows in embeddings(count, dimension, _OTHER_PRODUCTS))
    rows_asked = islice((row for rows in pieces for row in rows), count)
    return [compose.features(row[None], [None], {})[0].weighted(DEFAULT_FEATURE_WEIGHTS) for row in rows_asked]


def _figures(size: int, each: _Grown) -> Iterator[tuple[str, Figure]]:
    start = f"{size:,} products"
    for part in _PER_PRODUCT:
        milliseconds = 1000 * getattr(each.filled, f"{part}_s") / size
        yield f"{start}: {part}", Figure.of([milliseconds], "ms a product")
    for kind, samples in each.each_ms.items():
        yield f"{start}: {kind}", Figure.of(samples, "ms")
    yield f"{start}: memory of filling", Figure.of([each.fill_mb], "MB")
    yield f"{start}: memory of asking", Figure.of([each.query_mb], "MB")
    yield f"{start}: disk", Figure.of([each.disk_mb], "MB")


def _slopes(sizes: Sequence[int], figures: dict[str, Figure]) -> Iterator[tuple[str, float]]:
    """The largest over the smallest; memory and disk per product."""
    least, most = sizes[0], sizes[-1]
    if least == most:
        return
    for name, figure in figures.items():
        start, _, what = name.partition(": ")
        if start == f"{most:,} products":
            ratio = figure.median / figures[f"{least:,} products: {what}"].median
            whole = figure.unit == "MB"
            yield f"{what}{' a product' * whole}: {most:,} / {least:,}", ratio * (least / most if whole else 1)
