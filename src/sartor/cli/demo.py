"""``sartor demo``: a shop to look at, of a drawn catalog or of one's own photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sartor.cli.options import Device, Home, PrecisionOption, settings
from sartor.cli.output import STOPPED, counted, progress_bar
from sartor.cli.serve import Host, Port

_HOME = Path("sartor-demo")


def demo(
    *,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--source", metavar="SOURCE", help="Your own photos, in place of the drawn catalog; repeatable."
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many products to draw.")] = 600,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the shop in a browser.")] = True,
    home: Home = None,
    device: Device = None,
    precision: PrecisionOption = None,
) -> None:
    """Draw a demo catalog, or take your own photos, index it, and serve it as a shop."""
    from sartor.assembly import open_shop
    from sartor.cli.serve import run
    from sartor.config import ServiceSettings

    workspace = settings(home=home, device=device, precision=precision)
    if "home" not in workspace.model_fields_set:  # neither given nor in the environment
        workspace = workspace.model_copy(update={"home": _HOME})
    try:
        sources = source or [_drawn(workspace.home / "demo", count)]
        with open_shop(workspace) as shop:
            for each in sources:
                with progress_bar(f"Indexing {each.name}") as on_progress:
                    report = shop.index(each, on_progress=on_progress)
                typer.echo(f"{counted(report.products, 'product')} indexed in {report.seconds:.1f} s.")
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    run(workspace, ServiceSettings(host=host, port=port, rate_per_minute=0), open_browser=browser)


def _drawn(directory: Path, count: int) -> Path:
    from rich.console import Console
    from rich.progress import Progress

    from sartor.demo import write_demo_catalog

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Drawing the demo catalog", total=count)
        catalog = write_demo_catalog(
            directory, count=count, on_progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    typer.echo(f"Photos to search with: {catalog.queries}")
    return catalog.directory
