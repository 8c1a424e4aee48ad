"""``sartor index`` and ``sartor embed``: sources into the catalog, or into a file of vectors."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from sartor.cli.options import (
    AllowUrls,
    Columns,
    Device,
    Home,
    Json,
    Limit,
    MetricOption,
    Model,
    PrecisionOption,
    Ray,
    counted,
    echo,
    print_json,
    print_rejected,
    print_table,
    progress_bar,
    settings,
    source_bar,
    stoppable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sartor.ingest.photos import IngestReport
    from sartor.ingest.preview import Preview
    from sartor.shop import Shop
    from sartor.shop.watching import Event
    from sartor.types import AttributeValue

_MAX_TOLD = 5  # rejected photos of a round
_MAX_SHOWN_CHARS = 200  # of a value in a preview


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders of images, ZIPs, Kaggle data, CSV or JSON, feeds, exports of shops, or s3:// of one.",
        ),
    ],
    *,
    limit: Limit = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete products that are no longer in their source.")
    ] = False,
    ray: Ray = None,
    allow_shrink: Annotated[
        bool,
        typer.Option("--allow-shrink", help="Take a source that says much less than before, whatever is lost."),
    ] = False,
    columns: Columns = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Write nothing; show what is recognized, and the first products."),
    ] = False,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch", metavar="SECONDS", min=0.1, help="Stay, look every so often, and index what changed."
        ),
    ] = None,
    home: Home = None,
    model: Model = None,
    metric: MetricOption = None,
    device: Device = None,
    precision: PrecisionOption = None,
    allow_urls: AllowUrls = None,
    as_json: Json = False,
) -> None:
    """Index the products of SOURCEs into the catalog, with the embeddings of their photos.

    Indexing again costs little: only changes are embedded. After a stop, it continues where it was.
    """
    _require_possible(prune=prune, limit=limit, watch=watch, dry_run=dry_run)
    from sartor.catalog.columns import columns_of
    from sartor.errors import SourceError
    from sartor.wiring import open_shop

    mapping = None if columns is None else columns_of(filter(None, columns))
    chosen = settings(
        home=home, model=model, metric=metric, device=device, precision=precision, allow_urls=allow_urls
    )

    def indexed(shop: Shop, source: str) -> IngestReport:
        name = PurePath(source.partition("?")[0]).name
        with source_bar(f"Indexing {name}", fetching=f"Fetching {name}") as (on_progress, on_fetch):
            return shop.index(
                source,
                limit=limit,
                prune=prune,
                allow_shrink=allow_shrink,
                ray=ray,
                columns=mapping,
                on_progress=on_progress,
                on_fetch=on_fetch,
            )

    if watch is not None:
        with _until_stopped(), open_shop(chosen) as shop:
            _watch(shop, sources, every_s=watch, index=indexed, as_json=as_json)
    failed = False
    message = "what was committed stays, the same command continues from there"
    with stoppable(message), open_shop(chosen) as shop:
        for source in sources:
            try:
                if dry_run:
                    found = shop.preview(source, limit=limit, columns=mapping)
                    print_json(asdict(found)) if as_json else _print_preview(found)
                    continue
                report = indexed(shop, source)
            except SourceError as error:  # the other sources are told apart from it
                if len(sources) == 1:
                    raise
                echo(f"sartor: {error}", err=True)
                failed = True
                continue
            _print_json(report) if as_json else _print(report)
            if report.failure is not None:
                echo(f"sartor: {report.failure}", err=True)
                failed = True
    if failed:
        raise typer.Exit(1)


def _require_possible(*, prune: bool, limit: int | None, watch: float | None, dry_run: bool) -> None:
    if prune and limit is not None:
        message = "--prune needs the whole source; it cannot go with --limit"
        raise typer.BadParameter(message)
    if watch is not None and dry_run:
        message = "--dry-run looks once; it cannot go with --watch"
        raise typer.BadParameter(message)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Ends the command well at SIGINT and SIGTERM, however often they come; what was committed stays."""

    def stop(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # what is open is closed without a second interruption
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        echo("sartor: stopped; what was committed stays", err=True)
        raise typer.Exit(0) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(
    shop: Shop, sources: list[str], *, every_s: float, index: Callable[[Shop, str], IngestReport], as_json: bool
) -> NoReturn:
    from sartor.shop.watching import Watch

    for source in sources:
        shop.catalog.state_of(source)  # a wrong path fails at once
    watch = Watch(sources, state_of=shop.catalog.state_of, index=lambda source: index(shop, source))
    echo(f"sartor: watching {counted(len(sources), 'source')} every {every_s:g} s; Ctrl-C ends it", err=True)
    while True:
        started_s = time.monotonic()
        for event in watch.round():
            _tell(event, as_json=as_json)
        time.sleep(max(0.0, every_s - (time.monotonic() - started_s)))


def _tell(event: Event, *, as_json: bool) -> None:
    """One line; reports to stdout, troubles to stderr."""
    from sartor.shop.watching import Indexed, Trouble

    now = time.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(event, Indexed):
        report = event.report
        if as_json:
            _print_json(report)
        else:
            kept = " (kept; --prune deletes them)" if report.gone > report.deleted else ""
            echo(
                f"{now} {report.source}: {report.added:,} added, {report.updated:,} changed, "
                f"{report.gone:,} gone{kept}, {counted(report.embedded, 'photo')} embedded, "
                f"{counted(len(report.rejected), 'photo')} rejected"
            )
            for rejection in report.rejected[:_MAX_TOLD]:
                echo(f"{now}   rejected: {rejection.photo}: {rejection.reason}", err=True)
            if len(report.rejected) > _MAX_TOLD:
                echo(f"{now}   and {len(report.rejected) - _MAX_TOLD:,} more, all with --json", err=True)
        sys.stdout.flush()
    elif isinstance(event, Trouble):
        then = "nothing is deleted; it is told when it is back" if event.is_away else "the next round tries again"
        echo(f"{now} warning: {event.error}; {then}", err=True)
    else:
        echo(f"{now} {event.source} is back", err=True)


def _print_json(report: IngestReport) -> None:
    fields: dict[str, Any] = asdict(report)
    fields["seconds"] = round(report.seconds, 3)
    fields["photos_per_second"] = round(report.photos_per_second, 1)
    print_json(fields)


def _print(report: IngestReport) -> None:
    outcomes = [f"{getattr(report, name):,} {name}" for name in ("added", "updated", "unchanged", "deleted")]
    fetched = f"{report.fetched:,} fetched, {report.unfetched:,} unchanged at their URL, "
    if not report.fetched + report.unfetched:
        fetched = ""
    echo(
        f"{report.source}: {counted(report.products, 'product')} ({', '.join(outcomes)}), "
        f"{counted(report.photos, 'photo')} ({report.embedded:,} embedded with {report.model}, "
        f"{fetched}{len(report.rejected):,} rejected) in {report.seconds:.1f} s, "
        f"{report.photos_per_second:.0f} photos/s"
    )
    print_table(
        "Noticed in the source",
        ("case", "count", "examples"),
        ((finding.case, finding.count, ", ".join(finding.examples)) for finding in report.findings),
    )
    print_rejected(report.rejected)


def _print_preview(found: Preview) -> None:
    echo(
        f"{found.source}: {found.kind}, {counted(found.products, 'product')} with "
        f"{counted(found.photos, 'photo')} ({found.without_photo:,} without one). Nothing was written."
    )
    print_table("What its columns are", ("column", "in the catalog"), found.mapping)
    for previewed in found.first:
        product = previewed.product
        rows = [("id", product.id), ("title", product.title), ("photos", "\n".join(previewed.photos) or "none")]
        rows += [(name, _value_text(value)) for name, value in product.attributes.items()]
        print_table(product.title or product.id, ("attribute", "value"), rows)
    print_table(
        "Noticed in the source",
        ("case", "count", "examples"),
        ((finding.case, finding.count, ", ".join(finding.examples)) for finding in found.findings),
    )


def _value_text(value: AttributeValue) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}… ({len(text):,} characters)"


def embed(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Products, as `sartor index` reads them.")],
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
    """Embed the photos of SOURCE into a NumPy file, without a catalog.

    The file has `ids` and `photos`, (n,) text, and `embeddings`, (n, d) float32 with unit norm.
    """
    if output.suffix != ".npz":
        message = f"the output is an .npz file, not {output.name}"
        raise typer.BadParameter(message)
    from sartor.catalog import open_source
    from sartor.imaging import UrlPolicy
    from sartor.ingest.embed import embed as embed_source
    from sartor.shop import library

    chosen = settings(home=home, model=model, device=device, precision=precision, allow_urls=allow_urls)
    models = library.open_models(chosen)
    card = library.choose_model(chosen, models)
    with (
        open_source(source) as opened,
        library.open_encoder(chosen, models, card) as encoder,
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
    echo(f"{output}: {counted(len(embeddings.ids), 'embedding')} of {card.dimension} by {card.id}")
    print_rejected(embeddings.rejected)
