"""``sartor import`` and ``sartor export``: embeddings of other programs in, catalog and embeddings out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.choices import SNAPSHOT, ExportFormat
from sartor.cli.options import (
    Device,
    Home,
    Json,
    Limit,
    Model,
    PrecisionOption,
    Where,
    counted,
    echo,
    print_json,
    print_table,
    progress_bar,
    settings,
    stoppable,
)

if TYPE_CHECKING:
    from sartor.ingest.export.run import ExportReport
    from sartor.ingest.vectors import ImportReport


_MAX_REJECTED = 20  # vectors in the table


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Vectors: a pickle, .npy, .npz or Parquet; no code in it is run."),
    ],
    filenames: Annotated[
        Path | None, typer.Argument(metavar="FILENAMES", help="Names of the photos: a pickle, .npy or text.")
    ] = None,
    *,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="Folder or ZIP of the photos, if they are not beside FILE."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Model of the workspace that made the vectors; some photos are checked."),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="Without --model: id of the new model (imported-N).")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Import even if the vectors do not agree with the model.")
    ] = False,
    allow_shrink: Annotated[
        bool,
        typer.Option(
            "--allow-shrink",
            help="Also take photos, title or attributes from products, if the table beside FILE lacks them.",
        ),
    ] = False,
    limit: Limit = None,
    home: Home = None,
    device: Device = None,
    precision: PrecisionOption = None,
    as_json: Json = False,
) -> None:
    """Import the vectors of FILE into the catalog, such as embeddings.pkl with filenames.pkl.

    A product's id is the name of its photo without folder and suffix. Importing again changes nothing.
    """
    if model is not None and id_ is not None:
        message = "--id names a new model, --model one that is there; give one of them"
        raise typer.BadParameter(message)
    from sartor.wiring import open_shop

    with (
        stoppable("what was committed stays, the same command continues from there"),
        open_shop(settings(home=home, device=device, precision=precision)) as shop,
        progress_bar(f"Importing {file.name}") as on_progress,
    ):
        report = shop.import_embeddings(
            file,
            filenames,
            images=images,
            model=model,
            id=id_,
            limit=limit,
            force=force,
            allow_shrink=allow_shrink,
            on_progress=on_progress,
        )
    if as_json:
        print_json(asdict(report) | {"seconds": round(report.seconds, 3)})
        return
    _print(report)


def _print(report: ImportReport) -> None:
    outcomes = ", ".join(f"{getattr(report, name):,} {name}" for name in ("added", "updated", "unchanged"))
    echo(
        f"{report.source}: {counted(report.vectors, 'vector')} of {report.dimension:,} numbers as {report.model}, "
        f"{counted(report.products, 'product')} ({outcomes}), {report.images:,} with a picture, "
        f"{report.described:,} with attributes{f' from {report.table}' if report.table else ''}, "
        f"{len(report.rejected):,} rejected, in {report.seconds:.1f} s"
    )
    if report.scaled:
        echo(f"{report.scaled:,} of the vectors did not have norm 1 and were scaled to it")
    echo(_agreement(report))
    option = "" if report.is_default else f" --model {report.model}"
    echo(f"to see: sartor similar --product ID{option}")
    print_table(
        "Noticed",
        ("case", "count", "examples"),
        ((finding.case, finding.count, ", ".join(finding.examples)) for finding in report.findings),
    )
    print_table(
        "Rejected",
        ("name", "reason"),
        ((rejection.photo, rejection.reason) for rejection in report.rejected[:_MAX_REJECTED]),
    )
    if len(report.rejected) > _MAX_REJECTED:
        echo(f"… and {len(report.rejected) - _MAX_REJECTED:,} more; --json has them all")


def _agreement(report: ImportReport) -> str:
    if not report.by_photo:
        return f"{report.model} has no network: it answers by product, not by photo"
    agreement = report.agreement
    if agreement is None:
        return f"no photo was found, so whether {report.model} made the vectors was not checked; see --images"
    figures = (
        f"{counted(agreement.photos, 'photo')} embedded again: "
        f"mean cosine {agreement.mean:.4f}, lowest {agreement.least:.4f}"
    )
    doubt = "; they come from another preprocessing, pooling or weights, a query by photo finds less"
    return figures if agreement.is_close else figures + doubt


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
    echo(f"{report.path}: {', '.join(parts)}; {report.size_bytes / 1e6:,.1f} MB in {report.seconds:.1f} s")
    for sentence in report.lost:
        echo(f"lost: {sentence}")
