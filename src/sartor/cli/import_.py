"""``sartor import``: bring embeddings that another program made into the catalog."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import (
    STOPPED,
    Device,
    Home,
    Json,
    Limit,
    PrecisionOption,
    counted,
    print_json,
    print_table,
    progress_bar,
    settings,
)

if TYPE_CHECKING:
    from sartor.ingest.vectors import ImportReport

_SHOWN = 20  # of the rejected, in the table


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Vectors: a pickle, .npy, .npz or Parquet; a pickle is not run.")
    ],
    filenames: Annotated[
        Path | None, typer.Argument(metavar="FILENAMES", help="Names of their photos: a pickle, .npy or text.")
    ] = None,
    *,
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR", help="Folder or ZIP of the photos; else beside FILE.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Model of the workspace that made them; some photos are checked.")
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="Else the id of a model of vectors (imported-N).")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take them as the model's, however little they agree with it.")
    ] = False,
    limit: Limit = None,
    home: Home = None,
    device: Device = None,
    precision: PrecisionOption = None,
    as_json: Json = False,
) -> None:
    """Bring the vectors of FILE into the catalog, such as embeddings.pkl with filenames.pkl.

    A product is called as its photo without folder and suffix. Doing it again changes nothing.
    """
    if model is not None and id_ is not None:
        message = "--id names a new model, --model one that is there; give one of them"
        raise typer.BadParameter(message)
    from sartor.wiring import open_shop

    try:
        with (
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
                on_progress=on_progress,
            )
    except KeyboardInterrupt:
        typer.echo("sartor: stopped; what was committed stays, the same command goes on from there", err=True)
        raise typer.Exit(STOPPED) from None
    if as_json:
        print_json(asdict(report) | {"seconds": round(report.seconds, 3)})
        return
    _print(report)


def _print(report: ImportReport) -> None:
    outcomes = ", ".join(f"{getattr(report, name):,} {name}" for name in ("added", "updated", "unchanged"))
    typer.echo(
        f"{report.source}: {counted(report.vectors, 'vector')} of {report.dimension:,} numbers as {report.model}, "
        f"{counted(report.products, 'product')} ({outcomes}), {report.images:,} with a picture, "
        f"{report.described:,} with attributes, {len(report.rejected):,} rejected, in {report.seconds:.1f} s"
    )
    if report.scaled:
        typer.echo(f"{report.scaled:,} of the vectors did not have norm 1 and were scaled to it")
    typer.echo(_agreement(report))
    option = "" if report.is_default else f" --model {report.model}"
    typer.echo(f"to see: sartor similar --product ID{option}")
    print_table("Rejected", ("name", "reason"), ((each.photo, each.reason) for each in report.rejected[:_SHOWN]))
    if len(report.rejected) > _SHOWN:
        typer.echo(f"… and {len(report.rejected) - _SHOWN:,} more; --json has them all")


def _agreement(report: ImportReport) -> str:
    if not report.by_photo:
        return f"{report.model} has no network: it answers by product, not by photo"
    found = report.agreement
    if found is None:
        return f"no photo was found, so whether {report.model} made the vectors was not checked; see --images"
    told = (
        f"{counted(found.photos, 'photo')} embedded again: mean cosine {found.mean:.4f}, least {found.least:.4f}"
    )
    doubt = "; they come from another preprocessing, pooling or weights, a query by photo finds less"
    return told if found.is_close else told + doubt
