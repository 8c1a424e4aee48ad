"""``sartor serve``, ``keys``, ``studio`` and ``demo``: the service, its API keys, the studio, a demo shop."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sartor.cli.options import (
    STOPPED,
    AllowUrls,
    Device,
    Home,
    Json,
    MetricOption,
    Model,
    PrecisionOption,
    counted,
    echo,
    print_json,
    print_table,
    progress_bar,
    settings,
)
from sartor.limits import STUDIO_PORT

if TYPE_CHECKING:
    from sartor.shop import Shop


keys = typer.Typer(help="API keys of the service.", no_args_is_help=True, rich_markup_mode=None)


_COLUMNS = ("id", "name", "scope", "created")


Host = Annotated[
    str, typer.Option("--host", help="Address to listen on; other machines can only be served with an API key.")
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            "--cors",
            metavar="ORIGIN",
            help="Allow pages of this origin, such as https://shop.example; repeatable.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            envvar="SARTOR_BASE_URL",
            help="Address at which clients reach the service behind a proxy, such as https://shop.example/sartor/.",
        ),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="CIDR",
            envvar="SARTOR_TRUSTED_PROXY",
            help="Believe what this proxy says of clients: an address, a network such as 10.0.0.0/8, or loopback, "
            "private, unix or none (by default loopback and unix); repeatable.",
        ),
    ] = None,
    rate_limit: Annotated[
        int, typer.Option("--rate-limit", min=0, help="Requests per minute of one key or address; 0 is no limit.")
    ] = 1200,
    rate_store: Annotated[
        str | None,
        typer.Option(
            "--rate-store",
            metavar="ADDRESS",
            envvar="SARTOR_RATE_STORE",
            help="Redis server that counts requests for several hosts, such as redis://localhost:6379/0.",
        ),
    ] = None,
    max_request_mb: Annotated[
        int, typer.Option("--max-request-mb", min=1, help="Maximum size of a request.")
    ] = 64,
    read_needs_key: Annotated[
        bool, typer.Option("--read-needs-key", help="Reading needs an API key, too.")
    ] = False,
    storefront: Annotated[
        bool, typer.Option("--storefront/--no-storefront", help="Serve the storefront beside the API.")
    ] = True,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, metavar="N", help="Processes that answer (by default one for each core)."
        ),
    ] = None,
    share_index: Annotated[
        bool | None,
        typer.Option(
            "--share-index/--copy-index",
            help="Whether the workers ask one process for the index, or have a copy each (by default as long as "
            "the copies take a quarter of the memory at most).",
        ),
    ] = None,
    indexer: Annotated[
        bool,
        typer.Option(
            "--indexer/--no-indexer",
            help="Whether this service also writes the vector index of a shared engine, when it is its turn.",
        ),
    ] = True,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
) -> None:
    """Serve the REST API and the storefront until Ctrl-C or SIGTERM."""
    from sartor.config import ServiceSettings, cores

    workspace = settings(
        home=home,
        model=model,
        metric=metric,
        device=device,
        precision=precision,
        allow_urls=allow_urls,
        indexer=indexer,
    )
    service = ServiceSettings.checked(
        host=host,
        port=port,
        base_url=base_url,
        **({"trusted_proxies": tuple(trusted_proxy)} if trusted_proxy else {}),
        cors_origins=tuple(cors or ()),
        rate_per_minute=rate_limit,
        rate_store=rate_store,
        max_request_bytes=max_request_mb << 20,
        read_needs_key=read_needs_key,
        storefront=storefront,
        workers=workers or cores(),
        share_index=share_index,
    )
    run(workspace, service)


def indexer(
    *,
    once: Annotated[bool, typer.Option("--once", help="End when the index has what the catalog has now.")] = False,
    home: Home = None,
) -> None:
    """Write the vector index that all processes share until Ctrl-C or SIGTERM; of several indexers, one does."""
    from sartor.errors import IndexNotShared
    from sartor.service.monitoring import configure_logging
    from sartor.wiring import open_workspace

    configure_logging()
    opened = open_workspace(settings(home=home))
    try:
        writes = opened.models.indexer
        if writes is None:
            raise IndexNotShared(opened.backends.name)
        if once:
            if not writes.step():
                echo("sartor: another process is the indexer; it brings the index up to date.", err=True)
            return
        signal.signal(signal.SIGTERM, lambda *_: writes.stop())
        with suppress(KeyboardInterrupt):
            writes.run()
    finally:
        opened.models.stop()
        opened.backends.close()


def run(workspace: Any, service: Any, *, open_browser: bool = False) -> None:
    """Serve a workspace; prints the address when it listens."""
    # NumPy's library reads it when it is imported. Its threads are for large matrices; those of an answer are so
    # small that the threads wait for each other for longer than they compute, and requests have threads already.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from sartor.service.monitoring import configure_logging
    from sartor.service.run import serve as serve_shop
    from sartor.service.workers import serve_by_workers
    from sartor.shop.library import require_runtime
    from sartor.storefront import add_storefront
    from sartor.wiring import open_beside, open_shop

    require_runtime(workspace)

    def listening(address: str) -> None:
        echo(f"Sartor listens on {address} (API: {address}/openapi.json); stop it with Ctrl-C.")
        if service.base_url:
            echo(f"Its pages and redirects lead to {service.base_url}/.")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    def ready(address: str) -> None:
        echo(f"Sartor is ready on {address}.", err=True)

    configure_logging()
    if service.workers > 1:
        serve_by_workers(workspace, service, pages=add_storefront, on_address=listening, on_ready=ready)
        return
    with open_shop(workspace, many_callers=True) as shop, open_beside(workspace, shop) as store:
        serve_shop(shop, store, service, pages=add_storefront, on_address=listening, on_ready=ready)


def studio(
    *,
    home: Home = None,
    api: Annotated[
        str | None,
        typer.Option("--api", metavar="URL", help="Use a running `sartor serve`, such as http://127.0.0.1:8000."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = STUDIO_PORT,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the studio in a browser.")] = True,
) -> None:
    """Explore a catalog in the browser: search by photos, compare models, browse a map, index, read reports."""
    if api is not None and home is not None:
        message = "give --home for a workspace or --api for a running service, not both"
        raise typer.BadParameter(message)
    if api is not None and not api.startswith(("http://", "https://")):
        message = f"--api takes an address such as http://127.0.0.1:8000, not {api!r}"
        raise typer.BadParameter(message)
    from sartor.errors import require_extra

    require_extra("studio", "streamlit", "httpx2", "matplotlib", "sklearn")
    from sartor.studio.launch import run

    def listening(address: str) -> None:
        echo(f"Sartor's studio listens on {address}; stop it with Ctrl-C.")
        if browser:
            import webbrowser

            webbrowser.open(address)

    chosen = settings(home=home)
    variables = {"SARTOR_HOME": str(chosen.home.resolve()), "SARTOR_STUDIO_API": api or ""}
    if chosen.store is not None:
        variables["SARTOR_STORE"] = chosen.store
    code = run(port, variables, on_address=listening)
    if code:
        raise typer.Exit(1)


@keys.command("create")
def create(
    *,
    scope: Annotated[
        Literal["read", "write", "admin"],
        typer.Option("--scope", help="What the key allows."),
    ],
    name: Annotated[str, typer.Option("--name", help="Name of its owner, for the list.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it; it is only shown once. A running service accepts it within seconds."""
    from sartor.service.security import Scope, create_key
    from sartor.wiring import open_store

    with closing(open_store(settings(home=home))) as store:
        same_name = [each.id for each in store.keys() if name and each.name == name]  # noqa: SIM118 - no dict
        key = create_key(store, name=name, scope=Scope.named(scope))
    if as_json:
        print_json({"key": key, "scope": scope, "name": name})
    else:
        echo(key)
        echo("Keep it: only its digest is stored. Send it as: Authorization: Bearer KEY", err=True)
    if same_name:
        echo(
            f"sartor: {', '.join(same_name)} is named {name!r}, too; both are valid until one is deleted", err=True
        )


@keys.command("list")
def show(*, home: Home = None, as_json: Json = False) -> None:
    """List the API keys, without the keys themselves."""
    from sartor.wiring import open_store

    with closing(open_store(settings(home=home))) as store:
        rows = [(key.id, key.name, key.scope, _day(key.created_s)) for key in store.keys()]  # noqa: SIM118 - no dict
    if as_json:
        print_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    elif rows:
        print_table("", _COLUMNS, rows)
    else:
        echo("There is no API key: everything is open, and the service listens on this machine only.")


@keys.command("delete")
def delete(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `sartor keys list` shows it.")],
    *,
    home: Home = None,
) -> None:
    """Delete an API key; a running service refuses it within seconds."""
    from sartor.errors import KeyNotFound
    from sartor.wiring import open_store

    with closing(open_store(settings(home=home))) as store:
        known = [key.id for key in store.keys()]  # noqa: SIM118 - no dict
        if not store.delete_key(key_id):
            raise KeyNotFound(key_id, known=known)
    echo(f"deleted {key_id}")


def _day(created_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(created_s))


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
    from sartor.config import ServiceSettings
    from sartor.wiring import open_shop

    workspace = settings(home=home, device=device, precision=precision)
    if "home" not in workspace.model_fields_set:  # neither an option nor in the environment
        workspace = workspace.model_copy(update={"home": _HOME})
    try:
        with open_shop(workspace) as shop:
            for catalog in source or _demo_catalog(shop, workspace.home, count):
                with progress_bar(f"Indexing {catalog.name}") as on_progress:
                    report = shop.index(
                        catalog, prune=not source, allow_shrink=not source, on_progress=on_progress
                    )
                echo(f"{counted(report.products, 'product')} indexed in {report.seconds:.1f} s.")
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None
    run(
        workspace,
        ServiceSettings.checked(host=host, port=port, rate_per_minute=0, workers=1),
        open_browser=browser,
    )


def _demo_catalog(shop: Shop, home: Path, count: int | None) -> list[Path]:
    """The demo catalog to index; none if the workspace has products and no count is given."""
    from sartor.demo import write_demo_catalog, written_count

    directory = home / "demo"
    count = count or written_count(directory)
    if count is None and (products := shop.counts().products):
        added = f"--count {_MAX_COUNT} adds the drawn ones"
        echo(f"{home} has {counted(products, 'product')} already; {added}.")
        return []
    catalog = write_demo_catalog(directory, count=count or _MAX_COUNT)
    echo(f"Photos to search with: {catalog.queries}")
    return [catalog.directory]
