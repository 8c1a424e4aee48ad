"""``sartor demo``: a shop to look at, with drawn products or your own photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import STOPPED, Device, Home, PrecisionOption, counted, progress_bar, settings
from sartor.cli.serve import Host, Port

if TYPE_CHECKING:
    from sartor.shop import Shop

_HOME = Path("sartor-demo")
_MAX_COUNT = 600


def demo(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--source", metavar="SOURCE", help="Your own photos, instead of the drawn catalog; repeatable."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            min=1,
            max=_MAX_COUNT,
            help=f"Number of drawn products (all {_MAX_COUNT}, or as many as the last time).",
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the shop in a browser.")] = True,
    home: Home = None,
    device: Device = None,
    precision: PrecisionOption = None,
) -> None:
    """Index a catalog of drawn products, or your own photos, and serve it as a shop.

    The workspace is ./sartor-demo without --home. A workspace with products is served as it is, unless --source
    or --count is given.
    """
    from sartor.cli.serve import run
    from sartor.config import ServiceSettings
    from sartor.wiring import open_shop

    workspace = settings(home=home, device=device, precision=precision)
    if "home" not in workspace.model_fields_set:  # neither an option nor in the environment
        workspace = workspace.model_copy(update={"home": _HOME})
    try:
        with open_shop(workspace) as shop:
            for catalog in source or _demo_catalog(shop, workspace.home, count):
                with progress_bar(f"Indexing {catalog.name}") as on_progress:
                    report = shop.index(catalog, prune=not source, on_progress=on_progress)
                typer.echo(f"{counted(report.products, 'product')} indexed in {report.seconds:.1f} s.")
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    run(workspace, ServiceSettings(host=host, port=port, rate_per_minute=0), open_browser=browser)


def _demo_catalog(shop: Shop, home: Path, count: int | None) -> list[Path]:
    """The demo catalog to index; none if the workspace has products and no count is given."""
    from sartor.demo import write_demo_catalog, written_count

    directory = home / "demo"
    count = count or written_count(directory)
    if count is None and (products := shop.counts().products):
        added = f"--count {_MAX_COUNT} adds the drawn ones"
        typer.echo(f"{home} has {counted(products, 'product')} already; {added}.")
        return []
    catalog = write_demo_catalog(directory, count=count or _MAX_COUNT)
    typer.echo(f"Photos to search with: {catalog.queries}")
    return [catalog.directory]
