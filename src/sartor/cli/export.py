"""``sartor export``: the catalog or its embeddings, as files that other programs read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.choices import SNAPSHOT, ExportFormat
from sartor.cli.options import Home, Json, Model, Where, counted, print_json, progress_bar, settings

if TYPE_CHECKING:
    from sartor.ingest.export.run import ExportReport


def _format(text: str) -> ExportFormat:
    if text == SNAPSHOT:
        message = (
            "Qdrant Edge 0.9 cannot write a snapshot that a Qdrant server restores; "
            f"--format {ExportFormat.QDRANT_EDGE} writes a shard that Qdrant Edge opens"
        )
        raise typer.BadParameter(message)
    try:
        return ExportFormat(text)
    except ValueError as error:
        message = f"{text!r} is not one of {', '.join(ExportFormat)}"
        raise typer.BadParameter(message) from error


def export(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A file; a folder for pickle, annoy, faiss, qdrant-edge, and with --images."
        ),
    ],
    *,
    format_: Annotated[
        ExportFormat,
        typer.Option("--format", "-f", parser=_format, metavar="FORMAT", help=f"{', '.join(ExportFormat)}."),
    ],
    where: Where = None,
    images: Annotated[
        bool, typer.Option("--images", help="csv, jsonl: also thumbnails; `sartor index` reads the folder.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    home: Home = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Write the catalog or its embeddings to PATH, and say what the format does not hold."""
    from sartor.recommend.filters import parse_where
    from sartor.wiring import open_shop

    with open_shop(settings(home=home, model=model)) as shop, progress_bar(f"Exporting {format_}") as on_progress:
        report = shop.export(
            path,
            format=format_,
            where=parse_where(where or ()),
            images=images,
            force=force,
            on_progress=on_progress,
        )
    if as_json:
        print_json(_as_json(report))
        return
    _present(report)


def _as_json(report: ExportReport) -> dict[str, object]:
    return {**asdict(report), "path": str(report.path), "files": [str(file) for file in report.files]}


def _present(report: ExportReport) -> None:
    parts = [counted(report.products, "product"), counted(report.photos, "photo")]
    if report.model is not None:
        parts.append(f"{counted(report.embeddings, 'embedding')} by {report.model}")
    typer.echo(f"{report.path}: {', '.join(parts)}; {report.size_bytes / 1e6:,.1f} MB in {report.seconds:.1f} s")
    for sentence in report.lost:
        typer.echo(f"lost: {sentence}")
