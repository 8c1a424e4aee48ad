"""Sartor's index beside other vector engines: what it costs to build and hold, and how fast it finds how much."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.engine_runs import ENGINES, OURS, Task, measured, missing
from benchmarks.our_engine import Sartor
from benchmarks.report import Figure, Report
from benchmarks.vector_catalog import EVERY
from benchmarks.vectors import DIMENSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.engine_runs import Build, Searches, Trial

RECALLS = 0.95, 0.99, 1.0
SIZES = [44_000]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What one engine showed with one number of products."""

    count: int
    engine: str
    build: Build
    searches: Searches


def index_engines(  # noqa: PLR0913 - the options of a command
    *,
    sizes: Annotated[list[int] | None, typer.Option(min=1000, help="Products; repeatable.")] = None,
    engines: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(ENGINES)}; repeatable.")] = None,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps indexes and results, to go on from.")
    ] = None,
    dimension: Annotated[int, typer.Option(min=16, help="Of the vectors.")] = DIMENSION,
    queries: Annotated[int, typer.Option(min=30, help="Vectors to ask about, which no catalog has.")] = 300,
    every: Annotated[int, typer.Option(min=1, help="Try only each so many-th setting of an engine.")] = 1,
) -> Report:
    """Build time, memory, disk, and the time of a query at the setting that just reaches a recall."""
    sizes, chosen = sorted(sizes or [44_000]), _known(engines or list(ENGINES))
    found: list[_Measured] = []
    with TemporaryDirectory() as temporary:
        for count in sizes:
            directory = (work or Path(temporary)) / f"{count}x{dimension}x{queries}"
            task = Task(directory=directory, count=count, dimension=dimension, queries=queries, every=every)
            shares = {name: where.share for name, where in task.catalog.filters().items()}
            for name in chosen:
                if not missing(name):
                    build, searches = measured(task, name)
                    found.append(_Measured(count=count, engine=name, build=build, searches=searches))
    figures = {label: figure for each in found for label, figure in _figures(each)}
    return Report(
        name="index_engines" if sizes[-1] <= SIZES[-1] else f"index_engines_{'_'.join(map(str, sizes))}",
        options={
            "sizes": sizes,
            "engines": ", ".join(chosen),
            "dimension": dimension,
            "queries": queries,
            "every": every,
        },
        warm_up="20 queries with each setting, in the process that is measured",
        figures=figures,
        ratios=dict(_ratios(found, figures)),
        notes=(*_notes(shares), *_absent(chosen), *_not_reached(found)),
    )


def label(count: int, filter_name: str, engine: str, what: str) -> str:
    """The name of a query's figure."""
    return f"{count:,} products, {filter_name}: {engine}: {what}"


def just_reaching(trials: Sequence[Trial], recall: float) -> Trial | None:
    """The quickest trial, by its median, among those that reach a recall; None when there is none."""
    reaching = [trial for trial in trials if trial.recall >= recall]
    return min(reaching, key=lambda trial: Figure.of(trial.each_ms, "ms").median, default=None)


def _known(engines: list[str]) -> list[str]:
    for name in engines:
        if name not in ENGINES:
            message = f"there is no engine {name}; there are {', '.join(ENGINES)}"
            raise typer.BadParameter(message)
    return engines


def _figures(each: _Measured) -> Iterator[tuple[str, Figure]]:
    start = f"{each.count:,} products: {each.engine}"
    yield f"{start}: build", Figure.of([each.build.seconds], "s")
    yield f"{start}: memory of building", Figure.of([each.build.peak_mb], "MB")
    yield f"{start}: memory of searching", Figure.of([each.searches.peak_mb], "MB")
    yield f"{start}: disk", Figure.of([each.build.disk_mb], "MB")
    for filter_name, trials in _by_filter(each).items():
        for recall in RECALLS:
            trial = just_reaching(trials, recall)
            if trial:
                name = label(each.count, filter_name, each.engine, f"recall {recall:g}")
                yield name, Figure.of(trial.each_ms, "ms")
                yield f"{name}, setting", Figure.of([trial.value], trial.unit)
        yield from _as_it_is(each, filter_name, trials)


def _as_it_is(each: _Measured, filter_name: str, trials: Sequence[Trial]) -> Iterator[tuple[str, Figure]]:
    """What Sartor does without a choice."""
    if each.engine != OURS:
        return
    own = (trial for trial in trials if (trial.value, trial.unit) == astuple(Sartor.as_it_is))
    trial = next(own, trials[-1])  # exact where few products pass
    yield label(each.count, filter_name, OURS, "as it is"), Figure.of(trial.each_ms, "ms")
    yield label(each.count, filter_name, OURS, "as it is, recall"), Figure.of([trial.recall], "share")


def _by_filter(each: _Measured) -> dict[str, list[Trial]]:
    by_filter: dict[str, list[Trial]] = {}
    for trial in each.searches.trials:
        by_filter.setdefault(trial.filter_name, []).append(trial)
    return by_filter


def _ratios(found: Sequence[_Measured], figures: dict[str, Figure]) -> Iterator[tuple[str, float]]:
    for each in found:
        if each.engine == OURS:
            continue
        ours, theirs = (f"{each.count:,} products: {name}: build" for name in (OURS, each.engine))
        if ours in figures:
            yield f"{ours} / {each.engine}", figures[ours].median / figures[theirs].median
        for filter_name in _by_filter(each):
            for recall in RECALLS:
                what = f"recall {recall:g}"
                ours, theirs = (label(each.count, filter_name, name, what) for name in (OURS, each.engine))
                if ours in figures and theirs in figures:
                    yield f"{ours} / {each.engine}", figures[ours].median / figures[theirs].median


def _notes(shares: dict[str, float]) -> Iterator[str]:
    yield (
        "Made vectors, see benchmarks/vectors.py. One query at a time, 10 nearest; recall against exact search. "
        "Every graph has M 16 and ef_construction 100, Annoy 100 trees; builds take all cores, and end on disk."
    )
    yield (
        "Memory is the highest growth of what is resident, pages of mapped files included, in a process that "
        "builds and in one that opens the index and searches."
    )
    yield (
        f"Sartor searches with hnsw_ef {Sartor.as_it_is.value}: 'as it is'; its other settings are tried for the "
        "comparison. It stores products with attributes and answers with vectors; the others with row numbers."
    )
    real = ", ".join(f"{name}: {share:.2%}" for name, share in shares.items() if name != EVERY)
    yield f"Filters ask for one value of an attribute that belongs to styles; shares in the last catalog: {real}."


def _absent(chosen: list[str]) -> Iterator[str]:
    for name in chosen:
        package = missing(name)
        if package:
            yield f"{name} is not measured: {package} is not installed (dependency groups bench and peers)."
        else:
            yield f"{name} filters by {ENGINES[name][0].filters_by}."


def _not_reached(found: Sequence[_Measured]) -> Iterator[str]:
    for each in found:
        for filter_name, trials in _by_filter(each).items():
            missed = [f"{recall:g}" for recall in RECALLS if just_reaching(trials, recall) is None]
            if missed:
                best = max(trials, key=lambda trial: trial.recall)
                name = label(each.count, filter_name, each.engine, f"recall {', '.join(missed)} not reached")
                yield f"{name}; {best.recall:.4f} at {best.unit} {best.value:,}."
