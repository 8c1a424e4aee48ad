"""``sartor studio``: pages to explore a catalog with."""

from __future__ import annotations

from typing import Annotated

import typer

from sartor.cli.options import Home, settings

_PORT = 8501


def studio(
    *,
    home: Home = None,
    api: Annotated[
        str | None,
        typer.Option("--api", metavar="URL", help="Ask a running `sartor serve`, as http://127.0.0.1:8000."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = _PORT,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the studio in a browser.")] = True,
) -> None:
    """Explore a catalog in the browser: search by photos, compare models, browse a map, index, read reports."""
    if api is not None and home is not None:
        message = "give --home for a workspace or --api for a running service, not both"
        raise typer.BadParameter(message)
    if api is not None and not api.startswith(("http://", "https://")):
        message = f"--api takes an address as http://127.0.0.1:8000, not {api!r}"
        raise typer.BadParameter(message)
    from sartor.assembly import require_extra

    require_extra("studio", "streamlit", "matplotlib", "sklearn")
    from sartor.studio.launch import run

    def listening(address: str) -> None:
        typer.echo(f"Sartor's studio listens on {address}; stop it with Ctrl-C.")
        if browser:
            import webbrowser

            webbrowser.open(address)

    where = settings(home=home).home.resolve()
    code = run(port, {"SARTOR_HOME": str(where), "SARTOR_STUDIO_API": api or ""}, on_address=listening)
    if code:
        raise typer.Exit(1)
