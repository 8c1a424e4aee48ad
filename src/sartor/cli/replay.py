"""``sartor evaluate --events``: what for-you and its baselines would have recommended, in tables, JSON or CSV."""

from __future__ import annotations

import math
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sartor.cli.options import counted, print_json, print_table, progress_bar, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sartor.evaluation.intervals import Interval
    from sartor.evaluation.replay.results import OffPolicyResult, Replay, ReplayExperiment

EventsFile: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="In place of SOURCE: replay what shoppers did, over the workspace; repeatable, the people pooled.",
    ),
]
People: TypeAlias = Annotated[
    int, typer.Option("--people", min=1, help="With --events: ask for so many people of a log at most.")
]
Histories: TypeAlias = Annotated[
    list[int] | None,
    typer.Option("--history", min=1, metavar="N", help="With --events: last events known; repeatable (1, 5, 20)."),
]
Eta: TypeAlias = Annotated[
    float, typer.Option("--eta", min=0, help="With --events: place k of an answer is seen with k^-eta.")
]
Clip: TypeAlias = Annotated[
    float | None, typer.Option("--clip", min=0.01, help="With --events: off-policy weights are at most this.")
]

_FEW = 100  # impressions of equal weight tell little


def replay(
    files: Sequence[Path],
    *,
    k: int,
    people: int,
    histories: Sequence[int] | None,
    eta: float,
    clip: float | None,
    seed: int,
    home: Path | None,
    csv: Path | None,
    as_json: bool,
) -> None:
    """Replay logs over the workspace's catalog, and print what was found."""
    from sartor.evaluation.replay.replay import LogFile
    from sartor.evaluation.report.tables import as_json as json_of
    from sartor.evaluation.report.tables import replay_csv
    from sartor.wiring import open_shop

    logs = [LogFile(file, now_s=time.time()) for file in files]
    with open_shop(settings(home=home)) as shop:
        found = shop.replay(
            *logs,
            k=k,
            people=people,
            eta=eta,
            clip=clip,
            seed=seed,
            names=[log.name for log in logs],
            command=shlex.join(["sartor", *sys.argv[1:]]),
            show=progress_bar,
            **({} if not histories else {"histories": histories}),
        )
    if csv is not None:
        csv.write_text(replay_csv(found), encoding="utf-8")
    print_json(json_of(found)) if as_json else _print(found, rejected=sum(log.rejected for log in logs))
    if csv is not None:
        typer.echo(f"written to {csv}", err=True)


def _print(found: Replay, *, rejected: int) -> None:
    setup = found.setup
    for log in setup.logs:
        of_whom = "simulated shoppers: a simulation, not a shop" if log.simulated else "people"
        typer.echo(
            f"{log.name}: {counted(log.events, 'event')} of {log.people:,} {of_whom}; {log.before:,} before "
            f"{log.split_at} and {log.after:,} after, {log.impressions:,} impressions"
        )
    foreseen = dict.fromkeys(type_ for log in setup.logs for type_ in log.foreseen)
    typer.echo(
        f"foreseen: {', '.join(foreseen)} of products that are new to the person, among "
        f"{counted(setup.products, 'product')}"
    )
    suffix = " (simulated)" if setup.simulated else ""
    for experiment in found.experiments:
        _print_experiment(experiment, setup.k, suffix)
    print_table(
        f"recorded answers{suffix}",
        ("policy", "reward of an answer (IPS)", "of an impression (SNIPS)", "impressions", "effective", "support"),
        map(_estimate, found.off_policy),
    )
    few = [each.method for each in found.off_policy if each.estimate.effective < _FEW]
    if few:
        typer.echo(f"- recorded answers tell little of {', '.join(few)}: fewer than {_FEW} effective impressions")
    if rejected:
        typer.echo(f"- {counted(rejected, 'line')} of the logs told no event")
    for note in setup.notes:
        typer.echo(f"- {note}")


def _print_experiment(experiment: ReplayExperiment, k: int, suffix: str) -> None:
    shown = (f"nDCG@{k}", f"recall@{k}", f"hit rate@{k}")
    print_table(
        f"{counted(experiment.history, 'event')} known of each of {experiment.people:,}{suffix}",
        ("method", *shown, "novelty", "diversity", "coverage"),
        (
            (
                result.method,
                *(_interval(result.metrics[name]) for name in shown),
                f"{result.metrics['novelty'].mean:.2f} bits",
                f"{result.metrics['diversity'].mean:.3f}",
                f"{100 * result.coverage:.1f} %",
            )
            for result in experiment.methods
        ),
    )
    columns = ("for-you beside", f"nDCG@{k}", "95 % interval", "p", "intervals", "ahead in logs")
    print_table("", columns, _beside(experiment, k))


def _beside(experiment: ReplayExperiment, k: int) -> Iterator[tuple[str, ...]]:
    for each in experiment.comparisons:
        if each.metric == f"nDCG@{k}":
            test = each.test
            chance = ", may be chance" if test.low <= 0 <= test.high else ""
            yield (
                each.against,
                f"{test.difference:+.4f}",
                f"{test.low:+.4f} to {test.high:+.4f}{chance}",
                f"{test.p_value:.4f}",
                "apart" if each.apart else "overlap",
                f"{each.ahead} of {experiment.logs}",
            )


def _estimate(result: OffPolicyResult) -> tuple[str, ...]:
    told = result.estimate
    return (
        result.method,
        _interval(told.ips),
        _interval(told.snips),
        f"{told.impressions:,}",
        f"{told.effective:,.0f}",
        f"{100 * told.support:.1f} %",
    )


def _interval(interval: Interval) -> str:
    if math.isnan(interval.mean):
        return "not defined"
    return f"{interval.mean:.4f} ({interval.low:.4f} to {interval.high:.4f})"
