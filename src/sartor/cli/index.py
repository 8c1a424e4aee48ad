"""``sartor index``: bring sources into the catalog."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sartor.cli.options import AllowUrls, Device, Home, Json, Limit, MetricOption, Model, PrecisionOption, settings
from sartor.cli.output import STOPPED, counted, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from sartor.pipelines.report import IngestReport


def index(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders of images, ZIPs, Kaggle data sets, CSV or JSON Lines, Merchant feeds.",
        ),
    ],
    *,
    limit: Limit = None,
    prune: Annotated[bool, typer.Option("--prune", help="Delete products that have left their source.")] = False,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Bring the products of SOURCEs into the catalog, with the embeddings of their photos.

    Doing it again costs little: only what changed is embedded. Stopped half-way, it goes on where it was.
    """
    if prune and limit is not None:
        message = "--prune needs the whole source; it cannot go with --limit"
        raise typer.BadParameter(message)
    from sartor.assembly import open_shop

    chosen = settings(
        home=home, model=model, metric=metric, device=device, precision=precision, allow_urls=allow_urls
    )
    try:
        with open_shop(chosen) as shop:
            for source in sources:
                with progress_bar(f"Indexing {source.name}") as on_progress:
                    report = shop.index(source, limit=limit, prune=prune, on_progress=on_progress)
                _print_json(report) if as_json else _print(report)
    except KeyboardInterrupt:
        typer.echo("sartor: stopped; what was committed stays, the same command goes on from there", err=True)
        raise typer.Exit(STOPPED) from None


def _print_json(report: IngestReport) -> None:
    fields: dict[str, Any] = asdict(report)
    fields["seconds"] = round(report.seconds, 3)
    fields["photos_per_second"] = round(report.photos_per_second, 1)
    print_json(fields)


def _print(report: IngestReport) -> None:
    outcomes = [f"{getattr(report, name):,} {name}" for name in ("added", "updated", "unchanged", "deleted")]
    typer.echo(
        f"{report.source}: {counted(report.products, 'product')} ({', '.join(outcomes)}), "
        f"{counted(report.photos, 'photo')} ({report.embedded:,} embedded with {report.model}, "
        f"{len(report.rejected):,} rejected) in {report.seconds:.1f} s, {report.photos_per_second:.0f} photos/s"
    )
    print_table(
        "Noticed in the source",
        ("case", "count", "examples"),
        ((finding.case, finding.count, ", ".join(finding.examples)) for finding in report.findings),
    )
    print_table(
        "Rejected photos",
        ("photo", "reason"),
        ((rejection.photo, rejection.reason) for rejection in report.rejected),
    )
