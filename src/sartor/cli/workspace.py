"""``sartor info``, ``check`` and ``backup``: what a workspace holds, whether its parts agree, and a copy of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import (
    Home,
    Json,
    MetricOption,
    Model,
    counted,
    echo,
    print_json,
    print_table,
    progress_bar,
    settings,
    stoppable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sartor.evaluation.results import CatalogHealth, HealthFinding
    from sartor.ingest.maintenance import Problem

_MEBIBYTE = 1 << 20
_MAX_EXAMPLES = 3  # of a finding, in the table
_MIN_SHARE = 0.001  # that is printed as a number


def info(*, home: Home = None, model: Model = None, as_json: Json = False) -> None:
    """Print what the workspace holds."""
    from sartor.config import SETTINGS_FILE, setting_origins
    from sartor.wiring import open_shop

    chosen = settings(home=home, model=model)
    given = {"home": home, "model": model}
    origins = setting_origins(chosen, options=[name for name, value in given.items() if value is not None])
    with open_shop(chosen) as shop:
        info = shop.info()
    if as_json:
        print_json(asdict(info) | {"home": str(info.home), "settings": [asdict(each) for each in origins]})
        return
    counts = info.counts
    echo(
        f"{info.store}: {counted(counts.products, 'product')}, {counted(counts.photos, 'photo')}, "
        f"{info.size_bytes / _MEBIBYTE:.0f} MiB"
    )
    echo(f"photos: {info.media}")
    echo(f"attributes: {', '.join(info.attributes) or 'none'}")
    models = sorted({*info.models, *counts.embeddings})
    print_table(
        "Models",
        ("id", "embeddings", ""),
        ((name, f"{counts.embeddings.get(name, 0):,}", _remark(name, info.default_model)) for name in models),
    )
    print_table(
        "Settings",
        ("name", "value", "from", f"instead of that in {SETTINGS_FILE}"),
        ((each.name, each.value, each.origin, each.instead_of) for each in origins),
    )
    print_table(
        "Sources", ("source", "products"), ((name, f"{number:,}") for name, number in counts.sources.items())
    )


def check(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild the index, and delete thumbnails of no photo.")
    ] = False,
    health: Annotated[
        bool, typer.Option("--health", help="Also find what makes recommendations worse; about a minute.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write what --health finds as an .html file.")
    ] = None,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    as_json: Json = False,
) -> None:
    """Check that store, index and media agree; exit code 1 if not."""
    if report is not None and report.suffix.lower() != ".html":
        message = f"a report is an .html file, not {report.name}"
        raise typer.BadParameter(message)
    from sartor.wiring import open_shop

    with open_shop(settings(home=home, model=model, metric=metric)) as shop:
        found = shop.check() if repair else ()
        problems = shop.check(repair=repair)
        findings = shop.health() if health or report else None
    agree = all(problem.harmless for problem in problems)
    left = {problem.what for problem in problems}
    mended = [problem for problem in found if problem.what not in left]
    if as_json:
        result: dict[str, Any] = {"ok": agree, "problems": [asdict(problem) for problem in problems]}
        if repair:
            result["mended"] = [asdict(problem) for problem in mended]
        print_json(result if findings is None else result | {"health": asdict(findings)})
    else:
        if repair:
            for problem in mended:
                echo(f"mended: {problem.count:,} {problem.what}, such as {', '.join(problem.examples)}")
            echo("the index was built again" if mended else "the index was built again; nothing had to be mended")
        _print_problems(problems, agree=agree)
        if findings is not None:
            _print_health(findings)
    if report is not None and findings is not None:
        from sartor.evaluation.report.page import write_health_report

        write_health_report(report, findings)
        echo(f"report written to {report}", err=True)
    if not agree:
        raise typer.Exit(1)


def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="A new or an empty directory.")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy the workspace to DIRECTORY, even while a service uses it; use the copy as --home."""
    from sartor.wiring import back_up_workspace

    copy = back_up_workspace(settings(home=home), directory)
    if as_json:
        print_json(asdict(copy) | {"directory": str(copy.directory)})
        return
    size_mib = copy.size_bytes / _MEBIBYTE
    echo(f"{copy.directory}: {counted(copy.files, 'file')}, {size_mib:.0f} MiB; --home {copy.directory} uses it")
    if copy.left_out:
        echo(f"not in the copy: {copy.left_out}")


def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="Directory of a workspace, or its store's address.")
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="TO", help="An empty one, or an earlier copy; such as mongodb://localhost/shop."),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Copy a workspace to another store, and compare both sides; run it again to go on after a stop."""
    from sartor.wiring import copy_between

    with stoppable("run it again to go on"), progress_bar("Copying", things="products") as on_progress:
        report = copy_between(settings(home=source), settings(home=target), on_progress=on_progress)
    if as_json:
        print_json(asdict(report))
        return
    for what in report.left_out:
        echo(f"not in the copy: {what}", err=True)
    side = report.side
    echo(
        f"{report.target}: {counted(side.products, 'product')}, {counted(side.photos, 'photo')}, "
        f"{counted(side.embeddings, 'embedding')}, {counted(side.events, 'event')}; both sides agree"
    )


def _print_problems(problems: Sequence[Problem], *, agree: bool) -> None:
    echo("store, index and media agree" if agree else "store, index and media do not agree:")
    for problem in problems:
        echo(f"- {problem.count:,} {problem.what}, such as {', '.join(problem.examples)}")
        echo(f"  to do: {problem.remedy}")


def _print_health(health: CatalogHealth) -> None:
    print_table(
        f"Health of {counted(health.products, 'product')}, by {health.model}",
        ("finding", "count", "share", "examples"),
        (
            (
                finding.what,
                f"{finding.count:,}",
                _share(finding),
                "\n".join(finding.examples[:_MAX_EXAMPLES]),
            )
            for finding in health.findings
        ),
    )
    for finding in health.findings:
        if finding.count:
            echo(f"- {finding.what}: {finding.meaning}")


def _share(finding: HealthFinding) -> str:
    if not finding.of:
        return ""
    share = finding.count / finding.of
    return f"{share:.1%}" if share >= _MIN_SHARE or not share else f"< {_MIN_SHARE:.1%}"


def _remark(name: str, default_model: str | None) -> str:
    return "default" if name == default_model else ""
