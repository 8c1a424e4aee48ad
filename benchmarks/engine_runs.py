"""What is done with one engine, in processes of its own: building its index, and finding with it.

Each result is a file beside the index as soon as it is there, and is not measured again while it is.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.engine import FaissFlat, ScikitLearn, Setting
from benchmarks.graph_engines import Annoy, FaissHnsw, Hnswlib, Usearch
from benchmarks.memory import PeakGrowth, size_mb
from benchmarks.our_engine import Sartor
from benchmarks.own_process import OwnProcess
from benchmarks.vector_catalog import VectorCatalog, vector_catalog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.engine import Engine
    from benchmarks.vector_catalog import Filter

OURS = "sartor"
ENGINES: Mapping[str, tuple[type[Engine], str]] = {  # and the package that each needs
    OURS: (Sartor, "qdrant_edge"),
    "scikit-learn": (ScikitLearn, "sklearn"),
    "faiss-flat": (FaissFlat, "faiss"),
    "faiss-hnsw": (FaissHnsw, "faiss"),
    "hnswlib": (Hnswlib, "hnswlib"),
    "usearch": (Usearch, "usearch"),
    "annoy": (Annoy, "annoy"),
}
_WARM_UP = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Which catalog, and where.

    Attributes:
        directory: Of the catalog and the engines' indexes.
        count: Products.
        dimension: Of their vectors.
        queries: Vectors to ask about.
        every: Every how many-th setting is tried.
    """

    directory: Path
    count: int
    dimension: int
    queries: int
    every: int

    @property
    def catalog(self) -> VectorCatalog:
        """The catalog; made when it is not there."""
        return vector_catalog(
            self.directory / "catalog", count=self.count, dimension=self.dimension, queries=self.queries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What an index cost.

    Attributes:
        seconds: Until it was on disk.
        peak_mb: Growth of the resident memory at its highest.
        disk_mb: Size of its files.
    """

    seconds: float
    peak_mb: float
    disk_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How one setting did.

    Attributes:
        filter_name: Which products might be found.
        value: Of the setting.
        unit: Of the setting.
        recall: Share of the 10 closest that were found.
        each_ms: Time of each query.
    """

    filter_name: str
    value: int
    unit: str
    recall: float
    each_ms: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """How an engine finds.

    Attributes:
        peak_mb: Growth of the resident memory at its highest, from before the index was opened.
        trials: Of every filter, from quick to sure.
    """

    peak_mb: float
    trials: list[Trial]


def missing(name: str) -> str | None:
    """The package that an engine lacks, if one."""
    package = ENGINES[name][1]
    return None if find_spec(package) else package


def measured(task: Task, name: str) -> tuple[Build, Searches]:
    """Build and search, each in a process of its own, or read what was measured before."""
    directory = task.directory / name
    built, searched = directory / "build.json", directory / f"search-{task.every}.json"
    if not built.exists():
        with OwnProcess() as process:
            process.call(_build, task, name, built)
    if not searched.exists():
        with OwnProcess() as process:
            process.call(_search, task, name, searched)
    found = json.loads(searched.read_bytes())
    trials = [Trial(**trial) for trial in found.pop("trials")]
    return Build(**json.loads(built.read_bytes())), Searches(**found, trials=trials)


def _build(task: Task, name: str, result: Path) -> None:
    engine, catalog, index = ENGINES[name][0](), task.catalog, result.parent / "index"
    shutil.rmtree(index, ignore_errors=True)  # of a build that was cut off
    index.mkdir(parents=True)
    __import__(ENGINES[name][1])  # counts in no time and memory
    started_s = time.perf_counter()
    with PeakGrowth() as memory:
        engine.build(catalog, index)
    seconds = time.perf_counter() - started_s
    _write(result, Build(seconds=seconds, peak_mb=memory.mb, disk_mb=size_mb(index)))


def _search(task: Task, name: str, result: Path) -> None:
    engine, catalog = ENGINES[name][0](), task.catalog
    __import__(ENGINES[name][1])
    trials = []
    with PeakGrowth() as memory:
        engine.load(catalog, result.parent / "index")
        for filter_name in catalog.filters():
            trials += _trials(engine, catalog, filter_name, task.every)
    _write(result, Searches(peak_mb=memory.mb, trials=trials))


def _trials(engine: Engine, catalog: VectorCatalog, filter_name: str, every: int) -> list[Trial]:
    """Settings from quick to sure, until everything is found."""
    where = catalog.filters()[filter_name]
    trials: list[Trial] = []
    for setting in _every(engine.settings(where), every):
        if not trials or trials[-1].recall < 1 or setting == Sartor.as_it_is:
            trials.append(_trial(engine, catalog, filter_name, where, setting))
    return trials


def _every(settings: Sequence[Setting], step: int) -> list[Setting]:
    """Some of the settings: from the last, the surest, backwards, and what a workspace has."""
    kept = settings[::-1][::step]
    return [each for each in settings if each in kept or each == Sartor.as_it_is]


def _trial(engine: Engine, catalog: VectorCatalog, filter_name: str, where: Filter, setting: Setting) -> Trial:
    for query in catalog.queries[:_WARM_UP]:
        engine.search(query, where, setting)
    found, each_ms = [], []
    for query in catalog.queries:
        started_s = time.perf_counter()
        found.append(engine.search(query, where, setting))
        each_ms.append(1000 * (time.perf_counter() - started_s))
    recall = catalog.recall(filter_name, found)
    return Trial(filter_name=filter_name, value=setting.value, unit=setting.unit, recall=recall, each_ms=each_ms)


def _write(path: Path, result: Build | Searches) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(result)), encoding="utf-8")
    temporary.replace(path)
