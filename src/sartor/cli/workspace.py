"""``sartor info`` and ``sartor check``: what a workspace holds, and whether its parts agree."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from sartor.cli.options import Home, Json, MetricOption, Model, settings
from sartor.cli.output import counted, print_json, print_table

_MEBIBYTE = 1 << 20


def info(*, home: Home = None, model: Model = None, as_json: Json = False) -> None:
    """Tell what the workspace holds."""
    from sartor.assembly import open_shop

    with open_shop(settings(home=home, model=model)) as shop:
        told = shop.info()
    if as_json:
        print_json(asdict(told) | {"home": str(told.home)})
        return
    counts = told.counts
    typer.echo(
        f"{told.home}: {counted(counts.products, 'product')}, {counted(counts.photos, 'photo')}, "
        f"{told.size_bytes / _MEBIBYTE:.0f} MiB"
    )
    typer.echo(f"attributes: {', '.join(told.attributes) or 'none'}")
    models = sorted({*told.models, *counts.embeddings})
    print_table(
        "Models",
        ("id", "embeddings", ""),
        ((name, f"{counts.embeddings.get(name, 0):,}", _remark(name, told.default_model)) for name in models),
    )
    print_table(
        "Sources", ("source", "products"), ((name, f"{number:,}") for name, number in counts.sources.items())
    )


def check(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild the index from the store, delete thumbnails of no photo.")
    ] = False,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    as_json: Json = False,
) -> None:
    """Check that store, index and media agree; exit code 1 if not."""
    from sartor.assembly import open_shop

    with open_shop(settings(home=home, model=model, metric=metric)) as shop:
        problems = shop.check(repair=repair)
    agree = all(problem.harmless for problem in problems)
    if as_json:
        print_json({"ok": agree, "problems": [asdict(problem) for problem in problems]})
    else:
        typer.echo("store, index and media agree" if agree else "store, index and media do not agree:")
        for found in problems:
            typer.echo(f"- {found.count:,} {found.what}, such as {', '.join(found.examples)}")
            typer.echo(f"  to do: {found.remedy}")
    if not agree:
        raise typer.Exit(1)


def _remark(name: str, default_model: str | None) -> str:
    return "default" if name == default_model else ""
