"""``sartor embed``: only the vectors, for whoever goes on with them elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sartor.cli.options import AllowUrls, Device, Home, Json, Limit, Model, PrecisionOption, settings
from sartor.cli.output import counted, print_json, print_table, progress_bar


def embed(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="What `sartor index` takes.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.npz", help="Where to write.")],
    limit: Limit = None,
    home: Home = None,
    model: Model = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Embed the photos of SOURCE into a NumPy file, without touching the catalog.

    The file has `ids` and `photos`, (n,) text, and `embeddings`, (n, d) float32 with unit norm.
    """
    if output.suffix != ".npz":
        message = f"the output is an .npz file, not {output.name}"
        raise typer.BadParameter(message)
    from sartor import assembly
    from sartor.catalog import open_source
    from sartor.imaging import UrlPolicy
    from sartor.pipelines.embed import embed as embed_source

    chosen = settings(home=home, model=model, device=device, precision=precision, allow_urls=allow_urls)
    models = assembly.open_models(chosen)
    card = assembly.choose_model(chosen, models)
    with (
        open_source(source) as opened,
        assembly.open_encoder(chosen, models, card) as encoder,
        progress_bar(f"Embedding {source.name}") as on_progress,
    ):
        embeddings = embed_source(
            opened, encoder, urls=UrlPolicy(enabled=chosen.allow_urls), limit=limit, on_progress=on_progress
        )
    embeddings.save(output)
    if as_json:
        rejected = [asdict(rejection) for rejection in embeddings.rejected]
        print_json(
            {"model": card.id, "output": str(output), "shape": embeddings.vectors.shape, "rejected": rejected}
        )
        return
    typer.echo(f"{output}: {counted(len(embeddings.ids), 'embedding')} of {card.dimension} by {card.id}")
    print_table(
        "Rejected photos",
        ("photo", "reason"),
        ((rejection.photo, rejection.reason) for rejection in embeddings.rejected),
    )
