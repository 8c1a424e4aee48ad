"""``sartor evaluate``: how well models find relevant products, as tables, JSON, CSV or a report."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import (
    AllowUrls,
    Csv,
    Device,
    Home,
    Json,
    Limit,
    PrecisionOption,
    Ray,
    Seed,
    echo,
    interval_text,
    print_json,
    print_table,
    progress_bar,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sartor.evaluation.intervals import PairedTest
    from sartor.evaluation.results import Evaluation, ModelResult
    from sartor.shop import Shop

_SIGNIFICANT = 0.05
_MAX_CATEGORIES = 16  # in a table


def evaluate(
    source: Annotated[
        Path | None, typer.Argument(metavar="SOURCE", help="Products, as `sartor index` reads them.")
    ] = None,
    *,
    text: Annotated[
        bool, typer.Option("--text", help="Measure how well words find the workspace's own products; no SOURCE.")
    ] = False,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="ID",
            help="Model; repeatable, each is compared with the first. Also color-histogram and random.",
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option("--queries", metavar="SOURCE", help="Products to search with, instead of SOURCE itself."),
    ] = None,
    relevance: Annotated[
        str | None,
        typer.Option("--relevance", metavar="A,B", help="Attributes that must be equal: kind, gender, color."),
    ] = None,
    label_map: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.toml", help="Map of the labels of --queries to those of SOURCE."),
    ] = None,
    instances: Annotated[
        bool,
        typer.Option(
            "--instances", help="Search for the same product: by id in both sources, or by perturbed photos."
        ),
    ] = False,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only use products that the first model was not trained on.")
    ] = False,
    as_recommended: Annotated[
        bool, typer.Option("--as-recommended", help="Compare style, color and category, as `sartor similar` does.")
    ] = False,
    ann: Annotated[
        bool, typer.Option("--ann", help="Also measure the approximate index, which is built for it.")
    ] = False,
    ks: Annotated[
        list[int] | None,
        typer.Option("-k", min=1, metavar="N", help="Length of the lists; repeatable (1, 5, 10)."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page with plots and pictures.")
    ] = None,
    csv: Csv = None,
    seed: Seed = 0,
    limit: Limit = None,
    ray: Ray = None,
    home: Home = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Measure how well models find the relevant products of SOURCE.

    Each product is a query once, with itself left out; or the products of --queries are. Nothing is written to
    the workspace. To measure recommendations to shoppers by a log of events, use: sartor replay LOG, for
    which `sartor evaluate --events LOG` is another name.
    """
    from sartor.errors import require_extra
    from sartor.evaluation.report.tables import as_csv
    from sartor.evaluation.report.tables import as_json as json_of
    from sartor.wiring import open_shop

    if report is not None:
        require_extra("report", "matplotlib", "sklearn")
    chosen = settings(home=home, device=device, precision=precision, allow_urls=allow_urls)
    with open_shop(chosen) as shop:
        if text:
            _evaluate_words(shop, source, as_json=as_json)
            return
        if source is None:
            message = "give a SOURCE, or --text"
            raise typer.BadParameter(message)
        evaluation = shop.evaluate(
            source,
            *(models or ()),
            queries=queries,
            relevance=[name.strip() for name in (relevance or "").split(",") if name.strip()],
            label_map=label_map,
            instances=instances,
            held_out=held_out,
            as_recommended=as_recommended,
            ann=ann,
            pictures=report is not None,
            seed=seed,
            limit=limit,
            command=shlex.join(["sartor", *sys.argv[1:]]),
            ray=ray,
            show=progress_bar,
            **({} if ks is None else {"ks": ks}),
        )
    if csv is not None:
        csv.write_text(as_csv(evaluation), encoding="utf-8")
    if report is not None:
        from sartor.evaluation.report.page import write_report

        write_report(report, evaluation)
    print_json(json_of(evaluation)) if as_json else _print(evaluation)
    for path in filter(None, (csv, report)):
        echo(f"written to {path}", err=True)


def _evaluate_words(shop: Shop, source: Path | None, *, as_json: bool) -> None:
    if source is not None:
        message = "--text measures the products of the workspace, without a SOURCE"
        raise typer.BadParameter(message)
    figures = shop.evaluate_words()
    if as_json:
        print_json(
            {"model": shop.model.id, "figures": {name: each.model_dump() for name, each in figures.items()}}
        )
        return
    print_table(
        f"Words by {shop.model.id}, on held-out products",
        ("figure", "mean", "95 %", "queries"),
        (
            (name, f"{found.mean:.3f}", f"{found.low:.3f} to {found.high:.3f}", f"{found.count:,}")
            for name, found in figures.items()
        ),
    )
    if not figures:
        echo("nothing is held out: the catalog is too small")


def _print(evaluation: Evaluation) -> None:
    setup = evaluation.setup
    sources = setup.gallery if setup.queries == setup.gallery else f"{setup.queries} in {setup.gallery}"
    echo(f"{setup.task}: {setup.asked:,} queries, {setup.products:,} products ({sources})")
    for criterion in setup.criteria:
        print_table(criterion, ("model", *_metrics(evaluation, criterion)), _rows(evaluation, criterion))
    main = _main_metrics(evaluation)[0]
    print_table(
        f"{main} by category",
        ("category", "queries", *(model.model for model in evaluation.models)),
        _categories(evaluation, main),
    )
    print_table(
        f"{main} compared with {evaluation.models[0].model}",
        ("model", "criterion", "difference", "95 % interval", "p, one-sided"),
        (
            (comparison.model, comparison.criterion, *_test(comparison.test))
            for comparison in evaluation.comparisons
            if comparison.metric == main
        ),
    )
    print_table(
        "lists",
        ("model", "of all products shown", "hubness", "nearest is a copy", "index recall", "seconds"),
        map(_lists, evaluation.models),
    )
    print_table(
        "the same product by its damaged photo",
        ("model", "damage", "", "hit rate@1", "hit rate@5"),
        (
            (
                model.model,
                each.damage,
                each.level,
                *(interval_text(value, decimals=3) for value in each.metrics.values()),
            )
            for model in evaluation.models
            for each in model.robustness
        ),
    )
    print_table(
        "calibration",
        ("model", "predicted", "right", "expected calibration error"),
        (
            (model.model, each.name, f"{each.accuracy:.3f}", f"{each.error:.3f}")
            for model in evaluation.models
            for each in model.calibration
        ),
    )
    for note in setup.notes:
        echo(f"- {note}")


def _metrics(evaluation: Evaluation, criterion: str) -> list[str]:
    result = next(each for each in evaluation.models[0].criteria if each.criterion == criterion)
    return [name for name in result.metrics if name in _main_metrics(evaluation)]


def _main_metrics(evaluation: Evaluation) -> tuple[str, ...]:
    k = evaluation.models[0].lists.k
    if evaluation.setup.task == "the same product":
        return ("hit rate@1", f"hit rate@{k}")
    return (f"precision@{k}", f"hit rate@{k}", f"recall@{k}", f"nDCG@{k}", "mAP@R")


def _rows(evaluation: Evaluation, criterion: str) -> Iterator[tuple[str, ...]]:
    names = _metrics(evaluation, criterion)
    for model in evaluation.models:
        for result in model.criteria:
            if result.criterion == criterion:
                yield (model.model, *(interval_text(result.metrics[name], decimals=3) for name in names))


def _categories(evaluation: Evaluation, metric: str) -> Iterator[tuple[str, ...]]:
    """The most frequent categories, then the unweighted mean over all categories."""
    first = evaluation.models[0]
    values = [
        {result.category: result.metrics[metric] for result in model.categories} for model in evaluation.models
    ]
    for result in first.categories[:_MAX_CATEGORIES]:
        figures = (_share(of_model.get(result.category)) for of_model in values)
        yield (result.category, f"{result.queries:,}", *figures)
    if first.categories:
        macro = (_share(model.macro.get(metric)) for model in evaluation.models)
        yield (f"mean of all {len(first.categories)}", "", *macro)


def _share(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.3f}"


def _test(test: PairedTest) -> tuple[str, str, str]:
    likely = min(test.p_value, 1 - test.p_value)
    word = "" if likely <= _SIGNIFICANT else ", may be chance"
    return f"{test.difference:+.3f}", f"{test.low:+.3f} to {test.high:+.3f}{word}", f"{test.p_value:.4f}"


def _lists(model: ModelResult) -> tuple[str, ...]:
    lists = model.lists
    return (
        model.model,
        f"{100 * lists.coverage:.1f} % in {lists.k}",
        f"{lists.hubness:.2f}",
        f"{100 * lists.copies:.1f} %",
        "not measured" if model.ann_recall is None else f"{model.ann_recall:.3f}",
        f"{sum(model.seconds.values()):.0f}",
    )
