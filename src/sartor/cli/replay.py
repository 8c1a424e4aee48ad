"""``sartor replay``: recommendations to shoppers and their baselines, measured by a log of events."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import (
    Csv,
    Home,
    Json,
    Seed,
    counted,
    echo,
    interval_text,
    print_json,
    print_table,
    progress_bar,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.evaluation.replay.results import OffPolicyResult, Replay, ReplayExperiment

_MIN_EFFECTIVE = 100  # impressions of equal weight; fewer tell little


def replay(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LOG...", help="Events, as `sartor events import` reads them; several are pooled."),
    ] = None,
    *,
    events: Annotated[
        list[Path] | None, typer.Option("--events", metavar="FILE", hidden=True, help="The same as LOG.")
    ] = None,
    people: Annotated[int, typer.Option("--people", min=1, help="Maximum number of people of a log.")] = 1000,
    histories: Annotated[
        list[int] | None,
        typer.Option("--history", min=1, metavar="N", help="Last events that are known; repeatable (1, 5, 20)."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, metavar="N", help="Length of the lists.")] = 10,
    eta: Annotated[
        float, typer.Option("--eta", min=0, help="Rank r of a list is assumed to be seen with probability r^-eta.")
    ] = 1.0,
    clip: Annotated[
        float | None, typer.Option("--clip", min=0.01, help="Maximum of the off-policy weights.")
    ] = None,
    csv: Csv = None,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure recommendations to shoppers by replaying LOGs of events over the workspace's catalog.

    Each log is split at a time; products are recommended from the events before it, and compared with what
    people did after it. Nothing is written to the workspace.
    """
    if bool(logs) == bool(events):
        message = "give the logs to replay: sartor replay LOG..."
        raise typer.BadParameter(message)
    from sartor.evaluation.replay.replay import LogFile
    from sartor.evaluation.report.tables import as_json as json_of
    from sartor.evaluation.report.tables import replay_csv
    from sartor.wiring import open_shop

    files = [LogFile(path, now_s=time.time()) for path in logs or events or ()]
    with open_shop(settings(home=home)) as shop:
        result = shop.replay(
            *files,
            k=k,
            people=people,
            eta=eta,
            clip=clip,
            seed=seed,
            names=[file.name for file in files],
            command=shlex.join(["sartor", *sys.argv[1:]]),
            show=progress_bar,
            **({} if not histories else {"histories": histories}),
        )
    if csv is not None:
        csv.write_text(replay_csv(result), encoding="utf-8")
    print_json(json_of(result)) if as_json else _print(result)
    if csv is not None:
        echo(f"written to {csv}", err=True)


def _print(result: Replay) -> None:
    setup = result.setup
    for log in setup.logs:
        of_whom = "simulated shoppers: a simulation, not a shop" if log.simulated else "people"
        echo(
            f"{log.name}: {counted(log.events, 'event')} of {log.people:,} {of_whom}; {log.before:,} before "
            f"{log.split_at} and {log.after:,} after, {log.impressions:,} impressions"
        )
    foreseen = dict.fromkeys(type_ for log in setup.logs for type_ in log.foreseen)
    echo(
        f"foreseen: {', '.join(foreseen)} of products that are new to the person, among "
        f"{counted(setup.products, 'product')}"
    )
    suffix = " (simulated)" if setup.simulated else ""
    for experiment in result.experiments:
        _print_experiment(experiment, setup.k, suffix)
    print_table(
        f"recorded answers{suffix}",
        ("policy", "reward of an answer (IPS)", "of an impression (SNIPS)", "impressions", "effective", "support"),
        map(_estimate, result.off_policy),
    )
    few = ", ".join(each.method for each in result.off_policy if each.estimate.effective < _MIN_EFFECTIVE)
    if few:
        echo(f"- recorded answers say little about {few}: fewer than {_MIN_EFFECTIVE} effective impressions")
    for note in setup.notes:
        echo(f"- {note}")


def _print_experiment(experiment: ReplayExperiment, k: int, suffix: str) -> None:
    shown = (f"nDCG@{k}", f"recall@{k}", f"hit rate@{k}")
    print_table(
        f"{counted(experiment.history, 'event')} known of each of {experiment.people:,}{suffix}",
        ("method", *shown, "novelty", "diversity", "coverage"),
        (
            (
                result.method,
                *(interval_text(result.metrics[name]) for name in shown),
                f"{result.metrics['novelty'].mean:.2f} bits",
                f"{result.metrics['diversity'].mean:.3f}",
                f"{100 * result.coverage:.1f} %",
            )
            for result in experiment.methods
        ),
    )
    columns = ("for-you compared with", f"nDCG@{k}", "95 % interval", "p", "intervals", "ahead in logs")
    print_table("", columns, _comparisons(experiment, k))


def _comparisons(experiment: ReplayExperiment, k: int) -> Iterator[tuple[str, ...]]:
    for comparison in experiment.comparisons:
        if comparison.metric == f"nDCG@{k}":
            test = comparison.test
            chance = ", may be chance" if test.low <= 0 <= test.high else ""
            yield (
                comparison.against,
                f"{test.difference:+.4f}",
                f"{test.low:+.4f} to {test.high:+.4f}{chance}",
                f"{test.p_value:.4f}",
                "apart" if comparison.apart else "overlap",
                f"{comparison.ahead} of {experiment.logs}",
            )


def _estimate(result: OffPolicyResult) -> tuple[str, ...]:
    estimate = result.estimate
    return (
        result.method,
        interval_text(estimate.ips),
        interval_text(estimate.snips),
        f"{estimate.impressions:,}",
        f"{estimate.effective:,.0f}",
        f"{100 * estimate.support:.1f} %",
    )
