"""``python -m tools.demo_catalog``: draws a demo catalog into a folder, or the one that the package ships."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from tools.demo_catalog.catalog import plan
from tools.demo_catalog.write import write_archive, write_folder

SHIPPED = Path(__file__).resolve().parents[2] / "src/sartor/demo/data/catalog.zip"
SHIPPED_COUNT = 600


def main(
    *,
    out: Annotated[Path | None, typer.Argument(help="A folder that is empty or does not exist yet.")] = None,
    data: Annotated[bool, typer.Option("--data", help="Draw the archive that the package ships.")] = False,
    count: Annotated[int, typer.Option("--count", min=1, help="How many products to draw.")] = SHIPPED_COUNT,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides which products there are.")] = 0,
) -> None:
    """Draw a demo catalog: its table, a photo of each product, and street photos to search with."""
    if (out is None) != data:
        message = "give either a folder or --data"
        raise typer.BadParameter(message)
    if out is None:
        write_archive(SHIPPED, plan(count=SHIPPED_COUNT, rng=np.random.default_rng(0)), on_progress=_progress)
        typer.echo(f"{SHIPPED}: {SHIPPED.stat().st_size:,} bytes")
        return
    try:
        products = plan(count=count, rng=np.random.default_rng(seed))
        write_folder(out, products, seed=seed, on_progress=_progress)
    except FileExistsError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(f"{count} products are in {out}; index them with: sartor index {out / 'catalog'}")


def _progress(done: int, total: int) -> None:
    typer.echo(f"\r{done} of {total} photos drawn", nl=done == total, err=True)


if __name__ == "__main__":
    typer.run(main)
