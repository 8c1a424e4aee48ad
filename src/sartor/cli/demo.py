"""``sartor demo``: a shop to look at, of a drawn catalog or of one's own photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sartor.cli.options import STOPPED, Device, Home, PrecisionOption, counted, progress_bar, settings
from sartor.cli.serve import Host, Port

if TYPE_CHECKING:
    from sartor.shop import Shop

_HOME = Path("sartor-demo")
_COUNT = 600


def demo(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--source", metavar="SOURCE", help="Your own photos, in place of the drawn catalog; repeatable."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", min=1, help=f"How many products to draw: {_COUNT}, or as many as were drawn before."
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the shop in a browser.")] = True,
    home: Home = None,
    device: Device = None,
    precision: PrecisionOption = None,
) -> None:
    """Draw a demo catalog, or take your own photos, index it, and serve it as a shop.

    A workspace that has products already is served as it is, unless --source or --count says otherwise.
    """
    from sartor.cli.serve import run
    from sartor.config import ServiceSettings
    from sartor.wiring import open_shop

    workspace = settings(home=home, device=device, precision=precision)
    if "home" not in workspace.model_fields_set:  # neither given nor in the environment
        workspace = workspace.model_copy(update={"home": _HOME})
    try:
        with open_shop(workspace) as shop:
            for each in source or _drawn(shop, workspace.home, count):
                with progress_bar(f"Indexing {each.name}") as on_progress:
                    report = shop.index(each, prune=not source, on_progress=on_progress)
                typer.echo(f"{counted(report.products, 'product')} indexed in {report.seconds:.1f} s.")
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    run(workspace, ServiceSettings(host=host, port=port, rate_per_minute=0), open_browser=browser)


def _drawn(shop: Shop, home: Path, count: int | None) -> list[Path]:
    """The drawn catalog to index; none where there are other products, and nobody said how many to draw."""
    from rich.console import Console
    from rich.progress import Progress

    from sartor.demo import drawn_count, write_demo_catalog

    directory = home / "demo"
    count = count or drawn_count(directory)
    if count is None and (products := shop.counts().products):
        typer.echo(
            f"{home} has {counted(products, 'product')} already; --count {_COUNT} draws others beside them."
        )
        return []
    count = count or _COUNT
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Drawing the demo catalog", total=count)
        catalog = write_demo_catalog(
            directory, count=count, on_progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    typer.echo(f"Photos to search with: {catalog.queries}")
    return [catalog.directory]
